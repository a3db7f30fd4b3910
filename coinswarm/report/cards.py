"""The report card of a variant as one self-contained HTML page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from coinswarm.report import page, svg, tables, wording
from coinswarm.report.markup import Markup, empty, join, note, tag
from coinswarm.validate.card import Chart, ReportCard, Section, Table

_SHARES = ("return", "drawdown", "share", "participation", "probability", "expectancy", "concentration", "win_rate", "exposure")
_SHORT = 24
_HEADLINE = (
    ("validation.sharpe", "Sharpe, unseen bars"), ("odds.beyond_luck", "Beyond luck"),
    ("overfitting.pbo_trials", "Overfitting, all trials (PBO)"),
    ("superiority.spa_beta", "SPA against holding, p"), ("plateau.score", "Plateau"), ("stress.costs_x2_sharpe", "Sharpe, costs doubled"),
    ("crash.drawdown_one_bar", "Flash crash, drawdown"), ("lint.n_findings", "Lint findings"),
)  # fmt: skip


def render(card: ReportCard, *, meanings: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """The page as text; equal arguments give equal pages.

    Args:
        card: the report card.
        meanings: what each figure says, by section and name; `coinswarm.validate.names.FIGURES`.
    """
    title = f"{card.play}: report card"
    known = meanings or {}
    sections = [_section(section, known.get(name, {})) for name, section in card.sections.items()]
    main = tag("main", _banner(card), _header(card), _headline(card), _index(card), *sections, _origin(card))
    return f"<!doctype html>\n{tag('html', page.head(title, 'card.css'), tag('body', main), lang='en')}\n"


def _banner(card: ReportCard) -> Markup | None:
    return tag("p", tag("strong", "SYNTHETIC"), " These prices were made, not traded.", class_="synthetic") if card.synthetic else None


def _header(card: ReportCard) -> Markup:
    spans = [f"{name} {_day(start)} to {_day(end - 1)}" for name, (start, end) in card.spans.items()]
    facts = [*card.markets, *spans, f"evaluation {card.evaluation}" if card.evaluation else f"variant {card.variant[:12]}"]
    return tag("header", tag("p", "coinswarm report card", class_="eyebrow"), tag("h1", card.play),
               tag("ul", *(tag("li", fact) for fact in facts), class_="facts"))  # fmt: skip


def _headline(card: ReportCard) -> Markup:
    cells = [_card(card, name, title) for name, title in _HEADLINE if name.partition(".")[0] in card.sections]
    words = note("What to look at first. Whether it is enough is for the gates to say: ", tag("code", "coinswarm gates check"), ".")
    return tag("section", tag("h2", "At a glance"), words, tag("div", *cells, class_="cards"), id="glance")


def _card(card: ReportCard, name: str, title: str) -> Markup:
    part, _, rest = name.partition(".")
    section = card.sections[part]
    why = section.refused or section.withheld.get(rest) or ("" if rest in section.figures else "a card of before this figure was asked for")
    shown = wording.MISSING if why else _figure(rest, card.figure(name))
    return tag("div", tag("span", title), tag("b", shown), tag("small", name), class_="card", title=why or name, tabindex="0")


def _index(card: ReportCard) -> Markup:
    links = [tag("li", tag("a", section.title, href=f"#{name}")) for name, section in card.sections.items()]
    return tag("nav", tag("ul", *links, class_="index"), aria_label="Sections")


def _section(section: Section, meanings: Mapping[str, str]) -> Markup:
    if section.refused is not None:
        body = tag("p", tag("strong", "Refused. "), section.refused, class_="refused")
        return tag("section", tag("h2", section.title), body, id=section.name, class_="judged")
    pictures = [tag("figure", tag("figcaption", chart.title), _picture(chart)) for chart in section.charts]
    return tag(
        "section", tag("h2", section.title), *(_withheld(section)), tag("div", *pictures, class_="pictures") if pictures else None,
        *(_table(table) for table in section.tables), _figures(section, meanings), *(note(words) for words in section.notes),
        id=section.name, class_="judged",
    )  # fmt: skip


def _withheld(section: Section) -> list[Markup]:
    reasons: dict[str, list[str]] = {}
    for name, why in section.withheld.items():
        reasons.setdefault(why, []).append(name)
    return [tag("p", tag("strong", "Withheld: "), ", ".join(named), ". ", why, class_="refused") for why, named in reasons.items()]


def _picture(chart: Chart) -> Markup:
    first = next(iter(chart.series.values()), ())
    if chart.kind == "histogram":
        return svg.spread(np.array(first, dtype=np.float64), unit=chart.unit, mark=chart.mark, title=chart.title)
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
    if any(word in name for word in _SHARES):
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
    return join(
        tag("section", tag("h2", "Parameters"), tables.pairs(card.parameters), id="parameters"),
        tag("section", tag("h2", "Where the data comes from"), tables.pairs(card.data), id="data"),
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
