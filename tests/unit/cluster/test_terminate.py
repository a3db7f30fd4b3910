"""Terminating a job: it ends whether its driver answers, is stopped, is dead, or is a service that lends its lease."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from cluster.run import owners
from cluster.run.terminate import Termination, terminate
from coinswarm import errors
from coinswarm.ledger.memory import MemoryAccess, MemoryQueue, MemoryStore
from coinswarm.ledger.records import Lease
from tests.laws import ledger_world as world
from tests.laws.ledger_world import generation

WAITS = "import sys; print('ready', flush=True); sys.stdin.read()"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAITS}"
LENDS = """
import subprocess, sys
with open(sys.argv[2], "w") as log:
    worker = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, stdout=log)
idle = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
print(worker.pid, idle.pid, flush=True)
sys.stdin.read()
"""

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts programs, which are killed at the end."""
    with ExitStack() as stack:

        def started(program: str, *words: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-c", program, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield started


def driven(owner: str) -> tuple[MemoryStore, Lease]:
    store = MemoryStore()
    return store, store.claim(world.queued(store).id, owner, lease_s=3600.0)


def ended(store: MemoryStore, lease: Lease) -> Termination:
    return terminate(MemoryQueue(store, MemoryAccess()), lease.job, by="")


def refuses(store: MemoryStore, lease: Lease) -> bool:
    """Whether the driver of before can store nothing."""
    with pytest.raises(errors.Conflict):
        store.commit_generation(lease, [generation(store.job(lease.job))])
    return (store.job(lease.job).status, store.job(lease.job).lease_owner) == ("cancelled", "")


@pytest.mark.parametrize(
    ("program", "signals"), [(WAITS, []), (STUBBORN, []), (WAITS, [signal.SIGSTOP])], ids=["answers", "deaf", "stopped"]
)
def test_the_process_of_a_job_ends_whether_it_answers_or_not(start: Start, program: str, signals: list[int]) -> None:
    driver = start(program)
    assert driver.stdout is not None
    assert driver.stdout.readline() == "ready\n"
    for number in signals:
        driver.send_signal(number)
    store, lease = driven(owners.new(driver.pid))
    assert ended(store, lease).process == "ended"
    assert not psutil.pid_exists(driver.pid) or psutil.Process(driver.pid).status() == psutil.STATUS_ZOMBIE
    assert refuses(store, lease)


def test_the_job_of_a_dead_driver_ends(start: Start) -> None:
    driver = start(WAITS)
    store, lease = driven(owners.new(driver.pid))
    driver.kill()
    driver.wait()
    assert ended(store, lease).process == "none"
    assert refuses(store, lease)


@pytest.mark.parametrize("owner", ["elsewhere:12:00000000ab:cd", "someone"])
def test_a_driver_of_another_host_loses_the_job(owner: str) -> None:
    store, lease = driven(owner)
    assert ended(store, lease).process == "elsewhere"
    assert refuses(store, lease)


def test_a_service_lives_on_and_its_worker_of_that_job_ends(start: Start, tmp_path: Path) -> None:
    store = MemoryStore()
    job = world.queued(store)
    service = start(LENDS, "serve", str(tmp_path / f"{job.id}.log"))
    assert service.stdout is not None
    worker, idle = map(int, service.stdout.readline().split())
    service.send_signal(signal.SIGSTOP)
    os.kill(worker, signal.SIGSTOP)
    lease = store.claim(job.id, owners.new(service.pid), lease_s=3600.0)
    assert ended(store, lease).process == "ended"
    assert psutil.Process(worker).status() == psutil.STATUS_ZOMBIE
    assert psutil.Process(idle).status() != psutil.STATUS_ZOMBIE
    assert service.poll() is None


def test_this_process_is_never_ended() -> None:
    store, lease = driven(owners.new())
    assert ended(store, lease).process == "elsewhere"


def test_a_job_that_is_done_stays_done() -> None:
    store, lease = driven("driver")
    store.finish(lease, "done")
    assert ended(store, lease) == Termination(job=lease.job, status="done", owner="", process="none")


def test_a_terminated_job_can_be_resumed() -> None:
    store, lease = driven("driver")
    ended(store, lease)
    store.resume(lease.job)
    assert store.claim(lease.job, "another").owner == "another"
