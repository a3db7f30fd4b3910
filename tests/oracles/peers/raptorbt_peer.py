"""Given signals through raptorbt."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

os.environ.setdefault("RAPTORBT_NO_VERSION_CHECK", "1")  # it would ask the network
import raptorbt

from coinswarm.kernels.codes import Outcome, Reason
from coinswarm.types import BoolArray, FloatArray
from tests.oracles.given import Given, Trades


def config(given: Given) -> raptorbt.BacktestConfig:
    """Fills at the next open; stop and target as fractions of the fill."""
    made = raptorbt.BacktestConfig(initial_capital=10_000.0, fees=given.fee, slippage=given.slippage, fill_timing="next_bar_open")
    if given.stop is not None:
        made.set_fixed_stop(given.stop)
    if given.target is not None:
        made.set_fixed_target(given.target)
    return made


def unlike(given: Given, outcomes: FloatArray) -> BoolArray:
    """Which of our trades it lacks or leaves elsewhere: targets that the open is beyond, entries decided on the bar of a stop or target."""
    bars, entry, leave = given.bars, outcomes[:, Outcome.ENTRY_BAR].astype(int), outcomes[:, Outcome.EXIT_BAR].astype(int)
    gapped = np.zeros(entry.size, dtype=bool)
    if given.target is not None:
        gapped = (outcomes[:, Outcome.REASON] == Reason.TARGET) & (bars.open[leave] > bars.open[entry] * (1.0 + given.target))
    at_once = np.zeros(entry.size, dtype=bool)
    at_once[1:] = (entry[1:] == leave[:-1] + 1) & (outcomes[:-1, Outcome.REASON] != Reason.SIGNAL)
    return gapped | at_once


def rearmed(given: Given, outcomes: FloatArray) -> Given:
    """The case with exit signals that let it enter again: it drops each entry between an entry and the next exit signal, stopped or not.

    The added ones are decided at the close of the bars in which our stops and targets filled, so they close nothing that should stay.
    """
    exits = given.exits.copy()
    exits[outcomes[outcomes[:, Outcome.REASON] != Reason.SIGNAL, Outcome.EXIT_BAR].astype(int)] = True
    return replace(given, exits=exits)


def run(given: Given) -> raptorbt.BacktestResult:
    """One long-only run, every figure included."""
    bars = given.bars
    return raptorbt.run_single_backtest(
        bars.ts * 1_000_000, bars.open, bars.high, bars.low, bars.close, bars.volume, given.entries, given.exits, 1, 1.0, bars.symbol,
        config(given),
    )  # fmt: skip


def batch(cases: Sequence[Given]) -> list[tuple[str, raptorbt.BacktestResult]]:
    """Long-only runs on the same bars, every figure included."""
    bars = cases[0].bars
    items = [raptorbt.BatchSingleItem(str(k), case.entries, case.exits, 1, 1.0, bars.symbol, config(case)) for k, case in enumerate(cases)]
    return raptorbt.batch_single_backtest(bars.ts * 1_000_000, bars.open, bars.high, bars.low, bars.close, bars.volume, items)


def trades(given: Given) -> Trades:
    """Its closed trades; one that only the end of the data closed is not among them."""
    found = [trade for trade in run(given).trades() if trade.exit_reason != "EndOfData"]
    return Trades(
        entry_bar=np.array([trade.entry_idx for trade in found], dtype=np.int64),
        exit_bar=np.array([trade.exit_idx for trade in found], dtype=np.int64),
        entry_price=np.array([trade.entry_price for trade in found]),
        exit_price=np.array([trade.exit_price for trade in found]),
        result=np.array([trade.return_pct / 100.0 for trade in found]),
    )
