"""Reports of jobs on a terminal and as HTML files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.cli import client, console
from cluster.jobs.report import Report, ReportTable
from coinswarm import errors

if TYPE_CHECKING:
    from cluster.machine import MachineSettings
    from cluster.run.runner import Runner
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
            show_table(part, synthetic=synthetic)
        else:
            console.text(part)


def show_table(table: ReportTable, *, synthetic: bool) -> None:
    """Print a table."""
    console.table(table.title, table.columns, table.rows, synthetic=synthetic)


def of_job(settings: MachineSettings, runner: Runner, name: str, out: Path | None, *, kinds: Sequence[str]) -> Path:
    """Write the report of a job of one of these kinds as one HTML file; the answer is where.

    Raises:
        NotFound: there is no such job, or it has not ended. Refused: it is of another kind.
    """
    from cluster.jobs import registry

    job = runner.context.store.job(name)
    if registry.of(job).name not in kinds:
        raise errors.Refused(f"this report is of a job of kind {' or '.join(kinds)}", found=f"{job.id} of kind {job.kind}")
    if job.status != "done":
        raise errors.NotFound(f"job {job.id} has found nothing yet", hint=f"`coinswarm jobs resume {job.id}` goes on with it")
    return write(settings, runner.report(job), job, out)


def fetched(settings: MachineSettings, remote: client.Client, name: str, out: Path | None, *, as_json: bool) -> None:
    """Write the report of a job at a control plane as one HTML file, and say where."""
    from coinswarm.report import files

    job = remote.get(f"/api/v1/jobs/{name}")["id"]
    path = out or settings.reports_folder / f"{job}.html"
    written = files.write_whole(path.expanduser().absolute(), remote.text(f"/api/v1/jobs/{job}/report").encode())
    if as_json:
        console.emit_json({"job": job, "path": str(written)})
    else:
        console.text(str(written))


def write_if_wanted(settings: MachineSettings, runner: Runner, job: Job, out: Path | None, *, several: bool) -> Path | None:
    """Write the report of a job that is done, where its kind writes one or a file is named; the answer is where."""
    from cluster.jobs import registry

    if job.status != "done" or not (registry.of(job).options.writes_page or out):
        return None
    return write(settings, runner.report(job), job, out.with_stem(f"{out.stem}-{job.id}") if out and several else out)


def write(settings: MachineSettings, report: Report, job: Job, out: Path | None = None) -> Path:
    """Write a report as one HTML file; the answer is where."""
    from cluster.jobs.report import html
    from coinswarm.report import files

    path = out or settings.reports_folder / f"{report.file_name or job.id}.html"
    return files.write_whole(path.expanduser().absolute(), html(report, job.id).encode())
