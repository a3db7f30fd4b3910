"""An account that uses coinswarm: all it leaves and keeps running, until its standard input ends. Says where, as one line of JSON."""

from __future__ import annotations

import json
import logging
import sys

from cluster import bootstrap, logs, machine
from cluster.cli import app
from coinswarm.report import files


def run(*arguments: str) -> None:
    """A command, as on the command line."""
    try:
        app.main(arguments)
    except SystemExit as ended:
        if ended.code:
            raise


def work() -> None:
    """Bars, tokens, a report, a log, the database and a Ray cluster with a worker."""
    settings = machine.load()
    run("bars", "synthetic", "BTC/USDT", "--days", "5", "--timeframe", "1h", "--seed", "1")
    run("token", "create", "owner")
    run("db", "url")
    run("db", "url", "--owner")
    files.write_whole(settings.reports_folder / "report.html", b"a report")
    logs.begin("serve", settings.logs_folder, level="info")
    logging.getLogger("cluster").info("a line")
    with bootstrap.open_executor(settings, workers=1) as (_, session):
        assert session is not None
        said = {"home": str(settings.home), "dashboard": session.dashboard, "url": bootstrap.database_url(settings)}
        sys.stdout.write(f"{json.dumps(said)}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    try:
        work()
    finally:
        run("db", "stop", "--force")
