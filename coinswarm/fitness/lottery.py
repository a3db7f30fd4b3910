"""Lottery trading: a variant that enters at random, as often and on the same sides as it really does, with its own exits, sizes and costs.

What is left of a variant's result beside the best of many such lotteries is what its entries knew. A lottery is drawn from a stream of its
own, addressed by seed, market and number, so it is the same wherever and in whatever batch it is scored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coinswarm import check
from coinswarm.fitness.score import Scorer
from coinswarm.kernels.bits import packed
from coinswarm.kernels.codes import N_OUTCOME, Outcome
from coinswarm.types import Bits, BoolArray, FloatArray, IntArray

_CHUNK = 256
"""Lotteries whose entries are held at once: 3.4 MB of bits on 105,000 bars."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Habit:
    """How a variant enters.

    Attributes:
        rate: entries a bar on which it was free to enter, in [0, 1].
        long_share: share of its entries that are long, in [0, 1].
        first: the first bar on which it may decide.
    """

    rate: float
    long_share: float
    first: int


def habit(scorer: Scorer, genome: FloatArray) -> Habit:
    """How the variant `genome` (n_dims,) enters on the scorer's bars; one without trades never does.

    A play that reverses is free to enter on half of the bars it holds a position: there only the opposite side counts.
    """
    first = scorer.first_decision(genome)
    _, log = scorer.replay(genome)
    if not len(log):
        return Habit(rate=0.0, long_share=0.5, first=first)
    held = float((log[:, Outcome.EXIT_BAR] - log[:, Outcome.ENTRY_BAR]).sum())
    free = len(scorer.bars) - 1 - first - (0.5 if scorer.play.policy.reverse else 1.0) * held
    return Habit(rate=min(1.0, len(log) / max(free, 1.0)), long_share=float((log[:, N_OUTCOME] > 0).mean()), first=first)


def score(scorer: Scorer, genome: FloatArray, numbers: IntArray, *, seed: int) -> np.ndarray:
    """Every figure of lotteries on one variant.

    Args:
        scorer: the play on a market.
        genome: (n_dims,) the variant whose habit, exits and sizes they have.
        numbers: (n,) which lotteries, each >= 0.
        seed: of the run.

    Returns:
        (n,) of SCORE_DTYPE.
    """
    check.at_least(seed, "seed", 0)
    own_habit = habit(scorer, genome)
    parts = [_score(scorer, genome, numbers[at : at + _CHUNK], own_habit, seed) for at in range(0, len(numbers), _CHUNK)]
    return np.concatenate(parts) if parts else scorer.score(np.empty((0, len(genome))))


def entries(habit: Habit, n_bars: int, rng: np.random.Generator) -> tuple[BoolArray, BoolArray]:
    """(n_bars,) long and short entries of one lottery: each bar that may decide enters with the chance of `habit`, never on both sides."""
    longs, shorts = np.zeros(n_bars, dtype=np.bool_), np.zeros(n_bars, dtype=np.bool_)
    bars = max(n_bars - 1 - habit.first, 0)
    count = int(rng.binomial(bars, habit.rate))
    places = habit.first + rng.choice(bars, size=count, replace=False, shuffle=False)
    sides = rng.random(count) < habit.long_share
    longs[places[sides]] = True
    shorts[places[~sides]] = True
    return longs, shorts


def _score(scorer: Scorer, genome: FloatArray, numbers: IntArray, habit: Habit, seed: int) -> np.ndarray:
    words = (len(scorer.bars) + 63) // 64
    longs: Bits = np.zeros((len(numbers), words), dtype=np.uint64)
    shorts: Bits = np.zeros((len(numbers), words), dtype=np.uint64)
    for row, number in enumerate(numbers.tolist()):
        drawn = entries(habit, len(scorer.bars), _stream(scorer, seed, number))
        longs[row], shorts[row] = packed(drawn[0]), packed(drawn[1])
    return scorer.score_entries(genome, longs, shorts)


def _stream(scorer: Scorer, seed: int, number: int) -> np.random.Generator:
    """The stream of one lottery on one market."""
    market = int.from_bytes(scorer.bars.symbol.encode(), "big")
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, int(number), market])))
