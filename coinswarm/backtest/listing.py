"""The trade list and the equity curve as Polars frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from coinswarm.backtest.portfolio import Trade
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray

if TYPE_CHECKING:
    import polars as pl

COLUMNS = (
    "entry_time", "exit_time", "side", "qty", "entry_price", "exit_price", "exit_reason", "pnl", "return", "fees", "slippage", "funding",
    "bars_held", "mae", "mfe", "entry_bar", "exit_bar",
)  # fmt: skip


def frame(trades: Sequence[Trade], bars: Bars) -> pl.DataFrame:
    """Trades in order of exit, one a row, an open position last.

    Columns:
        entry_time, exit_time: open time of the bar of the fill, UTC; `exit_time` is null while open.
        side: `long` or `short`; `qty`: base currency, above 0.
        entry_price, exit_price: fills, slippage included; while open the last close.
        exit_reason: stop, target, signal, reverse, max_hold, liquidation, account_stop or open.
        pnl: net of fees and funding, quote currency; `return`: the same over `qty * entry_price`.
        fees, slippage, funding: paid, quote currency; negative funding was received.
        bars_held: exit bar minus entry bar.
        mae, mfe: worst (at most 0) and best (at least 0) price move since the fill as a fraction of it. Bars from the entry bar to the
            one before the exit bar count with low and high; the exit bar with its open and the exit price before slippage, and for a
            target with its adverse extreme too. The favourable extreme of a bar in which a limit filled inside does not count.
        entry_bar, exit_bar: indices of the bars; `exit_bar` is null while open.
    """
    import polars as pl

    schema: dict[str, Any] = dict.fromkeys(COLUMNS, pl.Float64) | {
        "entry_time": pl.Datetime("ms", "UTC"), "exit_time": pl.Datetime("ms", "UTC"), "side": pl.String, "exit_reason": pl.String,
        "bars_held": pl.Int64, "entry_bar": pl.Int64, "exit_bar": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame([_row(trade, bars) for trade in trades], schema=schema, orient="row")


def curve(bars: Bars, equity: FloatArray, position: FloatArray) -> pl.DataFrame:
    """The account at the close of each bar, one a row.

    Args:
        bars: (n_bars,) candles.
        equity: (n_bars,) account value at the close of each.
        position: (n_bars,) signed quantity held at the close of each.

    Columns:
        close_time: when the bar closes, UTC: the time at which the rest of the row is so.
        equity: account value, quote currency.
        position: signed quantity held, base currency; negative is short.
    """
    import polars as pl

    time = pl.Series("close_time", bars.close_ts).cast(pl.Datetime("ms", "UTC"))
    return pl.DataFrame([time, pl.Series("equity", equity), pl.Series("position", position)])


def _row(trade: Trade, bars: Bars) -> tuple[object, ...]:
    exit_ts = None if trade.exit_bar is None else int(bars.ts[trade.exit_bar])
    result = trade.pnl / (trade.qty * trade.entry_price)
    return (
        int(bars.ts[trade.entry_bar]), exit_ts, "long" if trade.side > 0 else "short", trade.qty, trade.entry_price, trade.exit_price,
        trade.reason.value, trade.pnl, result, trade.fees, trade.slippage, trade.funding, trade.bars_held, trade.mae, trade.mfe,
        trade.entry_bar, trade.exit_bar,
    )  # fmt: skip
