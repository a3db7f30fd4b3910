"""`coinswarm report`: an evaluation as one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster import bootstrap
from cluster.cli import client, console, reports, subjects

if TYPE_CHECKING:
    from cluster.machine import MachineSettings
    from coinswarm.ledger.store import Store


def command(
    evaluation: subjects.OfEvaluation,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write; else in `reports` of the home folder.")] = None,
    shown: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    server: client.Server = None,
    as_json: console.AsJson = False,
) -> None:
    """Write an evaluation, or the best of a search, as one HTML file."""
    settings = console.settings()
    remote = client.wanted(settings, server)
    if remote is not None:
        name, path = reports.fetched(settings, remote, f"/api/v1/evaluations/{subjects.there(remote, evaluation)}", out)
    else:
        with bootstrap.open_store(settings) as store:
            name = store.evaluation(subjects.here(store, evaluation)).id
            path = write(settings, store, name, out)
    console.answer({"evaluation": name, "path": str(path)}, str(path), as_json=as_json)
    if shown:
        _open(path)


def _open(path: Path) -> None:
    """Show a file in the browser of this user, where there is one."""
    import webbrowser

    if not webbrowser.open(path.as_uri()):
        console.note(f"no browser could be started; open {path.as_uri()} in one")


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
