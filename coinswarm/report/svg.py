"""Small pictures without a script: lines, columns and histograms as SVG that follow the colours of the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from coinswarm.report import wording
from coinswarm.report.markup import Markup, empty, join, tag
from coinswarm.types import FloatArray

WIDTH, HEIGHT = 560, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 10, 10, 26
_TITLE = 16
"""Room for the title of an axis below its numbers."""
_BINS = 31


def lines(
    series: Mapping[str, Sequence[float]], *, labels: Sequence[str] = (), unit: str = "", mark: float | None = None, title: str = ""
) -> Markup:
    """Lines over places in a row; values that are not finite leave holes. `mark`: a level drawn across."""
    known = [value for values in series.values() for value in values if math.isfinite(value)]
    if not known:
        return empty("Nothing to draw.")
    scale = _Scale.of([*known, *([] if mark is None else [mark])])
    n = max(len(values) for values in series.values())
    paths = [_path(values, n, scale, place, _look(name)) for place, (name, values) in enumerate(series.items())]
    return _framed(scale, unit, mark, labels or [str(place + 1) for place in range(n)], paths, _legend(series), title)


def columns(values: Sequence[float], *, labels: Sequence[str], unit: str = "", title: str = "") -> Markup:
    """One column a label, above or below 0."""
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return empty("Nothing to draw.")
    scale = _Scale.of([*known, 0.0])
    step = (WIDTH - _LEFT - _RIGHT) / len(values)
    drawn = [_column(place, value, step, scale, f"{label}: {_worded(value, unit)}")
             for place, (value, label) in enumerate(zip(values, labels, strict=True)) if math.isfinite(value)]  # fmt: skip
    return _framed(scale, unit, 0.0, labels, drawn, None, title)


def spread(values: FloatArray, *, unit: str = "", mark: float | None = None, title: str = "", axes: tuple[str, str] = ("", "")) -> Markup:
    """A histogram of (n,) values with a mark on its axis; values that are not finite are left out. `axes`: titles of x and y."""
    known = values[np.isfinite(values)]
    if not known.size:
        return empty("Nothing to draw.")
    low, high = _reach(known, mark)
    counts, edges = np.histogram(known, _BINS, (low, high))
    width = (WIDTH - _LEFT - _RIGHT) / _BINS
    top = int(counts.max())
    drawn = [
        _rect(_LEFT + place * width + 0.5, _y(count / top), width - 1, _y(0.0) - _y(count / top), "fill-own",
              f"{_worded(float(edges[place]), unit)} to {_worded(float(edges[place + 1]), unit)}: {count}")
        for place, count in enumerate(counts.tolist()) if count
    ]  # fmt: skip
    if mark is not None:
        x = _LEFT + (mark - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)
        drawn.append(tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=_TOP, y2=HEIGHT - _BOTTOM, class_="mark"))
    axis = [_text(_LEFT + share * (WIDTH - _LEFT - _RIGHT), HEIGHT - 8, _worded(low + share * (high - low), unit), anchor)
            for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end"))]  # fmt: skip
    base = tag("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=HEIGHT - _BOTTOM, y2=HEIGHT - _BOTTOM, class_="axis-line")
    middle = (HEIGHT - _BOTTOM + _TOP) / 2
    titles = [
        _text((WIDTH + _LEFT - _RIGHT) / 2, HEIGHT + _TITLE - 6, axes[0], "middle"),
        tag("text", axes[1], transform=f"translate(14 {middle:.0f}) rotate(-90)", text_anchor="middle"),
    ]
    return _drawing([_text(_LEFT - 6, _TOP + 10, f"{top:,}", "end"), base, *axis, *titles, *drawn], title, height=HEIGHT + _TITLE)


class _Scale:
    """From values to places on the picture, with a few round ticks."""

    def __init__(self, low: float, high: float) -> None:
        step = _round_step((high - low) / 4)
        self.low, self.high, self.step = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step

    @classmethod
    def of(cls, values: Sequence[float]) -> _Scale:
        low, high = min(values), max(values)
        return cls(low, high) if high - low > 1e-12 * max(1.0, abs(low)) else cls(low - 1.0, high + 1.0)

    def y(self, value: float) -> float:
        return _y((value - self.low) / (self.high - self.low))

    def ticks(self) -> list[float]:
        return [self.low + place * self.step for place in range(round((self.high - self.low) / self.step) + 1)]


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * (1 - 1e-9))


def _y(share: float) -> float:
    return HEIGHT - _BOTTOM - share * (HEIGHT - _BOTTOM - _TOP)


def _reach(known: FloatArray, mark: float | None) -> tuple[float, float]:
    """Bounds that hold nearly all values and the mark."""
    values = [float(known.min()), float(known.max()), *([] if mark is None else [mark])]
    low, high = min(values), max(values)
    return (low, high) if high - low > 1e-12 * max(1.0, abs(low)) else (low - 1.0, high + 1.0)


def _path(values: Sequence[float], n: int, scale: _Scale, place: int, look: str) -> Markup:
    room = (WIDTH - _LEFT - _RIGHT) / max(1, n - 1)
    drawn, pen = [], "M"
    for number, value in enumerate(values):
        if math.isfinite(value):
            drawn.append(f"{pen}{_LEFT + number * room:.1f} {scale.y(value):.1f}")
            pen = "L"
        else:
            pen = "M"
    return tag("path", d="".join(drawn), class_=look if look else f"line-{place % 6}")


def _look(name: str) -> str:
    known = {"buy and hold": "line-hold", "this variant": "line-0", "what happened": "line-0", "50%": "line-hold", "5%": "line-band",
             "25%": "line-band", "75%": "line-band", "95%": "line-band"}  # fmt: skip
    return known.get(name, "")


def _column(place: int, value: float, step: float, scale: _Scale, words: str) -> Markup:
    zero, top = scale.y(0.0), scale.y(value)
    look = "fill-win" if value >= 0 else "fill-loss"
    return _rect(_LEFT + place * step + step * 0.12, min(zero, top), max(step * 0.76, 1.0), max(abs(zero - top), 0.5), look, words)


def _rect(x: float, y: float, width: float, height: float, look: str, words: str) -> Markup:
    return tag("rect", tag("title", words), x=f"{x:.1f}", y=f"{y:.1f}", width=f"{width:.1f}", height=f"{height:.1f}", class_=look)


def _framed(
    scale: _Scale, unit: str, mark: float | None, labels: Sequence[str], drawn: Sequence[Markup], legend: Markup | None, title: str
) -> Markup:
    grid = []
    for tick in scale.ticks():
        y = f"{scale.y(tick):.1f}"
        grid.append(tag("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="grid"))
        grid.append(_text(_LEFT - 6, scale.y(tick) + 4, _worded(tick, unit), "end"))
    if mark is not None:
        y = f"{scale.y(mark):.1f}"
        grid.append(tag("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="mark"))
    return join(_drawing([*grid, *_named(labels), *drawn], title), legend)


def _named(labels: Sequence[str]) -> list[Markup]:
    """A few labels below: the first, the middle and the last."""
    n, room = len(labels), WIDTH - _LEFT - _RIGHT
    if n == 1:
        return [_text(_LEFT + room / 2, HEIGHT - 8, labels[0], "middle")]
    places = [(0, "start"), (n // 2, "middle"), (n - 1, "end")] if n > 2 else [(0, "start"), (n - 1, "end")]
    return [_text(_LEFT + place / (n - 1) * room, HEIGHT - 8, labels[place], anchor) for place, anchor in places]


def _legend(series: Mapping[str, Sequence[float]]) -> Markup | None:
    if len(series) < 2:
        return None
    keys = [tag("span", tag("i", "━", class_=f"key {_look(name) or f'line-{place % 6}'}"), f" {name}") for place, name in enumerate(series)]
    return tag("p", *keys, class_="legend")


def _drawing(parts: Sequence[Markup], title: str, height: int = HEIGHT) -> Markup:
    return tag("svg", *parts, viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=title or "chart", class_="drawing")


def _text(x: float, y: float, words: str, anchor: str) -> Markup:
    return tag("text", words, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)


def _worded(value: float, unit: str) -> str:
    if unit == "percent":
        return wording.percent(value, digits=0 if abs(value) >= 0.1 or value == 0 else 1)
    return f"{value:,.3g}".replace("-", wording.MINUS)
