"""The page of a search for patterns: what was tried, what survived, and what the usual tests would have made of the same trades."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coinswarm.ledger.patterns import PatternRecord
from coinswarm.report import intervals, page, tables, wording
from coinswarm.report.markup import Markup, empty, join, note, tag

_KINDS = (
    (
        "hold",
        "By holding time",
        "Without the pattern's own condition on the hold, so that it is seen whether the effect is one of that hold.",
    ),
    ("time", "Over time", "Ten equal stretches; the last ones are those it was confirmed on."),
    ("market", "By market", "Without the pattern's own condition on the market."),
    ("side", "By side", "Without the pattern's own condition on the side."),
)
FIGURES = (
    ("trades", "Trades", "count"), ("active_blocks", "Blocks of time with trades", "count"), ("support", "Share of all trades", "share"),
    ("effect", "Beyond random trades", "signed"), ("expectancy", "Net of costs", "signed"),
    ("net", "Net of costs", "signed"), ("win_rate", "Win rate", "share"),
    ("sharpe_trade", "Sharpe ratio of a trade", "number"), ("sharpe_annual", "Sharpe ratio a year", "number"),
    ("drawdown", "Largest fall, one position at a time", "share"), ("hold_bars", "Median hold, bars", "number"),
    ("capacity", "Capacity hint, quote currency", "count"),
)  # fmt: skip
"""Name, title and kind of each figure of a pattern; shares and results are shown in percent."""
_PROMOTED = {
    "welch bonferroni": "Welch's t on trades, Bonferroni",
    "welch bh": "Welch's t on trades, Benjamini-Hochberg",
    "binomial bonferroni": "Win rate, binomial, Bonferroni",
    "binomial bh": "Win rate, binomial, Benjamini-Hochberg",
}


def render(found: Mapping[str, Any], records: Sequence[PatternRecord], *, job: str, synthetic: bool = False) -> str:
    """The page as text; equal arguments give equal pages.

    Args:
        found: what a search tried, as it was stored with its job.
        records: what the library made of its findings.
        job: the search.
        synthetic: whether the bars were made.
    """
    ordered = sorted(records, key=lambda record: (-float(record.evidence.get("t", 0.0)), record.id))
    heading = f"Patterns of {job}"
    parts = [
        page.banner() if synthetic else None, _header(found, heading), _leaks(found), _verdict(found, ordered), _naive(found, ordered),
        _survivors(ordered, leaky=bool(found.get("leaks"))),
        *(_pattern(record) for record in ordered), _closest(found), _tried(found), _reproduce(job, ordered),
    ]  # fmt: skip
    return f"<!doctype html>\n{tag('html', page.head(heading), tag('body', tag('main', *parts)), lang='en')}\n"


def _header(found: Mapping[str, Any], heading: str) -> Markup:
    cut, blocks = found["segments"], found["blocks"]
    facts = [
        f"discovered on {_day(cut['start_ts'])} to {_day(cut['split_ts'])}",
        f"confirmed on {_day(cut['confirm_ts'])} to {_day(cut['end_ts'])}",
        f"{found['discovery_trades']:,} and {found['confirmation_trades']:,} random trades",
        f"{blocks['discovery']:,} and {blocks['confirmation']:,} independent blocks of time",
    ]  # fmt: skip
    lines = [
        tag("p", "coinswarm report", class_="eyebrow"),
        tag("h1", heading),
        tag("ul", *(tag("li", fact) for fact in facts), class_="facts"),
    ]
    return tag("header", *lines)


def _leaks(found: Mapping[str, Any]) -> Markup | None:
    leaks = found.get("leaks", ())
    if not leaks:
        return None
    rows: list[list[object]] = [
        [_named(f"{leak['feature']} of {leak['market']}"), f"{leak['hold']:,}", f"{leak['correlation']:+.2f}", f"{leak['z']:+.1f}"]
        for leak in leaks
    ]
    words = "These features predict the bars after a decision better than anything known then can. The data are wrong: nothing is kept."
    head = ["Feature", "Bars ahead", "Rank correlation", "Standard errors"]
    return _section("leaks", "Look-ahead", note(words), tables.table(head, rows))


def _verdict(found: Mapping[str, Any], records: Sequence[PatternRecord]) -> Markup:
    confirmed = sum(record.status == "confirmed" for record in records)
    tried = tag("div", tag("span", "Patterns tested"), tag("b", f"{found['tested']:,}"), class_="best tried")
    kept = tag("div", tag("span", "Confirmed on later bars"), tag("b", f"{confirmed:,}"), class_="best")
    words = (
        f"Of so many patterns the best reaches a statistic of {found['threshold']:.2f} by luck alone once in twenty searches;"
        f" the smallest family-wise p was {found['p_family']:.4f}. Believe what is confirmed, and nothing else on this page."
    )
    return tag("section", tried, kept, tag("p", words), class_="luck", id="verdict")


def _naive(found: Mapping[str, Any], records: Sequence[PatternRecord]) -> Markup:
    confirmed = sum(record.status == "confirmed" for record in records)
    rows: list[list[object]] = [[_named(title), f"{found['naive_promoted'].get(name, 0):,}"] for name, title in _PROMOTED.items()]
    rows += [
        [_named("Sign flips of blocks of time, family-wise"), f"{found['significant']:,}"],
        [_named("… and made money net of costs"), f"{found['profitable']:,}"],
        [_named("… and beat their generalisations, each adding something"), f"{len(records):,}"],
        [_named("… and confirmed on later bars, out of the library's alpha"), f"{confirmed:,}"],
    ]
    words = "Usual tests take overlapping trades for independent ones; on pure noise they promote something in up to nine of ten searches."
    return _section("honesty", "What usual tests would promote, and what survives", note(words), tables.table(["Test", "Patterns"], rows))


def _survivors(records: Sequence[PatternRecord], *, leaky: bool) -> Markup:
    if leaky:
        return _section("survivors", "What survived", empty("Nothing is kept of data in which something knows what comes next."))
    if not records:
        return _section(
            "survivors", "What survived", empty("Nothing. That is what a search on noise finds, and most searches on real bars.")
        )
    head = ["Pattern", "Status", "Trades", "Effect (%)", "Shrunk (%)", "Later (%)", "p family", "p later", "Level", "Naive p"]
    return _section("survivors", "What survived", tables.table(head, [_survivor(record) for record in records], class_="patterns"))


def _survivor(record: PatternRecord) -> list[object]:
    seen, later, known = record.figures.get("discovery") or {}, record.figures.get("confirmation") or {}, record.evidence
    naive = known.get("naive", {})
    return [
        _named(record.name), record.status, f"{seen.get('trades', 0):,}", percent(seen.get("effect")),
        percent(known.get("shrunk_effect")),
        percent(later.get("effect")), probability(known.get("p_family")), probability(record.p_confirm), probability(known.get("level")),
        probability(naive.get("welch bonferroni")),
    ]  # fmt: skip


def _pattern(record: PatternRecord) -> Markup:
    seen, later = record.figures.get("discovery") or {}, record.figures.get("confirmation") or {}
    rows = [[_named(title), cell(seen, name, kind), cell(later, name, kind)] for name, title, kind in FIGURES if name in {*seen, *later}]
    charts = [_chart(record, *kind) for kind in _KINDS]
    notes = [
        note(f"{entry.get('what', 'note')}: {entry.get('verdict', '')} {entry.get('reason', '')}")
        for entry in record.evidence.get("notes", [])
    ]
    figures = tables.table(["Figure", "Discovery", "Later"], rows)
    counted = note("Intervals are of 95 % and count blocks of time, not trades.")
    return _section(f"pattern-{record.id}", f"{record.name} · {record.status}", *notes, figures, counted, *charts)


def _chart(record: PatternRecord, kind: str, title: str, words: str) -> Markup | None:
    parts = [part for part in record.figures.get("slices", []) if part["kind"] == kind]
    if len([part for part in parts if part["trades"]]) < 2:
        return None
    points = [intervals.Point(name=part["name"], value=part["effect"], low=part["effect_low"], high=part["effect_high"]) for part in parts]
    return join(tag("h3", f"{title}: effect of a trade beyond random ones (%)"), intervals.chart(points, title=title), note(words))


def _closest(found: Mapping[str, Any]) -> Markup:
    head = ["Pattern", "Trades", "Blocks", "T", "p alone", "p family", "Net (%)", "Win rate"]
    rows = [
        [
            _named(one["pattern"]), f"{one['trades']:,}", f"{one['active_blocks']:,}", f"{one['t']:.2f}", probability(one["p_value"]),
            probability(one["p_family"]),
            percent(one["expectancy"]), wording.percent(one["win_rate"], digits=1),
        ]
        for one in found["best"]
    ]  # fmt: skip
    words = "The largest statistics of all that were tested. The best of many look good by luck: the family-wise p says how often."
    content = tables.table(head, rows, class_="patterns") if rows else empty("No pattern had trades enough to be tested.")
    return _section("closest", "The best of all that was tested", note(words), content)


def _tried(found: Mapping[str, Any]) -> Markup:
    by_depth = ", ".join(f"{number:,} of {depth}" for depth, number in found["tested_by_depth"].items())
    facts = {
        "Conjunctions counted": f"{found['counted']:,}", "Tested, by number of conditions": by_depth or "none",
        "Left out, as they do not vary": ", ".join(found["left_out"]) or "nothing", "Do not beat a generalisation": found["unproductive"],
        "Add nothing to better ones": found["redundant"], "Not looked at any more": found["unlooked"],
    }  # fmt: skip
    settings = {name.replace("_", " "): "all" if value in ([], None) else value for name, value in found["settings"].items()}
    return join(
        _section("tried", "What was tried", tables.pairs(facts)), _section("settings", "Settings", tables.pairs(settings))
    )  # fmt: skip


def _reproduce(job: str, records: Sequence[PatternRecord]) -> Markup:
    lines = [f"coinswarm jobs show {job}", *(f"coinswarm patterns show {record.id}" for record in records)]
    return _section("reproduce", "How to look further", tag("pre", tag("code", "\n".join(lines))))


def _section(name: str, title: str, *content: object) -> Markup:
    return tag("section", tag("h2", title), *content, id=name)


def _named(words: str) -> Markup:
    return tag("th", words, scope="row", style="white-space:normal;min-width:min(20em,40vw)")


def cell(figures: Mapping[str, Any], name: str, kind: str) -> str:
    """One figure of a pattern as it is read, with its interval where it has one.

    Args:
        figures: as `patterns.Figures`, by name.
        name: of a figure.
        kind: how it is shown; see `FIGURES`.
    """
    value = figures.get(name)
    if value is None or not math.isfinite(value):
        return wording.MISSING
    show = {"count": "{:,.0f}".format, "number": "{:,.4g}".format, "share": _share, "signed": percent}[kind]
    stem = name.removesuffix("_rate")
    low, high = figures.get(f"{stem}_low"), figures.get(f"{stem}_high")
    between = f" ({show(low)} to {show(high)})" if low is not None and high is not None and math.isfinite(low) else ""
    return f"{show(value)}{' %' if kind == 'signed' else ''}{between}"


def _share(value: float) -> str:
    return wording.percent(value, digits=1)


def percent(value: float | None) -> str:
    """A result of a trade, a fraction, in percent with its sign but without the word; missing is a dash."""
    return wording.MISSING if value is None or not math.isfinite(value) else f"{100 * value:+.4f}"


def probability(value: float | None) -> str:
    """A p-value to four digits; missing is a dash."""
    if value is None or not math.isfinite(value):
        return wording.MISSING
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def _day(ts: int) -> str:
    return str(np.datetime64(int(ts), "ms").astype("datetime64[D]"))
