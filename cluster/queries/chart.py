"""What a chart of one variant on one market is drawn from: candles merged until they fit a screen, the account's value, and the trades.

A year of five-minute bars is 100,000 candles, of which a screen shows a thousand; a closer look asks for a shorter span.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cluster.jobs.kind import PlanContext
from coinswarm import errors
from coinswarm.types import FloatArray, IntArray

MOST_TRADES = 2000
_TRADE = ("side", "entry_price", "exit_price", "exit_reason", "pnl", "return", "bars_held")


def chart(context: PlanContext, evaluation: str, market: str | None, points: int, from_ts: int | None, to_ts: int | None) -> dict[str, Any]:
    """Candles, account and trades of an evaluation between two times.

    Args:
        context: what may be looked at.
        evaluation: its id.
        market: key of a data set of its job; None: the first.
        points: most candles; neighbours are merged until there are no more.
        from_ts: open time of the first bar in ms; None: from the beginning.
        to_ts: time in ms before which bars open; None: to the end.

    Raises:
        NotFound: there is no such evaluation or market, or it failed. InvalidArgument: there are no bars between the times.
    """
    from cluster.queries import answers, replay

    found = answers.scored(context, evaluation)
    keys = [source.key for source in found.plan.task.sources]
    run = replay.simulated(found, answers.place(keys, market))
    first, last = _span(run.bars.ts, from_ts, to_ts)
    every = -(-(last - first) // points)
    return {
        "evaluation": found.record.id, "market": market or keys[0], "markets": keys, "synthetic": found.job.synthetic,
        "bar_ms": run.bars.timeframe.ms, "bars_per_candle": every, "split_ts": found.plan.task.split_ts,
        "candles": _candles(run, first, last, every), **_trades(run, first, last),
    }  # fmt: skip


def _span(ts: IntArray, from_ts: int | None, to_ts: int | None) -> tuple[int, int]:
    """The first bar, and the one after the last."""
    first = 0 if from_ts is None else int(np.searchsorted(ts, from_ts))
    last = len(ts) if to_ts is None else int(np.searchsorted(ts, to_ts))
    if first >= last:
        raise errors.InvalidArgument("there must be bars between `from_ts` and `to_ts`", found=f"none from {from_ts} to {to_ts}")
    return first, last


def _candles(run: Any, first: int, last: int, every: int) -> dict[str, list[Any]]:
    bars, starts = run.bars, np.arange(first, last, every)
    ends = np.minimum(starts + every, last) - 1
    lowest = _merged(np.minimum, bars.low, first, last, every)
    highest = _merged(np.maximum, bars.high, first, last, every)
    return {
        "ts": bars.ts[starts].tolist(), "open": bars.open[starts].tolist(), "high": highest.tolist(), "low": lowest.tolist(),
        "close": bars.close[ends].tolist(), "equity": run.equity[ends].tolist(),
    }  # fmt: skip


def _merged(function: np.ufunc, column: FloatArray, first: int, last: int, every: int) -> FloatArray:
    return np.asarray(function.reduceat(column[first:last], np.arange(0, last - first, every)))


def _trades(run: Any, first: int, last: int) -> dict[str, Any]:
    """The trades that were open at some time of the span, the newest `MOST_TRADES` of them."""
    import polars as pl

    ended = pl.col("exit_bar").is_null() | (pl.col("exit_bar") >= first)
    within = run.trades.filter(ended & (pl.col("entry_bar") < last))
    columns = [pl.col(name).dt.epoch("ms").alias(name.replace("time", "ts")) for name in ("entry_time", "exit_time")]
    return {"n_trades": within.height, "trades": within.tail(MOST_TRADES).select(*columns, *_TRADE).to_dicts()}
