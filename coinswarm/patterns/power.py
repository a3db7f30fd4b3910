"""Statistical power of a search over given bars, before it begins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from coinswarm import stats
from coinswarm.market.bars import Bars
from coinswarm.patterns import segments
from coinswarm.patterns.settings import DiscoverSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Power:
    """The smallest effects that a search finds with a given chance.

    Attributes:
        bars, markets: bars of each market, and how many markets as if independent.
        hold_bars, support, candidates: longest hold, share of trades a pattern has, and patterns that are tested together.
        blocks, active_blocks: independent blocks of time in discovery, and how many of them such a pattern is active in, about.
        enough: whether the search would be done at all; bars_needed: bars of a market that it needs.
        win_rate: points of win rate (0.03: from 50 % to 53 %) that discovery finds with the chance asked for.
        sigmas: the same in deviations of a trade's result. net: the same as a fraction of the notional; NaN without a volatility.
        confirm_sigmas: what the later segment confirms with that chance, at the level of the library's next test.
    """

    bars: int
    markets: float
    hold_bars: int
    support: float
    candidates: int
    blocks: int
    active_blocks: int
    enough: bool
    bars_needed: int
    win_rate: float
    sigmas: float
    net: float
    confirm_sigmas: float


def minimum_effect(
    n_bars: int,
    hold_bars: int,
    support: float,
    *,
    settings: DiscoverSettings | None = None,
    n_markets: float = 1.0,
    n_candidates: int = 150_000,
    power: float = 0.8,
    volatility: float = math.nan,
    earlier: tuple[float, ...] = (),
) -> Power:
    """What these data can show.

    Args:
        n_bars: bars of each market, of which discovery gets all but the share that is kept for confirmation.
        hold_bars: longest hold; effects are for trades held that long.
        support: share of trades that the pattern has, in (0, 1).
        settings: of the search.
        n_markets: markets as if independent; those that move together count as fewer.
        n_candidates: patterns that are tested together.
        power: chance to find the effect, in (0, 1).
        volatility: deviation of one bar's return, for the answer in money; NaN: not known.
        earlier: p-values that the library has tested.

    Raises:
        InvalidArgument: an argument lies outside its domain.
    """
    chosen = settings or DiscoverSettings()
    needed = segments.bars_needed(hold_bars, chosen)
    first, later = int(n_bars * (1 - chosen.confirm_share)), int(n_bars * chosen.confirm_share) - hold_bars
    blocks = first // (segments.HOLDS_A_BLOCK * hold_bars)
    sigmas = math.inf
    if first > hold_bars:
        sigmas = _effect(first, hold_bars, support, n_candidates=n_candidates, alpha=chosen.alpha, power=power, n_markets=n_markets)
    # expected share of blocks with at least one true bar, were the bars of a block independent draws of a run as long as the hold
    active = round(blocks * (1 - (1 - support) ** segments.HOLDS_A_BLOCK))
    return Power(
        bars=n_bars, markets=n_markets, hold_bars=hold_bars, support=support, candidates=n_candidates, blocks=blocks, active_blocks=active,
        enough=blocks >= chosen.min_blocks, bars_needed=needed, win_rate=points(sigmas), sigmas=sigmas,
        net=sigmas * volatility * math.sqrt(hold_bars),
        confirm_sigmas=_confirmed(later, hold_bars, support, chosen, earlier, power, n_markets),
    )  # fmt: skip


def points(sigmas: float) -> float:
    """Points of win rate that a shift of a normal result by a number of deviations gives."""
    return float(special.ndtr(sigmas)) - 0.5


def independent_markets(bars: Sequence[Bars]) -> float:
    """How many independent markets several are worth: their number over 1 + (number - 1) times the mean correlation of their returns."""
    if len(bars) == 1:
        return 1.0
    common = sorted(set.intersection(*(set(market.ts.tolist()) for market in bars)))
    closes = np.array([market.close[np.searchsorted(market.ts, common)] for market in bars])
    if closes.shape[1] < MIN_COMMON:
        return float(len(bars))
    correlation = np.corrcoef(np.diff(np.log(closes), axis=1))
    mean = float(correlation[~np.eye(len(bars), dtype=np.bool_)].mean())
    return len(bars) / (1 + (len(bars) - 1) * max(0.0, mean))


MIN_COMMON = 100
"""Bars at the same time below which a correlation says nothing."""


def _effect(n_bars: int, hold_bars: int, support: float, *, n_candidates: int, alpha: float, power: float, n_markets: float) -> float:
    # one-sided: the level of each side of a two-sided test is half of what it is given
    return stats.minimum_detectable_effect(
        n_bars,
        hold_bars,
        support,
        n_candidates=n_candidates,
        alpha=min(2 * alpha, 0.999),
        power=power,
        outcome_std=1.0,
        n_markets=n_markets,
    )


def _confirmed(
    n_bars: int, hold_bars: int, support: float, settings: DiscoverSettings, earlier: tuple[float, ...], power: float, n_markets: float
) -> float:
    if n_bars <= hold_bars:
        return math.inf
    from coinswarm.ledger.patterns import spending

    level = spending([*earlier, 1.0], settings.alpha, settings.procedure)[-1]
    return _effect(n_bars, hold_bars, support, n_candidates=1, alpha=level, power=power, n_markets=n_markets)
