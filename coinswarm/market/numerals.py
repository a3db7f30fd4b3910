"""Numbers as files print them: `1234.5`, `1,234.5`, `1.234,5`. All columns of a file together decide which sign is the decimal one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from coinswarm import errors
from coinswarm.types import FloatArray

if TYPE_CHECKING:
    import polars as pl

_BLANKS = r"[ '\u00a0\u202f]"


def read(columns: Mapping[str, pl.Series], file: str) -> dict[str, FloatArray]:
    """Numbers of several columns.

    Args:
        columns: (n,) numbers, or text.
        file: what to call the file in messages.

    Returns:
        (n,) numbers of each; NaN where there is none, or where text is no number.

    Raises:
        BadBars: commas could be thousands or decimals, or a column holds neither numbers nor text.
    """
    import polars as pl

    text = {name: column.cast(pl.String).str.strip_chars() for name, column in columns.items() if column.dtype == pl.String}
    decimal = _decimal_sign(text, file)
    return {name: _floats(text[name], decimal) if name in text else _plain(name, column, file) for name, column in columns.items()}


def _plain(name: str, column: pl.Series, file: str) -> FloatArray:
    import polars as pl

    if not column.dtype.is_numeric() and column.dtype != pl.Null:
        raise errors.BadBars(f"{file}: {name} must hold numbers", found=str(column.dtype))
    return np.ascontiguousarray(column.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy().astype(np.float64))


def _floats(text: pl.Series, decimal: str) -> FloatArray:
    import polars as pl

    if decimal:
        group = "." if decimal == "," else ","
        grouped = rf"^[-+]?\d{{1,3}}(?:{re.escape(group)}\d{{3}})+(?:{re.escape(decimal)}\d*)?$"
        plain = text.str.replace_all(group, "", literal=True)
        text = pl.select(pl.when(text.str.contains(grouped)).then(plain).otherwise(text)).to_series()
        text = text.str.replace(decimal, ".", literal=True)
    # three digits behind each blank, so that two numbers in one field stay no number
    spaced = text.str.contains(rf"^[-+]?\d{{1,3}}(?:{_BLANKS}\d{{3}})+(?:\.\d*)?$")
    if spaced.any():
        text = pl.select(pl.when(spaced).then(text.str.replace_all(_BLANKS, "")).otherwise(text)).to_series()
    return np.ascontiguousarray(text.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy().astype(np.float64))


def _decimal_sign(text: Mapping[str, pl.Series], file: str) -> str:
    """`.` or `,`; nothing where no comma stands in any number."""
    import polars as pl

    if not any(column.str.contains(",", literal=True).any() for column in text.values()):
        return ""
    values = pl.concat([column.rename("value") for column in text.values()]).drop_nulls()
    comma, dot = values.str.contains(",", literal=True), values.str.contains(".", literal=True)
    both = values.filter(comma & dot)
    if len(both):
        last = both.str.extract(r"([.,])\d*$").unique().to_list()
        if len(last) == 1 and last[0]:
            return str(last[0])
        raise _unclear(file, str(both[0]))
    return _by_groups(values.filter(comma), values.filter(dot), file)


def _by_groups(commas: pl.Series, dots: pl.Series, file: str) -> str:
    grouped = r"^[-+]?\d{1,3}(?:[.,]\d{3})+$"
    if not commas.str.contains(grouped).all():
        if len(dots) and not dots.str.contains(grouped).all():
            raise _unclear(file, str(commas[0]))
        return ","
    if (len(dots) and not dots.str.contains(grouped).all()) or commas.str.contains(r",\d{3},").any():
        return "."
    raise _unclear(file, str(commas[0]))


def _unclear(file: str, value: str) -> errors.BadBars:
    return errors.BadBars(
        f"{file}: the comma of its numbers could mark thousands or decimals", found=value, hint="write numbers like 1234.5, without commas"
    )
