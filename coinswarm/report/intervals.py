"""A chart of values with their intervals, drawn as it stands: it needs no script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from coinswarm.report.markup import Markup, empty, tag

_WIDTH, _ROW, _LEFT, _RIGHT, _BOTTOM = 760, 24, 220, 110, 22
_LONGEST = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A value with its 95 % interval, fractions; what is not finite is not drawn."""

    name: str
    value: float
    low: float
    high: float


def chart(points: Sequence[Point], *, title: str) -> Markup:
    """One row a value, around a line at 0; the numbers are written beside it, in percent."""
    known = [point for point in points if math.isfinite(point.value)]
    if not known:
        return empty("There is no trade to show.")
    reach = max(abs(end) for point in known for end in (point.value, *_ends(point)) if math.isfinite(end)) or 1e-9
    # an interval of two blocks may be a hundred times wider than all others: it is cut, its numbers say so
    middle = sorted(max(abs(end) for end in _ends(point)) for point in known)[len(known) // 2]
    reach = min(reach, 4 * middle) if middle > 0 else reach
    height = len(points) * _ROW + _BOTTOM
    zero = tag("line", x1=_x(0, reach), x2=_x(0, reach), y1=0, y2=height - _BOTTOM, style="stroke:var(--hold)")
    rows = [part for number, point in enumerate(points) for part in _row(number, point, reach)]
    scale = [_text(_x(share * reach, reach), height - 6, f"{100 * share * reach:+.2g} %", "middle") for share in (-1.0, 0.0, 1.0)]
    drawing = tag("svg", zero, *rows, *scale, viewBox=f"0 0 {_WIDTH} {height}", role="img", aria_label=title, style=_SIZE)
    return tag("div", drawing, class_="scroll", tabindex="0")


_SIZE = "width:100%;min-width:520px;max-width:900px;height:auto;font-size:12px"


def _ends(point: Point) -> tuple[float, float]:
    """The interval, or the value itself where there is none."""
    return (point.low if math.isfinite(point.low) else point.value, point.high if math.isfinite(point.high) else point.value)


def _x(value: float, reach: float) -> str:
    share = max(-1.0, min(1.0, value / reach))
    return f"{_LEFT + (share + 1) / 2 * (_WIDTH - _LEFT - _RIGHT):.1f}"


def _row(number: int, point: Point, reach: float) -> list[Markup]:
    y = number * _ROW + _ROW / 2
    name = point.name if len(point.name) <= _LONGEST else f"{point.name[: _LONGEST - 1]}…"
    label = _text(f"{_LEFT - 12}", y + 4, name, "end")
    if not math.isfinite(point.value):
        return [label, _text(f"{_WIDTH - 4}", y + 4, "no trade", "end")]
    low, high = _ends(point)
    colour = "var(--win)" if point.value >= 0 else "var(--loss)"
    line = tag("line", x1=_x(low, reach), x2=_x(high, reach), y1=f"{y:.1f}", y2=f"{y:.1f}", style=f"stroke:{colour};stroke-width:2")
    dot = tag("circle", cx=_x(point.value, reach), cy=f"{y:.1f}", r="4", style=f"fill:{colour}")
    words = f"{point.name}: {100 * point.value:+.4f} %, {100 * low:+.4f} to {100 * high:+.4f} %"
    return [label, tag("g", tag("title", words), line, dot), _text(f"{_WIDTH - 4}", y + 4, f"{100 * point.value:+.4f} %", "end")]


def _text(x: str, y: float, words: str, anchor: str) -> Markup:
    return tag("text", words, x=x, y=f"{y:.1f}", text_anchor=anchor, style="fill:var(--soft)")
