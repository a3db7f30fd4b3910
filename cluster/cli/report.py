"""`coinswarm report`: an evaluation as one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster import bootstrap
from cluster.cli import client, console

if TYPE_CHECKING:
    from cluster.machine import MachineSettings
    from coinswarm.ledger.store import Store


def command(
    evaluation: Annotated[str, typer.Argument(help="An evaluation's id or the beginning of it.")],
    out: Annotated[Path | None, typer.Option("--out", help="The file; else `reports/EVALUATION.html` in the home folder.")] = None,
    server: client.Server = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Write an evaluation as one HTML file."""
    settings = console.settings()
    remote = client.wanted(settings, server)
    if remote is not None:
        path = _fetched(settings, remote, evaluation, out)
    else:
        with bootstrap.open_store(settings) as store:
            path = write(settings, store, evaluation, out)
    if as_json:
        console.emit_json({"evaluation": evaluation, "path": str(path)})
    else:
        console.text(str(path))


def write(settings: MachineSettings, store: Store, evaluation: str, out: Path | None = None) -> Path:
    """Write the report of an evaluation; the answer is where."""
    bootstrap.prepare(settings)
    from cluster.queries import replay
    from coinswarm import errors, report

    found = replay.visit(store, evaluation, settings.bars_file)
    if not replay.is_scored(found.record):
        raise errors.NotFound(
            f"evaluation {found.record.id} has nothing to report", hint=f"it is {found.record.status}: {found.record.reason}"
        )
    trials = store.count_trials(found.job.campaign).trials
    path = out or settings.reports_folder / f"{found.record.id}.html"
    return report.write_many(list(replay.markets(found)), path.expanduser().absolute(), context=replay.context(found, trials))


def _fetched(settings: MachineSettings, remote: client.Client, evaluation: str, out: Path | None) -> Path:
    from coinswarm.report import files

    name = remote.get(f"/api/v1/evaluations/{evaluation}")["id"]
    path = out or settings.reports_folder / f"{name}.html"
    return files.write_whole(path.expanduser().absolute(), remote.text(f"/api/v1/evaluations/{name}/report").encode())
