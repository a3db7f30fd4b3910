"""Slow, obvious twins of `coinswarm.kernels.subgroups`: each conjunction is the list of the trades that fulfil it."""

from __future__ import annotations

import math
from itertools import combinations, product

from coinswarm.kernels.subgroups import Coded

Figures = tuple[int, int, float, float]
"""Trades, active blocks, sum of y and T."""


def conditions(coded: Coded, dim: int) -> range:
    return range(int(coded.offsets[dim]), int(coded.offsets[dim + 1]))


def fulfil(coded: Coded, pick: int) -> list[bool]:
    dim = next(dim for dim in range(len(coded.codes)) if pick in conditions(coded, dim))
    return [int(code) == pick - int(coded.offsets[dim]) for code in coded.codes[dim]]


def members(coded: Coded, picks: tuple[int, ...]) -> list[int]:
    rows = [fulfil(coded, pick) for pick in picks if pick >= 0]
    return [trade for trade in range(coded.y.size) if all(row[trade] for row in rows)]


def evidence(coded: Coded, picks: tuple[int, ...]) -> list[float]:
    """A - share Y a block: the stratum are the trades that fulfil those of the conditions that define strata."""
    chosen, like = members(coded, picks), members(coded, tuple(pick for pick in picks if pick >= 0 and coded.steps[pick] > 0))
    share, blocks = len(chosen) / max(len(like), 1), range(coded.totals.shape[1])
    return [in_block(coded, chosen, block) - share * in_block(coded, like, block) for block in blocks]


def in_block(coded: Coded, trades: list[int], block: int) -> float:
    return math.fsum(coded.y[trade] for trade in trades if coded.block_of[trade] == block)


def score_picks(coded: Coded, picks: tuple[int, ...]) -> Figures:
    chosen, sums = members(coded, picks), evidence(coded, picks)
    norm = math.sqrt(math.fsum(value**2 for value in sums))
    t = math.fsum(sums) / norm if norm > 1e-6 * math.fsum(abs(y) for y in coded.y) else 0.0
    return len(chosen), len({int(coded.block_of[trade]) for trade in chosen}), math.fsum(coded.y[trade] for trade in chosen), t


def best_part(coded: Coded, picks: tuple[int, ...]) -> float:
    """The largest sum of y that any part of the members can have."""
    return math.fsum(max(coded.y[trade], 0.0) for trade in members(coded, picks))


def moments(coded: Coded, picks: tuple[int, ...], net: list[float]) -> list[float]:
    values = [net[trade] for trade in members(coded, picks)]
    return [math.fsum(values), math.fsum(value**2 for value in values), sum(value > 0 for value in values), len(values)]


def sums_of(totals: list[list[float]]) -> list[list[float]]:
    return [[math.fsum(row), math.fsum(value**2 for value in row)] for row in totals]


def room_for(coded: Coded) -> list[int]:
    """Sizes of a walk's parts."""
    return [coded.y.size, coded.y.size, coded.totals.shape[1], coded.totals.shape[1]]


def cells_for(n: int) -> list[tuple[int, ...]]:
    """Shapes of the parts of `n` cells."""
    return [(n,), (n,), (n,), (5, n)]


def times_of(coded: Coded) -> tuple[list[int], list[list[float]], list[list[float]]]:
    blocks = range(coded.totals.shape[1])
    starts = [sum(int(block) < first for block in coded.block_of) for first in [*blocks, len(blocks)]]
    return starts, [[float(row[block]) for row in coded.totals] for block in blocks], sums_of(coded.totals.tolist())


def widths_of(coded: Coded) -> list[int]:
    sizes = [len(conditions(coded, dim)) for dim in range(len(coded.codes))]
    return [size + any(int(code) >= size for code in codes) for size, codes in zip(sizes, coded.codes, strict=True)]


def strata_of(coded: Coded, rows: list[int], dim: int, width: int) -> list[int]:
    steps = [int(coded.steps[pick]) for pick in conditions(coded, dim)]
    return [row + step for row in rows for step in (steps + [0] * width)[:width]]


def count(coded: Coded, rows: list[int], strata: list[int], dim: int, width: int) -> list[list[float]]:
    """For each cell: sum of y, of its square a block, of it times the stratum's, trades, blocks with a trade."""
    columns = []
    for cell, stratum in enumerate(strata):
        inside = [trade for trade, row in enumerate(rows) if row * width + int(coded.codes[dim][trade]) == cell]
        active = sorted({int(coded.block_of[trade]) for trade in inside})
        sums = [in_block(coded, inside, block) for block in active]
        cross = math.fsum(a * coded.totals[stratum, block] for a, block in zip(sums, active, strict=True))
        columns.append([math.fsum(sums), math.fsum(a * a for a in sums), cross, len(inside), len(active)])
    return [list(row) for row in zip(*columns, strict=True)]


def in_order(coded: Coded, first: int, depth: int) -> list[tuple[int, ...]]:
    """Conjunctions that begin in a dimension as they are written: all single ones, then for each of them its pairs and its triples."""
    later = range(first + 1, len(coded.codes))
    found: list[tuple[int, ...]] = [(a,) for a in conditions(coded, first)]
    for a in conditions(coded, first):
        for size in range(1, depth):
            rest = [picks for dims in combinations(later, size) for picks in product(*(conditions(coded, dim) for dim in dims))]
            found += [(a, *picks) for picks in sorted(rest)]
    return found


def slots_of(coded: Coded, first: int, depth: int) -> list[int]:
    """Looked up in the order of writing: for each later condition the place of its first triple, and last the number of all."""
    a, low, high = int(coded.offsets[first]), int(coded.offsets[first + 1]), int(coded.offsets[-1])
    begin = [picks for picks in in_order(coded, first, depth) if picks[0] == a and len(picks) > 1]
    if depth == 1:
        return [0]
    return [sum(len(picks) == 2 or picks[1] < b for picks in begin) for b in range(low, high)] + [len(begin)]


def write_all(coded: Coded, dims: tuple[int, ...], depth: int) -> dict[int, tuple[tuple[int, ...], Figures]]:
    """What is written for the conjunctions of given dimensions, by place."""
    places = {picks: place for place, picks in enumerate(in_order(coded, dims[0], depth))}
    wanted = product(*(conditions(coded, dim) for dim in dims))
    return {places[picks]: (picks, score_picks(coded, picks)) for picks in wanted}


def keep_supported(found: list[tuple[int, int]], min_trades: int, min_active: int) -> list[int]:
    """Places of those with enough trades in enough blocks."""
    return [place for place, (trades, active) in enumerate(found) if trades >= min_trades and active >= min_active]


def mine_from(coded: Coded, first: int, depth: int, min_trades: int, min_active: int) -> list[tuple[tuple[int, ...], Figures]]:
    rows = [(picks, score_picks(coded, picks)) for picks in in_order(coded, first, depth)]
    return [rows[place] for place in keep_supported([figures[:2] for _, figures in rows], min_trades, min_active)]
