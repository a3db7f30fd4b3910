"""Successive halving over blocks of time and markets: most new variants of a generation are dropped after a part of the bars.

A slice is one block of time on one market. Each rung shows the variants still in the race further slices, spread over all of time and all
markets, and lets the best share continue (Jamieson & Talwalkar 2016); those that reach the end are scored on everything, so that every
figure of a finisher is what it would have been without a race.

A dropped variant is a trial with figures of a part. It is no failure and never a winner: it stands behind every variant that was scored on
everything, the infeasible ones too, and among its like by what its part promised. Which slices a rung shows depends on settings and the
number of markets alone, so that the figures of a part mean the same in every generation and can be made again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coinswarm import check, errors
from coinswarm.evolve import reduction, selection
from coinswarm.evolve.settings import RacingSettings, SearchSettings
from coinswarm.evolve.state import DROPPED, Results
from coinswarm.types import BoolArray, FloatArray, IntArray

_FAR = 1e9
_GROWTH = {
    "n_trades": 1.0, "n_open": 1.0, "n_rejected": 1.0, "n_liquidated": 1.0, "n_gaps": 1.0, "exposure": 1.0, "turnover": 1.0,
    "fees": 1.0, "slippage": 1.0, "funding": 1.0, "total_return": 1.0, "cagr": 1.0, "sharpe": 0.5, "sortino": 0.5,
}  # fmt: skip
"""With what power of the share of the blocks a figure grows: counts and sums in proportion, ratios of mean to deviation with the root."""


class RaceSlice(NamedTuple):
    """One block of time on one market, by index."""

    block: int
    market: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Rung:
    """The slices a rung adds to those shown before, and how many variants it lets continue."""

    slices: tuple[RaceSlice, ...]
    survivors: int


def plan(variants: int, markets: int, settings: RacingSettings) -> tuple[Rung, ...]:
    """The rungs of a race; empty when racing is off or there is too little to divide.

    Args:
        variants: how many start.
        markets: how many markets.
        settings: how hard the race is.

    The shown share grows geometrically: with 20 % first and a third kept, rungs show 20 % and 60 % of the slices.
    """
    for value, name in ((variants, "variants"), (markets, "markets")):
        check.at_least(value, name, 1)
    slices, ends = spread(settings.blocks, markets), _ends(markets, settings)
    rungs: list[Rung] = []
    for step, (start, end) in enumerate(zip((0, *ends), ends, strict=False)):
        left = max(int(np.ceil(variants * settings.keep ** (step + 1))), settings.fewest)
        if not settings.enabled or left >= (rungs[-1].survivors if rungs else variants):
            break
        rungs.append(Rung(slices=slices[start:end], survivors=left))
    return tuple(rungs)


@lru_cache(maxsize=64)
def blocks_shown(rung: int, markets: int, settings: RacingSettings) -> tuple[tuple[int, ...], ...]:
    """The blocks of each market that a variant has been shown after a number of rungs, ascending.

    Raises:
        NotFound: no race has this many.
    """
    ends = _ends(markets, settings)
    if not 1 <= rung <= len(ends):
        raise errors.NotFound(f"a race of these settings has no rung {rung}", hint=f"it has {len(ends)}")
    slices = spread(settings.blocks, markets)[: ends[rung - 1]]
    return tuple(tuple(sorted(one.block for one in slices if one.market == market)) for market in range(markets))


@lru_cache(maxsize=64)
def spread(blocks: int, markets: int) -> tuple[RaceSlice, ...]:
    """Every slice once, in an order whose every beginning covers time evenly and markets equally.

    Blocks follow the radical inverse (van der Corput), and each next slice is on the next market.
    """
    order = np.argsort(_radical_inverse(blocks), kind="stable")
    return tuple(RaceSlice(int(order[(turn + market) % blocks]), market) for turn in range(blocks) for market in range(markets))


def decide(survivors: int, objectives: FloatArray, violation: FloatArray, failed: BoolArray) -> IntArray:
    """(<= survivors,) rows that continue, ascending.

    Args:
        survivors: how many may.
        objectives: (n, n_objectives) minimised, of each variant on what it was shown; NaN counts as the worst seen.
        violation: (n,) 0 when feasible.
        failed: (n,) these never continue.

    Of more variants than places, the better fronts continue, ties by crowding.
    """
    if objectives.ndim != 2 or len(violation) != len(objectives) or len(failed) != len(objectives):
        raise errors.ShapeMismatch("objectives must be (n_variants, n_objectives)", found=f"shape {objectives.shape}")
    rows = np.flatnonzero(~failed)
    if not len(rows):
        return rows
    seen = _filled(objectives[rows])
    front = selection.ranks(seen, violation[rows])
    order = np.lexsort((-selection.crowding(seen, front), front))
    return np.sort(rows[order[:survivors]])


def results(table: npt.NDArray[np.void], rungs: IntArray, settings: SearchSettings) -> Results:
    """Results of variants of which some were dropped, as the search takes them.

    Args:
        table: (n_variants, n_markets) `SCORE_DTYPE`; of a dropped variant on the blocks it was shown.
        rungs: (n_variants,) after how many rungs each was dropped; 0 where it was scored on everything.
        settings: of the search.

    Returns:
        As `reduction.results`; figures of a part are extended to the whole, and a dropped variant violates by `DROPPED` and more.
    """
    results = reduction.results(extended(table, rungs, settings.racing), settings)
    if not settings.racing.enabled:
        return results
    worth = np.clip(np.nan_to_num(minimised(results, settings)[:, 0], nan=_FAR), -_FAR, _FAR)
    behind = 2.0 + worth / (1.0 + np.abs(worth)) + 2.0 * (results.violation > 0)
    violation = np.where(rungs > 0, DROPPED * behind, np.minimum(results.violation, 0.5 * DROPPED))
    return replace(results, violation=np.where(results.failed, 0.0, violation))


def minimised(results: Results, settings: SearchSettings) -> FloatArray:
    """(n, n_objectives) objectives, smaller for better."""
    return np.asarray(results.objectives * _signs(settings))


def is_dropped(rungs: IntArray, failed: BoolArray) -> BoolArray:
    """(n,) which variants lost their race; one that failed in it is a failure."""
    return np.asarray((rungs > 0) & ~failed)


def extended(table: npt.NDArray[np.void], rungs: IntArray, settings: RacingSettings) -> npt.NDArray[np.void]:
    """(n_variants, n_markets) `table` with figures of a part as they would be of the whole, if that were like the part."""
    if not rungs.any():
        return table
    whole, share = table.copy(), shares(table.shape[1], settings)[rungs]
    for name, power in _GROWTH.items():
        whole[name] = table[name] / share**power
    return whole


def shares(markets: int, settings: RacingSettings) -> FloatArray:
    """(n_rungs + 1, n_markets) share of the blocks that has been shown after each rung; 1 in row 0, which stands for everything."""
    steps = range(1, len(_ends(markets, settings)) + 1)
    parts = [[len(blocks) / settings.blocks for blocks in blocks_shown(step, markets, settings)] for step in steps]
    return np.array([[1.0] * markets, *parts])


def cost(rungs: tuple[Rung, ...], variants: int, blocks: int, markets: int) -> float:
    """Variant-bars of a race as a share of scoring everything: each rung goes over all that was shown so far, and finishers over all."""
    total, running, seen = 0.0, variants, 0
    for rung in rungs:
        seen += len(rung.slices)
        total += running * seen / (blocks * markets)
        running = min(rung.survivors, running)
    return (total + running) / variants


def _ends(markets: int, settings: RacingSettings) -> tuple[int, ...]:
    """How many slices have been shown after each rung."""
    whole = settings.blocks * markets
    ends = [int(np.ceil(whole * settings.first_share / settings.keep**step)) for step in range(settings.rungs)]
    return tuple(end for end, before in zip(ends, (0, *ends), strict=False) if before < end < whole)


def _signs(settings: SearchSettings) -> FloatArray:
    return np.array([-1.0 if objective.direction == "max" else 1.0 for objective in settings.objectives])


def _filled(objectives: FloatArray) -> FloatArray:
    """NaN replaced by the worst finite value of its objective, or 0 where there is none."""
    finite = np.where(np.isfinite(objectives), objectives, -np.inf)
    worst = finite.max(axis=0)
    worst = np.where(np.isfinite(worst), worst, 0.0)
    return np.asarray(np.where(np.isfinite(objectives), objectives, worst))


def _radical_inverse(count: int) -> FloatArray:
    """(count,) 0, 1/2, 1/4, 3/4, …: the binary digits of the index mirrored at the point."""
    index, value, unit = np.arange(count), np.zeros(count), 0.5
    while index.any():
        value += unit * (index & 1)
        index, unit = index >> 1, unit / 2
    return value
