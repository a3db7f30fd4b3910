"""Family-wise significance: sign flips of whole blocks of time, the same for every conjunction, step-down over the largest statistic.

Evidence in blocks is counted again for a few thousand conjunctions at a time: all of it at once would be gigabytes for what a year of
short holds has to test. `stats.block_sign_flip_test` does the same for a matrix that is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coinswarm import stats
from coinswarm.kernels import subgroups
from coinswarm.kernels.subgroups import Picks, Places
from coinswarm.patterns.mining import Conjunctions
from coinswarm.patterns.table import CodedTrades
from coinswarm.stats.stepdown import step_down
from coinswarm.types import BoolArray, FloatArray, IntArray

MINOR_FLIPS = 999
"""Flips of a test of one pattern alone, where nothing but 5 % is asked."""


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Evidence:
    """What sign flips say of a family.

    Attributes:
        t: (n,) statistic of each conjunction.
        p_value, p_adjusted: (n,) of each alone, and family-wise; one-sided: large means better than random.
        threshold: the statistic that the largest of the family exceeds under the null with a chance of alpha.
    """

    t: FloatArray
    p_value: FloatArray
    p_adjusted: FloatArray
    threshold: float


def family_wise(tested: Sequence[tuple[Conjunctions, CodedTrades]], *, n_flips: int, alpha: float, rng: np.random.Generator) -> Evidence:
    """Test all conjunctions together, those of each table on its own trades, one after the other in the order given.

    Args:
        tested: conjunctions and the trades that judge them; the tables have the same blocks.
        n_flips: how many flips.
        alpha: level of the threshold, in (0, 1).
        rng: source of the signs.
    """
    t = np.concatenate([mined.t for mined, _ in tested])
    if t.size == 0:
        return Evidence(t=t, p_value=t, p_adjusted=t, threshold=float("inf"))
    n_blocks = tested[0][1].n_blocks
    signs = (2 * rng.integers(0, 2, size=(n_blocks, n_flips), dtype=np.int8) - 1).astype(np.float32)
    starts = np.cumsum([0, *(len(mined) for mined, _ in tested)])
    largest = np.full(n_flips, -np.inf, dtype=np.float32)

    def draws(rows: IntArray) -> npt.NDArray[np.float32]:
        out = np.empty((rows.size, n_flips), dtype=np.float32)
        for (mined, table), start, stop in zip(tested, starts[:-1], starts[1:], strict=True):
            here = (rows >= start) & (rows < stop)
            if here.any():
                out[here] = standardised(table, mined.picks[rows[here] - start]) @ signs
        np.maximum(largest, out.max(axis=0), out=largest)
        return out

    p, adjusted = step_down(t, draws, n_flips)
    return Evidence(t=t, p_value=p, p_adjusted=adjusted, threshold=float(np.quantile(largest, 1 - alpha, method="higher")))


def standardised(table: CodedTrades, picks: Picks) -> npt.NDArray[np.float32]:
    """(n, n_blocks) evidence of (n, depth) conjunctions in each block, each row of length 1, or 0 where there is none."""
    sums = np.empty((len(picks), table.n_blocks))
    subgroups.evidence(np.ascontiguousarray(picks), table.all_trades, table.coded, sums)
    norms = np.sqrt(np.einsum("ij,ij->i", sums, sums))
    sums /= np.where(norms > 0, norms, 1.0)[:, None]
    return sums.astype(np.float32)


def alone(sums: FloatArray, *, rng: np.random.Generator, n_flips: int = MINOR_FLIPS) -> float:
    """One-sided p of (n_blocks,) sums having a mean above 0, by sign flips; in (0, 1]. 1 where all sums are 0."""
    tested = stats.block_sign_flip_test(sums[None, :], rng=rng, n_flips=n_flips, alternative="greater", min_blocks=1)
    return float(tested.p_value[0])


def scored(member: BoolArray, among: BoolArray, y: FloatArray, blocks: IntArray | Places, n_blocks: int) -> FloatArray:
    """(n_blocks,) sums of (g - mean g)(y - mean y) of (n,) members g among some of (n,) trades with outcomes y."""
    g = member[among] - member[among].mean()
    chosen = y[among]
    return np.asarray(np.bincount(blocks[among], weights=g * (chosen - chosen.mean()), minlength=n_blocks), dtype=np.float64)
