"""Shares of counted things, and how sure they are."""

from __future__ import annotations

import math

from scipy import special

from coinswarm.stats import inputs


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a share (a win rate, a false-promotion rate) from independent yes/no results.

    (p + z^2/2n -/+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n). Trades that overlap are not independent: count blocks instead.

    Args:
        successes: how many were yes, in [0, n].
        n: how many there were, at least 1.
        confidence: in (0, 1).

    Returns:
        (low, high) in [0, 1], around successes / n.

    Raises:
        InvalidArgument: an argument lies outside its domain.

    Source: Wilson 1927; Newcombe 1998, method 3.
    """
    inputs.whole(n, "n", 1)
    inputs.whole(successes, "successes", 0, n)
    inputs.between(confidence, "confidence", 0, 1)
    z2 = float(special.ndtri((1 + confidence) / 2)) ** 2
    share = successes / n
    centre, half = share + z2 / (2 * n), math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n)))
    low, high = (centre - half) / (1 + z2 / n), (centre + half) / (1 + z2 / n)
    return (0.0 if successes == 0 else low), (1.0 if successes == n else high)
