"""The result taken apart: by market, by year and quarter, by regime; and markets that the search did not use."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coinswarm import errors
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import DAY_MS
from coinswarm.metrics import returns
from coinswarm.printable import counted
from coinswarm.types import FloatArray, IntArray
from coinswarm.validate import names
from coinswarm.validate.bench import Bench
from coinswarm.validate.card import Cell, Chart, Section, Table
from coinswarm.validate.curves import Portfolio
from coinswarm.validate.spans import market_table, portfolio_of

REGIME_DAYS = 7
TREND = ("falling", "sideways", "rising")
VOLATILITY = ("calm", "usual", "wild")


def markets(bench: Bench) -> Section:
    """Every market of the search, over train and validation."""
    portfolio = portfolio_of(bench, bench.case.splits.whole)
    gains = np.array([market.total_return for market in portfolio.markets])
    figures = {
        "n_markets": float(gains.size), "positive_share": float((gains > 0).mean()),
        "sharpe_worst": min(market.sharpe for market in portfolio.markets), "gain_concentration": concentration(gains),
    }  # fmt: skip
    chart = Chart(kind="bars", title="Return of each market", series={"return": tuple(gains.tolist())},
                  labels=tuple(market.bars.symbol for market in portfolio.markets), unit="percent", mark=0.0)  # fmt: skip
    return Section(name="markets", title=names.TITLES["markets"], figures=figures, tables=(market_table(portfolio),), charts=(chart,))


def years(bench: Bench) -> Section:
    """Every calendar year and quarter, over train and validation."""
    portfolio = portfolio_of(bench, bench.case.splits.whole)
    months = portfolio.ts.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    by_year, by_quarter = (_parts(portfolio, months // length) for length in (12, 3))
    quarters = np.array([part.gain for part in by_quarter])
    annual = np.array([part.gain for part in by_year])
    rows = tuple((f"{1970 + part.number // 4} Q{part.number % 4 + 1}", part.gain, part.sharpe, part.n_bars) for part in by_quarter)
    figures = {
        "n_years": float(annual.size), "positive_share": float((annual > 0).mean()),
        "quarter_positive_share": float((quarters > 0).mean()), "return_worst": float(annual.min()),
        "gain_concentration": concentration(quarters),
    }  # fmt: skip
    chart = Chart(kind="bars", title="Return of each quarter", series={"return": tuple(quarters.tolist())},
                  labels=tuple(str(row[0]) for row in rows), unit="percent", mark=0.0)  # fmt: skip
    tables = (
        Table(title="Years", head=("year", "return", "Sharpe"), units=("", "percent", ""),
              rows=tuple((str(1970 + part.number), part.gain, part.sharpe) for part in by_year)),
        Table(title="Quarters", head=("quarter", "return", "Sharpe", "bars"), rows=rows, units=("", "percent", "", "")),
    )  # fmt: skip
    return Section(name="years", title=names.TITLES["years"], figures=figures, tables=tables, charts=(chart,))


def regimes(bench: Bench) -> Section:
    """Nine kinds of market: rising, sideways and falling by calm, usual and wild, each judged by the week before the bar."""
    portfolio = portfolio_of(bench, bench.case.splits.whole)
    sums, trend_of, wild_of = np.zeros((3, 3)), [[] for _ in TREND], [[] for _ in VOLATILITY]  # type: ignore[var-annotated]
    counts = np.zeros((3, 3), dtype=np.int64)
    for market in portfolio.markets:
        if not market.returns.size:
            continue
        trend, wild = states(market.bars, market.first)
        for i in range(3):
            trend_of[i].append(market.returns[trend == i])
            wild_of[i].append(market.returns[wild == i])
            for j in range(3):
                inside = market.returns[(trend == i) & (wild == j)]
                sums[i, j] += float(np.log1p(np.maximum(inside, -0.999999)).sum()) / len(portfolio.markets)
                counts[i, j] += inside.size
    year = portfolio.periods_per_year
    thirds = {
        **{word: _sharpe(trend_of[i], year) for i, word in enumerate(TREND)},
        **{word: _sharpe(wild_of[i], year) for i, word in enumerate(VOLATILITY)},
    }
    there = counts > 0
    if not there.any():
        raise errors.SpanTooShort(f"regimes are told by the {REGIME_DAYS} days before a bar", found="a shorter span")
    figures = {
        "positive_share": float((sums[there] > 0).mean()),
        "sharpe_worst": float(np.nanmin(list(thirds.values()))),
        "gain_concentration": concentration(sums[there]),
    }
    rows: tuple[tuple[Cell, ...], ...] = tuple((TREND[i], *(float(math.expm1(sums[i, j])) for j in range(3))) for i in range(3))
    tables = (
        Table(title="Return by trend and volatility", head=("trend", *VOLATILITY), rows=rows, units=("", "percent", "percent", "percent")),
        Table(title="Annual Sharpe by third", head=("third", "Sharpe"), rows=tuple(thirds.items())),
    )
    note = f"Thirds of each market's own bars, by the return and the deviation of the {REGIME_DAYS} days that ended with the bar before."
    return Section(name="regimes", title=names.TITLES["regimes"], figures=figures, tables=tables, notes=(note,))


def unseen(bench: Bench) -> Section:
    """Markets that the search did not use, over the same time."""
    if not bench.case.unseen:
        raise errors.NotFound(
            "there are no bars of markets that were not used in the search", hint="fetch or import more markets of this timeframe"
        )
    whole = bench.case.splits.whole
    histories = [bench.history(bench.scorer(bars, whole, play=bench.case.play)) for bars in bench.case.unseen]
    usable = [history for history in histories if history.returns.size]
    if not usable:
        raise errors.SpanTooShort("other markets need bars in the time of the search", found=f"none in {len(histories)} markets")
    gains = np.array([history.total_return for history in usable])
    sharpes = np.array([history.sharpe for history in usable])
    figures = {
        "n_markets": float(len(usable)), "positive_share": float((gains > 0).mean()), "sharpe_mean": float(sharpes.mean()),
        "sharpe_median": float(np.median(sharpes)), "sharpe_worst": float(sharpes.min()),
    }  # fmt: skip
    rows = tuple(
        (history.bars.key, history.total_return, history.hold, history.sharpe, history.max_drawdown, int(history.trades.closed.sum()))
        for history in usable
    )
    head = ("market", "return", "buy and hold", "Sharpe", "drawdown", "trades")
    table = Table(title="Unseen markets", head=head, rows=rows, units=("", "percent", "percent", "", "percent", ""))
    chart = Chart(kind="bars", title="Return of each unseen market", series={"return": tuple(gains.tolist())},
                  labels=tuple(history.bars.symbol for history in usable), unit="percent", mark=0.0)  # fmt: skip
    short = len(histories) - len(usable)
    notes = (f"{counted(short, 'market')} with too few bars in that time left out.",) if short else ()
    return Section(name="unseen", title=names.TITLES["unseen"], figures=figures, tables=(table,), charts=(chart,), notes=notes)


def concentration(gains: FloatArray) -> float:
    """The largest of (n,) gains over the sum of those above 0, in (0, 1]; 1 without a gain."""
    won = gains[gains > 0]
    return float(won.max() / won.sum()) if won.size else 1.0


def states(bars: Bars, first: int) -> tuple[IntArray, IntArray]:
    """(n_bars - first,) third of trend and of volatility of each bar from `first` on, known when it opens; -1 where it is not known."""
    length_ms = max(2 * bars.timeframe.ms, REGIME_DAYS * DAY_MS // bars.timeframe.ms * bars.timeframe.ms)
    logs = np.log(bars.close)
    squares = np.cumsum(np.diff(logs, prepend=logs[:1]) ** 2)
    trend, wild = np.full(len(bars), np.nan), np.full(len(bars), np.nan)
    # the last bar that opens so long before each, so that missing bars count as time
    back = np.searchsorted(bars.ts, bars.ts - length_ms, side="right") - 1
    before = np.flatnonzero(back[:-1] >= 0)
    trend[before + 1] = logs[before] - logs[back[before]]
    wild[before + 1] = squares[before] - squares[back[before]]
    return _third(trend[first:]), _third(wild[first:])


def _third(values: FloatArray) -> IntArray:
    known_ones = values[np.isfinite(values)]
    if not known_ones.size:
        return np.full(values.size, -1, dtype=np.int64)
    edges = np.quantile(known_ones, [1 / 3, 2 / 3])
    return np.where(np.isfinite(values), np.searchsorted(edges, np.nan_to_num(values), side="left"), -1)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """A calendar year or quarter: its number since 1970, growth, annual Sharpe ratio and bars."""

    number: int
    gain: float
    sharpe: float
    n_bars: int


def _parts(portfolio: Portfolio, number: IntArray) -> list[_Part]:
    """The stretches of a portfolio in which the (n_obs,) numbers are the same."""
    edges = np.flatnonzero(np.diff(number)) + 1
    cut = (np.split(column, edges) for column in (number, portfolio.returns, portfolio.ts))
    return [
        _Part(
            number=int(key[0]), gain=float(np.prod(1 + part)) - 1, sharpe=returns.sharpe(part, portfolio.periods_in(ts)), n_bars=len(part)
        )
        for key, part, ts in zip(*cut, strict=True)
    ]  # fmt: skip


def _sharpe(parts: Sequence[FloatArray], year: float) -> float:
    values = np.concatenate(parts) if parts else np.empty(0)
    return returns.sharpe(values, year) if values.size else math.nan
