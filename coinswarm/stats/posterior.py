"""From a test of a Sharpe ratio to the chance that a discovery is false, given how common skill is believed to be.

Errors are those of the 2025 convention (`sharpe.sharpe_error`); all ratios are per period.
"""

from __future__ import annotations

from scipy import special

from coinswarm.stats import inputs
from coinswarm.stats.sharpe import probabilistic_sharpe_ratio, sharpe_error


def sharpe_power(
    alternative: float,
    n_obs: int,
    skew: float = 0.0,
    kurtosis: float = 3.0,
    benchmark: float = 0.0,
    alpha: float = 0.05,
    autocorrelation: float = 0.0,
) -> float:
    """Chance that a test at level alpha finds a true Sharpe ratio.

    1 - Phi((critical - alternative) / error at the alternative), critical = benchmark + z error at the benchmark.

    Args:
        alternative: true ratio per period, if there is skill.
        n_obs: number of returns, at least 2.
        skew: third standardised moment of the returns.
        kurtosis: fourth standardised moment; a normal has 3.
        benchmark: ratio per period without skill.
        alpha: level of the test, in (0, 1).
        autocorrelation: of successive returns, in (-1, 1).

    Returns:
        In [0, 1].

    Raises:
        InvalidArgument: an argument lies outside its domain.

    Source: Lopez de Prado, Lipton & Zoonekynd 2025.
    """
    inputs.between(alpha, "alpha", 0, 1)
    null_error = sharpe_error(benchmark, n_obs, skew, kurtosis, benchmark, "2025", autocorrelation)
    true_error = sharpe_error(alternative, n_obs, skew, kurtosis, alternative, "2025", autocorrelation)
    critical = benchmark - special.ndtri(alpha) * null_error
    return float(special.ndtr((alternative - critical) / true_error))


def planned_false_discovery_rate(prior: float, alpha: float, power: float) -> float:
    """Chance that a play which passes a test at level alpha has no skill: 1 / (1 + power prior / (alpha (1 - prior))).

    Args:
        prior: share of tried plays that have skill, in (0, 1).
        alpha: level of the test, in (0, 1).
        power: of the test, in [0, 1].

    Returns:
        In (0, 1].

    Raises:
        InvalidArgument: an argument lies outside its domain.

    Source: Storey 2003; Lopez de Prado, Lipton & Zoonekynd 2025 (pFDR).
    """
    inputs.between(prior, "prior", 0, 1)
    inputs.between(alpha, "alpha", 0, 1)
    inputs.probabilities([power], "power")
    return 1 / (1 + power * prior / (alpha * (1 - prior)))


def observed_false_discovery_rate(
    sharpe: float,
    n_obs: int,
    skew: float,
    kurtosis: float,
    alternative: float,
    prior: float,
    benchmark: float = 0.0,
    autocorrelation: float = 0.0,
) -> float:
    """Chance that a play with at least this Sharpe ratio has no skill.

    p0 (1 - prior) / (p0 (1 - prior) + p1 prior), p0 and p1 the chances of at least this ratio without and with skill.

    Args:
        sharpe: observed ratio per period.
        n_obs: number of returns, at least 2.
        skew: third standardised moment of the returns.
        kurtosis: fourth standardised moment; a normal has 3.
        alternative: true ratio per period, if there is skill.
        prior: share of tried plays that have skill, in (0, 1).
        benchmark: ratio per period without skill.
        autocorrelation: of successive returns, in (-1, 1).

    Returns:
        In [0, 1].

    Raises:
        InvalidArgument: an argument lies outside its domain.

    Source: Lopez de Prado, Lipton & Zoonekynd 2025 (oFDR).
    """
    inputs.between(prior, "prior", 0, 1)
    inputs.between(alternative - benchmark, "alternative above benchmark", 0, float("inf"))
    null = 1 - probabilistic_sharpe_ratio(sharpe, n_obs, skew, kurtosis, benchmark, "2025", autocorrelation)
    skilled = 1 - probabilistic_sharpe_ratio(sharpe, n_obs, skew, kurtosis, alternative, "2025", autocorrelation)
    both = null * (1 - prior) + skilled * prior
    return null * (1 - prior) / both if both > 0 else 0.0
