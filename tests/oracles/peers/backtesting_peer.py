"""Given signals through backtesting.py."""

from __future__ import annotations

import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import backtesting
    import pandas as pd

from tests.oracles.given import Given, Trades

UNIT = 1e-6
"""It trades whole units only, so one unit is a millionth of a coin."""


def strategy_of(given: Given) -> type[backtesting.Strategy]:
    """Buy and close as told. Levels are absolute there, so they are taken from the open that will fill the order."""
    opens, entries, exits = given.bars.open * UNIT, given.entries, given.exits

    class Told(backtesting.Strategy):
        def init(self) -> None:
            """Nothing to prepare."""

        def next(self) -> None:
            bar = len(self.data) - 1
            if self.position:
                if exits[bar]:
                    self.position.close()
            elif entries[bar]:
                fill = opens[bar + 1]
                self.buy(
                    sl=None if given.stop is None else fill * (1.0 - given.stop),
                    tp=None if given.target is None else fill * (1.0 + given.target),
                )

    return Told


def run(given: Given) -> Any:
    """One long-only run, every figure included."""
    bars = given.bars
    prices = {"Open": bars.open, "High": bars.high, "Low": bars.low, "Close": bars.close}
    columns = {name: value * UNIT for name, value in prices.items()} | {"Volume": bars.volume}
    frame = pd.DataFrame(columns, index=pd.to_datetime(bars.ts, unit="ms"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return backtesting.Backtest(frame, strategy_of(given), cash=10_000.0, commission=given.fee, trade_on_close=False).run()


def trades(given: Given) -> Trades:
    """Its closed trades; its return counts no commission, so it is taken from the profit."""
    found = run(given)["_trades"].sort_values("EntryBar")
    notional = found["Size"].to_numpy() * found["EntryPrice"].to_numpy()
    return Trades(
        entry_bar=found["EntryBar"].to_numpy(), exit_bar=found["ExitBar"].to_numpy(), entry_price=found["EntryPrice"].to_numpy() / UNIT,
        exit_price=found["ExitPrice"].to_numpy() / UNIT, result=found["PnL"].to_numpy() / notional,
    )  # fmt: skip
