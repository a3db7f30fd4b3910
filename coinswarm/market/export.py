"""Bars as files that `files.read` reads back to the same content hash: times in milliseconds, numbers to the last digit."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from coinswarm import errors
from coinswarm.market.bars import COLUMNS, Bars

if TYPE_CHECKING:
    import polars as pl

Form: TypeAlias = Literal["parquet", "csv"]
Part: TypeAlias = Literal["bars", "funding"]


def form_of(path: Path) -> Form:
    """The form that a file's name asks for.

    Raises:
        InvalidArgument: it is neither Parquet nor CSV.
    """
    if path.suffix == ".parquet":
        return "parquet"
    if path.suffix == ".csv":
        return "csv"
    raise errors.InvalidArgument("bars are written as .parquet or .csv", found=path.name)


def file_name(bars: Bars, form: Form, part: Part = "bars") -> str:
    """A name that tells the market: `binance_BTC-USDT-PERP_5m.parquet`, and `binance_BTC-USDT-PERP_funding.parquet` beside it."""
    pair, perpetual, _ = bars.symbol.partition(":")
    return f"{bars.exchange}_{pair.replace('/', '-')}{'-PERP' if perpetual else ''}_{bars.timeframe if part == 'bars' else part}.{form}"


def content(bars: Bars, form: Form, part: Part = "bars") -> bytes:
    """A file of the bars, or of the funding paid in their span.

    Columns:
        ts: open time of a bar, or time of a payment, in ms since 1970 UTC.
        open, high, low, close, volume: of a bar; funding_rate: of a payment.
    """
    frame, buffer = _frame(bars, part), io.BytesIO()
    if form == "csv":
        frame.write_csv(buffer)
    else:
        frame.write_parquet(buffer)
    return buffer.getvalue()


def _frame(bars: Bars, part: Part) -> pl.DataFrame:
    import polars as pl

    if part == "funding":
        return pl.DataFrame({"ts": bars.funding_ts, "funding_rate": bars.funding_rate})
    return pl.DataFrame({name: getattr(bars, name) for name in ("ts", *COLUMNS)})
