"""Counting conjunctions of conditions over trades, and their evidence in blocks of time.

All conjunctions of the same two or three dimensions are counted in one pass over the trades: each trade is one addition to the cell that
its codes name. Walking the members of each pair, with a histogram a further dimension, took twice the time for the same sums.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coinswarm.kernels.bits import popcount, trailing_zeros
from coinswarm.kernels.jit import inlined_kernel, kernel
from coinswarm.types import Bits, FloatArray, IntArray

NO_BIN = 255
NO_PICK = -1
MAX_BINS = 63
Codes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int32]
Picks = npt.NDArray[np.int32]
"""(n_patterns, depth) numbers of the conditions of each conjunction, `NO_PICK` behind the last."""


class Coded(NamedTuple):
    """Trades in order of their block of time, and the conditions they fulfil; those of one dimension exclude each other.

    bits: (n_conditions, n_words) packed, trade `i` is bit `i % 64` of word `i // 64`. codes: (n_dims, n_trades) which condition of the
    dimension, or the number behind the last for none. offsets: (n_dims + 1,) number of each dimension's first condition. y: (n_trades,)
    outcomes. block_of: (n_trades,) not falling. Expectations are taken by stratum, so a conjunction is compared with its own: the trades
    that fulfil those of its conditions that define strata. steps: (n_conditions,) what each condition adds to the number of the stratum,
    0 for one that defines none. totals: (n_strata, n_blocks) sums of y. numbers: (n_strata,) trades.
    """

    bits: Bits
    codes: Codes
    offsets: IntArray
    y: FloatArray
    block_of: Places
    steps: IntArray
    totals: FloatArray
    numbers: IntArray


class Cells(NamedTuple):
    """What the codes of up to three dimensions divide trades into; a code may stand for none of the conditions.

    y, n, totals: (n_cells,) of the block at hand: sum of y and number of the trades of each cell, and sum of y of its stratum.
    sums: (5, n_cells) over all blocks: sum of y, of its square a block, of it times the stratum's, trades, blocks with a trade; in one
    array, as the compiler takes wide registers only where there are few that might overlap.
    """

    y: FloatArray
    n: FloatArray
    totals: FloatArray
    sums: FloatArray


class TimeBlocks(NamedTuple):
    """Blocks of time: starts (n_blocks + 1,) first trade of each, totals (n_blocks, n_strata) sums of y, wholes see `sums_of`."""

    starts: IntArray
    totals: FloatArray
    wholes: FloatArray


class Walk(NamedTuple):
    """The members of one conjunction: their places, outcomes, and for each block they are in where its part ends and which it is."""

    places: Places
    values: FloatArray
    ends: Places
    owners: Places


class Found(NamedTuple):
    """Room for conjunctions: picks (room, 3), counts (room, 2) of trades and of active blocks, figures (room, 2) sum of y and T."""

    picks: Picks
    counts: IntArray
    figures: FloatArray


@inlined_kernel
def meet(a: Bits, b: Bits, out: Bits) -> int:
    """`out` becomes who fulfils both; the answer is how many they are."""
    total = 0
    for w in range(out.size):
        out[w] = a[w] & b[w]
        total += popcount(out[w])
    return total


@inlined_kernel
def members(words: Bits, coded: Coded, walk: Walk) -> int:
    """Walk the set bits in order; the answer is in how many blocks they are."""
    n, parts, last = 0, 0, -1
    for w in range(words.size):
        word = words[w]
        while word != 0:
            i = (w << 6) + trailing_zeros(word)
            word &= word - np.uint64(1)
            walk.places[n] = i
            walk.values[n] = coded.y[i]
            block = coded.block_of[i]
            if block != last:
                walk.owners[parts] = block
                parts += 1
                last = block
            n += 1
            walk.ends[parts - 1] = n
    return parts


@inlined_kernel
def t_statistic(total: float, squares: float, cross: float, share: float, whole: float, whole_squares: float) -> float:
    """Sum S / sqrt(sum S^2) with S = A - share Y a block, A of the conjunction and Y of its stratum; 0 where there is no evidence."""
    norm = squares - 2 * share * cross + share * share * whole_squares
    return (total - share * whole) / math.sqrt(norm) if norm > 1e-12 * (squares + share * share * whole_squares) else 0.0


@kernel
def sums_of(totals: FloatArray) -> FloatArray:
    """(n_strata, 2) sum over blocks of the totals, and of their squares."""
    out = np.zeros((totals.shape[0], 2))
    for stratum in range(totals.shape[0]):
        for block in range(totals.shape[1]):
            out[stratum, 0] += totals[stratum, block]
            out[stratum, 1] += totals[stratum, block] * totals[stratum, block]
    return out


@kernel
def room_for(coded: Coded) -> Walk:
    """A walk that any conjunction of these trades fits in."""
    n, n_blocks = coded.y.size, coded.totals.shape[1]
    return Walk(np.empty(n, np.int32), np.empty(n), np.empty(n_blocks, np.int32), np.empty(n_blocks, np.int32))


@kernel
def times_of(coded: Coded) -> TimeBlocks:
    """The blocks of time of trades."""
    starts = np.zeros(coded.totals.shape[1] + 1, np.int64)
    for block in coded.block_of:
        starts[block + 1] += 1
    return TimeBlocks(np.cumsum(starts), np.ascontiguousarray(coded.totals.T), sums_of(coded.totals))


@kernel
def widths_of(coded: Coded) -> IntArray:
    """(n_dims,) codes that each dimension has: one for each condition, and one more where some trade fulfils none."""
    widths = coded.offsets[1:] - coded.offsets[:-1]
    for dim in range(widths.size):
        most = np.uint8(0)
        for code in coded.codes[dim]:
            most = max(most, code)
        widths[dim] = max(widths[dim], np.int64(most) + 1)
    return widths


@kernel
def cells_for(n: int) -> Cells:
    """Room for `n` cells."""
    return Cells(np.zeros(n), np.zeros(n), np.empty(n), np.empty((5, n)))


@kernel
def strata_of(rows: IntArray, dim: int, width: int, coded: Coded) -> IntArray:
    """Stratum of each row's cells, from the (n_rows,) ones of the rows; a code that stands for no condition adds nothing."""
    strata = np.empty(rows.size * width, np.int64)
    n = coded.offsets[dim + 1] - coded.offsets[dim]
    for c in range(strata.size):
        code = c % width
        strata[c] = rows[c // width] + (coded.steps[coded.offsets[dim] + code] if code < n else 0)
    return strata


@inlined_kernel
def tally(rows: Places, codes: Codes, width: int, y: FloatArray, cells: Cells) -> None:
    """Add trades to the cells of their rows and codes; an index without a sign is not asked whether it counts from the end."""
    for i in range(y.size):
        c = np.uint64(rows[i]) * np.uint64(width) + np.uint64(codes[i])
        cells.y[c] += y[i]
        cells.n[c] += 1.0


@inlined_kernel
def take(c: int, total: float, cells: Cells) -> None:
    """Take the block at hand into a cell's sums over all blocks; `total` is that of its stratum."""
    a, n = cells.y[c], cells.n[c]
    cells.sums[0, c] += a
    cells.sums[1, c] += a * a
    cells.sums[2, c] += a * total
    cells.sums[3, c] += n
    cells.sums[4, c] += 1.0 if n > 0 else 0.0
    cells.y[c], cells.n[c] = 0.0, 0.0


@inlined_kernel
def sweep(strata: IntArray, totals: FloatArray, cells: Cells) -> None:
    """`take` for all cells, in two loops that fit wide registers each."""
    for c in range(strata.size):
        cells.totals[c] = totals[strata[c]]
    for c in range(strata.size):
        take(c, cells.totals[c], cells)


@inlined_kernel
def visit(rows: Places, codes: Codes, width: int, strata: IntArray, totals: FloatArray, cells: Cells) -> None:
    """`take` for the cells of these trades."""
    for i in range(rows.size):
        c = np.int64(rows[i]) * width + np.int64(codes[i])
        if cells.n[c] > 0:
            take(int(c), totals[strata[c]], cells)


@kernel
def count(rows: Places, strata: IntArray, dim: int, width: int, coded: Coded, times: TimeBlocks, cells: Cells) -> None:
    """Count all trades into the cells of their rows and of the codes of a dimension, (n_cells,) strata of which are given.

    In a block with far fewer trades than cells only those are looked at that have some.
    """
    n_cells, code = strata.size, coded.codes[dim]
    cells.sums[:, :n_cells] = 0.0
    for block in range(times.starts.size - 1):
        first, last = times.starts[block], times.starts[block + 1]
        totals = times.totals[block]
        tally(rows[first:last], code[first:last], width, coded.y[first:last], cells)
        if n_cells > 4 * (last - first):
            visit(rows[first:last], code[first:last], width, strata, totals, cells)
        else:
            sweep(strata, totals, cells)


@kernel
def slots_of(first: int, depth: int, coded: Coded) -> IntArray:
    """Where conjunctions that begin with a condition of a dimension are written, counted from the first of two that begin with it.

    (n,) for each condition of later dimensions how many places the pairs take and the triples that come before its own, and last how many
    all take.
    """
    low, high = coded.offsets[first + 1], coded.offsets[-1]
    slots = np.zeros(high - low + 1 if depth > 1 else 1, np.int64)
    slots[0] = slots.size - 1
    for second in range(first + 1, coded.codes.shape[0] if depth > 1 else 0):
        for b in range(coded.offsets[second] - low, coded.offsets[second + 1] - low):
            slots[b + 1] = slots[b] + (high - coded.offsets[second + 1] if depth > 2 else 0)
    return slots


@inlined_kernel
def write(c: int, picks: Places, slot: int, stratum: int, coded: Coded, times: TimeBlocks, cells: Cells, found: Found) -> None:
    """Write down what was counted in a cell."""
    total, squares, cross, trades, active = cells.sums[0, c], cells.sums[1, c], cells.sums[2, c], cells.sums[3, c], cells.sums[4, c]
    whole, whole_squares = times.wholes[stratum, 0], times.wholes[stratum, 1]
    share = trades / max(coded.numbers[stratum], 1)
    for k in range(picks.size):
        found.picks[slot, k] = picks[k]
    found.counts[slot, 0], found.counts[slot, 1] = np.int64(trades), np.int64(active)
    found.figures[slot, 0], found.figures[slot, 1] = total, t_statistic(total, squares, cross, share, whole, whole_squares)


@kernel
def write_all(
    dims: tuple[int, ...], widths: IntArray, strata: IntArray, slots: IntArray, coded: Coded, times: TimeBlocks, cells: Cells, found: Found
) -> None:
    """Write down the cells that up to three dimensions span, but for those in which a code stands for none."""
    picks, low = np.full(3, NO_PICK, np.int32), coded.offsets[dims[0] + 1]
    for c in range(strata.size):
        rest, known = c, True
        for k in range(len(dims) - 1, -1, -1):
            picks[k] = coded.offsets[dims[k]] + rest % widths[dims[k]]
            known &= picks[k] < coded.offsets[dims[k] + 1]
            rest //= widths[dims[k]]
        a = picks[0] - coded.offsets[dims[0]]
        slot = a
        if len(dims) > 1:
            slot = low - coded.offsets[dims[0]] + a * slots[-1]
            slot += picks[1] - low if len(dims) == 2 else slots[picks[1] - low] + picks[2] - coded.offsets[dims[1] + 1]
        if known:
            write(c, picks, slot, strata[c], coded, times, cells, found)


@kernel
def keep_supported(n: int, min_trades: int, min_active: int, found: Found) -> int:
    """Move those of the first `n` conjunctions up that have enough trades in enough blocks; the answer is how many they are."""
    last = 0
    for k in range(n):
        if found.counts[k, 0] >= min_trades and found.counts[k, 1] >= min_active:
            for part in range(3):
                found.picks[last, part] = found.picks[k, part]
            for part in range(2):
                found.counts[last, part], found.figures[last, part] = found.counts[k, part], found.figures[k, part]
            last += 1
    return last


@kernel
def mine_from(first: int, depth: int, coded: Coded, min_trades: int, min_active: int, found: Found) -> int:
    """All conjunctions of up to three conditions, one a dimension, that begin in dimension `first`; the answer is how many were found."""
    n_dims, widths, times = coded.codes.shape[0], widths_of(coded), times_of(coded)
    cells, slots = cells_for(widths[first] * widths.max() ** 2), slots_of(first, depth, coded)
    one = coded.codes[first].astype(np.int32)
    strata = strata_of(np.zeros(1, np.int64), first, widths[first], coded)
    count(np.zeros_like(one), strata, first, widths[first], coded, times, cells)
    write_all((first,), widths, strata, slots, coded, times, cells, found)
    for second in range(first + 1, n_dims if depth > 1 else 0):
        of_two = strata_of(strata, second, widths[second], coded)
        count(one, of_two, second, widths[second], coded, times, cells)
        write_all((first, second), widths, of_two, slots, coded, times, cells, found)
        two = one * np.int32(widths[second]) + coded.codes[second]
        for third in range(second + 1, n_dims if depth > 2 else 0):
            of_three = strata_of(of_two, third, widths[third], coded)
            count(two, of_three, third, widths[third], coded, times, cells)
            write_all((first, second, third), widths, of_three, slots, coded, times, cells, found)
    return keep_supported(found.counts.shape[0], min_trades, min_active, found)


@inlined_kernel
def meet_all(picks: Picks, all_trades: Bits, bits: Bits, out: Bits) -> int:
    """`out` becomes who fulfils every condition of `picks`; the answer is how many they are."""
    n = meet(all_trades, all_trades, out)
    for pick in picks:
        if pick >= 0:
            n = meet(out, bits[pick], out)
    return n


@inlined_kernel
def stratum_of(picks: Picks, steps: IntArray) -> int:
    """Number of the stratum that the conditions of a conjunction define."""
    stratum = 0
    for pick in picks:
        if pick >= 0:
            stratum += steps[pick]
    return stratum


@kernel
def evidence(picks: Picks, all_trades: Bits, coded: Coded, out: FloatArray) -> None:
    """Row `k` of `out` (n_patterns, n_blocks) becomes S = A - share Y of conjunction `k` in each block."""
    words = np.empty_like(all_trades)
    for k in range(picks.shape[0]):
        n = meet_all(picks[k], all_trades, coded.bits, words)
        stratum = stratum_of(picks[k], coded.steps)
        share = n / max(coded.numbers[stratum], 1)
        for block in range(out.shape[1]):
            out[k, block] = -share * coded.totals[stratum, block]
        for w in range(words.size):
            word = words[w]
            while word != 0:
                i = (w << 6) + trailing_zeros(word)
                word &= word - np.uint64(1)
                out[k, coded.block_of[i]] += coded.y[i]


@kernel
def score_picks(picks: Picks, all_trades: Bits, coded: Coded, counts: IntArray, figures: FloatArray, bounds: FloatArray) -> None:
    """Support, active blocks, sum of y and T of given conjunctions, and the largest sum of y that any part of their members can have."""
    words, walk = np.empty_like(all_trades), room_for(coded)
    wholes = sums_of(coded.totals)
    for k in range(picks.shape[0]):
        stratum = stratum_of(picks[k], coded.steps)
        n = meet_all(picks[k], all_trades, coded.bits, words)
        parts = members(words, coded, walk)
        total, squares, cross, best, start = 0.0, 0.0, 0.0, 0.0, 0
        for part in range(parts):
            a = 0.0
            for i in range(start, walk.ends[part]):
                a += walk.values[i]
                best += max(walk.values[i], 0.0)
            start = walk.ends[part]
            total += a
            squares += a * a
            cross += a * coded.totals[stratum, walk.owners[part]]
        counts[k, 0], counts[k, 1] = n, parts
        share = n / max(coded.numbers[stratum], 1)
        figures[k, 0], figures[k, 1] = total, t_statistic(total, squares, cross, share, wholes[stratum, 0], wholes[stratum, 1])
        bounds[k] = best


@kernel
def moments(picks: Picks, all_trades: Bits, bits: Bits, net: FloatArray, out: FloatArray) -> None:
    """Row `k` of `out` (n_patterns, 4): of `net` over the members of conjunction `k` the sum, that of squares, number above 0, number."""
    words = np.empty_like(all_trades)
    out[:] = 0.0
    for k in range(picks.shape[0]):
        out[k, 3] = meet_all(picks[k], all_trades, bits, words)
        for w in range(words.size):
            word = words[w]
            while word != 0:
                value = net[(w << 6) + trailing_zeros(word)]
                word &= word - np.uint64(1)
                out[k, 0] += value
                out[k, 1] += value * value
                out[k, 2] += value > 0
