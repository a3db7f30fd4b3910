"""Trades as the kernels count them: in order of their block of time, with every condition as a bitset."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coinswarm import check
from coinswarm.kernels.bits import packed
from coinswarm.kernels.subgroups import MAX_BINS, Coded, Codes, Picks
from coinswarm.types import Bits, BoolArray, FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class CodedTrades:
    """Some trades of a search.

    Attributes:
        coded: what the kernels see; `coded.y` is centred on these trades.
        all_trades: all trades as a bitset.
        n_blocks: blocks of time that are counted, also those without a trade.
        sizes: conditions of each dimension. strata: which dimensions define strata.
    """

    coded: Coded
    all_trades: Bits
    n_blocks: int
    sizes: tuple[int, ...]
    strata: tuple[bool, ...]

    @property
    def n_trades(self) -> int:
        """How many trades there are."""
        return int(self.coded.y.size)

    def dimension(self, picks: Picks) -> Picks:
        """Dimension of each condition by number, of any shape; that of none is beyond every dimension."""
        found = np.searchsorted(self.coded.offsets, picks, side="right") - 1
        return np.where(picks < 0, len(self.sizes), found).astype(np.int32)

    def part(self, chosen: BoolArray) -> CodedTrades:
        """The table of some of the (n_trades,) trades, over the same blocks."""
        coded = self.coded
        blocks = coded.block_of[chosen].astype(np.int64)
        return build(coded.codes[:, chosen], self.sizes, self.strata, coded.y[chosen], blocks, self.n_blocks)

    def masks(self, picks: Picks) -> BoolArray:
        """(n_patterns, n_trades) who fulfils each of (n_patterns, depth) conjunctions."""
        words = np.broadcast_to(self.all_trades, (len(picks), self.all_trades.size)).copy()
        for column in picks.T:
            words[column >= 0] &= self.coded.bits[column[column >= 0]]
        return np.unpackbits(words.view(np.uint8), axis=1, bitorder="little", count=self.n_trades).astype(np.bool_)


def build(codes: Codes, sizes: tuple[int, ...], strata: tuple[bool, ...], y: FloatArray, blocks: IntArray, n_blocks: int) -> CodedTrades:
    """Bring trades into the form of the kernels.

    Args:
        codes: (n_dims, n_trades) condition of each dimension that each trade fulfils.
        sizes: conditions of each dimension, at most `MAX_BINS`.
        strata: which dimensions define strata; every trade fulfils a condition of each of them.
        y: (n_trades,) outcomes; they are centred.
        blocks: (n_trades,) block of time of each trade, in [0, n_blocks), not falling.
        n_blocks: how many blocks there are.
    """
    centred = np.ascontiguousarray(y - y.mean()) if y.size else np.empty(0)
    steps, cells, shape = _steps(codes, sizes, strata)
    coded = Coded(
        bits=_bits(codes, sizes),
        codes=np.minimum(codes, np.array(sizes, dtype=np.uint8)[:, None]),
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        y=centred,
        block_of=blocks.astype(np.int32),
        steps=steps,
        totals=_with_all(_counted(cells * n_blocks + blocks, (*shape, n_blocks), centred), len(shape)).reshape(-1, n_blocks),
        numbers=_with_all(_counted(cells, shape, np.ones(centred.size)), len(shape)).reshape(-1).astype(np.int64),
    )
    return CodedTrades(coded=coded, all_trades=packed(np.ones(centred.size, dtype=np.bool_)), n_blocks=n_blocks, sizes=sizes, strata=strata)


def _steps(codes: Codes, sizes: tuple[int, ...], strata: tuple[bool, ...]) -> tuple[IntArray, IntArray, tuple[int, ...]]:
    """What each condition adds to the number of a stratum, the finest stratum of each trade, and how many there are along each dimension.

    Along a dimension 0 stands for all of its trades and 1 + c for those of condition c.
    """
    shape = tuple(size for size, defines in zip(sizes, strata, strict=True) if defines)
    steps, cells = [], np.zeros(codes.shape[1], dtype=np.int64)
    stride = math.prod(size + 1 for size in shape)
    for row, size, defines in zip(codes, sizes, strata, strict=True):
        if not defines:
            steps += [0] * size
            continue
        stride //= size + 1
        steps += [stride * (number + 1) for number in range(size)]
        cells = cells * size + row
    return np.array(steps, dtype=np.int64), cells, shape


def _counted(cells: IntArray, shape: tuple[int, ...], weights: FloatArray) -> FloatArray:
    return np.asarray(np.bincount(cells, weights=weights, minlength=math.prod(shape)), dtype=np.float64).reshape(shape)


def _with_all(sums: FloatArray, n_axes: int) -> FloatArray:
    """Along each of the first axes, the sum over it put in front."""
    for axis in range(n_axes):
        sums = np.concatenate([sums.sum(axis=axis, keepdims=True), sums], axis=axis)
    return sums


def _bits(codes: Codes, sizes: tuple[int, ...]) -> Bits:
    check.within(max(sizes), "conditions of a dimension", 1, MAX_BINS)
    return np.concatenate([packed(row == np.arange(size, dtype=np.uint8)[:, None]) for row, size in zip(codes, sizes, strict=True)])
