"""The report card of a variant as one self-contained HTML page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coinswarm.report import page, svg, tables, wording
from coinswarm.report.markup import Markup, empty, join, note, tag
from coinswarm.validate import names, verdict_text
from coinswarm.validate.card import Chart, ReportCard, Section, Table
from coinswarm.validate.gates import RuleResult, Verdict

_SHORT = 24


def render(card: ReportCard, verdict: Verdict, *, meanings: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """The page as text, the verdict first; equal arguments give equal pages.

    Args:
        card: the report card.
        verdict: what the gates say of it.
        meanings: what each figure says, by section and name; `coinswarm.validate.names.FIGURES`.
    """
    title = f"{card.play}: report card"
    known = meanings or {}
    sections = [_section(section, known.get(name, {}), _asked(verdict, name)) for name, section in card.sections.items()]
    main = tag("main", _banner(card), _header(card), _verdict(verdict), _headline(verdict), _index(card), *sections, _origin(card))
    return f"<!doctype html>\n{tag('html', page.head(title, 'card.css'), tag('body', main), lang='en')}\n"


def _asked(verdict: Verdict, section: str) -> list[RuleResult]:
    """The results of the rules that ask for a figure of a section."""
    return [result for result in verdict.results if result.rule.figure.partition(".")[0] == section]


def _banner(card: ReportCard) -> Markup | None:
    return tag("p", tag("strong", "SYNTHETIC"), " These prices were made, not traded.", class_="synthetic") if card.synthetic else None


def _header(card: ReportCard) -> Markup:
    spans = [f"{name} {_day(start)} to {_day(end - 1)}" for name, (start, end) in card.spans.items()]
    facts = [*card.markets, *spans, f"evaluation {card.evaluation}" if card.evaluation else f"variant {card.variant[:12]}"]
    return tag("header", tag("p", "coinswarm report card", class_="eyebrow"), tag("h1", card.play),
               tag("ul", *(tag("li", fact) for fact in facts), class_="facts"))  # fmt: skip


def _verdict(verdict: Verdict) -> Markup:
    """Whether it passed and, for each rule that failed, why and what would help."""
    look = "passed" if verdict.passed else "failed"
    rows = [
        [
            tag("th", result.rule.name, scope="row"),
            tag("td", result.why, class_="meaning"),
            tag("td", *_coded(result.help), class_="meaning"),
        ]
        for result in verdict.failed
    ]
    reached = note(f"Gates {verdict.gates}, {verdict.gates_hash[:12]}. Commands begin with ", tag("code", "coinswarm"), ".")
    head = ["Rule that failed", *(tag("th", title, scope="col", class_="meaning") for title in ("Why it is asked", "What would help"))]
    table = tables.table(head, rows) if rows else None
    return tag("section", tag("h2", verdict.headline), table, reached, id="verdict", class_=f"judged verdict {look}")


def _coded(text: str) -> list[object]:
    """A text whose words between backticks are commands."""
    return [tag("code", part) if place % 2 else part for place, part in enumerate(text.split("`"))]


def _headline(verdict: Verdict) -> Markup:
    cells = [_card(result) for result in verdict.ordered]
    return tag("section", tag("h2", "Rule by rule"), tag("div", *cells, class_="cards"), id="glance")


def _card(result: RuleResult) -> Markup:
    """A rule with its value and threshold, good or bad."""
    rule = result.rule
    words = f"{'passed' if result.passed else 'failed'}: needs {verdict_text.threshold(rule)}"
    asked = tag("small", f"{names.label(rule.figure)} ({rule.figure})")
    return tag("div", tag("span", rule.name), tag("b", verdict_text.value(result).replace("-", wording.MINUS)), tag("small", words), asked,
               class_=f"card {'good' if result.passed else 'bad'}", title=rule.reason, tabindex="0")  # fmt: skip


def _index(card: ReportCard) -> Markup:
    links = [tag("li", tag("a", section.title, href=f"#{name}")) for name, section in card.sections.items()]
    return tag("nav", tag("ul", *links, class_="index"), aria_label="Sections")


def _section(section: Section, meanings: Mapping[str, str], asked: Sequence[RuleResult]) -> Markup:
    """A section, open where a rule that asks for one of its figures failed."""
    failed = sum(not result.passed for result in asked)
    body = _body(section, meanings) if section.refused is None else _refused(section.refused)
    standing = "refused" if section.refused is not None else f"{failed} of {len(asked)} failed" if failed else "passed" if asked else ""
    badge = tag("span", standing, class_=f"badge {'bad' if failed else 'good' if standing == 'passed' else ''}") if standing else None
    return tag("section", tag("details", tag("summary", tag("h2", section.title), badge), body, open=bool(failed)),
               id=section.name, class_="judged")  # fmt: skip


def _refused(why: str) -> Markup:
    return tag("p", tag("strong", "Refused. "), why, class_="refused")


def _body(section: Section, meanings: Mapping[str, str]) -> Markup:
    pictures = [tag("figure", tag("figcaption", chart.title), _picture(chart)) for chart in section.charts]
    parts = [*pictures, *(tag("div", _table(table)) for table in section.tables)]
    return join(
        *_withheld(section), tag("div", *parts, class_="parts") if parts else None, _figures(section, meanings),
        *(note(words) for words in section.notes),
    )  # fmt: skip


def _withheld(section: Section) -> list[Markup]:
    reasons: dict[str, list[str]] = {}
    for name, why in section.withheld.items():
        reasons.setdefault(why, []).append(name)
    return [tag("p", tag("strong", "Withheld: "), ", ".join(named), ". ", why, class_="refused") for why, named in reasons.items()]


def _picture(chart: Chart) -> Markup:
    first = next(iter(chart.series.values()), ())
    if chart.kind == "histogram":
        axes = (chart.title.partition(" of ")[0], f"number of {next(iter(chart.series), 'values')}")
        return svg.spread(np.array(first, dtype=np.float64), unit=chart.unit, mark=chart.mark, title=chart.title, axes=axes)
    if chart.kind == "bars":
        return svg.columns(
            first, labels=chart.labels or [str(place + 1) for place in range(len(first))], unit=chart.unit, title=chart.title
        )
    return svg.lines(chart.series, labels=chart.labels, unit=chart.unit, mark=chart.mark, title=chart.title)


def _table(table: Table) -> Markup:
    if not table.rows:
        return join(tag("h3", table.title), empty("None."))
    units = [*table.units, *[""] * (len(table.head) - len(table.units))]
    rows = [[_cell(cell, unit, first=place == 0) for place, (cell, unit) in enumerate(zip(row, units, strict=True))] for row in table.rows]
    head = [tag("th", title, scope="col", class_=_look(cell)) for title, cell in zip(table.head, table.rows[0], strict=True)]
    return join(tag("h3", table.title), tables.table(head, rows))


def _cell(cell: Any, unit: str, *, first: bool) -> Markup:
    if first:
        return tag("th", _plain(cell, unit), scope="row")
    return tag("td", _plain(cell, unit), class_=_look(cell))


def _look(cell: Any) -> str | None:
    """Words stand to the left, and whole sentences may be broken."""
    if not isinstance(cell, str):
        return None
    return "word" if len(cell) <= _SHORT else "meaning"


def _plain(cell: Any, unit: str) -> str:
    if cell is None:
        return wording.MISSING
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str):
        return cell
    if unit == "percent":
        return wording.percent(float(cell))
    return f"{cell:,}" if isinstance(cell, int) else _number(float(cell))


def _figures(section: Section, meanings: Mapping[str, str]) -> Markup:
    rows = [
        [tag("th", name, scope="row"), _figure(name, value), tag("td", meanings.get(name, ""), class_="meaning")]
        for name, value in section.figures.items()
    ]
    return tag(
        "details", tag("summary", f"All {len(rows)} figures, as gates name them"), tables.table(["Figure", "Value", "What it says"], rows)
    )


def _figure(name: str, value: float) -> str:
    if names.is_fraction(name):
        return wording.percent(value)
    return _number(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return wording.number(value)
    if value == round(value) and abs(value) < 1e12:
        return wording.count(value)
    return (f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}").replace("-", wording.MINUS)


def _origin(card: ReportCard) -> Markup:
    record = {"Campaign": card.campaign or None, "Job": card.job or None, "Evaluation": card.evaluation or None, "Variant": card.variant,
              "Seed": card.seed, "Code version": card.code_version or None}  # fmt: skip
    command = f"coinswarm validate {card.evaluation} --seed {card.seed}" if card.evaluation else None
    beside = (
        tag("section", tag("h2", "Parameters"), tables.pairs(card.parameters), id="parameters"),
        tag("section", tag("h2", "Where the data comes from"), tables.pairs(card.data), id="data"),
    )
    return join(
        tag("div", *beside, class_="beside"),
        tag(
            "section",
            tag("h2", "How to reproduce"),
            tag("pre", tag("code", command)) if command else None,
            tables.pairs(record),
            id="reproduce",
        ),
    )


def _day(ts: int) -> str:
    return str(np.datetime64(ts, "ms").astype("datetime64[D]"))
