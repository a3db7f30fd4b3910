"""The report card of a variant as one self-contained HTML page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from coinswarm.report import page, svg, tables, wording
from coinswarm.report.markup import Markup, empty, join, note, tag

_SHARES = ("return", "drawdown", "share", "participation", "probability", "expectancy", "concentration", "win_rate", "exposure")
_SHORT = 24
_HEADLINE = (
    ("validation.sharpe", "Sharpe, unseen bars"), ("odds.beyond_luck", "Beyond luck"),
    ("overfitting.pbo_trials", "Overfitting, all trials (PBO)"),
    ("superiority.spa_beta", "SPA against holding, p"), ("plateau.score", "Plateau"), ("stress.costs_x2_sharpe", "Sharpe, costs doubled"),
    ("crash.drawdown_one_bar", "Flash crash, drawdown"), ("lint.n_findings", "Lint findings"),
)  # fmt: skip


class ShownTable(Protocol):
    """A table as a card has it; see `coinswarm.validate.card.Table`."""

    @property
    def title(self) -> str:
        """Heading."""

    @property
    def head(self) -> tuple[str, ...]:
        """Titles of the columns."""

    @property
    def rows(self) -> tuple[tuple[Any, ...], ...]:
        """Cells."""

    @property
    def units(self) -> tuple[str, ...]:
        """`percent` where cells are fractions."""


class ShownChart(Protocol):
    """A chart as a card has it; see `coinswarm.validate.card.Chart`."""

    @property
    def kind(self) -> str:
        """`lines`, `bars` or `histogram`."""

    @property
    def title(self) -> str:
        """Heading."""

    @property
    def series(self) -> Mapping[str, tuple[float, ...]]:
        """Values by name."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the places along x."""

    @property
    def unit(self) -> str:
        """Of y."""

    @property
    def mark(self) -> float | None:
        """A value to be seen apart."""


class ShownSection(Protocol):
    """A section as a card has it; see `coinswarm.validate.card.Section`."""

    @property
    def name(self) -> str:
        """As gates know it."""

    @property
    def title(self) -> str:
        """Heading."""

    @property
    def figures(self) -> Mapping[str, float]:
        """Numbers by name."""

    @property
    def tables(self) -> Sequence[ShownTable]:
        """For a person."""

    @property
    def charts(self) -> Sequence[ShownChart]:
        """For a person."""

    @property
    def notes(self) -> tuple[str, ...]:
        """For a person."""

    @property
    def withheld(self) -> Mapping[str, str]:
        """Figures that are not printed, with the reason."""

    @property
    def refused(self) -> str | None:
        """Why there are no figures."""


class ShownCard(Protocol):
    """What a page needs of a `coinswarm.validate.card.ReportCard`; see there."""

    @property
    def play(self) -> str:
        """Name of the play."""

    @property
    def variant(self) -> str:
        """Identity."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the variant sets."""

    @property
    def markets(self) -> tuple[str, ...]:
        """Data sets it was bred on."""

    @property
    def data(self) -> Mapping[str, str]:
        """Content hashes."""

    @property
    def spans(self) -> Mapping[str, tuple[int, int]]:
        """Train and validation."""

    @property
    def campaign(self) -> str:
        """Whose trials were counted."""

    @property
    def job(self) -> str:
        """That bred it."""

    @property
    def evaluation(self) -> str:
        """Its id."""

    @property
    def seed(self) -> int:
        """Of what was drawn."""

    @property
    def synthetic(self) -> bool:
        """The prices were made."""

    @property
    def code_version(self) -> str:
        """Of the code."""

    @property
    def sections(self) -> Mapping[str, ShownSection]:
        """By name."""

    def figure(self, name: str) -> float:
        """By dotted name."""


def render(card: ShownCard, *, meanings: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """The page as text; equal arguments give equal pages."""
    title = f"{card.play}: report card"
    known = meanings or {}
    sections = [_section(section, known.get(name, {})) for name, section in card.sections.items()]
    main = tag("main", _banner(card), _header(card), _headline(card), _index(card), *sections, _origin(card))
    return f"<!doctype html>\n{tag('html', page.head(title, 'card.css'), tag('body', main), lang='en')}\n"


def _banner(card: ShownCard) -> Markup | None:
    return tag("p", tag("strong", "SYNTHETIC"), " These prices were made, not traded.", class_="synthetic") if card.synthetic else None


def _header(card: ShownCard) -> Markup:
    spans = [f"{name} {_day(start)} to {_day(end - 1)}" for name, (start, end) in card.spans.items()]
    facts = [*card.markets, *spans, f"evaluation {card.evaluation}" if card.evaluation else f"variant {card.variant[:12]}"]
    return tag("header", tag("p", "coinswarm report card", class_="eyebrow"), tag("h1", card.play),
               tag("ul", *(tag("li", fact) for fact in facts), class_="facts"))  # fmt: skip


def _headline(card: ShownCard) -> Markup:
    cells = [_card(card, name, title) for name, title in _HEADLINE if name.partition(".")[0] in card.sections]
    words = note("What to look at first. Whether it is enough is for the gates to say: ", tag("code", "coinswarm gates check"), ".")
    return tag("section", tag("h2", "At a glance"), words, tag("div", *cells, class_="cards"), id="glance")


def _card(card: ShownCard, name: str, title: str) -> Markup:
    part, _, rest = name.partition(".")
    section = card.sections[part]
    why = section.refused or section.withheld.get(rest) or ("" if rest in section.figures else "a card of before this figure was asked for")
    shown = wording.MISSING if why else _figure(rest, card.figure(name))
    return tag("div", tag("span", title), tag("b", shown), tag("small", name), class_="card", title=why or name, tabindex="0")


def _index(card: ShownCard) -> Markup:
    links = [tag("li", tag("a", section.title, href=f"#{name}")) for name, section in card.sections.items()]
    return tag("nav", tag("ul", *links, class_="index"), aria_label="Sections")


def _section(section: ShownSection, meanings: Mapping[str, str]) -> Markup:
    if section.refused is not None:
        body = tag("p", tag("strong", "Refused. "), section.refused, class_="refused")
        return tag("section", tag("h2", section.title), body, id=section.name, class_="judged")
    pictures = [tag("figure", tag("figcaption", chart.title), _picture(chart)) for chart in section.charts]
    return tag(
        "section", tag("h2", section.title), *(_withheld(section)), tag("div", *pictures, class_="pictures") if pictures else None,
        *(_table(table) for table in section.tables), _figures(section, meanings), *(note(words) for words in section.notes),
        id=section.name, class_="judged",
    )  # fmt: skip


def _withheld(section: ShownSection) -> list[Markup]:
    reasons: dict[str, list[str]] = {}
    for name, why in section.withheld.items():
        reasons.setdefault(why, []).append(name)
    return [tag("p", tag("strong", "Withheld: "), ", ".join(named), ". ", why, class_="refused") for why, named in reasons.items()]


def _picture(chart: ShownChart) -> Markup:
    first = next(iter(chart.series.values()), ())
    if chart.kind == "histogram":
        return svg.spread(np.array(first, dtype=np.float64), unit=chart.unit, mark=chart.mark, title=chart.title)
    if chart.kind == "bars":
        return svg.columns(
            first, labels=chart.labels or [str(place + 1) for place in range(len(first))], unit=chart.unit, title=chart.title
        )
    return svg.lines(chart.series, labels=chart.labels, unit=chart.unit, mark=chart.mark, title=chart.title)


def _table(table: ShownTable) -> Markup:
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


def _figures(section: ShownSection, meanings: Mapping[str, str]) -> Markup:
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


def _origin(card: ShownCard) -> Markup:
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
