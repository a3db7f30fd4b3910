"""Reports of jobs on a terminal and as HTML files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.cli import client, console
from cluster.jobs import registry
from cluster.jobs.report import Report, ReportTable, html

if TYPE_CHECKING:
    from cluster.machine import MachineSettings
    from coinswarm.ledger.records import Job


def show(report: Report, path: Path | None = None) -> None:
    """Print a report; `path` is where it was written."""
    show_parts(report.parts, synthetic=report.synthetic)
    if path is not None:
        console.text(f"everything: {console.path(path)}")
    if report.next_steps:
        console.text("next:  " + "\n       ".join(report.next_steps))


def show_parts(parts: Sequence[ReportTable | str], *, synthetic: bool) -> None:
    """Print tables and sentences."""
    for part in parts:
        if isinstance(part, ReportTable):
            console.table(part.title, part.columns, _shortened(part), synthetic=synthetic, below=part.below)
        else:
            console.prose(part)


def _shortened(part: ReportTable) -> Sequence[Sequence[object]]:
    """The rows of a table with ids cut, where a column is called `id`."""
    place = part.columns.index("id") if "id" in part.columns else -1
    return [[console.short(str(cell)) if at == place else cell for at, cell in enumerate(row)] for row in part.rows]


def fetched(settings: MachineSettings, remote: client.Client, place: str, out: Path | None) -> tuple[str, Path]:
    """Write the report of what is at a place of a server as one HTML file; the answer is its id, and where."""
    found = remote.get(place)["id"]
    return found, write_page(settings, found, remote.text(f"{place.rpartition('/')[0]}/{found}/report"), out)


def write_if_wanted(settings: MachineSettings, report: Report, job: Job, out: Path | None, *, several: bool) -> Path | None:
    """Write the report of a job that is done, where its kind writes one or a file is named; the answer is where."""
    if job.status != "done" or not (registry.of(job).options.writes_page or out):
        return None
    return write(settings, report, job, out.with_stem(f"{out.stem}-{job.id}") if out and several else out)


def write(settings: MachineSettings, report: Report, job: Job, out: Path | None = None) -> Path:
    """Write a report as one HTML file; the answer is where."""
    return write_page(settings, report.file_name or job.id, html(report, job.id), out)


def write_page(settings: MachineSettings, name: str, page: str, out: Path | None) -> Path:
    """Write a page as a file, that of its name in `reports` of the home folder where none is named; the answer is where."""
    from coinswarm.report import files

    return files.write_whole((out or settings.reports_folder / f"{name}.html").expanduser().absolute(), page.encode())
