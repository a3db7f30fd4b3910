"""Many p-values at once: corrections for their number, and what the largest of many statistics is worth."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from coinswarm import check, errors
from coinswarm.stats import inputs
from coinswarm.types import BoolArray, FloatArray, IntArray

_STATSMODELS_NAMES = {"bonferroni": "bonferroni", "holm": "holm", "bh": "fdr_bh", "by": "fdr_by", "bky": "fdr_tsbky"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrected:
    """P-values after correction.

    Attributes:
        p_adjusted: (n,) in [0, 1], in the order given.
        rejected: (n,) true where the hypothesis falls at the level asked for.
    """

    p_adjusted: FloatArray
    rejected: BoolArray


def correct_p_values(p_values: npt.ArrayLike, method: str = "holm", alpha: float = 0.05) -> Corrected:
    """Correct p-values for their number.

    Args:
        p_values: (n,) in [0, 1].
        method: "bonferroni" and "holm" hold the family-wise rate under any dependence; "bh" (Benjamini & Hochberg 1995) holds the false
            discovery rate under positive dependence, "by" (Benjamini & Yekutieli 2001) under any, "bky" (Benjamini, Krieger & Yekutieli
            2006, two stages) for independent p-values.
        alpha: level, in (0, 1).

    Returns:
        Adjusted p-values and decisions.

    Raises:
        InvalidArgument: a p-value, the method or alpha lies outside its domain.

    Source: computed by the library `statsmodels`.
    """
    from statsmodels.stats.multitest import multipletests

    p = inputs.probabilities(p_values)
    inputs.one_of(method, "method", tuple(_STATSMODELS_NAMES))
    inputs.between(alpha, "alpha", 0, 1)
    with warnings.catch_warnings():
        # its two-stage method divides by the level reached, which may be 0
        warnings.simplefilter("ignore", RuntimeWarning)
        rejected, adjusted, *_ = multipletests(p, alpha=alpha, method=_STATSMODELS_NAMES[method])
    return Corrected(p_adjusted=np.clip(adjusted, 0.0, 1.0), rejected=np.asarray(rejected, dtype=np.bool_))


def independent_maximum_p(z: float, n: int) -> float:
    """P-value of the largest of n independent standard normals: 1 - Phi(z)^n.

    Args:
        z: the largest statistic; finite.
        n: how many there were, at least 1.

    Returns:
        In [0, 1].

    Raises:
        InvalidArgument: an argument lies outside its domain.

    Source: Sidak 1967.
    """
    inputs.finite(z, "z")
    inputs.whole(n, "n", 1)
    return float(-np.expm1(n * special.log_ndtr(z)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Attainable:
    """Which patterns of a table could be significant at all.

    Attributes:
        support: a pattern that holds in fewer rows cannot reach the level and does not count as a test.
        n_tests: patterns with at least that support; alpha / n_tests is the level of each.
    """

    support: int
    n_tests: int


def attainable_patterns(supports: npt.ArrayLike, n_rows: int, n_positive: int, alpha: float = 0.05) -> Attainable:
    """Bonferroni over the patterns that could reach the corrected level, by one-sided Fisher tests of a yes/no outcome.

    The smallest p a pattern of support x can have is f(x) = C(n_positive, x) / C(n_rows, x); the support returned is the smallest s with
    f(s) <= alpha / (number of patterns of support >= s). Chosen from supports alone, which know nothing of the outcome.

    Args:
        supports: (n_patterns,) rows in which each pattern holds, in [1, n_rows]; patterns that hold in exactly the same rows are given
            once.
        n_rows: rows of the table.
        n_positive: rows with a positive outcome, in [1, n_rows).
        alpha: family-wise level, in (0, 1).

    Returns:
        The support and how many patterns reach it; a support of n_positive + 1 and 0 tests when none can be significant.

    Raises:
        InvalidArgument: an argument lies outside its domain.

    Source: Tarone 1990; Terada, Okada-Hatakeyama, Tsuda & Sese 2013 (LAMP).
    """
    inputs.between(alpha, "alpha", 0, 1)
    inputs.whole(n_rows, "n_rows", 2)
    inputs.whole(n_positive, "n_positive", 1, n_rows - 1)
    check.vector(supports, "supports")
    sizes = np.asarray(supports, dtype=np.int64)
    if sizes.min() < 1 or sizes.max() > n_rows:
        raise errors.InvalidArgument(f"supports must be in [1, {n_rows}]", found=f"{sizes.min()} to {sizes.max()}")
    candidates = np.arange(1, n_positive + 1, dtype=np.int64)
    reaching = sizes.size - np.searchsorted(np.sort(sizes), candidates)
    possible = reaching * _least_p(candidates, n_rows, n_positive) <= alpha * (1 + 1e-12)
    if not (possible & (reaching > 0)).any():
        return Attainable(support=n_positive + 1, n_tests=0)
    first = int(np.argmax(possible))
    return Attainable(support=int(candidates[first]), n_tests=int(reaching[first]))


def _least_p(support: IntArray, n_rows: int, n_positive: int) -> FloatArray:
    x = support.astype(np.float64)
    above, below = (special.gammaln(n + 1) - special.gammaln(n - x + 1) for n in (n_positive, n_rows))
    return np.asarray(np.exp(above - below))
