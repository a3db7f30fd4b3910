"""Times as files write them (seconds, milliseconds, microseconds, nanoseconds, dates) read as milliseconds since 1970 UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinswarm.market.quality import QualityFinding, at_rows
from coinswarm.types import FloatArray, IntArray

if TYPE_CHECKING:
    import polars as pl

UNITS = ("seconds", "milliseconds", "microseconds", "nanoseconds")
_BORDERS = (1e11, 1e14, 1e17)
"""Numbers below the first are seconds (until the year 5138), below the second milliseconds (from 1973), and so on."""
_UNREADABLE = -1
_DATE_FORMS = (
    "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %I:%M %p", "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y.%m.%d %H:%M:%S", "%Y.%m.%d %H:%M", "%Y.%m.%d",
    "%d.%m.%Y %H:%M:%S%.f", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%Y%m%d %H:%M:%S", "%Y%m%d %H%M%S",
)  # fmt: skip
_CLOCK = r"^(\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?|\d{6})$"
_ZONED_FORMS = ("%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z")


def read(column: pl.Series) -> tuple[IntArray, list[QualityFinding]]:
    """Times of a column.

    Args:
        column: (n,) numbers, text or dates; without a zone they are UTC.

    Returns:
        (n,) milliseconds since 1970 UTC, -1 where unreadable, and what is wrong with them: units that are mixed, times that are missing.
    """
    if column.dtype.is_temporal():
        ts = _from_dates(column)
        return ts, _missing(ts)
    if column.dtype.is_numeric():
        return from_numbers(column.to_numpy().astype(np.float64), _whole(column))
    return _from_text(column)


def joined(days: pl.Series, clocks: pl.Series) -> pl.Series | None:
    """Days and times of day that stand in two columns, as one column of text; none when they are not that.

    Args:
        days: (n,) dates without a time of day.
        clocks: (n,) times of day, such as `00:05` or `00:05:00`.
    """
    import polars as pl

    if not {days.dtype, clocks.dtype} <= {pl.String, pl.Date, pl.Time}:
        return None
    date, clock = (column.cast(pl.String).str.strip_chars() for column in (days, clocks))
    is_clock = clock.drop_nulls().str.contains(_CLOCK).all()
    return date + " " + clock if is_clock and not date.str.contains(":", literal=True).any() else None


def _whole(column: pl.Series) -> IntArray | None:
    """The exact integers, where there are: nanoseconds do not fit a double."""
    return column.fill_null(_UNREADABLE).to_numpy().astype(np.int64) if column.dtype.is_integer() else None


def from_numbers(values: FloatArray, whole: IntArray | None = None) -> tuple[IntArray, list[QualityFinding]]:
    """Times given as numbers, whose unit follows from their size.

    Args:
        values: (n,) NaN where missing.
        whole: (n,) the same as exact integers, if they are.

    Returns:
        (n,) milliseconds since 1970 UTC, -1 where missing, and a finding if there are several units.
    """
    readable = np.isfinite(values) & (values >= 0) & (values < 1e20)
    unit = np.searchsorted(_BORDERS, np.where(readable, values, 0.0), side="right")
    ts = np.full(values.size, _UNREADABLE, dtype=np.int64)
    for number, name in enumerate(UNITS):
        mine = readable & (unit == number)
        ts[mine] = _milliseconds(values[mine], None if whole is None else whole[mine], name)
    return ts, [*_missing(ts), *_mixed(unit, readable, ts)]


def _milliseconds(values: FloatArray, whole: IntArray | None, unit: str) -> IntArray:
    if whole is not None:
        return whole * 1000 if unit == "seconds" else whole // {"milliseconds": 1, "microseconds": 1000, "nanoseconds": 1_000_000}[unit]
    factor = {"seconds": 1000.0, "milliseconds": 1.0, "microseconds": 1e-3, "nanoseconds": 1e-6}[unit]
    return np.round(values * factor).astype(np.int64)


def _mixed(unit: IntArray, readable: np.ndarray, ts: IntArray) -> list[QualityFinding]:
    present = np.unique(unit[readable])
    if present.size < 2:
        return []
    parts = [f"{UNITS[number]} in {int((unit[readable] == number).sum())} rows" for number in present]
    changes = np.r_[False, unit[1:] != unit[:-1]] & readable
    return at_rows("mixed units", f"times are in mixed units ({', '.join(parts)}), changing", changes, ts, about_time=True)


def _missing(ts: IntArray) -> list[QualityFinding]:
    rows = np.flatnonzero(ts == _UNREADABLE)
    if not rows.size:
        return []
    shown = tuple(int(row) for row in rows[:3])
    text = f"{rows.size} missing or unreadable time{'' if rows.size == 1 else 's'}"
    return [QualityFinding(kind="missing", text=text, count=int(rows.size), rows=shown, about_time=True)]


def _from_dates(column: pl.Series) -> IntArray:
    import polars as pl

    if column.dtype not in (pl.Date, pl.Datetime):
        return np.full(len(column), _UNREADABLE, dtype=np.int64)
    stamped = column.cast(pl.Datetime("ms")) if column.dtype == pl.Date else column
    return stamped.dt.epoch("ms").fill_null(_UNREADABLE).to_numpy().astype(np.int64)


def _from_text(column: pl.Series) -> tuple[IntArray, list[QualityFinding]]:
    import polars as pl

    text = column.cast(pl.String).str.strip_chars()
    numbers = text.cast(pl.Float64, strict=False)
    if numbers.null_count() < len(numbers):
        whole = text.cast(pl.Int64, strict=False)
        exact = whole.null_count() == numbers.null_count()
        return from_numbers(numbers.fill_null(np.nan).to_numpy(), _whole(whole) if exact else None)
    ts = _from_dates(_parse_dates(text))
    return ts, _missing(ts)


def _parse_dates(text: pl.Series) -> pl.Series:
    """Dates in the form that reads the most of them."""
    import polars as pl

    clean = text.str.replace(r"(Z| UTC)$", "").str.replace(r" (\d\d)-([AP]M)$", " $1:00 $2")
    forms = [clean.str.to_datetime(form, strict=False, time_unit="ms") for form in _DATE_FORMS]
    forms += [
        clean.str.to_datetime(form, strict=False, time_unit="ms", time_zone="UTC").dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        for form in _ZONED_FORMS
    ]
    best = min(forms, key=lambda parsed: parsed.null_count())
    return best.cast(pl.Datetime("ms"))
