"""A machine of its own for a drill: a home with made-up bars, the embedded PostgreSQL, and a real `coinswarm serve` on loopback.

What a drill itself does keeps nothing alive: it opens the database by its address and holds no connection between two looks.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from cluster import bootstrap, machine
from cluster.machine import MachineSettings
from cluster.store import embedded
from coinswarm.market import synthetic
from coinswarm.market.catalog import Catalog
from tests.drills import exchange, processes

ROOT = Path(__file__).parents[2]
SYMBOLS = ("BTC/USDT", "ETH/USDT")
N_BARS = 20_000
RESTART_S = 1.0
"""What systemd waits for before it starts a service again."""
_START_S = 180.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server answered; status 0: nothing."""

    status: int
    body: Any = None

    @property
    def passing(self) -> bool:
        """Whether the same may be answered otherwise a moment later."""
        return self.status in (0, 429) or self.status >= 500


@dataclass(frozen=True, kw_only=True)
class World:
    """A home folder, and how its programs are started.

    Attributes:
        home: the folder.
        port: where its server listens.
        variables: environment of its programs, besides that of this process.
    """

    home: Path
    port: int
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> MachineSettings:
        """Of the programs: they find the embedded PostgreSQL by themselves."""
        return MachineSettings(home=self.home, bars_path=self.home / "bars.duckdb", database_url=None, server=None)

    @property
    def pinned(self) -> MachineSettings:
        """Of the drill: the address of the database, which is not started for it."""
        url = embedded.url(self.settings.postgres_folder)
        return self.settings.model_copy(update={"database_url": SecretStr(url or "postgresql://nobody@127.0.0.1:1/none")})

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self, side: str) -> dict[str, str]:
        """The environment of a program; `side` says in it, and in what it starts, to whom it belongs."""
        paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent / "site")])
        return {**machine.inherited(self.settings), **self.variables, "PYTHONPATH": paths, processes.SIDE: side}

    def popen(self, *words: str, side: str = "command", out: int | None = None) -> subprocess.Popen[str]:
        """A command of coinswarm; what it says goes to `commands.log` in the home, what it answers there too or to a pipe."""
        with (self.home / f"{side}.log").open("ab") as log:
            return subprocess.Popen(
                [*bootstrap.COMMAND, *words], env=self.environment(side), text=True, stdin=subprocess.DEVNULL,
                stdout=log if out is None else out, stderr=log, start_new_session=True,
            )  # fmt: skip

    def says(self, *words: str) -> tuple[int, Any]:
        """Exit code and answer of a command that prints JSON."""
        with self.popen(*words, "--json", side="look", out=subprocess.PIPE) as process:
            said = process.stdout.read() if process.stdout is not None else ""
        return process.returncode, json.loads(said) if said.strip() else None

    def ask(self, method: str, path: str, body: object = None, *, key: str = "", timeout_s: float = 60.0) -> Answer:
        """What the server answers."""
        headers = {"Idempotency-Key": key} if key else {}
        with suppress(OSError):
            headers["Authorization"] = f"Bearer {machine.token_file(self.settings, 'local').read_text().strip()}"
        try:
            response = httpx.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=timeout_s, verify=False)
            return Answer(status=response.status_code, body=response.json() if response.content else None)
        except (httpx.HTTPError, ValueError) as problem:
            return Answer(status=0, body=str(problem))

    def is_ready(self) -> bool:
        """Whether the server says that it can work."""
        return self.ask("GET", "/ready", timeout_s=10.0).status == 200

    def until_ready(self, limit_s: float = _START_S) -> float:
        """Seconds until the server can work.

        Raises:
            TimeoutError: it could not in time.
        """
        began = time.monotonic()
        while not self.is_ready():
            if time.monotonic() - began > limit_s:
                raise TimeoutError(f"the server was not ready within {limit_s:.0f} s: {self.ask('GET', '/ready').body}")
            time.sleep(0.25)
        return time.monotonic() - began

    def submitted(self, body: Mapping[str, Any], *, key: str, limit_s: float = 300.0) -> str:
        """The id of a job that is submitted over HTTP, again and again with the same key while the server cannot take it.

        Raises:
            ValueError: the request is refused for good, or for too long.
        """
        until = time.monotonic() + limit_s
        while (answer := self.ask("POST", "/api/v1/jobs", body, key=key)).passing and time.monotonic() < until:
            time.sleep(0.5)
        if answer.status not in (200, 201):
            raise ValueError(f"{body['kind']} was answered {answer.status}: {answer.body}")
        return str(answer.body["id"])


class Unit:
    """`coinswarm serve` as systemd keeps it: started again a second after it ended, until it is stopped.

    Args:
        world: where it serves.
        options: of the command.
    """

    def __init__(self, world: World, *options: str) -> None:
        self._world, self._options = world, options
        self._stopped = threading.Event()
        self._process = self._started()
        self.restarts = 0
        self._thread = threading.Thread(target=self._keep, name="unit", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Of the present process."""
        return self._process.pid

    def stop(self, limit_s: float = 90.0) -> int | None:
        """Stop it with SIGTERM; the answer is its exit code, None where it had to be killed."""
        self._stopped.set()
        self._thread.join()
        self._process.terminate()
        try:
            return self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return None

    def _started(self) -> subprocess.Popen[str]:
        return self._world.popen("serve", "--port", str(self._world.port), *self._options, side="serve")

    def _keep(self) -> None:
        while not self._stopped.wait(0.2):
            if self._process.poll() is not None:
                self.restarts += 1
                self._stopped.wait(RESTART_S)
                self._process = self._started()


@contextmanager
def world(**variables: str) -> Iterator[World]:
    """A home with bars of two made-up markets; at the end nothing of it is left, whatever still runs."""
    home = Path(tempfile.mkdtemp(prefix="coinswarm-drill-"))
    with Catalog.open(home / "bars.duckdb") as catalog:
        for symbol in SYMBOLS:
            catalog.put(synthetic.market(symbol, exchange.TIMEFRAME, N_BARS, seed=3), source="made")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    made = World(home=home, port=port, variables=variables)
    try:
        yield made
    finally:
        processes.end(processes.running(home))
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def served(there: World, *options: str) -> Iterator[Unit]:
    """The server of a world, ready to work."""
    unit = Unit(there, *options)
    try:
        there.until_ready()
        yield unit
    finally:
        unit.stop()
