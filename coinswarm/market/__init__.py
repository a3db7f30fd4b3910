"""Bars and funding: files, exchanges, checks, slower timeframes, splits and the catalog."""

from __future__ import annotations

from pathlib import Path

from coinswarm.market import files, limits
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe

__all__ = ["Bars", "Timeframe", "read_bars"]


def read_bars(
    path: Path | str,
    symbol: str | None = None,
    timeframe: Timeframe | str | None = None,
    exchange: str | None = None,
    *,
    max_rows: int = limits.MAX_ROWS,
) -> Bars:
    """Bars of a Parquet or CSV file, with the funding rates that lie beside it.

    Args:
        path: such as `binance_BTC-USDT_5m.parquet`, whose name tells the exchange, the market and the timeframe.
        symbol: the market, instead of what the name tells.
        timeframe: length of a bar, instead of what the name or the times tell.
        exchange: where they come from, instead of what the name tells.
        max_rows: how many rows the file may have; bounds the bytes that it may unpack to, too.

    Returns:
        (n_bars,) checked bars, with the funding paid in their span.

    Raises:
        NotFound: there is no such file.
        BadBars: the bars cannot be trusted; everything found is listed.
        TooLarge: the file has more rows or unpacks to more bytes than it may.
        InvalidArgument: the market is not known.
    """
    return files.read(path, symbol=symbol, timeframe=timeframe, exchange=exchange, max_rows=max_rows)[:]
