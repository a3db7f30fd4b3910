"""Jobs on every route, long enough to be cancelled in their middle; and what is left of them afterwards."""

from __future__ import annotations

import json
import os
import queue as inboxes
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
from pydantic import SecretStr

from cluster import bootstrap, machine
from cluster.machine import MachineSettings
from cluster.run.processes import ChildWorker
from cluster.run.service import JobEnding, Service
from coinswarm.ledger.store import Store
from coinswarm.market import synthetic
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from tests import jobs_world
from tests.integration.evolve_world import PLAY
from tests.jobs_world import NoCluster

MARKET = "synthetic:BTC/USDT:5m"
SEARCH = {"population": 8, "generations": 5000, "elitism": 1, "constraints": []}
"""Small enough for a process without a cluster, and minutes long: each generation is a commit."""
KERNELS = Path(__file__).parents[2] / ".pytest_cache" / "numba"
"""Where integration tests keep compiled kernels from run to run."""
SLOW = [sys.executable, "-m", "tests.integration.slow_exchange"]


@dataclass(frozen=True, kw_only=True)
class Home:
    """A machine of its own: home folder, database, bars, a play, and an exchange that never answers."""

    settings: MachineSettings
    store: Store
    play: Path
    port: int

    def command(self, *words: str) -> list[str]:
        """A command of coinswarm, as it is typed."""
        return [*bootstrap.COMMAND, *words]

    def popen(self, *words: str) -> AbstractContextManager[subprocess.Popen[str]]:
        """A command of coinswarm as a process, waited for at the end; killed where the test fails."""
        return self._process(self.command(*words))

    def worker(self, job: str) -> AbstractContextManager[subprocess.Popen[str]]:
        """The process that `--detach` starts for a job, waited for at the end."""
        return self._process([*bootstrap.WORKER, "--job", job])

    @contextmanager
    def _process(self, command: list[str]) -> Iterator[subprocess.Popen[str]]:
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
        with subprocess.Popen(command, env=self.environment, text=True, **pipes) as process:
            try:
                yield process
            except BaseException:
                process.kill()
                raise

    @property
    def environment(self) -> dict[str, str]:
        """Of every process of this machine: without Ray, which takes longer to start than a job here may run, and with kernels compiled."""
        return {**machine.inherited(self.settings), "COINSWARM_COMPUTE": "process", "NUMBA_CACHE_DIR": str(KERNELS)}

    def says(self, *words: str) -> Any:
        """The answer of a command that prints JSON."""
        with self.popen(*words, "--json") as process:
            assert process.stdout is not None
            return json.loads(process.stdout.read())

    def search(self) -> tuple[str, ...]:
        """The words of a search that takes minutes."""
        long = ("-p", str(SEARCH["population"]), "-g", str(SEARCH["generations"]), "-c", "none", "--no-baselines")
        return ("evolve", str(self.play), "--symbol", MARKET, *long)

    def cancel(self, job: str) -> str:
        """What a second command is told when it cancels."""
        return str(self.says("jobs", "cancel", job)["status"])

    def running(self, job: str, commits: int = 1) -> int:
        """The process that drives a job, once it has committed so much; 0 where it ended before."""
        while (found := self.store.job(job)).status in ("queued", "running"):
            if found.status == "running" and len(self.store.generations(job)) >= commits:
                return self.driver(job)
            time.sleep(0.05)
        return 0

    def driver(self, job: str) -> int:
        """The process that works under a job's lease; 0 for none. A service lends its lease to a worker, which the job's log names."""
        owner = self.store.job(job).lease_owner
        log = self.settings.home / "logs" / f"{job}.log"
        lines = log.read_text().splitlines() if owner and log.is_file() else []
        workers = [json.loads(line)["pid"] for line in lines if line.startswith("{")]
        return alive(workers[-1]) if workers else driver(owner)

    def left(self, job: str) -> list[int]:
        """Processes that still work for a job: that which holds its lease, and those that were started for it alone."""
        owner = self.driver(job)
        return [process.pid for process in psutil.process_iter() if process.pid == owner or job in cmdline(process)]

    def until_nothing_is_left(self, job: str, patience_s: float = 300.0) -> float:
        """Seconds until no process works for a job any more."""
        began = time.monotonic()
        while left := self.left(job):
            assert time.monotonic() - began < patience_s, f"{left} still work for {job}"
            time.sleep(0.05)
        return time.monotonic() - began

    def fetch(self) -> str:
        """A queued fetch of a day."""
        day = {"since_ts": 1_700_000_000_000, "until_ts": 1_700_086_400_000}
        with bootstrap.open_runner(self.settings) as runner:
            return runner.enqueue(jobs_world.request("fetch", exchange="binance", markets=("BTC/USDT",), **day))

    @contextmanager
    def fetching(self, port: int | None = None, pages: int = 0) -> Iterator[None]:
        """A driver service whose workers know the slow exchange; port 0: one that fails at once. It gives so many pages before."""
        stopped = threading.Event()
        command = [*SLOW, str(self.port if port is None else port), str(pages)]

        def spawn(number: int, inbox: inboxes.Queue[JobEnding]) -> ChildWorker:
            return ChildWorker(number, inbox, command, self.settings.home / f"fetch-{number}.log", self.environment)

        with bootstrap.open_queue(self.settings) as (queue, _):
            service = Service(self.store, queue, spawn=spawn, slots=1, cluster=NoCluster(), stopped=stopped.is_set, lease_s=5.0)
            thread = threading.Thread(target=service.run)
            thread.start()
            try:
                yield
            finally:
                stopped.set()
                thread.join()

    @contextmanager
    def serving(self, *more: str) -> Iterator[httpx.Client]:
        """A real `coinswarm serve`, and a client that may submit jobs."""
        with self.popen("serve", "--port", "0", "--lease", "5", *more) as process:
            assert process.stdout is not None
            try:
                place = process.stdout.readline().strip()
                headers = {"Authorization": f"Bearer {machine.token_file(self.settings, 'local').read_text().strip()}"}
                with httpx.Client(base_url=place, headers=headers, timeout=120) as client:
                    yield client
            finally:
                process.terminate()
                process.wait()

    def submitted(self, client: httpx.Client) -> str:
        """A long search, submitted over HTTP."""
        body = {"kind": "evolve", "plays": [{"text": PLAY}], "markets": [MARKET], "baselines": False, "search": SEARCH}
        answer = client.post("/api/v1/jobs", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


@contextmanager
def home(url: str, folder: Path) -> Iterator[Home]:
    """A machine of its own on a server of the tests."""
    name = f"cancel_{folder.name.replace('-', '_')}"
    bars = synthetic.market("BTC/USDT", Timeframe.parse("5m"), 4000, seed=1)
    with Catalog.open(folder / "bars.duckdb") as catalog:
        catalog.put(bars, source="made")
    play = folder / "crossing.yml"
    play.write_text(PLAY)
    own = f"{url.rsplit('/', 1)[0]}/{name}"
    settings = MachineSettings(home=folder, bars_path=folder / "bars.duckdb", database_url=SecretStr(own))
    with psycopg.connect(url, autocommit=True) as connection, socket.create_server(("127.0.0.1", 0)) as silent:
        connection.execute(f"CREATE DATABASE {name}")
        with bootstrap.open_store(settings) as store:
            made = Home(settings=settings, store=store, play=play, port=silent.getsockname()[1])
            try:
                yield made
            finally:
                for pid in {pid for job in store.jobs(limit=1000) for pid in made.left(job.id)} - {os.getpid()}:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def driver(owner: str) -> int:
    """The process that an owner of a lease stands for; 0 for none, or for one that has ended."""
    return alive(int(owner.split(":")[1]) if ":" in owner else 0)


def alive(pid: int) -> int:
    """The process of this number; 0 where it has ended."""
    return pid if pid and psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE else 0


def cmdline(process: psutil.Process) -> list[str]:
    """The words a process was started with; none for one that has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []
