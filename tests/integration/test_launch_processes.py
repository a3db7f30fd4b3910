"""The entrypoint of the images as plain processes on the loopback address: a head, a worker and a control plane run a job together."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from cluster import bootstrap
from cluster.machine import MachineSettings
from cluster.run import service
from cluster.store import backup
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm.ledger.records import FINAL_STATUSES
from tests import jobs_world
from tests.integration.evolve_world import PLAY, World
from tests.integration.test_backup import database
from tests.jobs_world import RunWorld

ROOT = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1"
ADDRESSES = {"head": "127.0.0.2", "worker": "127.0.0.3", "control": "127.0.0.4"}
"""Of the loopback device, one a node, as if each were a machine; Ray takes 127.0.0.1 for another name of the machine's own address."""
SEARCH: dict[str, Any] = {"population": 500, "generations": 52, "islands": 1, "seed": 7, "constraints": []}
PATIENCE_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a cluster of processes lives: folders, ports and the variables of its nodes."""

    home: Path
    session: Path
    api: str
    variables: dict[str, str]

    @contextmanager
    def node(self, role: str, *options: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
        """A node of the cluster; it and all it started end with the block."""
        environment = os.environ | self.variables | {f"COINSWARM_{name}": value for name, value in variables.items()}
        environment["COINSWARM_NODE_IP"] = ADDRESSES.get(role, LOOPBACK)
        with (self.home / f"{role}.log").open("wb") as log:
            process = subprocess.Popen(
                ["sh", ROOT / "cluster" / "launch" / "node.sh", role, *options], env=environment, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True, cwd=self.home,
            )  # fmt: skip
        try:
            yield process
        finally:
            _end([psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else [])
            process.wait()

    def said(self, role: str) -> str:
        """The end of what a node said."""
        return (self.home / f"{role}.log").read_text()[-3000:]


def _end(processes: list[psutil.Process]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        _, processes = psutil.wait_procs(processes, timeout=15)


def _left(session: Path) -> list[psutil.Process]:
    """Processes of Ray that have the folder of this cluster among their arguments."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(str(session) in argument for argument in process.cmdline()):
                found.append(process)
    return found


@pytest.fixture
def place(database_url: str, small_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Folders, free ports and a database; what is left of the cluster in the end is killed."""
    home = tmp_path_factory.mktemp("home")
    head, dashboard, api = free_ports(3)
    with database(database_url) as url, tempfile.TemporaryDirectory(prefix="swarm-", ignore_cleanup_errors=True) as short:
        session = Path(short)  # sockets are in it, and their names may not be long
        variables = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COINSWARM_HOME": str(home), "COINSWARM_BARS_PATH": str(small_world.catalog), "COINSWARM_DATABASE_URL": url,
            "COINSWARM_HEAD": f"{ADDRESSES['head']}:{head}", "COINSWARM_HEAD_PORT": str(head),
            "COINSWARM_DASHBOARD_PORT": str(dashboard), "COINSWARM_TRIES": "8",
        }  # fmt: skip
        token = home / "ray_token"
        token.write_text(secrets.token_hex(32))
        variables |= {"RAY_AUTH_TOKEN_PATH": str(token)}
        yield Place(home=home, session=session, api=f"http://{LOOPBACK}:{api}", variables=variables)
        _end(_left(session))
        assert _left(session) == []


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at."""
    sockets = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def ready(place: Place, control: subprocess.Popen[bytes]) -> httpx.Client:
    """A client with the owner's token, once the control plane is healthy."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and control.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(f"{place.api}/ready").status_code == 200:
                secret = (place.home / "owner.token").read_text().strip()
                return httpx.Client(base_url=place.api, headers={"Authorization": f"Bearer {secret}"}, timeout=60)
        time.sleep(0.2)
    raise AssertionError(f"{place.said('control')}\n{place.said('head')}")


def asked(world: World) -> dict[str, Any]:
    """The search, as it is sent."""
    return {"kind": "evolve", "plays": [{"text": PLAY}], "markets": list(world.markets), "baselines": False, "search": SEARCH}


def local_hash(world: World, home: Path) -> str:
    """The result hash of the same search in this process."""
    bootstrap.prepare(MachineSettings(home=home))
    context = jobs_world.plan_context(world.catalog)
    return jobs_world.run(jobs_world.planned(jobs_world.request(**asked(world)), context), RunWorld(context=context)).result_hash


def submitted(client: httpx.Client, world: World) -> dict[str, Any]:
    """A job that went through the API, once it has ended."""
    answer = client.post("/api/v1/jobs", json=asked(world))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    while found["status"] not in FINAL_STATUSES:
        time.sleep(0.3)
        found = client.get(f"/api/v1/jobs/{found['id']}").json()
    return found


@pytest.mark.slow
def test_processes_of_the_images_entrypoint_run_a_job_to_the_same_result(place: Place, small_world: World) -> None:
    alone = {"RAY_OPTIONS": f"--temp-dir={place.session}"}
    port = place.api.rpartition(":")[2]
    with place.node("head", CPUS="0", **alone), place.node("worker", CPUS="1"), place.node("control", "--port", port) as control:
        client = ready(place, control)
        found = submitted(client, small_world)
        client.close()
    with Database(place.variables["COINSWARM_DATABASE_URL"]) as opened:
        assert not service.is_small(PostgresStore(opened).job(found["id"]))
    assert (found["status"], found["result_hash"]) == ("done", local_hash(small_world, place.home)), place.said("control")


def test_a_backup_by_the_entrypoint_is_whole_and_takes_an_older_ones_place(place: Place, small_world: World, tmp_path: Path) -> None:
    (tmp_path / "coinswarm-20240101-030000.zip").touch()
    with Database(place.variables["COINSWARM_DATABASE_URL"]):
        pass  # makes the tables
    with place.node("backup", "--once", BACKUP_FOLDER=str(tmp_path), BACKUP_KEEP="1") as process:
        assert process.wait(PATIENCE_S) == 0, place.said("backup")
    (written,) = tmp_path.iterdir()
    assert set(backup.verify(written, tell=print).data_sets) == set(small_world.markets)
    assert written.stat().st_mode & 0o777 == 0o600
