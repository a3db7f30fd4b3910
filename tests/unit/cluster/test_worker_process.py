"""A worker process and the service talk over pipes, on which nothing else may be taken for an answer, and no answer may be missing."""

from __future__ import annotations

import inspect
import io
import json
import queue as inboxes
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
import yaml

from cluster import bootstrap
from cluster.api import pool
from cluster.cli import serve
from cluster.machine import MachineSettings
from cluster.run import processes
from cluster.run.processes import ChildWorker
from cluster.run.service import JobEnding
from cluster.run.worker import Worker
from coinswarm import errors
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.records import Lease

CHATTY = """
import json, sys
for line in sys.stdin:
    for noise in (b"a library says hello\\n", b"\\xff\\xfe\\n", b"[]\\n", b'{"job": 1}\\n', b"\\n"):
        sys.stdout.buffer.write(noise)
    asked = json.loads(line)
    print(json.dumps({"job": asked["job"], "ending": "ended", "error": str(asked["lease_s"])}), flush=True)
"""
APART = """
import os, sys
from cluster.run.worker import own_output
answers = own_output()
print("a library says hello", flush=True)
os.write(1, b"and one in C\\n")
answers.write("an answer\\n")
answers.flush()
"""
LEASE = Lease(job="evolve-1", owner="service", expires=datetime(2030, 1, 1, tzinfo=UTC))


def test_what_else_a_worker_prints_is_no_ending_and_is_listened_past(tmp_path: Path) -> None:
    inbox: inboxes.Queue[JobEnding] = inboxes.Queue()
    worker = ChildWorker(3, inbox, [sys.executable, "-c", CHATTY], tmp_path / "log", {})
    endings = []
    for name in ("evolve-1", "evolve-2"):
        worker.start(replace(LEASE, job=name), 7.0, "")
        endings.append(inbox.get(timeout=60))
    worker.stop()
    assert endings == [JobEnding(worker=3, job=name, ending="ended", error="7.0") for name in ("evolve-1", "evolve-2")]
    assert inbox.get(timeout=60).ending == "died"


def test_what_a_library_prints_stays_off_the_pipe_of_answers() -> None:
    done = subprocess.run([sys.executable, "-c", APART], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert done.stdout == "an answer\n"
    assert done.stderr.splitlines() == ["a library says hello", "and one in C"]


class Answers(io.StringIO):
    """Takes one answer and says that it is there."""

    def __init__(self) -> None:
        super().__init__()
        self.there = threading.Event()

    def flush(self) -> None:
        self.there.set()


@pytest.mark.parametrize(
    ("raised", "ending"),
    [
        (None, "ended"), (errors.Cancelled("a user did"), "ended"), (errors.Unavailable("away"), "interrupted"),
        (errors.Conflict("held"), "interrupted"), (errors.StorageFull("full"), "refused"), (errors.Refused("changed"), "refused"),
        (ZeroDivisionError("by zero"), "interrupted"), (SystemExit(3), "interrupted"), (KeyboardInterrupt(), "interrupted"),
    ],
)  # fmt: skip
def test_every_job_that_was_taken_is_answered(raised: BaseException | None, ending: str) -> None:
    answers = Answers()

    def run(**_asked: object) -> None:
        if raised is not None:
            raise raised

    Worker(MemoryStore(), answers, run, lambda: None).take(json.dumps({"job": "evolve-1", "owner": "service", "lease_s": 5.0}))
    assert answers.there.wait(60)
    found = json.loads(answers.getvalue())
    assert (found["job"], found["ending"]) == ("evolve-1", ending)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a process that is to outlive its parent is not waited for
def test_a_job_left_to_the_background_has_the_workers_and_the_cluster_that_were_asked_for(tmp_path: Path) -> None:
    settings = MachineSettings(home=tmp_path / "home", ray_address="127.0.0.1:1", bars_path=tmp_path / "bars.duckdb")
    process = psutil.Process(bootstrap.detach(settings, "evolve-1", workers=3))
    while not (variables := process.environ()):  # they are not there for a moment after it began
        time.sleep(0.01)
    command = process.cmdline()
    process.kill()
    process.wait(60)
    assert command[-4:] == ["--job", "evolve-1", "--workers", "3"]
    assert (variables["COINSWARM_RAY_ADDRESS"], variables["COINSWARM_HOME"]) == ("127.0.0.1:1", str(tmp_path / "home"))


def test_workers_at_their_largest_fit_the_container_that_serves() -> None:
    services = yaml.safe_load((Path(__file__).resolve().parents[3] / "docker-compose.yml").read_text())["services"]
    limit = services["control"]["deploy"]["resources"]["limits"]["memory"]
    slots = inspect.signature(serve.command).parameters["slots"].default
    answers = 2 * pool.MOST_BYTES
    server_driver_and_host = 900_000_000
    assert slots * processes.MOST_BYTES + answers + server_driver_and_host <= int(limit.removesuffix("g")) * 2**30
