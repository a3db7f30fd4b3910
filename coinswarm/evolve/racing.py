"""Successive halving over slices of the data: most variants are dropped after a part of the bars. Plan and decision only, no evaluation.

A slice is one block of time on one market. Each rung shows the variants still in the race further slices, spread over all of time and all
markets, and lets the best share go on (Jamieson & Talwalkar 2016); those that reach the end are scored on everything, so that every figure
that is stored of a finisher is a figure of the whole data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from coinswarm import check, config, errors
from coinswarm.evolve import selection
from coinswarm.types import BoolArray, FloatArray, IntArray


class RacingSettings(config.Settings):
    """How hard a race is.

    Simulated with 200 variants on 36 slices whose noise is 1, 2 and 4 times the spread of the variants: at 31 % of the variant-bars the
    winner is the same as without a race in 100, 99 and 90 % of 300 seeds.
    """

    enabled: bool = True
    rungs: Annotated[int, Field(ge=1, le=10, description="decisions before the finish")] = 2
    keep: Annotated[float, Field(gt=0, lt=1, description="share of variants that a rung lets go on")] = 0.3
    first_share: Annotated[float, Field(gt=0, lt=1, description="share of all slices that the first rung shows")] = 0.12
    fewest: Annotated[int, Field(ge=1, description="a rung never leaves fewer variants than this")] = 8


class Slice(NamedTuple):
    """One block of time on one market, by index."""

    block: int
    market: int


@dataclass(frozen=True, kw_only=True)
class Rung:
    """The slices a rung adds to those shown before, and how many variants it lets go on."""

    slices: tuple[Slice, ...]
    survivors: int


def plan(variants: int, blocks: int, markets: int, settings: RacingSettings) -> tuple[Rung, ...]:
    """The rungs of a race; empty when racing is off or there is too little to divide.

    Args:
        variants: how many start.
        blocks: blocks of time that each market is divided into.
        markets: how many markets.
        settings: how hard the race is.

    The shown share grows geometrically: with 20 % first and a third kept, rungs show 20 % and 60 % of the slices.
    """
    for value, name in ((variants, "variants"), (blocks, "blocks"), (markets, "markets")):
        check.at_least(value, name, 1)
    slices, shown = spread(blocks, markets), 0
    rungs: list[Rung] = []
    for step in range(settings.rungs if settings.enabled else 0):
        upto = int(np.ceil(len(slices) * settings.first_share / settings.keep**step))
        left = max(int(np.ceil(variants * settings.keep ** (step + 1))), settings.fewest)
        if not shown < upto < len(slices) or left >= (rungs[-1].survivors if rungs else variants):
            break
        rungs.append(Rung(slices=slices[shown:upto], survivors=left))
        shown = upto
    return tuple(rungs)


def spread(blocks: int, markets: int) -> tuple[Slice, ...]:
    """Every slice once, in an order whose every beginning covers time evenly and markets equally.

    Blocks follow the radical inverse (van der Corput), and each next slice is on the next market.
    """
    order = np.argsort(_radical_inverse(blocks), kind="stable")
    return tuple(Slice(int(order[(turn + market) % blocks]), market) for turn in range(blocks) for market in range(markets))


def decide(rung: Rung, objectives: FloatArray, violation: FloatArray, failed: BoolArray) -> IntArray:
    """(<= rung.survivors,) rows that go on, ascending.

    Args:
        rung: the rung that has just been shown.
        objectives: (n, n_slices, n_objectives) minimised, of each variant on each slice shown so far; NaN counts as the worst seen.
        violation: (n,) of constraints that can be judged on a part of the data; 0 when feasible.
        failed: (n,) these never go on.

    Of more variants than places, the better fronts of the mean over slices go on, ties by crowding.
    """
    if objectives.ndim != 3 or len(violation) != len(objectives) or len(failed) != len(objectives):
        raise errors.ShapeMismatch("objectives must be (n_variants, n_slices, n_objectives)", found=f"shape {objectives.shape}")
    rows = np.flatnonzero(~failed)
    if not len(rows):
        return rows
    means = _filled(objectives[rows]).mean(axis=1)
    front = selection.ranks(means, violation[rows])
    order = np.lexsort((-selection.crowding(means, front), front))
    return np.sort(rows[order[: rung.survivors]])


def cost(rungs: tuple[Rung, ...], variants: int, blocks: int, markets: int) -> float:
    """Variant-bars of a race as a share of scoring everything; finishers are scored on everything, slices shown before included."""
    total, running = 0.0, variants
    for rung in rungs:
        total += running * len(rung.slices) / (blocks * markets)
        running = min(rung.survivors, running)
    return (total + running) / variants


def _filled(objectives: FloatArray) -> FloatArray:
    """NaN replaced by the worst finite value of its objective, or 0 where there is none."""
    finite = np.where(np.isfinite(objectives), objectives, -np.inf)
    worst = finite.max(axis=(0, 1))
    worst = np.where(np.isfinite(worst), worst, 0.0)
    return np.asarray(np.where(np.isfinite(objectives), objectives, worst))


def _radical_inverse(count: int) -> FloatArray:
    """(count,) 0, 1/2, 1/4, 3/4, …: the binary digits of the index mirrored at the point."""
    index, value, unit = np.arange(count), np.zeros(count), 0.5
    while index.any():
        value += unit * (index & 1)
        index, unit = index >> 1, unit / 2
    return value
