"""A search on a world, judged as it usually is: by the best figure in sample, and by a test of the winner on later bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from coinswarm import fitness
from coinswarm.config import Costs
from coinswarm.evolve import Results, SearchSettings, loop, reduction
from coinswarm.market import splits
from coinswarm.market.bars import Bars
from coinswarm.market.splits import Span
from coinswarm.play import loads, variants
from coinswarm.play.model import Play
from coinswarm.types import FloatArray
from coinswarm.validate.case import Case, Effort, Splits, TrialFacts

LEADERBOARD = 50
SAMPLE = 200


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class SearchOutcome:
    """What a search brought home.

    Attributes:
        genome: (n_dims,) the best variant in sample; None: no variant kept the search's constraints.
        distinct: different variants that were tried.
        leaderboard: (n, n_dims) the best of them, best first.
        tried: (n, n_dims) some of all that were evaluated, drawn evenly, good and bad.
        sharpe: its annual Sharpe ratio in sample, mean over markets; NaN without a genome.
        p_in, p_out: one-sided p of its mean return in and out of sample, as if bars and markets were independent: what an honest person
            without this project would work out. 1 without a genome or without trades.
        inside, outside: the bars that the search saw, and those it did not.
    """

    genome: FloatArray | None
    distinct: int
    leaderboard: FloatArray
    tried: FloatArray
    sharpe: float
    p_in: float
    p_out: float
    inside: Span
    outside: Span

    @property
    def naive(self) -> dict[str, bool]:
        """What usual ways of selecting would have promoted."""
        found = self.genome is not None
        return {
            "best in sample": found and self.sharpe > 0,
            "best in sample, p < .05 there": found and self.p_in < 0.05,
            "best in sample, p < .05 out of sample": found and self.p_out < 0.05,
        }


@lru_cache(maxsize=8)
def read(text: str) -> Play:
    """The play of a YAML text, read once a process."""
    return loads(text)


def search(
    markets: Sequence[Bars], play: Play, settings: SearchSettings, *, out_of_sample: float, costs: Costs | None = None
) -> SearchOutcome:
    """Evolve a play on the older part of a world and look at its winner on the rest.

    Args:
        markets: the world.
        play: a play with dimensions.
        settings: how to search; the seed decides everything.
        out_of_sample: share of the bars, the newest, that the search never sees.
        costs: replace those of the play.
    """
    inside, outside = splits.holdout(markets, out_of_sample)
    seen = [fitness.Scorer(play, bars, costs=costs, end_ts=inside.end_ts) for bars in markets]
    asked: list[FloatArray] = []

    def evaluate(genomes: FloatArray) -> Results:
        asked.append(genomes)
        return reduction.results(np.stack([scorer.score(genomes) for scorer in seen], axis=1), settings)

    run = loop.run(play.space, evaluate, settings, identify=lambda genomes: variants.identities(play, genomes))
    board = run.best.genomes[np.flatnonzero(run.best.feasible)[:LEADERBOARD]]
    every = np.concatenate(asked)
    tried = every[np.linspace(0, len(every) - 1, min(SAMPLE, len(every))).astype(np.int64)]
    sharpe, p_in, p_out = math.nan, 1.0, 1.0
    if len(board):
        held = [fitness.Scorer(play, bars, costs=costs, start_ts=outside.start_ts) for bars in markets]
        (sharpe, p_in), p_out = _judged(seen, board[0]), _judged(held, board[0])[1]
    return SearchOutcome(
        genome=board[0] if len(board) else None, distinct=run.state.distinct, leaderboard=board, tried=tried, sharpe=sharpe,
        p_in=p_in, p_out=p_out, inside=inside, outside=outside,
    )  # fmt: skip


def case(
    search: SearchOutcome, markets: Sequence[Bars], play: Play, *, seed: int, effort: Effort, costs: Costs | None = None
) -> Case | None:
    """The winner before its judges, with the true number of trials behind it; None when there is no winner.

    Args:
        search: what the search brought home.
        markets: the world it was made on.
        play: the play.
        seed: of everything that is drawn.
        effort: how much is drawn.
        costs: replace those of the play.
    """
    if search.genome is None:
        return None
    facts = TrialFacts(
        campaign="honesty", trials=search.distinct, sample=search.tried, leaderboard=search.leaderboard,
    )  # fmt: skip
    return Case(
        play=play if costs is None else replace(play, costs=costs), genome=search.genome, markets=tuple(markets),
        splits=Splits(train=search.inside, validation=search.outside), trials=facts, seed=seed, effort=effort,
    )  # fmt: skip


def _judged(scorers: Sequence[fitness.Scorer], genome: FloatArray) -> tuple[float, float]:
    """Mean annual Sharpe ratio over markets, and the p of Stouffer's sum of its t values."""
    from scipy import special

    rows = [scorer.score(genome[None, :])[0] for scorer in scorers]
    sharpes = np.array([float(row["sharpe"]) if row["n_trades"] > 0 else 0.0 for row in rows])
    years = [_years(float(row["n_obs"]), scorer.bars) for row, scorer in zip(rows, scorers, strict=True)]
    t = np.nan_to_num(sharpes) * np.sqrt(np.nan_to_num(years))
    return float(sharpes.mean()), float(special.ndtr(-t.sum() / math.sqrt(t.size)))


def _years(n_obs: float, bars: Bars) -> float:
    """Length of the last `n_obs` bars in years; NaN where they are not a number."""
    return n_obs / bars[len(bars) - int(n_obs) :].periods_per_year if math.isfinite(n_obs) else math.nan
