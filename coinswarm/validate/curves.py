"""Histories of a variant as the fast path sees them: bar returns and trades of each market, and all markets as one portfolio."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coinswarm.kernels.codes import N_OUTCOME, Outcome, Reason
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics import curve, returns, trades
from coinswarm.types import BoolArray, FloatArray, IntArray

_RUIN = -0.999999
"""Losses are cut off here before they are compounded by logarithms."""


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Trades:
    """(n,) trades in order; money is a fraction.

    Attributes:
        entry, exit: bars; the exit of an open one is the last bar.
        side: +1 long, -1 short.
        gain: of the equity before the trade, net.
        result: net pnl over the entry notional.
        notional: entry notional over the equity before.
        equity: before the trade, quote currency.
        reason: `kernels.codes.Reason`.
    """

    entry: IntArray
    exit: IntArray
    side: IntArray
    gain: FloatArray
    result: FloatArray
    notional: FloatArray
    equity: FloatArray
    reason: IntArray

    @property
    def closed(self) -> BoolArray:
        """(n,) whether each trade was closed."""
        return np.asarray(self.reason != Reason.OPEN)


@dataclass(frozen=True, kw_only=True, eq=False)
class MarketHistory:
    """One market's history over a span.

    Attributes:
        bars: up to the end of the span.
        first: the first bar on which a decision is possible.
        equity: (n_bars,) at closes; empty when no decision is possible.
        start: starting equity.
        trades: what was traded.
    """

    bars: Bars
    first: int
    equity: FloatArray
    start: float
    trades: Trades

    @cached_property
    def returns(self) -> FloatArray:
        """(n_bars - first,) return of each bar from the first decision on; empty when there is none."""
        if not self.equity.size:
            return np.empty(0)
        return returns.bar_returns(self.equity[self.first :], self.start)

    @property
    def ts(self) -> IntArray:
        """(n_bars - first,) open times of those bars."""
        return self.bars.ts[self.first :] if self.equity.size else self.bars.ts[:0]

    @property
    def sharpe(self) -> float:
        """Annual; 0 without returns."""
        return returns.sharpe(self.returns, self.bars[self.first :].periods_per_year) if self.returns.size else 0.0

    @property
    def total_return(self) -> float:
        """Growth over the span; 0 without returns."""
        return float(self.equity[-1]) / self.start - 1 if self.equity.size else 0.0

    @property
    def max_drawdown(self) -> float:
        """At closes; 0 without returns."""
        return curve.max_drawdown(self.equity[self.first :], self.start) if self.equity.size else 0.0

    @property
    def hold(self) -> float:
        """Growth of the market from the first decision to the end."""
        return float(self.bars.close[-1] / self.bars.close[self.first] - 1) if self.equity.size else 0.0

    @property
    def exposure(self) -> float:
        """Share of bars that end in a position."""
        held = np.where(self.trades.closed, self.trades.exit, len(self.bars)) - self.trades.entry
        return float(held.sum()) / self.returns.size if self.returns.size else 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Portfolio:
    """All markets in equal parts: the return of a bar is the mean over the markets, 0 where one has no such bar.

    Attributes:
        ts: (n_obs,) open times, from the first possible decision on.
        returns: (n_obs,) of each bar.
        markets: the parts.
        timeframe: of the markets.
    """

    ts: IntArray
    returns: FloatArray
    markets: tuple[MarketHistory, ...]
    timeframe: Timeframe

    @cached_property
    def periods_per_year(self) -> float:
        """Bars of the portfolio in a year of the time it spans."""
        return self.periods_in(self.ts)

    def periods_in(self, ts: IntArray) -> float:
        """Bars in a year of the time that a stretch of (n,) of its bars spans."""
        return self.timeframe.periods_in(ts.size, int(ts[0]), int(ts[-1])) if ts.size else self.timeframe.periods_per_year

    @property
    def sharpe_per_bar(self) -> float:
        """0 where the returns do not vary."""
        return returns.sharpe(self.returns, 1.0) if self.returns.size else 0.0

    @property
    def sharpe(self) -> float:
        """Annual."""
        return self.sharpe_per_bar * math.sqrt(self.periods_per_year)

    @cached_property
    def equity(self) -> FloatArray:
        """(n_obs,) value of a portfolio that began with 1."""
        return np.asarray(np.cumprod(1 + self.returns), dtype=np.float64)

    @property
    def total_return(self) -> float:
        """Growth over the span."""
        return float(self.equity[-1]) - 1 if self.returns.size else 0.0

    @property
    def max_drawdown(self) -> float:
        """At closes."""
        return curve.max_drawdown(self.equity, 1.0) if self.returns.size else 0.0

    def trade_column(self, name: str) -> FloatArray:
        """(n_closed,) one column of the closed trades of all markets, in order of their exits."""
        values = np.concatenate([getattr(held.trades, name)[held.trades.closed] for held in self.markets])
        return np.asarray(values[self._order], dtype=np.float64)

    @cached_property
    def _order(self) -> IntArray:
        exits = np.concatenate([held.bars.ts[held.trades.exit[held.trades.closed]] for held in self.markets])
        return np.argsort(exits, kind="stable")

    @cached_property
    def n_trades(self) -> int:
        """Closed trades of all markets."""
        return int(sum(held.trades.closed.sum() for held in self.markets))

    def span_figures(self) -> dict[str, float]:
        """The figures that every span of a card has, by name."""
        results = self.trade_column("result")
        hold = float(np.mean([held.hold for held in self.markets]))
        return {
            "total_return": self.total_return,
            "sharpe": self.sharpe,
            "sharpe_per_bar": self.sharpe_per_bar,
            "max_drawdown": self.max_drawdown,
            "n_trades": float(self.n_trades),
            "n_obs": float(self.returns.size),
            "expectancy": trades.expectancy(results),
            "win_rate": trades.win_rate(results),
            "profit_factor": trades.profit_factor(results),
            "exposure": float(np.mean([held.exposure for held in self.markets])),
            "avg_hold": trades.avg_hold(self.trade_column("exit") - self.trade_column("entry")),
            "hold_return": hold,
            "excess_return": self.total_return - hold,
        }


def trades_of(log: FloatArray) -> Trades:
    """The trades of a (n, N_OUTCOME + 2) log of `fitness.Scorer.replay`."""
    return Trades(
        entry=log[:, Outcome.ENTRY_BAR].astype(np.int64),
        exit=log[:, Outcome.EXIT_BAR].astype(np.int64),
        side=log[:, N_OUTCOME].astype(np.int64),
        gain=log[:, Outcome.CASH] - 1,
        result=log[:, Outcome.RETURN],
        notional=log[:, Outcome.NOTIONAL],
        equity=log[:, N_OUTCOME + 1],
        reason=log[:, Outcome.REASON].astype(np.int64),
    )


def portfolio(histories: Sequence[MarketHistory], *, from_ts: int | None = None, times: IntArray | None = None) -> Portfolio:
    """Markets in equal parts.

    Args:
        histories: one history a market, of one timeframe.
        from_ts: first bar (ms) of the portfolio; None: that of the first possible decision of any market.
        times: (n,) open times of all bars of all markets, where they are known already.
    """
    starts = [int(history.ts[0]) for history in histories if history.returns.size]
    begin = from_ts if from_ts is not None else min(starts, default=None)
    every = union([history.bars.ts for history in histories]) if times is None else times
    shared_ts = every[every.size if begin is None else int(np.searchsorted(every, begin)) :]
    return Portfolio(
        ts=shared_ts,
        returns=mean_over([(history.ts, history.returns) for history in histories], shared_ts),
        markets=tuple(histories),
        timeframe=histories[0].bars.timeframe,
    )


def union(times: Sequence[IntArray]) -> IntArray:
    """(n,) all times of several sorted columns, each once."""
    first = times[0]
    return first if all(np.array_equal(first, other) for other in times[1:]) else np.unique(np.concatenate(times))


def mean_over(columns: Sequence[tuple[IntArray, FloatArray]], times: IntArray) -> FloatArray:
    """(n,) mean over columns of (times, values) at each of `times`, 0 where a column has none; values at other times are left out."""
    total = np.zeros(times.size)
    for ts, values in columns:
        inside = slice(np.searchsorted(ts, times[0]), None) if times.size else slice(0)
        if np.array_equal(ts[inside], times):
            total += values[inside]
        else:
            total[np.searchsorted(times, ts[inside])] += values[inside]
    return total / len(columns)


def bars_a_period(n_obs: int, most: int) -> int:
    """How many bars make a period, so that there are at most `most`."""
    return max(1, math.ceil(n_obs / most))


def by_period(values: FloatArray, bars: int) -> FloatArray:
    """Returns of periods of `bars` bars, compounded: (n_obs,) or (n_obs, n) to one row a period, the last one may be shorter."""
    if bars == 1 or not len(values):
        return values
    logs = np.log1p(np.maximum(values, _RUIN))
    compounded: FloatArray = np.expm1(np.add.reduceat(logs, np.arange(0, len(values), bars), axis=0))
    return compounded
