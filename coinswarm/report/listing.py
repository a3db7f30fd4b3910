"""A page of tables and sentences: the report of whatever has no page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from coinswarm.report import page, tables
from coinswarm.report.markup import Markup, empty, tag

Rows: TypeAlias = tuple[str, Sequence[str], Sequence[Sequence[object]]]
"""A title, headings, and cells as they are to be read; None is an empty one."""


def render(heading: str, parts: Sequence[Rows | str], *, job: str, synthetic: bool = False) -> str:
    """The page as text; equal arguments give equal pages.

    Args:
        heading: what it is a report of.
        parts: tables and sentences, in the order in which they are read.
        job: id of the job that it is of.
        synthetic: whether some of the bars were made.
    """
    header = tag(
        "header", tag("p", "coinswarm report", class_="eyebrow"), tag("h1", heading), tag("ul", tag("li", f"job {job}"), class_="facts")
    )
    body = [_part(part) for part in parts] or [empty("There is nothing to show yet.")]
    main = tag("main", page.banner() if synthetic else None, header, *body)
    return f"<!doctype html>\n{tag('html', page.head(heading), tag('body', main), lang='en')}\n"


def _part(part: Rows | str) -> Markup:
    if isinstance(part, str):
        return tag("p", part)
    title, columns, rows = part
    shown = (["" if cell is None else cell for cell in row] for row in rows)
    return tag("section", tag("h2", title), tables.table(columns, shown))
