"""What a job came to, once for all who show it: a terminal prints the parts, `--json` the data; pages are drawn of either."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportTable:
    """Rows under headings; cells are as they are to be read, None is an empty one.

    Attributes:
        title: what the rows are.
        columns: headings.
        rows: a cell for each heading.
        below: on a terminal the last cell of a row stands under it, as it has no room beside the others.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Sequence[object], ...]
    below: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a job came to.

    Attributes:
        title: what it is a report of.
        parts: tables and sentences, in the order in which they are read.
        data: what `--json` prints.
        synthetic: some of the bars were made, not traded.
        page: draws an HTML page of its own; None: one is made of the parts.
        file_name: what that page is called as a file; "": by the job.
        next_steps: commands that are of use now, as sentences; they stand at the end on a terminal and nowhere else.
    """

    title: str
    parts: tuple[ReportTable | str, ...]
    data: Any
    synthetic: bool = False
    page: Callable[[], str] | None = None
    file_name: str = ""
    next_steps: tuple[str, ...] = ()


def html(report: Report, job: str) -> str:
    """A report as one HTML page: that of its kind, or its tables and sentences."""
    from coinswarm.report import listing

    if report.page is not None:
        return report.page()
    parts = [part if isinstance(part, str) else (part.title, part.columns, part.rows) for part in report.parts]
    return listing.render(report.title, parts, job=job, synthetic=report.synthetic)
