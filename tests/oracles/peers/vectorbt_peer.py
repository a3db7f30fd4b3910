"""Given signals through vectorbt, on its Rust engine."""

from __future__ import annotations

import warnings

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import vectorbt
    import vectorbt_rust  # noqa: F401  the engine asked for below

from coinswarm.kernels.codes import Outcome, Reason
from coinswarm.market.bars import Bars
from coinswarm.types import BoolArray, FloatArray
from tests.oracles.given import Given, Trades

ENGINE = "rust"


def unlike(given: Given, outcomes: FloatArray) -> BoolArray:
    """Which of our trades it leaves elsewhere: those left in their entry bar, and by a signal in a bar that reaches a level later."""
    bars, entry, leave = given.bars, outcomes[:, Outcome.ENTRY_BAR].astype(int), outcomes[:, Outcome.EXIT_BAR].astype(int)
    fill = bars.open[entry] * (1.0 + given.slippage)
    reached = np.zeros(entry.size, dtype=bool)
    if given.stop is not None:
        reached |= bars.low[leave] <= fill * (1.0 - given.stop)
    if given.target is not None:
        reached |= bars.high[leave] >= fill * (1.0 + given.target)
    return (entry == leave) | (reached & (outcomes[:, Outcome.REASON] == Reason.SIGNAL))


def next_bar(signals: BoolArray) -> BoolArray:
    """(n_bars, ...) decisions moved to the bar that fills them."""
    moved = np.zeros_like(signals)
    moved[1:] = signals[:-1]
    return moved


def column(prices: FloatArray) -> FloatArray:
    """(n_bars, 1) prices that every variant shares."""
    return np.ascontiguousarray(prices[:, None])


def portfolio(bars: Bars, entries: BoolArray, exits: BoolArray | bool, **options: object) -> vectorbt.Portfolio:
    """One column a variant; entries and exits (n_bars, n_variants) on the bar that fills them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return vectorbt.Portfolio.from_signals(
            column(bars.close), entries, exits, price=column(bars.open), open=column(bars.open), high=column(bars.high),
            low=column(bars.low),
            upon_long_conflict="exit", upon_opposite_entry="ignore", accumulate=False, stop_entry_price="fillprice",
            stop_exit_price="stoplimit", init_cash=10_000.0, freq=f"{bars.timeframe.ms}ms", engine=ENGINE, **options,
        )  # fmt: skip


def of(given: Given) -> vectorbt.Portfolio:
    """The case as one column."""
    stop = np.nan if given.stop is None else given.stop
    target = np.nan if given.target is None else given.target
    entries, exits = next_bar(given.entries[:, None]), next_bar(given.exits[:, None])
    return portfolio(given.bars, entries, exits, sl_stop=stop, tp_stop=target, fees=given.fee, slippage=given.slippage)


def closed(made: vectorbt.Portfolio, number: int = 0) -> Trades:
    """Closed trades of one column."""
    records = made.exit_trades.values
    records = records[(records["col"] == number) & (records["status"] == 1)]
    return Trades(
        entry_bar=records["entry_idx"], exit_bar=records["exit_idx"], entry_price=records["entry_price"], exit_price=records["exit_price"],
        result=records["return"],
    )  # fmt: skip


def trades(given: Given) -> Trades:
    """Its closed trades."""
    return closed(of(given))
