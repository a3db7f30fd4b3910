"""`coinswarm play export`: a stored evaluation as a play of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster import bootstrap
from cluster.cli import client, console

if TYPE_CHECKING:
    from cluster.machine import MachineSettings


def command(
    evaluation: Annotated[str, typer.Argument(metavar="EVALUATION", help="Its id, or the beginning of it.")],
    out: Annotated[Path | None, typer.Option(help="The play file to write; else it is printed.")] = None,
    server: client.Server = None,
    as_json: console.AsJson = False,
) -> None:
    """Write an evaluation as a play in which nothing varies: its rules, costs and account as they were scored.

    It says where it comes from and how many variants were tried to find it. It is not vetted: `coinswarm play vet` is.
    """
    settings = console.settings()
    remote = client.wanted(settings, server)
    text = remote.text(f"/api/v1/evaluations/{evaluation}/play") if remote else _text(settings, evaluation)
    if out is not None:
        from coinswarm.report import files

        files.write_whole(out, text.encode())
    if as_json:
        console.emit_json({"play": text, "vetted": False, "file": None if out is None else str(out)})
    elif out is None:
        console.text(text.rstrip("\n"))
    else:
        console.text(f"wrote {console.path(out)}")
        console.text(f"next: `coinswarm backtest {out}`")
    console.note("this play is one of many that were tried, and no gate has passed it")


def _text(settings: MachineSettings, evaluation: str) -> str:
    bootstrap.prepare(settings)
    from cluster.queries import answers

    with bootstrap.open_plan_context(settings) as context:
        return answers.play_of(context, evaluation)
