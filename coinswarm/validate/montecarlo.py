"""Monte Carlo: resampled trades, resampled blocks of bar returns, and the play run on resampled bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from coinswarm import errors
from coinswarm.market.bars import Bars
from coinswarm.market.splits import Span
from coinswarm.market.timeframe import DAY_MS
from coinswarm.types import FloatArray, IntArray
from coinswarm.validate import curves, names
from coinswarm.validate.bench import Bench
from coinswarm.validate.card import Cell, Chart, Section, Table
from coinswarm.validate.odds import refuse_too_few
from coinswarm.validate.spans import portfolio_of

_PATH = 1500
"""Most periods of a resampled path."""
_POINTS = 120
_AT_ONCE = 4_000_000
_RUIN = 0.5
_SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def section(bench: Bench) -> Section:
    """Quantiles of what might have been, over train and validation."""
    portfolio = portfolio_of(bench, bench.case.splits.whole)
    refuse_too_few(portfolio)
    n = bench.case.effort.resamples
    gains = portfolio.trade_column("gain") / len(portfolio.markets)
    trades = redrawn_trades(gains, n, bench.case.stream("trades"))
    bars = curves.bars_a_period(portfolio.returns.size, _PATH)
    periods = curves.by_period(portfolio.returns, bars)
    block = max(1, round(max(DAY_MS // bench.case.markets[0].timeframe.ms, 2 * _longest(bench)) / bars))
    drawn = redrawn_blocks(periods, min(block, periods.size), n, bench.case.stream("bars"))
    year = portfolio.periods_per_year / bars
    worlds = [_world(bench, number) for number in range(bench.case.effort.worlds)]
    figures = {
        "trades_return_p05": float(np.quantile(trades[:, 0], 0.05)), "trades_drawdown_p95": float(np.quantile(trades[:, 1], 0.95)),
        "trades_loss_probability": float((trades[:, 0] < 0).mean()), "ruin_probability": float((trades[:, 1] >= _RUIN).mean()),
        "bars_sharpe_p05": float(np.quantile(sharpes(drawn, year), 0.05)), "bars_return_p05": float(np.quantile(ends(drawn), 0.05)),
        "bars_drawdown_p95": float(np.quantile(falls(drawn), 0.95)), "world_positive_share": float(np.mean([one > 0 for one in worlds])),
        "n_resamples": float(n),
    }  # fmt: skip
    columns = (trades[:, 0], trades[:, 1], ends(drawn), falls(drawn))
    rows: tuple[tuple[Cell, ...], ...] = tuple((f"{share:.0%}", *(float(np.quantile(one, share)) for one in columns)) for share in _SHARES)
    head = ("quantile", "return, trades", "drawdown, trades", "return, blocks", "drawdown, blocks")
    table = Table(title="What might have been", head=head, rows=rows, units=("", *["percent"] * 4))
    note = (
        f"{n} resamples; blocks of {block} periods of {bars} bars on average; {len(worlds)} worlds of resampled days of bars, all markets "
        f"alike, on which the play was run anew: returns from {min(worlds):.1%} to {max(worlds):.1%}."
    )
    return Section(name="montecarlo", title=names.TITLES["montecarlo"], figures=figures, tables=(table,), notes=(note,),
                   charts=(_bands(drawn, periods),))  # fmt: skip


def redrawn_trades(gains: FloatArray, n: int, rng: np.random.Generator) -> FloatArray:
    """(n, 2) return and largest drawdown of as many trades drawn with replacement from (n_trades,) gains on equity.

    Raises:
        InvalidArgument: a gain is missing.
    """
    if not gains.size or not np.isfinite(gains).all():
        raise errors.InvalidArgument("gains of trades must be finite, one at least", found=f"{gains.size} of them")
    room = max(1, _AT_ONCE // gains.size)
    parts = [_path(gains[rng.integers(0, gains.size, size=(min(room, n - at), gains.size))]) for at in range(0, n, room)]
    return np.concatenate(parts)


def redrawn_blocks(values: FloatArray, block: int, n: int, rng: np.random.Generator) -> FloatArray:
    """(n, n_periods) returns drawn again in blocks of geometric length around `block`, wrapping around the end.

    Source: Politis & Romano 1994 ("The stationary bootstrap").
    """
    if not values.size or not np.isfinite(values).all():
        raise errors.InvalidArgument("returns must be finite, one at least", found=f"{values.size} of them")
    starts = rng.integers(0, values.size, size=(n, values.size))
    new = rng.random((n, values.size)) < 1 / block
    new[:, 0] = True
    # a place continues the last block that began at or before it
    began = np.maximum.accumulate(np.where(new, np.arange(values.size), 0), axis=1)
    place = np.take_along_axis(starts, began, axis=1) + np.arange(values.size) - began
    return np.asarray(values[place % values.size])


def ends(paths: FloatArray) -> FloatArray:
    """(n,) return of each of (n, n_periods) paths of returns."""
    return np.asarray(np.prod(1 + np.maximum(paths, -1.0), axis=1) - 1)


def falls(paths: FloatArray) -> FloatArray:
    """(n,) largest drawdown of each of (n, n_periods) paths of returns."""
    return _path(paths)[:, 1]


def sharpes(paths: FloatArray, year: float) -> FloatArray:
    """(n,) annual Sharpe ratio of each of (n, n_periods) paths of returns, `year` periods a year; 0 where one does not vary."""
    spread = paths.std(axis=1, ddof=1) if paths.shape[1] > 1 else np.zeros(len(paths))
    return np.where(spread > 1e-14, paths.mean(axis=1) / np.where(spread > 1e-14, spread, 1.0), 0.0) * math.sqrt(year)


def resampled(markets: Sequence[Bars], block: int, rng: np.random.Generator) -> tuple[Bars, ...]:
    """Bars of several markets drawn again in blocks of `block` bars, the same blocks for all: what moved together still does.

    Only times that all markets have are used. Each bar keeps its shape relative to the close before it, and its volume; funding is left
    out. The times are the old ones, in order.
    """
    common = markets[0].ts
    for bars in markets[1:]:
        common = np.intersect1d(common, bars.ts)
    if common.size < 2:
        raise errors.SpanTooShort("markets need bars at the same times to be resampled together", found=f"{common.size} bars")
    starts = rng.integers(1, common.size, size=-(-common.size // block))
    order = ((starts[:, np.newaxis] + np.arange(block) - 1) % (common.size - 1) + 1).ravel()[: common.size]
    return tuple(_reordered(bars, np.searchsorted(bars.ts, common), order) for bars in markets)


def _reordered(bars: Bars, rows: IntArray, order: IntArray) -> Bars:
    columns = {name: getattr(bars, name)[rows] for name in ("open", "high", "low", "close", "volume")}
    before = np.concatenate([columns["open"][:1], columns["close"][:-1]])
    shape = {name: (columns[name] / before)[order] for name in ("open", "high", "low", "close")}
    close = columns["open"][0] * np.exp(np.cumsum(np.log(shape["close"])))
    anchor = np.concatenate([columns["open"][:1], close[:-1]])
    made = {name: anchor * shape[name] for name in ("open", "high", "low")} | {"close": close}
    # rounding must not lift a close above its high
    made["high"] = np.maximum.reduce([made["high"], made["open"], close])
    made["low"] = np.minimum.reduce([made["low"], made["open"], close])
    none = bars.funding_ts[:0]
    return replace(
        bars,
        ts=bars.ts[rows],
        known_ts=bars.known_of(rows),
        volume=columns["volume"][order],
        funding_ts=none,
        funding_rate=bars.funding_rate[:0],
        **made,
    )


def _world(bench: Bench, number: int) -> float:
    """The portfolio's return on one world of resampled bars."""
    case, whole = bench.case, bench.case.splits.whole
    extra = {symbol: bars for symbol, bars in case.others.items() if symbol not in {market.symbol for market in case.markets}}
    cut = (*case.markets, *extra.values())
    block = max(1, DAY_MS // case.markets[0].timeframe.ms, 2 * _longest(bench))
    made = resampled(cut, block, case.stream("world", number))
    n = len(case.markets)
    others = {bars.symbol: bars for bars in made[:n]} | dict(zip(extra, made[n:], strict=True))
    span = Span(start_ts=whole.start_ts, end_ts=whole.end_ts)
    return curves.portfolio([bench.history(bench.scorer(bars, span, others=others)) for bars in made[:n]]).total_return


def _longest(bench: Bench) -> int:
    portfolio = bench.portfolio(bench.case.splits.whole)
    return int(max((market.trades.exit - market.trades.entry).max(initial=0) for market in portfolio.markets))


def _path(steps: FloatArray) -> FloatArray:
    """(n, 2) return and largest drawdown of (n, k) paths of returns."""
    equity = np.cumprod(1 + np.maximum(steps, -1.0), axis=1)
    peak = np.maximum(np.maximum.accumulate(equity, axis=1), 1.0)
    return np.column_stack([equity[:, -1] - 1, (1 - equity / peak).max(axis=1)])


def _bands(drawn: FloatArray, real: FloatArray) -> Chart:
    places = np.unique(np.linspace(0, real.size - 1, min(_POINTS, real.size)).astype(np.int64))
    growth = np.cumprod(1 + np.maximum(drawn, -1.0), axis=1)[:, places] - 1
    series = {f"{share:.0%}": tuple(np.quantile(growth, share, axis=0).tolist()) for share in (0.05, 0.25, 0.5, 0.75, 0.95)}
    series["what happened"] = tuple((np.cumprod(1 + real)[places] - 1).tolist())
    return Chart(kind="lines", title="Growth over resampled blocks, by quantile", series=series, unit="percent", mark=0.0)
