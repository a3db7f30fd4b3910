"""The picture of the benchmark: share of null worlds in which something was promoted, one line a way of judging, and the nominal band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from coinswarm.report.markup import Markup, join, tag

_LEFT, _WIDTH, _ROW, _TOP = 320, 560, 22, 46
_LEVEL, _CONFIDENCE = 0.05, 0.99


def band(n: int) -> tuple[int, int]:
    """Fewest and most of n worlds with a promotion that a true rate of 5 % gives in 99 of 100 runs."""
    from scipy import stats

    low, high = stats.binom.interval(_CONFIDENCE, n, _LEVEL)
    return int(low), int(high)


def draw(cells: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """The picture as SVG.

    Args:
        cells: counts of null worlds, as `tally` gives them.
        names: words for ways of judging.
    """
    rows = [row for cell in cells for row in _rows(cell, names)]
    height = _TOP + _ROW * len(rows) + 30
    low, high = band(int(cells[0]["worlds"])) if cells else (0, 0)
    n = int(cells[0]["worlds"]) if cells else 1
    wide, tall = _x(high / n) - _x(low / n), _ROW * len(rows) + 4
    return tag(
        "svg",
        tag("rect", width="100%", height="100%", fill="#ffffff"),
        _text(_LEFT, 18, "Null worlds in which something was promoted", font_size=14),
        tag("rect", x=f"{_x(low / n):.1f}", y=_TOP - 6, width=f"{wide:.1f}", height=tall, fill="#cfe8cf"),
        _text(_LEFT, 35, f"green: {low} to {high} of {n}, what a rate of 5 % gives in 99 of 100 runs", fill="#2c6e2c"),
        *(_tick(share, height) for share in (0.0, 0.25, 0.5, 0.75, 1.0)),
        *(_line(place, *row) for place, row in enumerate(rows)),
        xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {_LEFT + _WIDTH + 90} {height}", font_family="sans-serif", font_size=12,
    )  # fmt: skip


def _rows(cell: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, Mapping[str, Any], str]]:
    own = [("promoted", cell["promoted"])] if "promoted" in cell else []
    flags = [(name, rate) for name, rate in cell["flags"].items() if name != "significant and true"]
    return [
        (f"{cell['cell']}  {names.get(name, name)}", rate, "#1a5fb4" if name in ("promoted", "significant") else "#b3541e")
        for name, rate in (*own, *flags)
    ]


def _x(share: float) -> float:
    return _LEFT + _WIDTH * share


def _text(x: float, y: float, words: str, fill: str = "#222", **attributes: object) -> Markup:
    return tag("text", words, x=x, y=y, fill=fill, **attributes)


def _tick(share: float, height: int) -> Markup:
    x = _x(share)
    line = tag("line", x1=x, y1=_TOP - 6, x2=x, y2=height - 28, stroke="#ddd")
    return join(line, _text(x, height - 12, f"{100 * share:.0f} %", "#555", text_anchor="middle"))


def _line(place: int, label: str, rate: Mapping[str, Any], colour: str) -> Markup:
    y = _TOP + _ROW * place + 8
    return join(
        _text(_LEFT - 8, y + 4, label, text_anchor="end"),
        tag("line", x1=f"{_x(rate['low']):.1f}", y1=y, x2=f"{_x(rate['high']):.1f}", y2=y, stroke=colour, stroke_width=2),
        tag("circle", cx=f"{_x(rate['rate']):.1f}", cy=y, r=4, fill=colour),
        _text(_LEFT + _WIDTH + 10, y + 4, f"{rate['count']} of {rate['of']}"),
    )
