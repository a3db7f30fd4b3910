"""The process that shares a cluster among the larger jobs of a service."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.run.shared_cluster import SharedCluster
from coinswarm import errors

NOTING = "import os, sys, pathlib; pathlib.Path(sys.argv[2] + '.began').open('a').write(f'{os.getpid()}\\n'); sys.stdin.read()"
"""A host that notes its process id beside its socket, and waits."""


class Clock:
    """A time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cluster(tmp_path: Path, clock: Clock) -> Iterator[SharedCluster]:
    made = SharedCluster([sys.executable, "-c", NOTING], tmp_path / "s", tmp_path / "log", os.environ, idle_s=600.0, clock=clock)
    yield made
    made.close()


def begun(folder: Path, count: int) -> list[int]:
    """The process ids of the first hosts, once there are so many."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = (folder / "s.began").read_text().split() if (folder / "s.began").exists() else []
        if len(found) >= count:
            return [int(pid) for pid in found]
        time.sleep(0.02)
    raise AssertionError(f"{count} hosts did not begin")


def killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def test_nothing_is_started_before_a_job_needs_it(cluster: SharedCluster, tmp_path: Path) -> None:
    cluster.look(used=False)
    cluster.close()
    assert list(tmp_path.iterdir()) == []


def test_it_is_started_once_for_all_jobs(cluster: SharedCluster, tmp_path: Path) -> None:
    assert [cluster.address(), cluster.address()] == [str(tmp_path / "s")] * 2
    cluster.look(used=True)
    assert len(begun(tmp_path, 1)) == 1


def test_one_that_died_is_started_again_at_its_address_after_pauses_that_double(
    cluster: SharedCluster, clock: Clock, tmp_path: Path
) -> None:
    cluster.address()
    for died, pause_s in enumerate((1.0, 2.0, 4.0), start=1):
        killed(begun(tmp_path, died)[-1])
        cluster.look(used=True)
        clock.now += pause_s - 0.1
        cluster.look(used=True)
        assert len(begun(tmp_path, died)) == died
        clock.now += 0.2
        cluster.look(used=True)
        begun(tmp_path, died + 1)


def test_one_that_died_while_no_job_uses_it_is_started_for_the_next(cluster: SharedCluster, clock: Clock, tmp_path: Path) -> None:
    cluster.address()
    killed(begun(tmp_path, 1)[0])
    clock.now += 60.0
    cluster.look(used=False)
    assert len(begun(tmp_path, 1)) == 1
    cluster.address()
    begun(tmp_path, 2)


def test_one_that_no_job_used_for_a_while_ends(cluster: SharedCluster, clock: Clock, tmp_path: Path) -> None:
    cluster.address()
    host = begun(tmp_path, 1)[0]
    clock.now += 599.0
    cluster.look(used=False)
    os.kill(host, 0)
    clock.now += 2.0
    cluster.look(used=False)
    with pytest.raises(ProcessLookupError):
        os.kill(host, 0)


def test_a_host_that_cannot_be_started_is_said(tmp_path: Path) -> None:
    with pytest.raises(errors.Unavailable, match="the process that shares the cluster must start, got No such file or directory"):
        SharedCluster([str(tmp_path / "no")], tmp_path / "s", tmp_path / "log", os.environ).address()
