"""The report card of one variant: named sections of figures that gates refer to, with tables, charts and notes for a person.

A section that could not be computed says why in `refused` and has no figures: a gate that asks for one of them fails, it never passes by
absence. A card is plain data: it goes to JSON and back without a change.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, ValidationError, with_config

from coinswarm import codec, errors
from coinswarm.validate import names

VERSION = 1
"""Of the JSON form; a card of another version is refused."""
DIGITS = 12
Cell = str | float | int | bool | None
_Number = BeforeValidator(lambda cell: float(cell) if cell in ("nan", "inf", "-inf") else cell)
"""A cell of text and numbers: there, and there only, the words of numbers that are not finite could be text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Rows under headings. Cells of a column that `units` calls `percent` are fractions."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Annotated[Cell, _Number], ...], ...]
    units: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """Something to look at.

    Attributes:
        kind: `lines` (y over x), `bars` (one y a label), `histogram` (spread of y).
        title: heading.
        series: name to values; NaN leaves a hole.
        labels: of the places along x; empty: their numbers.
        unit: of y, such as `percent` (fractions) or `` for plain numbers.
        mark: a value of y, or for a histogram of x, that is to be seen apart; None: none.
    """

    kind: str
    title: str
    series: Mapping[str, tuple[float, ...]]
    labels: tuple[str, ...] = ()
    unit: str = ""
    mark: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One part of a card. The order of the fields is that of stored cards, whose text gates hash.

    Attributes:
        name: as gates know it: the first word of `odds.dsr`.
        title: heading.
        figures: numbers by name; NaN: could not be computed for this variant, the note says why.
        notes, tables, charts: for a person.
        withheld: figures that are not printed although the section ran, each with the reason.
        refused: why there are no figures; None: there are.
    """

    name: str
    title: str
    figures: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    withheld: Mapping[str, str] = field(default_factory=dict)
    refused: str | None = None
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True, slots=True)
class ReportCard:
    """All sections of one variant, and what it was made of. The order of the fields is that of stored cards.

    Attributes:
        play: name of the play.
        variant: SHA-256 identity.
        parameters: what the variant sets, by path.
        markets: keys of the data sets of the search.
        data: content hash of each data set, by key.
        timeframe: of the bars.
        spans: milliseconds since 1970, `train` and `validation`: (start, end), end excluded.
        campaign, job, evaluation: where it comes from; empty where no search produced it.
        seed: of everything that is drawn.
        synthetic: the prices were made, not traded.
        code_version: of the code that computed it.
        sections: by name, in order of reading.
    """

    play: str
    variant: str
    parameters: Mapping[str, Cell] = field(default_factory=dict)
    markets: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    timeframe: str = ""
    spans: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    campaign: str = ""
    job: str = ""
    evaluation: str = ""
    seed: int = 0
    synthetic: bool = False
    code_version: str = ""
    sections: Mapping[str, Section] = field(default_factory=dict)

    def figure(self, name: str) -> float:
        """The figure of a dotted name such as `odds.dsr`; NaN where its section was refused, or withholds it.

        Raises:
            NotFound: a section that ran has no such figure, or there is no such section.
        """
        part, _, rest = name.partition(".")
        section = self.sections.get(part)
        if section is None:
            raise errors.not_found("section of a report card", part, self.sections)
        if section.refused is not None or rest in section.withheld:
            return math.nan
        if rest not in section.figures:
            raise errors.not_found(f"figure of section {part}", rest, section.figures)
        return section.figures[rest]

    def refusal(self, name: str) -> str:
        """Why a figure, or a whole section, is not there; empty when it is."""
        part, _, rest = name.partition(".")
        section = self.sections.get(part)
        if section is None:
            return "the card has no such section"
        return section.refused or section.withheld.get(rest, "")

    @property
    def figures(self) -> dict[str, float]:
        """Every figure of every section that ran, by dotted name."""
        return {f"{part}.{name}": value for part, section in self.sections.items() for name, value in section.figures.items()}

    def content_hash(self) -> str:
        """SHA-256 of all results: equal inputs give equal hashes, on any machine and at any time."""
        deciding = {name: value for name, value in to_json(self).items() if name != "code_version"}
        return codec.canonical_hash(deciding)


def assembled(sections: Iterable[Section], **facts: Any) -> ReportCard:
    """The card of sections that were computed apart, in the order in which a card is read; `facts` are its other fields."""
    by_name = {section.name: section for section in sections}
    return ReportCard(sections={name: by_name[name] for name in names.SECTIONS if name in by_name}, **facts)


def to_json(card: ReportCard) -> dict[str, Any]:
    """The card as JSON values; numbers that are not finite as the words `nan`, `inf` and `-inf`."""
    values = codec.encode(card)
    return {"version": VERSION, **values, "sections": list(values["sections"].values())}


def from_json(read: Mapping[str, Any]) -> ReportCard:
    """The card that `to_json` wrote; a `verdict` beside it is left out, for it follows from the card.

    Raises:
        BadInput: it is of another version, or no card.
    """
    if read.get("version") != VERSION:
        raise errors.BadInput(f"a report card must be of version {VERSION}", found=read.get("version"), hint="validate again")
    try:
        values = {name: value for name, value in read.items() if name not in ("version", "verdict")}
        return codec.decode(ReportCard, {**values, "sections": {part["name"]: part for part in values["sections"]}})
    except (KeyError, TypeError, ValidationError) as error:
        raise errors.BadInput("this is no report card", found=f"{type(error).__name__}: {error}") from error


def rounded(section: Section) -> Section:
    """The section with every number to 12 digits: a sum's last ones depend on how many threads a library adds with, and a card must not."""
    return codec.decode(Section, _rounded(codec.encode(section)))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {name: _rounded(inner) for name, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value
