"""The search of conjunctions: every one of up to three conditions, and a beam of deeper ones, chosen on other time than it is judged on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from coinswarm.kernels import subgroups
from coinswarm.kernels.subgroups import NO_PICK, Found, Picks
from coinswarm.patterns.table import CodedTrades
from coinswarm.types import BoolArray, FloatArray, IntArray

EXHAUSTIVE_DEPTH = 3


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Conjunctions:
    """Conjunctions with enough trades in enough blocks: all of them were tested, and nothing else was.

    Attributes:
        picks: (n, depth) numbers of the conditions, `NO_PICK` behind the last.
        trades, active: (n,) trades, and blocks of time that have some.
        total: (n,) sum of the centred outcomes.
        t: (n,) sum over blocks of S over the root of the sum of S^2.
        counted: conjunctions whose support was counted, those with too little included.
    """

    picks: Picks
    trades: IntArray
    active: IntArray
    total: FloatArray
    t: FloatArray
    counted: int

    def __len__(self) -> int:
        return int(self.t.size)


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Share:
    """A part of a search that one worker can do: the conjunctions that begin in one dimension."""

    table: CodedTrades
    first: int
    depth: int
    min_trades: int
    min_active: int


Spread = Callable[[Callable[[Share], Conjunctions], Iterable[Share]], Iterator[Conjunctions]]
"""Calls a function with shares and gives the answers in their order, here or on a cluster."""


def exhaust(table: CodedTrades, depth: int, min_trades: int, min_active: int, spread: Spread = map) -> Conjunctions:
    """Every conjunction of up to `depth` conditions, three at most, one a dimension.

    Args:
        table: the trades.
        depth: the most conditions of a pattern; 3 when more.
        min_trades: trades a conjunction must have.
        min_active: blocks it must have trades in.
        spread: computes the shares; the result does not depend on it.
    """
    deep = min(depth, EXHAUSTIVE_DEPTH)
    shares = (Share(table=table, first=d, depth=deep, min_trades=min_trades, min_active=min_active) for d in range(len(table.sizes)))
    return join(list(spread(mine, shares)))


def mine(share: Share) -> Conjunctions:
    """The conjunctions of one share."""
    room = _room(share.table.sizes[share.first :], share.depth)
    out = Found(np.empty((room, 3), np.int32), np.empty((room, 2), np.int64), np.empty((room, 2)))
    table = share.table
    n = subgroups.mine_from(share.first, share.depth, table.coded, share.min_trades, share.min_active, out)
    picks, counts, figures = out.picks[:n].copy(), out.counts[:n].copy(), out.figures[:n].copy()
    return Conjunctions(
        picks=picks, trades=counts[:, 0], active=counts[:, 1], total=figures[:, 0], t=figures[:, 1], counted=room
    )  # fmt: skip


def join(parts: list[Conjunctions]) -> Conjunctions:
    """Several parts as one, in their order; shorter conjunctions are filled up with `NO_PICK`."""
    width = max(part.picks.shape[1] for part in parts)
    wide = [np.pad(part.picks, ((0, 0), (0, width - part.picks.shape[1])), constant_values=NO_PICK) for part in parts]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("trades", "active", "total", "t")}
    return Conjunctions(picks=np.concatenate(wide), counted=sum(part.counted for part in parts), **columns)


def beam(table: CodedTrades, seed: Conjunctions, depth: int, width: int, min_trades: int) -> tuple[Picks, int]:
    """Conjunctions of more than three conditions that look best on a table.

    Quality is the sum of y over the root of the trades (a mean that small samples do not win). A conjunction is taken a condition deeper
    only while some part of it could still enter the beam: no part of n or more trades can have more than the sum of the positive y of
    all members over the root of n.

    Args:
        table: the trades that choose. They must not be those that judge.
        seed: conjunctions of three conditions to start from, measured on that table.
        depth: the most conditions of a pattern.
        width: how many conjunctions are taken deeper at each depth.
        min_trades: trades a conjunction must have there.

    Returns:
        ((n, depth) conjunctions of 4 to `depth` conditions, how many supports were counted).
    """
    full = (seed.picks >= 0).sum(axis=1) == EXHAUSTIVE_DEPTH
    front = _best(seed.picks[full], seed.total[full] / np.sqrt(seed.trades[full]), width)
    kept, counted = [np.empty((0, depth), np.int32)], 0
    for level in range(EXHAUSTIVE_DEPTH + 1, depth + 1):
        tried = _children(table, front)
        counted += len(tried)
        counts, figures, bounds = _measure(table, tried)
        enough = counts[:, 0] >= min_trades
        kept.append(np.pad(tried[enough], ((0, 0), (0, depth - level)), constant_values=NO_PICK))
        quality = figures[:, 0] / np.sqrt(np.maximum(counts[:, 0], 1))
        front = _promising(tried[enough], quality[enough], bounds[enough] / np.sqrt(min_trades), width)
    return np.concatenate(kept), counted


def score(table: CodedTrades, picks: Picks) -> Conjunctions:
    """Measure given (n, depth) conjunctions on a table."""
    counts, figures, _ = _measure(table, picks)
    return Conjunctions(picks=picks, trades=counts[:, 0], active=counts[:, 1], total=figures[:, 0], t=figures[:, 1], counted=len(picks))


def restrict(mined: Conjunctions, chosen: BoolArray, counted: int | None = None) -> Conjunctions:
    """Some of the (n,) conjunctions, with another number of supports that were counted where one is given."""
    columns = {name: getattr(mined, name)[chosen] for name in ("picks", "trades", "active", "total", "t")}
    return Conjunctions(counted=mined.counted if counted is None else counted, **columns)


def _room(sizes: tuple[int, ...], depth: int) -> int:
    """How many conjunctions begin in the first of these dimensions."""
    rest, room = sizes[1:], sizes[0]
    if depth > 1:
        room += sizes[0] * sum(rest)
    if depth > 2:
        room += sizes[0] * sum(a * b for a, b in combinations(rest, 2))
    return room


def _measure(table: CodedTrades, picks: Picks) -> tuple[IntArray, FloatArray, FloatArray]:
    counts, figures, bounds = np.empty((len(picks), 2), np.int64), np.empty((len(picks), 2)), np.empty(len(picks))
    subgroups.score_picks(np.ascontiguousarray(picks), table.all_trades, table.coded, counts, figures, bounds)
    return counts, figures, bounds


def _best(picks: Picks, quality: FloatArray, width: int) -> Picks:
    return picks[np.argsort(-quality, kind="stable")[:width]]


def _promising(picks: Picks, quality: FloatArray, bounds: FloatArray, width: int) -> Picks:
    """The best of them, without those no part of which can reach the worst that would be kept."""
    if len(quality) <= width:
        return _best(picks, quality, width)
    worst = np.partition(quality, -width)[-width]
    able = bounds >= worst
    return _best(picks[able], quality[able], width)


def _children(table: CodedTrades, front: Picks) -> Picks:
    """Each conjunction with each condition of a dimension that it has none of, every set of conditions once."""
    n_conditions = int(table.coded.offsets[-1])
    both = np.empty((len(front) * n_conditions, front.shape[1] + 1), np.int32)
    both[:, :-1] = np.repeat(front, n_conditions, axis=0)
    both[:, -1] = np.tile(np.arange(n_conditions, dtype=np.int32), len(front))
    dims = table.dimension(both)
    fresh = (dims[:, :-1] != dims[:, -1:]).all(axis=1)
    return np.unique(np.sort(both[fresh], axis=1), axis=0)
