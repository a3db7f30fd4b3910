"""What bars would change in a data set that has some of their times already: which are new, which differ, and which cannot be merged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from coinswarm import errors
from coinswarm.market import quality
from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.types import BoolArray, IntArray

Prefer = Literal["new", "old"]
FUNDING_GRID_MS = 60_000
"""Times of funding payments jitter: within a minute they are the same time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BarChanges:
    """Bars against those stored: masks of the (n_bars,) bars and (n_funding,) payments that are new, that differ, and that are there."""

    new: BoolArray
    changed: BoolArray
    same: BoolArray
    new_funding: BoolArray
    changed_funding: BoolArray

    @property
    def rows(self) -> BoolArray:
        """(n_bars,) bars to write."""
        return self.new | self.changed

    @property
    def payments(self) -> BoolArray:
        """(n_funding,) payments to write."""
        return self.new_funding | self.changed_funding


def changes(bars: Bars, stored: Bars, prefer: Prefer | None) -> BarChanges:
    """What `bars` change in the `stored` bars of their span; where both disagree, the ones that `prefer` names win.

    Raises:
        ConflictingBars: one is synthetic and the other not, or bars of the same time differ and `prefer` is None.
    """
    if bars.synthetic != stored.synthetic:
        words = ("traded", "synthetic")
        rule = f"{bars.key} holds {words[stored.synthetic]} bars and takes no others"
        raise errors.ConflictingBars(rule, found=f"{words[bars.synthetic]} ones")
    place, known = _matched(stored.ts, bars.ts)
    changed = np.zeros(len(bars), dtype=bool)
    for name in COLUMNS:
        changed[known] |= getattr(stored, name)[place[known]] != getattr(bars, name)[known]
    paid, known_funding = _matched(*(on_grid(ts, FUNDING_GRID_MS) for ts in (stored.funding_ts, bars.funding_ts)))
    changed_funding = np.zeros(paid.size, dtype=bool)
    changed_funding[known_funding] = stored.funding_rate[paid[known_funding]] != bars.funding_rate[known_funding]
    change = BarChanges(
        new=~known, changed=changed, same=known & ~changed, new_funding=~known_funding, changed_funding=changed_funding
    )  # fmt: skip
    if prefer is None:
        _require_agreement(bars, stored, change)
    return change if prefer == "new" else replace(change, changed=np.zeros_like(changed), changed_funding=np.zeros_like(changed_funding))


def on_grid(ts: IntArray, grid_ms: int) -> IntArray:
    """(n,) the grid point nearest to each of (n,) times, as a whole number of grid steps."""
    return (ts + grid_ms // 2) // grid_ms


def _matched(stored: IntArray, times: IntArray) -> tuple[IntArray, BoolArray]:
    """(n,) where each time would stand among the stored ones, and whether it is there."""
    place = np.searchsorted(stored, times)
    known = place < stored.size
    known[known] = stored[place[known]] == times[known]
    return place, known


def _require_agreement(bars: Bars, stored: Bars, change: BarChanges) -> None:
    if change.changed.any():
        row = int(np.flatnonzero(change.changed)[0])
        place = stored.index_at(int(bars.ts[row]))
        name = next(name for name in COLUMNS if getattr(stored, name)[place] != getattr(bars, name)[row])
        values = f"{name} {getattr(stored, name)[place]:g} stored, {getattr(bars, name)[row]:g} new"
        when = quality.moment(int(bars.ts[row]))
        raise _conflict(f"{bars.key}: {int(change.changed.sum())} bars differ from what is stored, the first at {when} ({values})")
    if change.changed_funding.any():
        when = quality.moment(int(bars.funding_ts[change.changed_funding][0]))
        raise _conflict(f"{bars.key}: {int(change.changed_funding.sum())} funding rates differ from what is stored, the first at {when}")


def _conflict(rule: str) -> errors.ConflictingBars:
    return errors.ConflictingBars(rule, hint="nothing was written; say which wins with `--prefer new` or `--prefer old`")
