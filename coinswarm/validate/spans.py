"""In sample and validation: the figures of the portfolio where the search was, and where it was not."""

from __future__ import annotations

import math

import numpy as np

from coinswarm import errors
from coinswarm.market.splits import Span
from coinswarm.validate import names
from coinswarm.validate.bench import Bench
from coinswarm.validate.card import Chart, Section, Table
from coinswarm.validate.curves import MarketHistory, Portfolio

_POINTS = 240
_TOGETHER = (
    "Figures are of all markets together, a portfolio of equal parts. Where markets do not move alike, its Sharpe ratio is above the mean "
    "of theirs that a leaderboard shows."
)


def in_sample(bench: Bench) -> Section:
    """What the search saw. One of many looked best here, so these figures prove nothing by themselves."""
    portfolio = portfolio_of(bench, bench.case.splits.train)
    return _section("in_sample", portfolio, portfolio.span_figures(), ())


def validation(bench: Bench) -> Section:
    """What the search did not see."""
    splits = bench.case.splits
    if splits.validation is None:
        raise errors.Refused("validation needs bars that the search did not see", found="none held out", hint="search with --out-of-sample")
    found, seen = portfolio_of(bench, splits.validation), bench.portfolio(splits.train)
    kept = found.sharpe / seen.sharpe if seen.sharpe > 0 else math.nan
    figures = {**found.span_figures(), "sharpe_ratio_kept": kept}
    return _section("validation", found, figures, ("Features are warmed up on the bars before; the first decision lies in the span.",))


def portfolio_of(bench: Bench, span: Span) -> Portfolio:
    """The variant's portfolio on a span.

    Raises:
        SpanTooShort: no decision is possible there.
    """
    portfolio = bench.portfolio(span)
    if not portfolio.returns.size:
        raise errors.SpanTooShort(
            f"a decision is possible after {bench.warm_up} bars of warm-up and needs one more bar to fill in", found="none in this span"
        )
    return portfolio


def curve_chart(title: str, portfolio: Portfolio) -> Chart:
    """The growth of a portfolio and of the markets it trades, at a few hundred places."""
    places = np.unique(np.linspace(0, portfolio.ts.size - 1, min(_POINTS, portfolio.ts.size)).astype(np.int64))
    hold = np.mean([_held(part, portfolio) for part in portfolio.markets], axis=0)
    series = {"this variant": tuple((portfolio.equity[places] - 1).tolist()), "buy and hold": tuple(hold[places].tolist())}
    days = tuple(str(day) for day in portfolio.ts[places].astype("datetime64[ms]").astype("datetime64[D]"))
    return Chart(kind="lines", title=title, series=series, labels=days, unit="percent", mark=0.0)


def _held(history: MarketHistory, portfolio: Portfolio) -> np.ndarray:
    """(n_obs,) growth of a market since the first bar of the portfolio."""
    place = np.maximum(np.searchsorted(history.bars.ts, portfolio.ts, side="right") - 1, 0)
    close = history.bars.close[place]
    return np.asarray(close / close[0] - 1)


def market_table(portfolio: Portfolio) -> Table:
    """One row a market."""
    rows = tuple(
        (part.bars.key, part.total_return, part.hold, part.sharpe, part.max_drawdown, int(part.trades.closed.sum()), part.exposure)
        for part in portfolio.markets
    )
    head = ("market", "return", "buy and hold", "Sharpe", "drawdown", "trades", "exposure")
    return Table(title="By market", head=head, rows=rows, units=("", "percent", "percent", "", "percent", "", "percent"))


def _section(name: str, portfolio: Portfolio, figures: dict[str, float], notes: tuple[str, ...]) -> Section:
    if len(portfolio.markets) > 1:
        notes = (_TOGETHER, *notes)
    return Section(
        name=name, title=names.TITLES[name], figures=figures, tables=(market_table(portfolio),),
        charts=(curve_chart("Growth of the portfolio", portfolio),), notes=notes,
    )  # fmt: skip
