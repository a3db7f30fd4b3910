"""What the number of tries says about the best of them."""

from __future__ import annotations

import math
from statistics import NormalDist

from coinswarm.report import wording

_EULER = 0.5772156649015329


def best_sharpe_by_luck(trials: int, years: float) -> float:
    """The yearly Sharpe ratio one should expect of the best of `trials` independent tries that have no skill at all.

    The largest of n standard normals is about `(1 - g) q(1 - 1/n) + g q(1 - 1/(n e))` with g Euler's constant and q the normal quantile
    (Bailey and Lopez de Prado 2014, eq. 6); a Sharpe ratio measured over `years` without skill deviates by `1 / sqrt(years)`.

    Args:
        trials: how many; at least 1.
        years: length of the span; above 0.

    Returns:
        At least 0.0; 0.0 for a single try.
    """
    if trials < 2:
        return 0.0
    normal = NormalDist()
    best = (1 - _EULER) * normal.inv_cdf(1 - 1 / trials) + _EULER * normal.inv_cdf(1 - 1 / (trials * math.e))
    return max(0.0, best) / math.sqrt(years)


def warning(trials: int | None, years: float) -> str:
    """One or two sentences that belong beside the best figure."""
    if trials is None:
        return "How many variants were tried is not recorded. The best of many looks good by luck alone, so this figure cannot be judged."
    if trials < 2:
        return "One variant was tried, so nothing was picked from many; the best of many would look good by luck alone."
    text = f"Picked from {trials:,} variants tried. The best of many looks good by luck alone"
    if years <= 0:
        return f"{text}."
    lucky = wording.number(best_sharpe_by_luck(trials, years), digits=1)
    return (
        f"{text}: with no skill at all, the best of {trials:,} independent tries over the bars it was picked on would show a Sharpe ratio "
        f"of about {lucky}."
    )
