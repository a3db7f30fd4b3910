"""Truth values of bars, 64 a word: combining, shifting, windows and finding the next one.

Bar `i` is bit `i % 64` of word `i // 64`. Bits past the last bar are 0 on entry and on return of every kernel that takes `n`.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from coinswarm.kernels.jit import inlined_kernel, kernel
from coinswarm.types import Bits, BoolArray, IntArray


def packed(mask: BoolArray) -> Bits:
    """Truth values (n,) or (n_rows, n) as words, (n_words,) or (n_rows, n_words)."""
    room = np.zeros((*mask.shape[:-1], -(-mask.shape[-1] // 64) * 8), dtype=np.uint8)
    tight = np.packbits(mask, axis=-1, bitorder="little")
    room[..., : tight.shape[-1]] = tight
    return room.view(np.uint64)


@intrinsic
def trailing_zeros(typingctx, word):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Number of zero bits below the lowest set bit of a word that is not 0."""
    signature = types.int64(types.uint64)

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]  # noqa: ARG001
        return builder.cttz(args[0], cgutils.true_bit)

    return signature, generate


@intrinsic
def popcount(typingctx, word):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Number of set bits of a word."""
    signature = types.int64(types.uint64)

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]  # noqa: ARG001
        return builder.ctpop(args[0])

    return signature, generate


@inlined_kernel
def next_set_of_xor(a: Bits, b: Bits, start: int, n: int) -> int:
    """The first bar at or after `start` on which exactly one of two conditions is true; `n` if there is none."""
    if start >= n:
        return n
    w = start >> 6
    word = (a[w] ^ b[w]) & (np.uint64(0xFFFFFFFFFFFFFFFF) << np.uint64(start & 63))
    while word == 0:
        w += 1
        if w >= a.size:
            return n
        word = a[w] ^ b[w]
    return (w << 6) + trailing_zeros(word)


@inlined_kernel
def next_exit(leave: Bits, own: Bits, opposite: Bits, reverse: bool, start: int, n: int) -> int:
    """The first bar at or after `start` that asks to leave: an exit signal, or with `reverse` an unopposed entry of the other side.

    `leave` is empty where the play has no exit signal. Bars at or after `n` may be returned, or `n`: they mean none.
    """
    mask = np.uint64(0xFFFFFFFFFFFFFFFF) << np.uint64(start & 63)
    w = start >> 6
    while (w << 6) < n:
        word = leave[w] if leave.size else np.uint64(0)
        if reverse:
            word |= opposite[w] & ~own[w]
        word &= mask
        if word != 0:
            return (w << 6) + trailing_zeros(word)
        mask = np.uint64(0xFFFFFFFFFFFFFFFF)
        w += 1
    return n


@inlined_kernel
def is_set(words: Bits, i: int) -> bool:
    """Whether bar `i` is true."""
    return (words[i >> 6] >> np.uint64(i & 63)) & np.uint64(1) == np.uint64(1)


@kernel
def shifted(words: Bits, bars: int, n: int) -> Bits:
    """What was true `bars` bars ago: bit `i` of the result is bit `i - bars`; the first `bars` are false."""
    out = np.zeros_like(words)
    jump = bars >> 6
    rest = np.uint64(bars & 63)
    for w in range(jump, words.size):
        word = words[w - jump] << rest
        if rest != 0 and w - jump > 0:
            word |= words[w - jump - 1] >> (np.uint64(64) - rest)
        out[w] = word
    clear_tail(out, n)
    return out


@kernel
def clear_tail(words: Bits, n: int) -> None:
    """Set the bits past bar `n - 1` to 0."""
    if n & 63:
        words[words.size - 1] &= (np.uint64(1) << np.uint64(n & 63)) - np.uint64(1)


@kernel
def held_for(words: Bits, bars: int, n: int) -> Bits:
    """True where the last `bars` bars, this one included, are all true: doubling the run length, so log2(bars) passes."""
    out = words.copy()
    have = 1
    while have < bars:
        step = min(have, bars - have)
        out &= shifted(out, step, n)
        have += step
    return out


@kernel
def occurred_within(words: Bits, bars: int, n: int) -> Bits:
    """True where any of the last `bars` bars, this one included, is true."""
    out = words.copy()
    have = 1
    while have < bars:
        step = min(have, bars - have)
        out |= shifted(out, step, n)
        have += step
    return out


@kernel
def count_true(words: Bits, bars: int, at_least: float, n: int) -> Bits:
    """True where at least `at_least` of the last `bars` bars, this one included, are true."""
    out = np.zeros_like(words)
    running = np.int64(0)
    for i in range(n):
        running += np.int64((words[i >> 6] >> np.uint64(i & 63)) & np.uint64(1))
        if i >= bars:
            running -= np.int64((words[(i - bars) >> 6] >> np.uint64((i - bars) & 63)) & np.uint64(1))
        if running >= at_least:
            out[i >> 6] |= np.uint64(1) << np.uint64(i & 63)
    return out


@kernel
def inverted(words: Bits, n: int) -> Bits:
    """True where false."""
    out = ~words
    clear_tail(out, n)
    return out


@kernel
def combine_rows(tables: Bits, picks: IntArray, conjunction: bool, out: Bits) -> None:
    """Row `k` of `out` becomes the AND (or OR) over the children `c` of row `picks[k, c]` of `tables`."""
    for k in range(picks.shape[0]):
        for w in range(tables.shape[1]):
            word = tables[picks[k, 0], w]
            for c in range(1, picks.shape[1]):
                other = tables[picks[k, c], w]
                word = word & other if conjunction else word | other
            out[k, w] = word
