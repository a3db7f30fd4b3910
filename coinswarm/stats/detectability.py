"""The smallest effect that a search over given data can detect, before it begins."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from coinswarm import check
from coinswarm.stats import inputs


def minimum_detectable_effect(
    n_bars: int,
    hold_bars: int,
    support: float,
    *,
    n_candidates: int = 1,
    alpha: float = 0.05,
    power: float = 0.8,
    outcome_std: float = 0.5,
    run_bars: float | None = None,
    n_markets: float = 1.0,
) -> float:
    """Smallest difference between trades with and without a condition that a corrected test finds with a given power.

    (z(1 - alpha / (2 n_candidates)) + z(power)) outcome_std sqrt(D / (n_markets n_bars support (1 - support))) for two-sided tests of a
    trade begun at every bar. D is how many such trades count as one: 1 + 2 sum over k < hold of r^k (1 - k/hold), where 1 - k/hold is
    the correlation of overlapping trades and r^k that of a condition which, once true, stays so for run_bars on average.

    Args:
        n_bars: bars of data, above hold_bars.
        hold_bars: bars a trade is held, at least 1.
        support: share of bars on which the condition holds, in (0, 1).
        n_candidates: conditions that are tried together (Bonferroni), at least 1.
        alpha: family-wise level, in (0, 1).
        power: chance to find the effect, in (0, 1).
        outcome_std: deviation of a trade's outcome, above 0; the answer has its unit (0.5: a win rate of one half).
        run_bars: mean bars for which the condition stays true, at least 1; None: longer than any hold, which is the worst case.
        n_markets: independent markets that are pooled, at least 1; correlated ones count as fewer.

    Returns:
        Above 0, in the unit of outcome_std; a win rate cannot rise by more than .5, so more than that means "nothing can be found".

    Raises:
        InvalidArgument: an argument lies outside its domain.

    Source: power of the score test on overlapping observations (Hansen & Hodrick 1980); correction by Bonferroni.
    """
    inputs.whole(hold_bars, "hold_bars", 1)
    inputs.whole(n_bars, "n_bars", hold_bars + 1)
    inputs.whole(n_candidates, "n_candidates", 1)
    for name, value in (("support", support), ("alpha", alpha), ("power", power)):
        inputs.between(value, name, 0, 1)
    for name, value in (("outcome_std", outcome_std), ("n_markets", n_markets)):
        inputs.finite(value, name)
        check.positive(value, name)
    check.at_least(n_markets, "n_markets", 1)
    z = float(special.ndtri(power) - special.ndtri(alpha / (2 * n_candidates)))
    information = n_markets * n_bars * support * (1 - support) / _trades_as_one(hold_bars, support, run_bars)
    return max(0.0, z) * outcome_std / math.sqrt(information)


def _trades_as_one(hold_bars: int, support: float, run_bars: float | None) -> float:
    stays = 1.0
    if run_bars is not None:
        check.at_least(run_bars, "run_bars", 1)
        # a chain that is on for run_bars and off so long that its share is `support` forgets at this rate a bar
        stays = max(0.0, 1 - 1 / ((1 - support) * run_bars))
    k = np.arange(1, hold_bars)
    return 1 + 2 * float((stays**k * (1 - k / hold_bars)).sum())
