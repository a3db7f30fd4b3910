"""`coinswarm watch`: follow a job from any terminal or machine until it ends."""

from __future__ import annotations

from typing import Annotated

import typer

from cluster.cli import jobs
from cluster.cli.client import Server


def command(
    job: jobs.OfJob,
    interval: Annotated[float, typer.Option(help="Seconds between looks.", min=0.1, max=3600)] = 1.0,
    server: Server = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Follow a job until it ends; exit code 1 when it failed or was cancelled."""
    jobs.watch_job(job, interval, server=server, as_json=as_json)
