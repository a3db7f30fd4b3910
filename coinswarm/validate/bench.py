"""The evaluation harness of one case: runs on a part of its bars, with other costs, another play, other entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from coinswarm import fitness
from coinswarm.config import Costs
from coinswarm.fitness import lottery
from coinswarm.fitness.lottery import Habit
from coinswarm.kernels.bits import packed
from coinswarm.kernels.codes import N_OUTCOME
from coinswarm.market.bars import Bars
from coinswarm.market.splits import Span
from coinswarm.play import variants, warmth
from coinswarm.play.model import Play
from coinswarm.types import Bits, FloatArray, IntArray
from coinswarm.validate import curves
from coinswarm.validate.case import Case
from coinswarm.validate.curves import MarketHistory, Portfolio

_SCORERS = 12
"""Scorers that are kept: those of three markets on four spans."""


class Bench:
    """Runs the variants of a case; what was prepared for a market and span is kept for the next one."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._scorers: dict[Any, fitness.Scorer] = {}
        self._portfolios: dict[Span, Portfolio] = {}
        self._grids: dict[int, IntArray] = {}
        self._habits: dict[Any, Habit] = {}

    @property
    def variant(self) -> Play:
        """The play with every number fixed."""
        return variants.fix(self.case.play, self.case.genome)

    @property
    def warm_up(self) -> int:
        """Bars the variant's features ask for before a decision."""
        return warmth.of(self.variant, self.case.markets[0].timeframe.ms).bars

    def scorer(
        self, bars: Bars, span: Span, *, costs: Costs | None = None, play: Play | None = None, others: Mapping[str, Bars] | None = None
    ) -> fitness.Scorer:
        """A scorer of a market on a span; kept when nothing but the span is chosen."""
        plain = costs is None and play is None and others is None
        key = (id(bars), span)
        if plain and key in self._scorers:
            return self._scorers[key]
        made = fitness.Scorer(
            play or self.case.play, bars, costs=costs or self.case.play.costs, account=(play or self.case.play).account,
            markets=self.case.others if others is None else others, start_ts=span.start_ts, end_ts=span.end_ts,
        )  # fmt: skip
        if plain:
            self._scorers[key] = made
            while len(self._scorers) > _SCORERS:
                self._scorers.pop(next(iter(self._scorers)))
        return made

    def history(self, scorer: fitness.Scorer, genome: FloatArray | None = None, *, entries: Bits | None = None) -> MarketHistory:
        """The history of a variant, the case's own unless one is given, as a scorer sees it."""
        genes = self.case.genome if genome is None else genome
        return _history(scorer, genes, scorer.replay(genes, entries=entries))

    def portfolio(
        self,
        span: Span,
        genome: FloatArray | None = None,
        *,
        costs: Costs | None = None,
        play: Play | None = None,
        from_ts: int | None = None,
    ) -> Portfolio:
        """All markets in equal parts on a span; see `curves.portfolio`."""
        own = genome is None and costs is None and play is None and from_ts is None
        if own and span in self._portfolios:
            return self._portfolios[span]
        histories = [self.history(self.scorer(bars, span, costs=costs, play=play), genome) for bars in self.case.markets]
        made = curves.portfolio(histories, from_ts=from_ts, times=self._times(span))
        if own:
            self._portfolios[span] = made
        return made

    def lottery(self, span: Span, number: int, *, from_ts: int | None = None) -> Portfolio:
        """A history with the variant's exits, sizes and costs, and entries drawn at random as often as it really enters."""
        histories = []
        for bars in self.case.markets:
            scorer = self.scorer(bars, span)
            rng = self.case.stream("lottery", number, bars.key)
            longs, shorts = lottery.entries(self._habit(scorer, span), len(scorer.bars), rng)
            histories.append(_history(scorer, self.case.genome, scorer.replay_entries(self.case.genome, packed(longs), packed(shorts))))
        return curves.portfolio(histories, from_ts=from_ts, times=self._times(span))

    def _times(self, span: Span) -> IntArray:
        """(n,) open times of the bars of all markets up to the end of a span."""
        if span.end_ts not in self._grids:
            self._grids[span.end_ts] = curves.union([bars.ts[: bars.index_at(span.end_ts)] for bars in self.case.markets])
        return self._grids[span.end_ts]

    def _habit(self, scorer: fitness.Scorer, span: Span) -> Habit:
        habit = self._habits.get((scorer.bars.key, span))
        if habit is None:
            habit = self._habits[(scorer.bars.key, span)] = lottery.habit(scorer, self.case.genome)
        return habit

    def matrix(self, span: Span, genomes: FloatArray) -> tuple[FloatArray, FloatArray, int]:
        """Returns of many variants on one span.

        Args:
            span: where.
            genomes: (n, n_dims) variants of the case's play.

        Returns:
            (n_periods, n) returns of the portfolio by period, (n,) its Sharpe ratio per bar, and how many bars make a period.
        """
        own = self.portfolio(span)
        from_ts = int(own.ts[0]) if own.ts.size else span.start_ts
        bars = curves.bars_a_period(own.returns.size, self.case.effort.periods)
        columns, sharpes = [], []
        for genome in genomes:
            portfolio = self.portfolio(span, genome, from_ts=from_ts)
            columns.append(curves.by_period(portfolio.returns, bars))
            sharpes.append(portfolio.sharpe_per_bar)
        return np.column_stack(columns) if columns else np.empty((0, 0)), np.array(sharpes), bars

    def hold(self, span: Span, bars_a_period: int) -> FloatArray:
        """(n_periods,) returns of the equal parts held, without costs, on the periods of `matrix`."""
        own = self.portfolio(span)
        columns = []
        for market in own.markets:
            close = market.bars.close
            columns.append((market.bars.ts[1:], close[1:] / close[:-1] - 1))
        return curves.by_period(curves.mean_over(columns, own.ts), bars_a_period)


def different(returns: FloatArray, *, own: int = 0) -> IntArray:
    """(k,) columns of (n_periods, n) returns that vary and differ from every one before them; equal variants are one."""
    seen: set[bytes] = set()
    kept = []
    for column in [own, *(place for place in range(returns.shape[1]) if place != own)] if returns.size else []:
        values = returns[:, column]
        mark = np.round(values, 12).tobytes()
        if np.ptp(values) > 1e-12 and mark not in seen:
            seen.add(mark)
            kept.append(column)
    return np.array(kept, dtype=np.int64)


def _history(scorer: fitness.Scorer, genome: FloatArray, history: tuple[FloatArray, FloatArray]) -> MarketHistory:
    equity, log = history
    return MarketHistory(
        bars=scorer.bars,
        first=scorer.first_decision(genome),
        equity=equity,
        start=scorer.account.starting_equity,
        trades=curves.trades_of(log.reshape(-1, N_OUTCOME + 2)),
    )


def stacked(genome: FloatArray, leaderboard: FloatArray, most: int) -> FloatArray:
    """(n, n_dims) the variant first, then the leaderboard without it, `most` rows at most."""
    rows = leaderboard.reshape(-1, genome.size) if leaderboard.size else np.empty((0, genome.size))
    others = rows[~(rows == genome).all(axis=1)] if genome.size else rows[:0]
    return np.concatenate([genome[np.newaxis], others])[:most]
