"""Bars and funding: files, exchanges, checks, slower timeframes, splits and the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coinswarm import errors
from coinswarm.market import files, limits
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe

__all__ = ["Bars", "Timeframe", "bars_from", "read_bars"]


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


def bars_from(
    frame: Any,
    symbol: str | None = None,
    timeframe: Timeframe | str | None = None,
    exchange: str | None = None,
) -> Bars:
    """Bars of a Polars or pandas frame, checked as those of a file.

    Args:
        frame: (n_bars,) rows with a time and open, high, low, close, volume under usual names, in a column each. Times are UTC; they may be
            the index of a pandas frame.
        symbol: the market, such as `BTC/USDT`; of a frame that names several, the one to take.
        timeframe: length of a bar, such as `5m`; from the spacing of the times unless given.
        exchange: where they come from; `unknown` unless given.

    Returns:
        (n_bars,) checked bars, without funding.

    Raises:
        BadBars: the bars cannot be trusted; everything found is listed by its row, counted from 1.
        InvalidArgument: `frame` is no frame, or nothing says the market.
    """
    return files.of_frame(_polars(frame), symbol=symbol, timeframe=timeframe, exchange=exchange)


def _polars(frame: Any) -> Any:
    import polars as pl

    if isinstance(frame, pl.DataFrame | pl.LazyFrame):
        return frame.lazy().collect()
    if type(frame).__module__.partition(".")[0] != "pandas" or not hasattr(frame, "columns"):
        raise errors.InvalidArgument("bars are made from a Polars or pandas frame", found=type(frame).__name__)
    return pl.from_pandas(frame, include_index=frame.index.dtype.kind == "M")
