"""Tables of a report: months, trades, exits, and names with values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from coinswarm.report import wording
from coinswarm.report.context import Segment
from coinswarm.report.markup import Markup, empty, join, note, tag
from coinswarm.report.monthly import Monthly
from coinswarm.report.trades import TradeTable

LISTED_TRADES = 2_000
_TRADE_HEAD = (
    "#", "Side", "Entry (UTC)", "Entry price ({quote})", "Exit (UTC)", "Exit price ({quote})", "Exit reason", "Bars", "Quantity",
    "P&L ({quote})", "Return (%)", "Fees ({quote})", "Slippage ({quote})", "Funding ({quote})", "Worst (%)", "Best (%)",
)  # fmt: skip
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def table(head: Sequence[object], rows: Iterable[Sequence[object]], *, class_: str = "", caption: str | None = None) -> Markup:
    """A table that scrolls sideways where the page is narrow; a cell that is a `td` or `th` already is taken as it is."""
    body = [tag("tr", *(_cell(cell) for cell in row)) for row in rows]
    top = tag("thead", tag("tr", *(_cell(title, "th", scope="col") for title in head)))
    named = tag("caption", caption) if caption else None
    return tag("div", tag("table", named, top, tag("tbody", *body), class_=class_), class_="scroll", tabindex="0")


def _cell(cell: object, element: str = "td", **attributes: object) -> Markup:
    return cell if isinstance(cell, Markup) and cell.startswith(("<td", "<th")) else tag(element, cell, **attributes)


def figures(columns: Sequence[tuple[str, Mapping[str, float], bool]], bar_minutes: float) -> Markup:
    """Every figure, one column for each segment; `columns` holds title, figures and whether the search never saw them."""
    head = ["Figure", *(title for title, _, _ in columns), tag("th", "What it says", scope="col", class_="meaning")]
    return table(head, (_figure(name, columns, bar_minutes) for name in wording.FIGURES), class_="figures")


def _figure(name: str, columns: Sequence[tuple[str, Mapping[str, float], bool]], bar_minutes: float) -> list[object]:
    words = wording.FIGURES[name]
    cells = [
        tag("td", wording.figure(name, metrics.get(name, math.nan), bar_minutes), class_="held" if held else None)
        for _, metrics, held in columns
    ]
    return [tag("th", tag("abbr", words.title, title=words.meaning), scope="row"), *cells, tag("td", words.meaning, class_="meaning")]


def segment_columns(segments: tuple[Segment, ...], whole: Mapping[str, float]) -> list[tuple[str, Mapping[str, float], bool]]:
    """The columns of `figures` for a market: its segments in order of time, then the whole span."""
    ordered = sorted(segments, key=lambda part: part.start_ts)
    return [*((part.name, part.metrics, part.held_out) for part in ordered), ("whole span", whole, False)]


def months(monthly: Monthly) -> Markup:
    """Returns by calendar month, shaded by size; the sign is written, so that nothing hangs on the colour."""
    largest = np.nanmax(np.abs(monthly.returns), initial=1e-9)
    rows = [
        [tag("th", str(year), scope="row"), *(_heat(value, largest) for value in row), _heat(total, math.inf)]
        for year, row, total in zip(monthly.years, monthly.returns, monthly.totals, strict=True)
    ]
    return table(["Year", *_MONTHS, "Year (%)"], rows, class_="months")


def _heat(value: float, largest: float) -> Markup:
    if math.isnan(value):
        return tag("td", "", class_="none")
    shown = wording.percent(value, signed=True, digits=1).removesuffix(" %")
    heat = f"--heat:{min(1.0, abs(value) / largest):.2f}"
    return tag("td", shown, class_="win" if value >= 0 else "loss", style=heat, title=wording.percent(value, signed=True))


def trades(found: TradeTable, *, quote: str) -> Markup:
    """The first trades, one a row; a click shows it on the chart."""
    if not len(found):
        return empty("No position was opened.")
    shown = min(len(found), LISTED_TRADES)
    cut = f"The first {shown:,} of {len(found):,} trades; the file has all of them. " if shown < len(found) else f"{shown:,} trades. "
    return join(
        note(
            cut, "Click a row to see the trade on the chart. Worst and best: the most the price moved against and in favour of the trade."
        ),
        table([title.format(quote=quote) for title in _TRADE_HEAD], (_trade(found, row) for row in range(shown)), class_="trades"),
    )


def _trade(found: TradeTable, row: int) -> list[object]:
    value = {name: float(column[row]) for name, column in found.number.items()}
    return [
        tag("td", tag("button", str(row + 1), type="button", data_trade=row)),
        tag("td", "▲ long" if found.side[row] > 0 else "▼ short", class_="word"),
        _time(int(found.entry_ms[row])),
        wording.price(value["entry_price"]),
        _time(int(found.exit_ms[row])),
        wording.price(value["exit_price"]),
        tag("td", found.reason[row] or "open", class_="word"),
        wording.count(value["bars_held"]),
        wording.price(value["qty"]),
        tag("td", wording.number(value["pnl"]), class_="win" if value["pnl"] > 0 else "loss"),
        _hundred(value["return"], signed=True),
        *(wording.number(value[name]) for name in ("fees", "slippage", "funding")),
        *(_hundred(value[name]) for name in ("mae", "mfe")),
    ]


def _hundred(value: float, *, signed: bool = False) -> str:
    return wording.percent(value, signed=signed).removesuffix(" %")


def _time(ms: int) -> str:
    return wording.MISSING if ms < 0 else str(np.datetime64(ms, "ms")).replace("T", " ")[:16]


def exits(found: TradeTable, *, quote: str) -> Markup:
    """What closed the trades, and what came of them."""
    if not len(found):
        return empty("No position was opened.")
    head = ["Exit reason", "Trades", "Share (%)", "Win rate (%)", f"P&L ({quote})", "Mean return (%)", "Mean bars"]
    return table(head, _exit_rows(found), class_="exits")


def _exit_rows(found: TradeTable) -> Iterable[Sequence[object]]:
    reasons = np.array([word or "open" for word in found.reason])
    for word, n in Counter(reasons.tolist()).most_common():
        rows = reasons == word
        pnl, returns, held = (found.number[name][rows] for name in ("pnl", "return", "bars_held"))
        yield [
            tag("th", word, scope="row"),
            f"{n:,}",
            _hundred(n / len(found)),
            _hundred(float((pnl > 0).mean())),
            wording.number(float(pnl.sum())),
            _hundred(float(returns.mean()), signed=True),
            wording.number(float(held.mean()), digits=1),
        ]


def pairs(values: Mapping[str, object]) -> Markup:
    """Names with values, in the order given."""
    if not values:
        return empty("None recorded.")
    rows = [[tag("th", name, scope="row"), tag("td", _plain(value), class_="value")] for name, value in values.items()]
    return tag("div", tag("table", tag("tbody", *(tag("tr", *row) for row in rows)), class_="pairs"), class_="scroll")


def _plain(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.12g}" if isinstance(value, float) else str(value)
