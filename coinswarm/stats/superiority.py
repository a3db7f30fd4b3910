"""Does the best of many variants beat a benchmark, given that it is the best of many? Bootstrap tests over all of them together.

White's reality check compares means as they are, so one noisy variant drowns a steady good one; Hansen's test and Romano & Wolf's
procedure divide each variant by its own error first. All three share one set of resamples. The library `arch` offers them too, but its
statistic is not studentised whatever its option says (a variant with t = 5 among noisy ones got p = .87), and it copies the rows of
every resample; its unstudentised reality check is what ours is tested against.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coinswarm import check
from coinswarm.stats import bootstrap, inputs
from coinswarm.stats.stepdown import step_down
from coinswarm.types import BoolArray, FloatArray, IntArray

LENGTHS_ASKED = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class RealityCheck:
    """White's reality check.

    Attributes:
        statistic: sqrt(n_obs) times the largest mean excess return.
        p_value: in (0, 1].
        best: column of the largest mean excess return.
    """

    statistic: float
    p_value: float
    best: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SuperiorAbility:
    """Hansen's test for superior predictive ability.

    Attributes:
        statistic: largest studentised mean excess return, not below 0.
        p_value: the consistent one: variants that are clearly worse than the benchmark do not count against the best; in (0, 1].
        p_lower: a lower bound of it: all variants worse than the benchmark are left as bad as they look.
        p_upper: an upper bound of it: all variants are taken to be as good as the benchmark.
        best: column of the largest studentised mean.
    """

    statistic: float
    p_value: float
    p_lower: float
    p_upper: float
    best: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SuperiorSet:
    """Romano & Wolf's stepwise test of each variant.

    Attributes:
        statistic: (n_variants,) studentised mean excess returns.
        p_adjusted: (n_variants,) family-wise one-sided p-values, in (0, 1].
        rejected: (n_variants,) true where a variant beats the benchmark at the level asked for.
    """

    statistic: FloatArray
    p_adjusted: FloatArray
    rejected: BoolArray


def reality_check(
    returns: FloatArray,
    benchmark: npt.ArrayLike = 0.0,
    *,
    rng: np.random.Generator,
    n_resamples: int = 999,
    block_length: float | None = None,
) -> RealityCheck:
    """P-value that the best mean return exceeds the benchmark's, not studentised.

    V = max_k sqrt(n) mean(d_k) with d = returns - benchmark, against max_k sqrt(n) (mean(d*_k) - mean(d_k)) over resamples.

    Args:
        returns: (n_obs, n_variants) returns per period, fractions, in time order; finite.
        benchmark: (n_obs,) returns of what is to be beaten, or one number; finite.
        rng: source of the resamples.
        n_resamples: stationary bootstrap resamples, at least 99.
        block_length: mean block in observations, in [1, n_obs]; None: the longest optimal one of the 8
            most autocorrelated variants.

    Returns:
        Statistic, p-value (b + 1) / (n_resamples + 1) and the best column.

    Raises:
        InvalidArgument: returns are missing, or a variant does not differ from the benchmark by more than a constant.

    Source: White 2000 ("A reality check for data snooping").
    """
    excess, length = _excess(returns, benchmark, n_resamples, block_length)
    means = excess.mean(axis=0)
    draws = bootstrap.stationary_bootstrap_means(excess, length, n_resamples, rng) - means
    return RealityCheck(
        statistic=math.sqrt(excess.shape[0]) * float(means.max()),
        p_value=_reached(draws.max(axis=1), float(means.max())),
        best=int(means.argmax()),
    )


def superior_predictive_ability(
    returns: FloatArray,
    benchmark: npt.ArrayLike = 0.0,
    *,
    rng: np.random.Generator,
    n_resamples: int = 999,
    block_length: float | None = None,
) -> SuperiorAbility:
    """P-value that any variant beats the benchmark, each variant divided by its own error.

    V = max(0, max_k sqrt(n) mean(d_k) / w_k), with w_k^2 the long-run variance of d_k, against the same of resamples whose means are moved
    by g(mean(d_k)): all of it (upper), its positive part (lower), or, for the consistent p, all of it unless
    mean(d_k) < -sqrt(w_k^2 / n 2 log log n).

    Args:
        returns: (n_obs, n_variants) returns per period, fractions, in time order; finite, n_obs at least 3.
        benchmark: (n_obs,) returns of what is to be beaten, or one number; finite.
        rng: source of the resamples.
        n_resamples: stationary bootstrap resamples, at least 99.
        block_length: mean block in observations, in [1, n_obs]; None: the longest optimal one of the 8
            most autocorrelated variants.

    Returns:
        Statistic, three p-values with p_lower <= p_value <= p_upper, and the best column.

    Raises:
        InvalidArgument: returns are missing, or a variant does not differ from the benchmark by more than a constant.

    Source: Hansen 2005 ("A test for superior predictive ability").
    """
    excess, length = _excess(returns, benchmark, n_resamples, block_length)
    n_obs, means = excess.shape[0], excess.mean(axis=0)
    error = _errors(excess, length)
    draws = bootstrap.stationary_bootstrap_means(excess, length, n_resamples, rng) / error
    scores = means / error
    best = max(0.0, float(scores.max()))
    hopeless = scores < -math.sqrt(2 * math.log(max(math.log(n_obs), 1.0)))
    centres = (np.where(hopeless, 0.0, scores), np.maximum(scores, 0.0), scores)
    consistent, lower, upper = (_reached(np.maximum((draws - centre).max(axis=1), 0.0), best) for centre in centres)
    return SuperiorAbility(statistic=best, p_value=consistent, p_lower=lower, p_upper=upper, best=int(scores.argmax()))


def stepwise_multiple_testing(
    returns: FloatArray,
    benchmark: npt.ArrayLike = 0.0,
    *,
    rng: np.random.Generator,
    alpha: float = 0.05,
    n_resamples: int = 999,
    block_length: float | None = None,
) -> SuperiorSet:
    """Which variants beat the benchmark, with the chance of any false one held at alpha (studentised StepM).

    Variants that were found are taken out of the family, and the rest is judged against the maximum of the rest only, until none is found.

    Args:
        returns: (n_obs, n_variants) returns per period, fractions, in time order; finite.
        benchmark: (n_obs,) returns of what is to be beaten, or one number; finite.
        rng: source of the resamples.
        alpha: family-wise level, in (0, 1).
        n_resamples: stationary bootstrap resamples, at least 99.
        block_length: mean block in observations, in [1, n_obs]; None: the longest optimal one of the 8
            most autocorrelated variants.

    Returns:
        Statistic, family-wise p-value and decision of each variant.

    Raises:
        InvalidArgument: returns are missing, a variant does not differ from the benchmark by more than a constant, or alpha is no level.

    Source: Romano & Wolf 2005 ("Stepwise multiple testing as formalized data snooping"), 2016 (p-values).
    """
    inputs.between(alpha, "alpha", 0, 1)
    excess, length = _excess(returns, benchmark, n_resamples, block_length)
    means, error = excess.mean(axis=0), _errors(excess, length)
    drawn = ((bootstrap.stationary_bootstrap_means(excess, length, n_resamples, rng) - means) / error).T

    def draws(rows: IntArray) -> npt.NDArray[np.float64]:
        return np.asarray(drawn[rows])

    adjusted = step_down(means / error, draws, n_resamples)[1]
    return SuperiorSet(statistic=means / error, p_adjusted=adjusted, rejected=adjusted <= alpha)


def _excess(returns: FloatArray, benchmark: npt.ArrayLike, n_resamples: int, block_length: float | None) -> tuple[FloatArray, float]:
    check.matrix(returns, "returns")
    inputs.whole(n_resamples, "n_resamples", 99)
    against = np.asarray(benchmark, dtype=np.float64)
    if against.ndim:
        check.vector(against, "benchmark", length=np.shape(returns)[0])
    else:
        inputs.finite(float(against), "benchmark")
    excess = inputs.varying_columns(np.asarray(returns, dtype=np.float64) - against.reshape(-1, 1), "returns less the benchmark")
    return excess, _longest(excess) if block_length is None else block_length


def _longest(excess: FloatArray) -> float:
    # one length takes a fifth of a second for a year of 5-minute bars, so only the most autocorrelated variants are asked
    centred = excess - excess.mean(axis=0)
    after_one = np.abs(np.einsum("ij,ij->j", centred[1:], centred[:-1])) / np.einsum("ij,ij->j", centred, centred)
    chosen = np.argsort(-after_one, kind="stable")[:LENGTHS_ASKED]
    longest = max(bootstrap.optimal_block_length(excess[:, column]).stationary for column in chosen)
    return min(max(1.0, longest), float(excess.shape[0]))


def _errors(excess: FloatArray, length: float) -> FloatArray:
    # the long-run variance of a series that always reverts can vanish; the floor keeps its statistic finite
    floor = 1e-6 * excess.var(axis=0)
    return np.sqrt(np.maximum(bootstrap.long_run_variance(excess, length), floor) / excess.shape[0])


def _reached(draws: FloatArray, observed: float) -> float:
    slack = 1e-12 * max(abs(observed), float(np.abs(draws).max()))
    return (int((draws >= observed - slack).sum()) + 1) / (draws.size + 1)
