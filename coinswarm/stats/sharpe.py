"""How far a Sharpe ratio can be believed: its error, and what the best of many trials shows by luck alone.

Units: every Sharpe ratio is per period (mean over deviation of the returns it was measured on), `sharpe_variance` is a variance of
per-period ratios (an annual one is divided by the periods in a year), lengths are numbers of periods. Only `minimum_backtest_length`
takes an annual ratio, because it answers in years. Kurtosis is Pearson's: a normal has 3.

Two conventions of the error are in print and give different numbers for the same fund, so each result names its own:
"2012" (Bailey & Lopez de Prado 2012, 2014) takes the variance at the observed ratio and divides by n_obs - 1,
"2025" (Lopez de Prado, Lipton & Zoonekynd 2025) takes it at the benchmark, which is the null, and divides by n_obs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from coinswarm import check, errors
from coinswarm.stats import inputs
from coinswarm.types import FloatArray

CONVENTIONS = ("2012", "2025")


@dataclass(frozen=True, kw_only=True, slots=True)
class SharpeSample:
    """A measured Sharpe ratio and the moments its error depends on, all per period."""

    sharpe: float
    n_obs: int
    skew: float
    kurtosis: float
    autocorrelation: float


def sharpe_sample(returns: FloatArray) -> SharpeSample:
    """Measure a Sharpe ratio with the moments that `probabilistic_sharpe_ratio` asks for.

    Args:
        returns: (n_obs,) returns per period, fractions; finite, at least 2, not all equal.

    Returns:
        sharpe = mean / sample deviation (ddof 1), moments about the mean (divisor n_obs), lag-one autocorrelation in [-1, 1].

    Raises:
        InvalidArgument: a return is missing, there is one only, or they have no variance.
    """
    check.vector(returns, "returns")
    values = inputs.varying_columns(np.asarray(returns, dtype=np.float64)[:, None], "returns")[:, 0]
    centred = values - values.mean()
    variance = float(np.mean(centred**2))
    return SharpeSample(
        sharpe=float(values.mean() / values.std(ddof=1)),
        n_obs=values.size,
        skew=float(np.mean(centred**3)) / variance**1.5,
        kurtosis=float(np.mean(centred**4)) / variance**2,
        autocorrelation=float(np.mean(centred[1:] * centred[:-1])) * (values.size - 1) / values.size / variance,
    )


def sharpe_error(
    sharpe: float,
    n_obs: int,
    skew: float = 0.0,
    kurtosis: float = 3.0,
    benchmark: float = 0.0,
    convention: str = "2012",
    autocorrelation: float = 0.0,
) -> float:
    """Standard error of a Sharpe ratio of returns that need not be normal.

    sqrt((a - b skew S + c (kurtosis - 1) / 4 S^2) / m), with S the observed ratio and m = n_obs - 1 ("2012"), or S the benchmark and
    m = n_obs ("2025"). For AR(1) returns with coefficient r: a = (1 + r) / (1 - r), b = 1 + r / (1 - r) + r^2 / (1 - r^2),
    c = (1 + r^2) / (1 - r^2); all are 1 for independent returns.

    Args:
        sharpe: observed ratio per period.
        n_obs: number of returns, at least 2.
        skew: third standardised moment of the returns.
        kurtosis: fourth standardised moment, at least 1; a normal has 3.
        benchmark: ratio per period under the null; used by "2025".
        convention: "2012" or "2025".
        autocorrelation: of successive returns, in (-1, 1).

    Returns:
        Above 0, in units of the per-period ratio.

    Raises:
        InvalidArgument: an argument lies outside its domain, or the moments cannot belong together.

    Source: Mertens 2002; Bailey & Lopez de Prado 2012; Lopez de Prado, Lipton & Zoonekynd 2025 ("How to use the Sharpe ratio").
    """
    inputs.finite(sharpe, "sharpe")
    inputs.finite(benchmark, "benchmark")
    inputs.whole(n_obs, "n_obs", 2)
    inputs.one_of(convention, "convention", CONVENTIONS)
    if convention == "2012":
        return math.sqrt(_unit_variance(sharpe, skew, kurtosis, autocorrelation) / (n_obs - 1))
    return math.sqrt(_unit_variance(benchmark, skew, kurtosis, autocorrelation) / n_obs)


def probabilistic_sharpe_ratio(
    sharpe: float,
    n_obs: int,
    skew: float,
    kurtosis: float,
    benchmark: float = 0.0,
    convention: str = "2012",
    autocorrelation: float = 0.0,
) -> float:
    """Probability that the true Sharpe ratio is above a benchmark: PSR = Phi((sharpe - benchmark) / error).

    Args:
        sharpe: observed ratio per period.
        n_obs: number of returns, at least 2.
        skew: third standardised moment of the returns.
        kurtosis: fourth standardised moment, at least 1; a normal has 3.
        benchmark: ratio per period to beat.
        convention: of the error, see `sharpe_error`.
        autocorrelation: of successive returns, in (-1, 1).

    Returns:
        In [0, 1]; on returns whose true ratio is the benchmark 1 - PSR is uniform.

    Raises:
        InvalidArgument: an argument lies outside its domain.

    Source: Bailey & Lopez de Prado 2012 ("The Sharpe ratio efficient frontier").
    """
    error = sharpe_error(sharpe, n_obs, skew, kurtosis, benchmark, convention, autocorrelation)
    return float(special.ndtr((sharpe - benchmark) / error))


def expected_maximum_sharpe(n_trials: float, sharpe_variance: float) -> float:
    """Expected best Sharpe ratio among trials without skill.

    sqrt(V) ((1 - g) Phi^-1(1 - 1/N) + g Phi^-1(1 - 1/(N e))), g Euler's constant. The closed form is 1 % above the exact value at N = 100.

    Args:
        n_trials: number N of independent trials, above 1; an effective number may be broken.
        sharpe_variance: variance V of the trials' per-period ratios, not negative.

    Returns:
        Not negative, per period.

    Raises:
        InvalidArgument: there was one trial, or the variance is negative or missing.

    Source: Bailey & Lopez de Prado 2014 ("The deflated Sharpe ratio"), Eq. 1.
    """
    inputs.trials(n_trials)
    inputs.finite(sharpe_variance, "sharpe_variance")
    check.at_least(sharpe_variance, "sharpe_variance", 0)
    upper = -special.ndtri(1 / n_trials)
    further = -special.ndtri(1 / (n_trials * math.e))
    return max(0.0, math.sqrt(sharpe_variance) * float((1 - np.euler_gamma) * upper + np.euler_gamma * further))


def deflated_sharpe_ratio(
    sharpe: float,
    n_obs: int,
    skew: float,
    kurtosis: float,
    n_trials: float,
    sharpe_variance: float,
    convention: str = "2012",
    autocorrelation: float = 0.0,
) -> float:
    """Probability that the best of many trials has skill: the PSR with the expected best of luck as its benchmark.

    Under "2025" the error is also shrunk by the deviation of the maximum of n_trials standard normals, because the best of many varies
    less than one; without that, call `probabilistic_sharpe_ratio` with `expected_maximum_sharpe` as the benchmark.

    Args:
        sharpe: ratio per period of the selected trial.
        n_obs: number of its returns, at least 2.
        skew: third standardised moment of its returns.
        kurtosis: fourth standardised moment; a normal has 3.
        n_trials: how many independent trials it was selected from, above 1.
        sharpe_variance: variance of the trials' per-period ratios.
        convention: "2012" (the 2014 paper's) or "2025".
        autocorrelation: of successive returns, in (-1, 1).

    Returns:
        In [0, 1].

    Raises:
        InvalidArgument: an argument lies outside its domain, n_trials = 1 included.

    Source: Bailey & Lopez de Prado 2014, Eq. 2; Lopez de Prado, Lipton & Zoonekynd 2025.
    """
    best_of_luck = expected_maximum_sharpe(n_trials, sharpe_variance)
    error = sharpe_error(sharpe, n_obs, skew, kurtosis, best_of_luck, convention, autocorrelation)
    if convention == "2025":
        error *= math.sqrt(maximum_moments(n_trials)[1])
    return float(special.ndtr((sharpe - best_of_luck) / error))


def luck_probability(sharpe: float, n_searched: int, n_unseen: int, n_trials: float, autocorrelation: float = 0.0) -> float:
    """Probability that luck alone shows less: the best of many trials without skill, picked on some bars and followed on later ones.

    Over all n_searched + n_unseen bars that best one has a ratio of w M s + (1 - w) Z u, with w the part that was searched, M the maximum
    of n_trials standard normals, Z one more, and s and u the errors of a ratio of 0 on either part. Only what was searched pays for the
    search; what was not counts in full. Worked out by quadrature over Z.

    Args:
        sharpe: ratio per period over all bars.
        n_searched: bars on which the trial was picked, at least 2.
        n_unseen: bars that nothing was picked on, which came later; 0: none.
        n_trials: how many trials it was picked from, as if independent (where they are not, this is the stricter), at least 1.
        autocorrelation: of successive returns, in (-1, 1).

    Returns:
        In [0, 1]. Without unseen bars it is Phi(z)^n_trials; with one trial it is the PSR of a normal ratio of 0.

    Raises:
        InvalidArgument: an argument lies outside its domain.

    Source: the error of a ratio of 0 after Lo 2002 ("The Statistics of Sharpe Ratios"); the maximum as in Bailey & Lopez de Prado 2014,
    with its distribution in place of its mean.
    """
    inputs.finite(sharpe, "sharpe")
    inputs.whole(n_searched, "n_searched", 2)
    inputs.whole(n_unseen, "n_unseen", 0)
    check.within(n_trials, "n_trials", 1, 1e12)
    inputs.between(autocorrelation, "autocorrelation", -1, 1)
    inflation = math.sqrt((1 + autocorrelation) / (1 - autocorrelation))
    whole = n_searched + n_unseen
    picked, followed = (inflation * math.sqrt(n) / whole for n in (n_searched, n_unseen))
    z = np.linspace(-9.0, 9.0, 6_001)
    weights = np.exp(-z * z / 2)
    below = np.exp(n_trials * special.log_ndtr((sharpe - followed * z) / picked))
    return float(weights @ below / weights.sum())


def maximum_moments(n: float) -> tuple[float, float]:
    """Mean and variance of the maximum of n independent standard normals, by quadrature of n phi(x) Phi(x)^(n-1).

    Args:
        n: how many, at least 1 and at most 1e12; need not be whole.

    Returns:
        (mean, variance).

    Raises:
        InvalidArgument: n lies outside its domain.
    """
    check.within(n, "n", 1, 1e12)
    x = np.linspace(-9.0, 12.0, 20_001)
    density = np.exp(math.log(n) - x * x / 2 - math.log(2 * math.pi) / 2 + (n - 1) * special.log_ndtr(x))
    weights = density / density.sum()
    mean = float(weights @ x)
    return mean, float(weights @ (x - mean) ** 2)


def minimum_track_record_length(
    sharpe: float,
    skew: float,
    kurtosis: float,
    benchmark: float = 0.0,
    confidence: float = 0.95,
    convention: str = "2012",
    autocorrelation: float = 0.0,
) -> float:
    """Number of returns after which the PSR reaches a confidence: variance (z / (sharpe - benchmark))^2, plus 1 under "2012".

    Args:
        sharpe: observed ratio per period.
        skew: third standardised moment of the returns.
        kurtosis: fourth standardised moment; a normal has 3.
        benchmark: ratio per period to beat.
        confidence: PSR to reach, in [0.5, 1).
        convention: of the error, see `sharpe_error`.
        autocorrelation: of successive returns, in (-1, 1).

    Returns:
        Periods (divide by the periods in a year for years), not negative; infinite when sharpe <= benchmark.

    Raises:
        InvalidArgument: an argument lies outside its domain.

    Source: Bailey & Lopez de Prado 2012, Eq. 11; Lopez de Prado, Lipton & Zoonekynd 2025.
    """
    inputs.finite(sharpe, "sharpe")
    inputs.finite(benchmark, "benchmark")
    inputs.between(confidence, "confidence", 0.5 - 1e-12, 1)
    inputs.one_of(convention, "convention", CONVENTIONS)
    at, extra = (sharpe, 1.0) if convention == "2012" else (benchmark, 0.0)
    variance = _unit_variance(at, skew, kurtosis, autocorrelation)
    if sharpe <= benchmark:
        return math.inf
    return extra + variance * float(special.ndtri(confidence) / (sharpe - benchmark)) ** 2


def minimum_backtest_length(n_trials: float, sharpe: float) -> float:
    """Years of data below which the best of n trials without skill is expected to show a given annual Sharpe ratio.

    (E[max of N standard normals] / sharpe)^2: with fewer years than this a result of that size says nothing.

    Args:
        n_trials: number of independent trials, above 1.
        sharpe: the annual ratio (not per period) that was found, above 0.

    Returns:
        Years, above 0.

    Raises:
        InvalidArgument: there was one trial, or sharpe is not above 0.

    Source: Bailey, Borwein, Lopez de Prado & Zhu 2014 ("Pseudo-mathematics and financial charlatanism"), theorem 1.
    """
    inputs.finite(sharpe, "sharpe")
    check.positive(sharpe, "sharpe", hint="only a profit can be luck that needs explaining")
    return (expected_maximum_sharpe(n_trials, 1.0) / sharpe) ** 2


def autocorrelation_factor(autocorrelation: float, n_periods: int) -> float:
    """What the Sharpe ratio of n periods is, relative to sqrt(n) times that of one, when returns follow AR(1).

    (1 + 2 r / (1 - r) (1 - (1 - r^n) / (n (1 - r))))^(-1/2).

    Args:
        autocorrelation: r, of successive returns, in (-1, 1).
        n_periods: periods that are put together, at least 1.

    Returns:
        Above 0; 1 without autocorrelation, below 1 when returns trend.

    Raises:
        InvalidArgument: an argument lies outside its domain.

    Source: Lo 2002 ("The statistics of Sharpe ratios"), Eq. 22; used by Harvey & Liu 2015.
    """
    inputs.between(autocorrelation, "autocorrelation", -1, 1)
    inputs.whole(n_periods, "n_periods", 1)
    r = autocorrelation
    return float((1 + 2 * r / (1 - r) * (1 - (1 - r**n_periods) / (n_periods * (1 - r)))) ** -0.5)


def _unit_variance(at: float, skew: float, kurtosis: float, autocorrelation: float) -> float:
    inputs.finite(skew, "skew")
    inputs.finite(kurtosis, "kurtosis")
    check.at_least(kurtosis, "kurtosis", 1, hint="Pearson's kurtosis is asked for: excess kurtosis plus 3")
    inputs.between(autocorrelation, "autocorrelation", -1, 1)
    r = autocorrelation
    a, b, c = (1 + r) / (1 - r), 1 + r / (1 - r) + r**2 / (1 - r**2), (1 + r**2) / (1 - r**2)
    variance = a - b * skew * at + c * (kurtosis - 1) / 4 * at**2
    if not variance > 0:
        hint = "kurtosis is at least 1 + skew^2 for any returns"
        raise errors.InvalidArgument(
            "skew and kurtosis must be possible together", found=f"skew {skew:g}, kurtosis {kurtosis:g}", hint=hint
        )
    return variance
