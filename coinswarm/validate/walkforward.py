"""Walk-forward analysis: fold after fold of later bars, each simulated anew with its features warmed up on the bars before it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coinswarm import errors, stats
from coinswarm.market.splits import Span
from coinswarm.metrics import returns
from coinswarm.stats import WalkForwardFold
from coinswarm.types import FloatArray, IntArray
from coinswarm.validate import curves, names
from coinswarm.validate.bench import Bench, different, stacked
from coinswarm.validate.card import Chart, Section, Table
from coinswarm.validate.curves import Portfolio

MATRIX_FOLDS = (4, 6, 8, 12)
_LEADERS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Fold:
    """One test stretch and the figures of the stretch before it."""

    number: int
    span: Span
    before: float
    portfolio: Portfolio


def section(bench: Bench) -> Section:
    """The variant on each test stretch, and the matrix of picking the best of the leaderboard anew before each."""
    asked = bench.case.effort.folds
    folds = walk(bench, asked)
    sharpes = np.array([fold.portfolio.sharpe for fold in folds])
    gains = np.array([fold.portfolio.total_return for fold in folds])
    before = float(np.mean([fold.before for fold in folds]))
    figures = {
        "n_folds": float(len(folds)),
        "positive_share": float((gains > 0).mean()),
        "sharpe_mean": float(sharpes.mean()),
        "sharpe_median": float(np.median(sharpes)),
        "sharpe_worst": float(sharpes.min()),
        "return_worst": float(gains.min()),
        "max_drawdown_worst": max(fold.portfolio.max_drawdown for fold in folds),
        "n_trades_least": float(min(fold.portfolio.n_trades for fold in folds)),
        "efficiency": float(sharpes.mean()) / before if before > 0 else math.nan,
    }
    chart = Chart(kind="bars", title="Return of each fold", series={"return": tuple(gains.tolist())},
                  labels=tuple(_day(fold.span.start_ts) for fold in folds), unit="percent", mark=0.0)  # fmt: skip
    notes = (
        *_fewer(len(folds), asked, bench.warm_up),
        f"Each fold is handed {bench.warm_up} bars before it to warm features up; training ends a longest hold before it.",
    )
    tables = (_fold_table(folds), *_matrix(bench))
    return Section(name="walk_forward", title=names.TITLES["walk_forward"], figures=figures, tables=tables, charts=(chart,), notes=notes)


def walk(bench: Bench, n_folds: int) -> list[Fold]:
    """The variant on each of `n_folds` test stretches, or on as many as are longer than the warm-up where fewer are.

    Raises:
        SpanTooShort: not even one stretch is longer than the warm-up.
    """
    times, purge = times_of(bench), longest_hold(bench)
    most = stats.most_folds(max(times.size, 2), n_folds, warmup=bench.warm_up, purge=purge)
    if not most:
        raise errors.SpanTooShort(
            f"a walk forward takes {2 * (bench.warm_up + purge + 1):,} bars: to train and to test, each longer than the warm-up of "
            f"{bench.warm_up:,} and the longest hold of {purge:,}",
            found=f"{times.size:,}",
            hint="search on a longer history, or on features that warm up sooner (`evolve --warmup-tolerance 1e-3`)",
        )
    plan = stats.walk_forward_splits(times.size, most, warmup=bench.warm_up, purge=purge)
    return [_fold(bench, times, number, fold) for number, fold in enumerate(plan, 1)]


def _fewer(taken: int, asked: int, warm_up: int) -> tuple[str, ...]:
    """A note where fewer folds were taken than asked for."""
    if taken == asked:
        return ()
    return (f"{asked} folds were asked for and {taken} taken: with more, a fold would not be longer than the warm-up of {warm_up:,} bars.",)


def times_of(bench: Bench) -> IntArray:
    """(n_obs,) open times of all bars of train and validation."""
    whole = bench.case.splits.whole
    return curves.union([bars.ts[bars.index_at(whole.start_ts) : bars.index_at(whole.end_ts)] for bars in bench.case.markets])


def longest_hold(bench: Bench) -> int:
    """Bars of the longest trade of the variant, over train and validation."""
    portfolio = bench.portfolio(bench.case.splits.whole)
    spans = [(market.trades.exit - market.trades.entry).max(initial=0) for market in portfolio.markets]
    return int(max(spans))


def _fold(bench: Bench, times: IntArray, number: int, fold: WalkForwardFold) -> Fold:
    step = bench.case.markets[0].timeframe.ms
    span = Span(start_ts=int(times[fold.test_start]), end_ts=int(times[fold.test_end - 1]) + step)
    # bars before the fold are cut off too, so that a fold depends on its own bars and no more
    warm = int(times[fold.warm_start])
    cut = [bars[bars.index_at(warm) : bars.index_at(span.end_ts)] for bars in bench.case.markets]
    if not any(len(bars) for bars in cut):
        raise errors.SpanTooShort("a fold must have bars", found=f"none in fold {number}")
    histories = [bench.history(bench.scorer(bars, span, play=bench.case.play)) for bars in cut if len(bars)]
    own = bench.portfolio(bench.case.splits.whole)
    trained = (own.ts >= times[fold.train_start]) & (own.ts <= times[fold.train_end - 1])
    before = returns.sharpe(own.returns[trained], own.periods_in(own.ts[trained])) if trained.any() else 0.0
    return Fold(number=number, span=span, before=before, portfolio=curves.portfolio(histories))


def _fold_table(folds: Sequence[Fold]) -> Table:
    rows = tuple(
        (fold.number, _day(fold.span.start_ts), _day(fold.span.end_ts), fold.before, fold.portfolio.sharpe, fold.portfolio.total_return,
         fold.portfolio.max_drawdown, fold.portfolio.n_trades)
        for fold in folds
    )  # fmt: skip
    head = ("fold", "from", "to", "Sharpe before", "Sharpe", "return", "drawdown", "trades")
    return Table(title="Folds", head=head, rows=rows, units=("", "", "", "", "", "percent", "percent", ""))


def _matrix(bench: Bench) -> tuple[Table, ...]:
    """Annual Sharpe and return of what the best of the leaderboard on each training stretch did on the next test."""
    whole = bench.case.splits.whole
    leaders = stacked(bench.case.genome, bench.case.trials.leaderboard, _LEADERS)
    matrix, _, bars = bench.matrix(whole, leaders)
    kept = different(matrix)
    if kept.size < 2:
        return ()
    year = bench.portfolio(whole).periods_per_year / bars
    purge = -(-longest_hold(bench) // bars)
    rows = [
        (
            folds,
            "all before" if anchored else "as long as a test",
            *pick_figures(matrix[:, kept], folds, purge=purge, year=year, anchored=anchored),
        )
        for folds, anchored in itertools.product(MATRIX_FOLDS, (True, False))
        if matrix.shape[0] // (folds + 1) > purge + 1
    ]
    title = f"Walk-forward matrix: the best of {kept.size} leaders on each training stretch, traded on the next"
    head = ("folds", "trained on", "Sharpe", "return", "folds with a gain")
    return (Table(title=title, head=head, rows=tuple(rows), units=("", "", "", "percent", "percent")),)


def pick_figures(matrix: FloatArray, n_folds: int, *, purge: int, year: float, anchored: bool) -> tuple[float, float, float]:
    """Annual Sharpe, return and share of folds with a gain, of trading the best of each training stretch on the test after it.

    Args:
        matrix: (n_periods, n_variants) returns.
        n_folds: test stretches.
        purge: periods left out before each test.
        year: periods a year.
        anchored: train on everything before, or on a stretch as long as a test.
    """
    tests = []
    for fold in stats.walk_forward_splits(len(matrix), n_folds, purge=purge, anchored=anchored):
        train = matrix[fold.train_start : fold.train_end]
        spread = train.std(axis=0)
        ratio = np.where(spread > 0, train.mean(axis=0) / np.where(spread > 0, spread, 1.0), -np.inf)
        tests.append(matrix[fold.test_start : fold.test_end, int(ratio.argmax())])
    chained = np.concatenate(tests)
    gains = [float(np.prod(1 + test)) - 1 for test in tests]
    return returns.sharpe(chained, year), float(np.prod(1 + chained)) - 1, float(np.mean([gain > 0 for gain in gains]))


def _day(ts: int) -> str:
    return str(np.datetime64(ts, "ms").astype("datetime64[D]"))
