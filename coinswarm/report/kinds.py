"""A map of the different kinds of variants that a run found: how long they hold against how often they trade, and the best of each kind."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coinswarm.evolve.archive import Archive, Behaviour, Descriptor, coverage, positions
from coinswarm.report import files, wording
from coinswarm.report.markup import Markup, empty, join, note, tag
from coinswarm.types import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Map:
    """An archive looked at along its first two axes.

    Attributes:
        rows, columns: the axes: the second descriptor downwards, the largest first, and the first to the right.
        best: (n_rows, n_columns) best quality of all kinds there; NaN where none was found.
        kinds: (n_rows, n_columns) how many kinds were found there.
    """

    rows: Descriptor
    columns: Descriptor
    best: FloatArray
    kinds: IntArray


def survey(archive: Archive, behaviour: Behaviour) -> Map:
    """The map of an archive with two axes or more."""
    columns, rows = behaviour.descriptors[:2]
    best, kinds = np.full((rows.cells, columns.cells), -np.inf), np.zeros((rows.cells, columns.cells), dtype=np.int64)
    if len(archive):
        places = positions(archive, behaviour)
        at = (rows.cells - 1 - places[:, 1], places[:, 0])
        np.maximum.at(best, at, archive.quality)
        np.add.at(kinds, at, 1)
    return Map(rows=rows, columns=columns, best=np.where(kinds > 0, best, np.nan), kinds=kinds)


def edges(axis: Descriptor) -> list[tuple[float, float]]:
    """Lower and upper bound of each cell of an axis; the outermost also hold what lies beyond."""
    ends = np.geomspace(axis.low, axis.high, axis.cells + 1) if axis.log else np.linspace(axis.low, axis.high, axis.cells + 1)
    return [(float(low), float(high)) for low, high in itertools.pairwise(ends)]


def write(archive: Archive, behaviour: Behaviour, names: list[str], path: Path, *, title: str, synthetic: bool = False) -> Path:
    """Write an archive as one self-contained HTML page.

    Args:
        archive: what was found.
        behaviour: its axes.
        names: of the variants, in the archive's order, as they can be looked up.
        path: of the file.
        title: heading.
        synthetic: mark the page, because bars behind it were made.

    Raises:
        StorageFull, BadInput: the file cannot be written; nothing is left half-written.
    """
    return files.write_whole(path, render(archive, behaviour, names, title=title, synthetic=synthetic).encode("utf-8"))


def render(archive: Archive, behaviour: Behaviour, names: list[str], *, title: str, synthetic: bool = False) -> str:
    """The page as text; arguments as for `write`."""
    from coinswarm.report import page

    banner = tag("p", tag("strong", "SYNTHETIC"), " These prices were made, not traded.", class_="synthetic") if synthetic else None
    share = wording.percent(coverage(archive, behaviour))
    header = tag(
        "header", tag("p", "coinswarm archive", class_="eyebrow"), tag("h1", title),
        tag("ul", tag("li", f"{len(archive)} kinds"), tag("li", f"{share} of the grid"), class_="facts"),
    )  # fmt: skip
    body = tag("body", tag("main", banner, header, _map(survey(archive, behaviour)), _list(archive, behaviour, names)))
    return f"<!doctype html>\n{tag('html', page.head(title), body, lang='en')}\n"


def span(low: float, high: float) -> str:
    """A cell's bounds in short: `0.1-1.2`."""
    return f"{low:.3g}-{high:.3g}"


def _map(found: Map) -> Markup:
    top = np.nanmax(np.abs(found.best)) if np.isfinite(found.best).any() else 1.0
    head = tag("tr", tag("th", f"{found.rows.name} \\ {found.columns.name}"), *(tag("th", span(*edge)) for edge in edges(found.columns)))
    rows = [
        tag("tr", tag("th", span(*edge), scope="row"), *(_cell(*cell, top) for cell in zip(best, kinds, strict=True)))
        for edge, best, kinds in zip(reversed(edges(found.rows)), found.best.tolist(), found.kinds.tolist(), strict=True)
    ]
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="months")
    words = note("Best quality of each place, the first objective in sample; the number of kinds in brackets.")
    return tag("section", tag("h2", "Map"), words, tag("div", table, class_="scroll"))


def _cell(best: float, kinds: int, top: float) -> Markup:
    if not kinds:
        return tag("td")
    heat = min(1.0, abs(best) / top) if top else 0.0
    return tag("td", f"{wording.number(best)} ({kinds})", class_="win" if best > 0 else "loss", style=f"--heat:{heat:.2f}")


def _list(archive: Archive, behaviour: Behaviour, names: list[str]) -> Markup:
    if not len(archive):
        return tag("section", empty("Nothing feasible was found."))
    head = tag("tr", tag("th", "variant"), tag("th", "quality"), *(tag("th", axis.name) for axis in behaviour.descriptors))
    rows = [
        tag(
            "tr", tag("td", tag("code", names[k]), class_="word"), tag("td", wording.number(float(archive.quality[k]), digits=3)),
            *(tag("td", f"{value:.3g}") for value in archive.descriptors[k].tolist()),
        )
        for k in np.argsort(-archive.quality, kind="stable").tolist()
    ]  # fmt: skip
    table = tag("table", tag("thead", head), tag("tbody", join(*rows)))
    return tag("section", tag("h2", "The best of each kind"), tag("div", table, class_="scroll"))
