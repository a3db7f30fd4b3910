"""Testing one hypothesis after another for ever: each discovery earns, each failure spends, and the false share stays below alpha.

A library of patterns or plays that keeps growing must not restart its 5 % with every addition. P-values come in the order in which
they were tested; a level depends on earlier decisions only, never on its own p-value. LOND holds its rate under positive dependence,
LORD++ and SAFFRON ask for independent p-values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from coinswarm import check, errors
from coinswarm.stats import inputs
from coinswarm.types import BoolArray, FloatArray


@dataclass(frozen=True, kw_only=True, slots=True)
class OnlineTest:
    """Decisions of an online procedure.

    Attributes:
        levels: (n,) level at which each p-value was tested, in [0, 1].
        rejected: (n,) true for a discovery: p <= level.
        next_level: the level the next p-value will be tested at.
    """

    levels: FloatArray
    rejected: BoolArray
    next_level: float


def lond(p_values: npt.ArrayLike, alpha: float = 0.05, decay: float | None = None) -> OnlineTest:
    """Levels based on the number of discoveries: level_t = alpha g_t (discoveries so far + 1).

    g_t = 0.07720838 log(max(t, 2)) / (t exp(sqrt(log t))), or t^-decay / zeta(decay); either adds up to 1.

    Args:
        p_values: (n,) in the order of testing, in [0, 1]; may be empty.
        alpha: false discovery rate, in (0, 1).
        decay: above 1; the larger, the more is spent on the first tests and the less is left for later ones. None: the first sequence,
            which spreads alpha over thousands of tests.

    Returns:
        Levels, decisions and the next level.

    Raises:
        InvalidArgument: a p-value, alpha or decay lies outside its domain.

    Source: Javanmard & Montanari 2015; default sequence of the R package onlineFDR.
    """
    p = _arrived(p_values, alpha)
    spending = alpha * (_slow(np.arange(1, p.size + 2)) if decay is None else _power(np.arange(1, p.size + 2), decay))
    levels, found = np.empty(p.size + 1), 0
    for t in range(p.size + 1):
        levels[t] = min(1.0, spending[t] * (found + 1))
        found += bool(t < p.size and p[t] <= levels[t])
    return _decided(p, levels)


def lord_plus_plus(p_values: npt.ArrayLike, alpha: float = 0.05, wealth: float | None = None) -> OnlineTest:
    """Levels based on recent discoveries: level_t = w g_t + (alpha - w) g_(t - t1) + alpha sum over later discoveries of g_(t - tj).

    The sum of levels never exceeds alpha times max(1, discoveries).

    Args:
        p_values: (n,) in the order of testing, in [0, 1]; may be empty.
        alpha: false discovery rate, in (0, 1).
        wealth: initial wealth w in (0, alpha]; alpha / 10 by default.

    Returns:
        Levels, decisions and the next level.

    Raises:
        InvalidArgument: a p-value, alpha or wealth lies outside its domain.

    Source: Ramdas, Yang, Wainwright & Jordan 2017 ("Online control of the false discovery rate with decaying memory").
    """
    p = _arrived(p_values, alpha)
    start = _wealth(wealth, alpha, alpha / 10)
    spending = _slow(np.arange(1, p.size + 2))
    levels = start * spending
    earned, n = alpha - start, p.size + 1
    for t in range(p.size):
        if p[t] <= levels[t]:
            levels[t + 1 :] += earned * spending[: n - t - 1]
            earned = alpha
    return _decided(p, levels)


def saffron(p_values: npt.ArrayLike, alpha: float = 0.05, candidate: float = 0.5, wealth: float | None = None) -> OnlineTest:
    """Adaptive levels that pay for p-values above a candidate threshold L only.

    level_t = min(L, (1 - L) (w g_(t - c0) + (alpha - w) g_(t - t1 - c1) + alpha sum over later discoveries of g_(t - tj - cj))), with cj
    the number of candidates (p <= L) after discovery j and before t, and g_t proportional to t^-1.6. The sum of levels of
    non-candidates, over 1 - L, never exceeds alpha times max(1, discoveries).

    Args:
        p_values: (n,) in the order of testing, in [0, 1]; may be empty.
        alpha: false discovery rate, in (0, 1).
        candidate: threshold L in (0, 1).
        wealth: initial wealth w in (0, alpha]; alpha / 2 by default.

    Returns:
        Levels, decisions and the next level.

    Raises:
        InvalidArgument: an argument lies outside its domain.

    Source: Ramdas, Zrnic, Wainwright & Jordan 2018 ("SAFFRON").
    """
    p = _arrived(p_values, alpha)
    inputs.between(candidate, "candidate", 0, 1)
    start = _wealth(wealth, alpha, alpha / 2)
    purses, ages = [start], [1]
    levels = np.empty(p.size + 1)
    for t in range(p.size + 1):
        paid = float(np.dot(purses, 0.4374901658 / np.array(ages, dtype=np.float64) ** 1.6))
        levels[t] = min(candidate, (1 - candidate) * paid)
        if t == p.size:
            break
        if p[t] > candidate:
            ages = [age + 1 for age in ages]
        elif p[t] <= levels[t]:
            purses.append(alpha - start if len(purses) == 1 else alpha)
            ages.append(1)
    return _decided(p, levels)


def _arrived(p_values: npt.ArrayLike, alpha: float) -> FloatArray:
    inputs.between(alpha, "alpha", 0, 1)
    return inputs.probabilities(p_values) if np.size(p_values) else np.empty(0)


def _wealth(wealth: float | None, alpha: float, default: float) -> float:
    if wealth is None:
        return default
    check.positive(wealth, "wealth")
    check.within(wealth, "wealth", 0, alpha)
    return wealth


def _slow(t: npt.NDArray[np.int64]) -> FloatArray:
    # constant of Javanmard & Montanari 2018, Eq. 31
    return np.asarray(0.07720838 * np.log(np.maximum(t, 2)) / (t * np.exp(np.sqrt(np.log(t)))))


def _power(t: npt.NDArray[np.int64], decay: float) -> FloatArray:
    if not decay > 1:
        raise errors.InvalidArgument("decay must be above 1, or levels add up to no end", found=decay)
    return np.asarray(t ** -float(decay) / special.zeta(decay))


def _decided(p: FloatArray, levels: FloatArray) -> OnlineTest:
    return OnlineTest(levels=levels[:-1], rejected=p <= levels[:-1], next_level=float(levels[-1]))
