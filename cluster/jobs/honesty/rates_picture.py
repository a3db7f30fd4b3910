"""The picture of the benchmark: share of null worlds in which something was promoted, one line a way of judging, and the nominal band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

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
        cells: counts of null worlds, as `driver.honesty.tally` gives them.
        names: words for ways of judging.
    """
    rows = [row for cell in cells for row in _rows(cell, names)]
    height = _TOP + _ROW * len(rows) + 30
    low, high = band(int(cells[0]["worlds"])) if cells else (0, 0)
    n = int(cells[0]["worlds"]) if cells else 1
    wide, tall = _x(high / n) - _x(low / n), _ROW * len(rows) + 4
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 90} {height}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="18" font-size="14" fill="#222">Null worlds in which something was promoted</text>',
        f'<rect x="{_x(low / n):.1f}" y="{_TOP - 6}" width="{wide:.1f}" height="{tall}" fill="#cfe8cf"/>',
        f'<text x="{_LEFT}" y="35" fill="#2c6e2c">green: {low} to {high} of {n}, what a rate of 5 % gives in 99 of 100 runs</text>',
        *(_tick(share, height) for share in (0.0, 0.25, 0.5, 0.75, 1.0)),
        *(_line(place, *row) for place, row in enumerate(rows)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _rows(cell: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, Mapping[str, Any], str]]:
    own = [("promoted", cell["promoted"])] if "promoted" in cell else []
    flags = [(name, rate) for name, rate in cell["flags"].items() if name != "significant and true"]
    return [
        (f"{cell['cell']}  {names.get(name, name)}", rate, "#1a5fb4" if name in ("promoted", "significant") else "#b3541e")
        for name, rate in (*own, *flags)
    ]


def _x(share: float) -> float:
    return _LEFT + _WIDTH * share


def _tick(share: float, height: int) -> str:
    x = _x(share)
    return (
        f'<line x1="{x}" y1="{_TOP - 6}" x2="{x}" y2="{height - 28}" stroke="#ddd"/>'
        f'<text x="{x}" y="{height - 12}" text-anchor="middle" fill="#555">{100 * share:.0f} %</text>'
    )


def _line(place: int, label: str, rate: Mapping[str, Any], colour: str) -> str:
    y = _TOP + _ROW * place + 8
    return (
        f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end" fill="#222">{escape(label)}</text>'
        f'<line x1="{_x(rate["low"]):.1f}" y1="{y}" x2="{_x(rate["high"]):.1f}" y2="{y}" stroke="{colour}" stroke-width="2"/>'
        f'<circle cx="{_x(rate["rate"]):.1f}" cy="{y}" r="4" fill="{colour}"/>'
        f'<text x="{_LEFT + _WIDTH + 10}" y="{y + 4}" fill="#222">{rate["count"]} of {rate["of"]}</text>'
    )
