"""Counting conjunctions of conditions over trades: supports by popcount, evidence in blocks of time by walking the members."""

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


class Walk(NamedTuple):
    """The members of one conjunction: their places, outcomes, and for each block they are in where its part ends and which it is.

    sums: (MAX_BINS + 2, 6) and supports: (MAX_BINS + 2,) are room for the bins of one further dimension.
    """

    places: Places
    values: FloatArray
    ends: Places
    owners: Places
    sums: FloatArray
    supports: IntArray


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
def split(dim: int, stratum: int, coded: Coded, walk: Walk, parts: int) -> None:
    """Support and evidence of a conjunction in a stratum by the conditions of a further dimension.

    Counting here, where each member is visited anyway, is faster than a popcount a condition. A row of `walk.sums` becomes: sum of y, sum
    over blocks of its square, sum over blocks of it times the stratum's total, active blocks. The row behind the last condition takes
    those that fulfil none.
    """
    sums, code, low = walk.sums, coded.codes[dim], coded.offsets[dim]
    n_bins = coded.offsets[dim + 1] - low
    sums[: n_bins + 1] = 0.0
    supports = walk.supports
    supports[: n_bins + 1] = 0
    plain = coded.steps[low] == 0
    row = coded.totals[stratum]
    start = 0
    for part in range(parts):
        for i in range(start, walk.ends[part]):
            c = int(code[walk.places[i]])
            sums[c, 4] += walk.values[i]
            supports[c] += 1
        start, block = walk.ends[part], walk.owners[part]
        total = row[block]
        for c in range(n_bins):
            a = sums[c, 4]
            sums[c, 0] += a
            sums[c, 1] += a * a
            sums[c, 2] += a * (total if plain else coded.totals[stratum + coded.steps[low + c], block])
            sums[c, 3] += 1.0 if supports[c] > sums[c, 5] else 0.0
            sums[c, 5] = supports[c]
            sums[c, 4] = 0.0


@inlined_kernel
def t_statistic(total: float, squares: float, cross: float, share: float, whole: float, whole_squares: float) -> float:
    """Sum S / sqrt(sum S^2) with S = A - share Y a block, A of the conjunction and Y of its stratum; 0 where there is no evidence."""
    norm = squares - 2 * share * cross + share * share * whole_squares
    return (total - share * whole) / math.sqrt(norm) if norm > 1e-12 * (squares + share * share * whole_squares) else 0.0


@inlined_kernel
def keep(
    a: int,
    b: int,
    dim: int,
    stratum: int,
    coded: Coded,
    walk: Walk,
    wholes: FloatArray,
    min_trades: int,
    min_active: int,
    found: Found,
    n: int,
) -> int:
    """Write down the conditions with enough trades in enough blocks; the answer is how many conjunctions are written by now."""
    for c in range(coded.offsets[dim + 1] - coded.offsets[dim]):
        if walk.supports[c] >= min_trades and walk.sums[c, 3] >= min_active:
            last = coded.offsets[dim] + c
            found.picks[n, 0] = last if a < 0 else a
            found.picks[n, 1] = NO_PICK if a < 0 else (last if b < 0 else b)
            found.picks[n, 2] = NO_PICK if b < 0 else last
            found.counts[n, 0] = walk.supports[c]
            found.counts[n, 1] = np.int64(walk.sums[c, 3])
            own = stratum + coded.steps[last]
            share = walk.supports[c] / coded.numbers[own]
            found.figures[n, 0] = walk.sums[c, 0]
            found.figures[n, 1] = t_statistic(walk.sums[c, 0], walk.sums[c, 1], walk.sums[c, 2], share, wholes[own, 0], wholes[own, 1])
            n += 1
    return n


@kernel
def sums_of(totals: FloatArray) -> FloatArray:
    """(n_strata, 2) sum over blocks of the totals, and of their squares."""
    out = np.zeros((totals.shape[0], 2))
    for stratum in range(totals.shape[0]):
        for block in range(totals.shape[1]):
            out[stratum, 0] += totals[stratum, block]
            out[stratum, 1] += totals[stratum, block] * totals[stratum, block]
    return out


@inlined_kernel
def follow(places: Places, n: int, coded: Coded, walk: Walk) -> int:
    """Walk `n` places in order; the answer is in how many blocks they are."""
    parts, last = 0, -1
    for k in range(n):
        i = places[k]
        walk.places[k] = i
        walk.values[k] = coded.y[i]
        block = coded.block_of[i]
        if block != last:
            walk.owners[parts] = block
            parts += 1
            last = block
        walk.ends[parts - 1] = k + 1
    return parts


@inlined_kernel
def compacted(dims: range, n: int, coded: Coded, walk: Walk, own: Coded) -> None:
    """`own` becomes the trades that are walked, one after the other: what is looked at again and again then fits a processor's cache."""
    for i in range(n):
        own.y[i] = walk.values[i]
        own.block_of[i] = coded.block_of[walk.places[i]]
    for dim in dims:
        for i in range(n):
            own.codes[dim, i] = coded.codes[dim, walk.places[i]]


@inlined_kernel
def sorted_by(code: Codes, n: int, lists: Places, lengths: IntArray) -> None:
    """Row `c` of `lists` becomes the places with code `c`, in order, `lengths[c]` of them."""
    lengths[:] = 0
    for i in range(n):
        c = np.int64(code[i])
        lists[c, lengths[c]] = i
        lengths[c] += 1


@kernel
def extend(
    a: int, b: int, dims: range, parts: int, coded: Coded, walk: Walk, wholes: FloatArray, min_trades: int, min_active: int,
    found: Found, n: int,
) -> int:  # fmt: skip
    """Add each condition of `dims` to the conjunction of `a` and `b` that is walked; the answer is how many are written by now."""
    stratum = (coded.steps[a] if a >= 0 else 0) + (coded.steps[b] if b >= 0 else 0)
    for dim in dims:
        split(dim, stratum, coded, walk, parts)
        n = keep(a, b, dim, stratum, coded, walk, wholes, min_trades, min_active, found, n)
    return n


@kernel
def like(coded: Coded) -> Coded:
    """Room for as many trades, with the same conditions and blocks."""
    n = coded.y.size
    own = np.empty((coded.codes.shape[0], n), np.uint8), np.empty(n), np.empty(n, np.int32)
    return Coded(coded.bits, own[0], coded.offsets, own[1], own[2], coded.steps, coded.totals, coded.numbers)


@kernel
def room_for(coded: Coded) -> Walk:
    """A walk that any conjunction of these trades fits in."""
    n, n_blocks, rows = coded.y.size, coded.totals.shape[1], MAX_BINS + 2
    narrow = np.int32
    return Walk(
        np.empty(n, narrow), np.empty(n), np.empty(n_blocks, narrow), np.empty(n_blocks, narrow), np.empty((rows, 6)),
        np.empty(rows, np.int64),
    )  # fmt: skip


@kernel
def mine_from(first: int, depth: int, everybody: Bits, coded: Coded, min_trades: int, min_active: int, found: Found) -> int:
    """All conjunctions of up to three conditions, one a dimension, that begin in dimension `first`; the answer is how many were found."""
    n_dims, n = coded.codes.shape[0], 0
    wholes, walk, own = sums_of(coded.totals), room_for(coded), like(coded)
    parts = members(everybody, coded, walk)
    n = extend(-1, -1, range(first, first + 1), parts, coded, walk, wholes, min_trades, min_active, found, n)
    both, lists, lengths = np.empty_like(everybody), np.empty((MAX_BINS + 2, coded.y.size), np.int32), np.empty(MAX_BINS + 2, np.int64)
    for a in range(coded.offsets[first], coded.offsets[first + 1]):
        n_own = meet(everybody, coded.bits[a], both)
        if depth < 2 or n_own < min_trades:
            continue
        members(both, coded, walk)
        compacted(range(first + 1, n_dims), n_own, coded, walk, own)
        walk.places[:n_own] = np.arange(n_own)
        parts = follow(walk.places, n_own, own, walk)
        n = extend(a, -1, range(first + 1, n_dims), parts, own, walk, wholes, min_trades, min_active, found, n)
        for second in range(first + 1, n_dims if depth > 2 else 0):
            sorted_by(own.codes[second], n_own, lists, lengths)
            for c in range(coded.offsets[second + 1] - coded.offsets[second]):
                if lengths[c] >= min_trades:
                    parts, b = follow(lists[c], lengths[c], own, walk), coded.offsets[second] + c
                    n = extend(a, b, range(second + 1, n_dims), parts, own, walk, wholes, min_trades, min_active, found, n)
    return n


@inlined_kernel
def meet_all(picks: Picks, everybody: Bits, bits: Bits, out: Bits) -> int:
    """`out` becomes who fulfils every condition of `picks`; the answer is how many they are."""
    n = meet(everybody, everybody, out)
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
def evidence(picks: Picks, everybody: Bits, coded: Coded, out: FloatArray) -> None:
    """Row `k` of `out` (n_patterns, n_blocks) becomes S = A - share Y of conjunction `k` in each block."""
    words = np.empty_like(everybody)
    for k in range(picks.shape[0]):
        n = meet_all(picks[k], everybody, coded.bits, words)
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
def score_picks(picks: Picks, everybody: Bits, coded: Coded, counts: IntArray, figures: FloatArray, bounds: FloatArray) -> None:
    """Support, active blocks, sum of y and T of given conjunctions, and the largest sum of y that any part of their members can have."""
    words, walk = np.empty_like(everybody), room_for(coded)
    wholes = sums_of(coded.totals)
    for k in range(picks.shape[0]):
        stratum = stratum_of(picks[k], coded.steps)
        n = meet_all(picks[k], everybody, coded.bits, words)
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
def moments(picks: Picks, everybody: Bits, bits: Bits, net: FloatArray, out: FloatArray) -> None:
    """Row `k` of `out` (n_patterns, 4): of `net` over the members of conjunction `k` the sum, that of squares, number above 0, number."""
    words = np.empty_like(everybody)
    out[:] = 0.0
    for k in range(picks.shape[0]):
        out[k, 3] = meet_all(picks[k], everybody, bits, words)
        for w in range(words.size):
            word = words[w]
            while word != 0:
                value = net[(w << 6) + trailing_zeros(word)]
                word &= word - np.uint64(1)
                out[k, 0] += value
                out[k, 1] += value * value
                out[k, 2] += value > 0
