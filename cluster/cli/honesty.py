"""`coinswarm honesty`: run the pipelines on worlds where nothing is to be found, and on worlds where something is, and count."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cluster import bootstrap
from cluster.cli import console, job_commands, usage
from cluster.jobs import honesty
from coinswarm import errors

app = usage.App(help=honesty.SUMMARY, examples=honesty.EXAMPLES, invoke_without_command=True, no_args_is_help=False)
app.callback()(job_commands.command(honesty.NAME, group=True))


@app.command("page")
def write_page(
    out: Annotated[Path, typer.Option(help="Where to write the page; its picture is written beside it.")] = Path("docs/honesty.md"),
    as_json: console.AsJson = False,
) -> None:
    """Write a page of the newest finished run of each part."""
    from cluster.jobs.honesty import page

    with bootstrap.open_store(console.settings()) as store:
        jobs = store.jobs(kind=honesty.NAME, status="done", limit=10_000)
    if not jobs:
        raise errors.NotFound("no run of the benchmark has ended yet", hint="coinswarm honesty")
    written = page.write(jobs, out)
    if as_json:
        console.emit_json({"files": [str(path) for path in written]})
    else:
        for path in written:
            console.text(console.path(path))
