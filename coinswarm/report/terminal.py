"""Curves drawn with characters, for `coinswarm show`: pure functions from numbers to text."""

from __future__ import annotations

import math

import numpy as np

from coinswarm import check
from coinswarm.report import series
from coinswarm.types import BoolArray, FloatArray, IntArray

_BLOCKS = "▁▂▃▄▅▆▇█"
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Bits of the braille character for the dot in row 0-3 and column 0-1 of a cell (Unicode 2800-28FF)."""
_GAIN, _LOSS, _QUIET, _PLAIN = "\x1b[36m", "\x1b[33m", "\x1b[2m", "\x1b[0m"


def sparkline(values: FloatArray, width: int = 40) -> str:
    """The shape of a curve in one line of block characters.

    Args:
        values: (n,) numbers; those that are not finite leave a blank.
        width: most characters, at least 1; each shows the mean of its part.

    Returns:
        `min(n, width)` characters; the lowest value is the lowest block. A flat curve is drawn low.
    """
    check.vector(values, "values", finite=False)
    check.at_least(width, "width", 1)
    means = np.array([_mean(part) for part in np.array_split(values, min(width, values.size))])
    known = means[np.isfinite(means)]
    low, span = (known.min(), np.ptp(known)) if known.size else (0.0, 0.0)
    levels = (means - low) / span * (len(_BLOCKS) - 1) if span > 0 else np.where(np.isfinite(means), 0.0, np.nan)
    return "".join(" " if math.isnan(level) else _BLOCKS[round(level)] for level in levels)


def _mean(part: FloatArray) -> float:
    known = part[np.isfinite(part)]
    return float(known.mean()) if known.size else math.nan


def equity_curve(
    close_ts: IntArray,
    equity: FloatArray,
    starting_equity: float,
    *,
    width: int = 80,
    height: int = 14,
    unit: str = "",
    colour: bool = False,
) -> str:
    """The account value over time, its start marked by a dotted line.

    Args:
        close_ts: (n_bars,) time at which each value is known, milliseconds since 1970 UTC, increasing.
        equity: (n_bars,) account value in quote currency at bar close; values that are not finite leave a hole.
        starting_equity: account value before the first bar.
        width: characters to fill; at least 30.
        height: lines to fill; at least 4.
        unit: the currency, written above the axis.
        colour: with terminal colours: what lies above the start in cyan, below in yellow.

    Returns:
        `height` lines without a final line break, none longer than `width`.

    Raises:
        ShapeMismatch: the arrays are empty or differ in length.
        InvalidArgument: no room to draw in.
    """
    check.positive(starting_equity, "starting_equity")
    return _chart(close_ts, equity, starting_equity, (width, height), f"equity {unit}".strip(), colour)


def drawdown_curve(
    close_ts: IntArray, equity: FloatArray, starting_equity: float, *, width: int = 80, height: int = 6, colour: bool = False
) -> str:
    """The fall from the running peak in percent, over (n_bars,) closes; arguments, result and errors as for `equity_curve`."""
    check.vector(equity, "equity")
    check.positive(starting_equity, "starting_equity")
    return _chart(close_ts, -100 * series.drawdown(equity, starting_equity), 0.0, (width, height), "drawdown %", colour)


def _chart(close_ts: IntArray, values: FloatArray, level: float, size: tuple[int, int], title: str, colour: bool) -> str:
    check.vector(values, "values", finite=False)
    check.vector(close_ts, "close_ts", length=values.size)
    width, height = size
    check.at_least(width, "width", 30)
    check.at_least(height, "height", 4)
    known = np.append(values[np.isfinite(values)], level)
    low, high = float(known.min()), float(known.max())
    if high - low < 1e-12 * max(1.0, abs(high)):
        low, high = low - 1.0, high + 1.0
    labels = _labels(low, high, height - 2)
    gutter = max(len(label) for label in labels)
    columns, rows = width - gutter - 2, height - 2
    cells = _braille(_curve(values, low, high, columns * 2, rows * 4))
    base = min(rows - 1, int((high - level) / (high - low) * rows))
    lines = [f"{label:>{gutter}} ┤{_row(cells[row], row, base, colour)}" for row, label in enumerate(labels)]
    dates = _dates(close_ts, columns)
    return "\n".join([_quiet(f"{'':>{gutter}} {title}"[:width], colour), *lines, _quiet(f"{'':>{gutter}}  {dates}", colour)])


def _curve(values: FloatArray, low: float, high: float, columns: int, rows: int) -> BoolArray:
    """(rows, columns) dots: each column is filled from the lowest to the highest value it stands for, and joined to the one before."""
    dots = np.zeros((rows, columns), dtype=np.bool_)
    joined = -1
    for column in range(columns):
        part = _part(values, column, columns)
        known = part[np.isfinite(part)]
        if known.size == 0:
            joined = -1
            continue
        places = np.rint((high - known) / (high - low) * (rows - 1)).astype(np.int64)
        top, bottom = int(places.min()), int(places.max())
        if joined >= 0:
            top, bottom = min(top, joined), max(bottom, joined)
        dots[top : bottom + 1, column] = True
        joined = int(places[-1])
    return dots


def _part(values: FloatArray, column: int, columns: int) -> FloatArray:
    """The values column `column` of `columns` stands for; where there are more columns than values, one value, interpolated."""
    if values.size <= columns:
        place = column * (values.size - 1) / max(1, columns - 1)
        return np.array([np.interp(place, np.arange(values.size), values)])
    return values[column * values.size // columns : (column + 1) * values.size // columns]


def _braille(dots: BoolArray) -> list[str]:
    rows, columns = dots.shape[0] // 4, dots.shape[1] // 2
    bits = (dots.reshape(rows, 4, columns, 2) * _DOTS[None, :, None, :]).sum(axis=(1, 3))
    return ["".join(chr(0x2800 + int(bit)) for bit in row) for row in bits]


def _row(cells: str, row: int, base: int, colour: bool) -> str:
    empty = "·" if row == base else " "
    drawn = cells.replace("\u2800", empty)
    return f"{_GAIN if row <= base else _LOSS}{drawn}{_PLAIN}" if colour else drawn.rstrip()


def _quiet(line: str, colour: bool) -> str:
    return f"{_QUIET}{line}{_PLAIN}" if colour else line


def _labels(low: float, high: float, rows: int) -> list[str]:
    """One label a row, blank but for the first, the last and a few between."""
    every = max(1, round((rows - 1) / max(1, (rows - 1) // 3)))
    digits = min(12, max(0, 2 - math.floor(math.log10(high - low))))
    marked = {row for row in range(0, rows, every) if rows - 1 - row >= every} | {rows - 1}
    return [f"{high - (high - low) * row / max(1, rows - 1):,.{digits}f}" if row in marked else "" for row in range(rows)]


def _dates(close_ts: IntArray, columns: int) -> str:
    """First, middle and last day, as many as there is room for."""
    first, middle, last = (str(np.datetime64(int(close_ts[place]), "ms").astype("datetime64[D]")) for place in (0, close_ts.size // 2, -1))
    if columns < 22:
        return first[:columns]
    return f"{first}{middle:^{columns - 20}}{last}" if columns >= 36 else f"{first}{last:>{columns - 10}}"
