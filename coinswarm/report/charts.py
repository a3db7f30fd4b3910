"""The charts of one market: what `assets/timeline.js` draws, and the returns of its trades as columns."""

from __future__ import annotations

import numpy as np

from coinswarm.printable import HIDDEN
from coinswarm.report import series, wording
from coinswarm.report.context import Segment
from coinswarm.report.markup import Markup, data, empty, join, note, tag
from coinswarm.report.series import Curves
from coinswarm.report.trades import TradeTable
from coinswarm.types import FloatArray

CANDLE_BUDGET = 48_000
"""Buckets shared by all markets of a report: with seven columns of 4 bytes and a time this keeps the candles below 2.5 MB."""
_DRAWN = ("entry_price", "exit_price", "pnl", "return", "bars_held")
TRADE_BUDGET = 40_000
"""Trades drawn, shared by all markets: about 40 bytes each."""


def time_charts(key: str, curves: Curves, trades: TradeTable, segments: tuple[Segment, ...], *, quote: str, markets: int) -> Markup:
    """Price with trades, equity and drawdown on one time axis that can be zoomed."""
    packed = series.packed(curves, max(1000, CANDLE_BUDGET // markets))
    thinned = packed["thinned"]
    block = {
        **packed,
        "quote": quote,
        "start": curves.starting_equity,
        "trades": _packed_trades(trades, TRADE_BUDGET // markets),
        "segments": [
            {"name": HIDDEN.sub("\ufffd", part.name), "from": part.start_ts / 1000, "to": part.end_ts / 1000, "held": part.held_out}
            for part in segments
        ],
    }
    drawn = f"Each drawn bar stands for {thinned} bars of {curves.bars.timeframe}, extremes kept. " if thinned != 1 else ""
    return join(
        tag("div", class_="timeline", data_source=key),
        note(drawn, "Drag to zoom, double-click for everything; arrow keys, plus and minus work too. Times are UTC."),
        data(block, id=key),
    )


def _packed_trades(trades: TradeTable, limit: int) -> dict[str, object]:
    cut = slice(0, limit)
    reasons = sorted(set(trades.reason))
    index = {word: float(place) for place, word in enumerate(reasons)}
    columns: dict[str, FloatArray] = {name: trades.number[name][cut] for name in _DRAWN}
    columns["side"] = trades.side[cut].astype(np.float64)
    columns["reason"] = np.array([index[word] for word in trades.reason[cut]], dtype=np.float64)
    packed: dict[str, object] = {name: series.floats(values) for name, values in columns.items()}
    return {**packed, "entry": series.seconds(trades.entry_ms[cut]), "exit": series.seconds(trades.exit_ms[cut]), "reasons": reasons}


def histogram(returns: FloatArray, *, bins: int = 41) -> Markup:
    """How the returns of closed trades are spread, in bars of equal width with 0 on an edge.

    Args:
        returns: (n_trades,) as fractions; those that are not finite are left out. The outermost bars take the rest beyond the 1 % tails.
        bins: most bars.
    """
    known = returns[np.isfinite(returns)]
    if known.size == 0:
        return empty("No trade was closed.")
    edges = _edges(known, bins)
    counts = np.histogram(np.clip(known, edges[0], edges[-1]), edges)[0]
    top = int(counts.max())
    bars = [_column(int(n), top, low, high) for n, low, high in zip(counts, edges[:-1], edges[1:], strict=True)]
    return join(
        tag("p", f"number of trades (highest bar: {top:,})", class_="axis"),
        tag("div", *bars, class_="histogram", role="img", aria_label=f"Distribution of {known.size} trade returns"),
        tag(
            "div",
            *(tag("span", words) for words in (_signed(edges[0]), "return of a trade on its notional", _signed(edges[-1]))),
            class_="axis",
        ),
        note(_spread(known, top)),
    )


def _spread(known: FloatArray, top: int) -> str:
    named = {"Median": np.median(known), "mean": known.mean(), "best": known.max(), "worst": known.min()}
    shown = ", ".join(f"{name} {wording.percent(float(value), signed=True, digits=3)}" for name, value in named.items())
    return f"{shown}. The tallest bar holds {top:,} trades; the outermost bars also hold what lies beyond."


def _edges(known: FloatArray, bins: int) -> FloatArray:
    low, high = np.quantile(known, [0.01, 0.99])
    low, high = min(low, 0.0), max(high, 0.0)
    width = max((high - low) / bins, 1e-6)
    return np.arange(np.floor(low / width), np.ceil(high / width) + 1) * width if high > low else np.array([-width, 0.0, width])


def _column(n: int, top: int, low: float, high: float) -> Markup:
    look = "win" if low + high > 0 else "loss"
    height = f"height:{max(100 * n / top, 1 if n else 0):.1f}%"
    return tag("div", tag("b", class_=look, style=height), title=f"{_signed(low)} to {_signed(high)}: {n:,} trades")


def _signed(fraction: float) -> str:
    return wording.percent(float(fraction), signed=True)
