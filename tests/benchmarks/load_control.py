"""Load on the control plane while a job runs: many who follow it and many who read, and what both cost each other.

    python -m tests.benchmarks.load_control [--watchers 200] [--reads 50] [--generations 60]

Starts the API and the driver service as processes of their own on a fresh database, runs the same search alone and under load, in turns,
and prints one line of JSON. Clients speak HTTP over plain sockets, for on few processors they would otherwise be what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import psutil
from pydantic import SecretStr

from cluster import bootstrap, machine
from cluster.machine import MachineSettings
from cluster.store import embedded
from coinswarm.ledger import access
from coinswarm.ledger.records import FINAL_STATUSES
from coinswarm.market import synthetic
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from tests.integration.evolve_world import PLAY

CONNECTIONS = 16
POPULATION = 200
PLACES = (
    "/api/v1/jobs?limit=20", "/api/v1/jobs/{job}", "/api/v1/jobs/{job}/leaderboard?limit=10", "/api/v1/jobs/{job}/generations",
    "/api/v1/evaluations?job={job}&limit=50", "/ready",
)  # fmt: skip


@dataclass(kw_only=True)
class Plane:
    """A running control plane: its address, a token, its API process, and where its driver works."""

    url: str
    secret: str
    api: psutil.Process
    market: str

    def head(self, path: str) -> bytes:
        """A request for a path."""
        host = urlsplit(self.url).netloc
        return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {self.secret}\r\n\r\n".encode()

    @property
    def client(self) -> httpx.Client:
        """A client for the few calls that are not measured."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.secret}"}, timeout=60)


@dataclass(kw_only=True)
class Seen:
    """What clients saw of one run."""

    reads_ms: list[float] = field(default_factory=list)
    by_place: dict[str, list[float]] = field(default_factory=dict)
    following: int = 0
    late_ms: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    commits: list[int] = field(default_factory=list)
    ended: int = 0


@contextmanager
def plane(url: str, home: Path, slots: int = 1) -> Iterator[Plane]:
    """The API and the driver service as two processes on a database, with a market of made-up bars."""
    with Catalog.open(home / "bars.duckdb") as catalog:
        market = catalog.put(synthetic.market("BTC/USDT", Timeframe.parse("5m"), 20_000, seed=1), source="load").key
    settings = MachineSettings(home=home, database_url=SecretStr(url))
    bootstrap.prepare(settings)
    secret = access.new_secret()
    with bootstrap.open_queue(settings) as (_, tokens):
        tokens.create_token(access.new_token(f"load-{secret[-6:]}", "admin", secret, created=datetime.now(UTC)), by="load")
    environment, serve = machine.inherited(settings), [*bootstrap.COMMAND, "serve"]
    api = subprocess.Popen([*serve, "--api-only", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True)
    driver = subprocess.Popen([*serve, "--driver-only", "--slots", str(slots)], env=environment, stdout=subprocess.DEVNULL)
    try:
        assert api.stdout is not None
        place = api.stdout.readline().strip()
        yield Plane(url=place, secret=secret, api=psutil.Process(api.pid), market=market)
    finally:
        for process in (api, driver):
            process.terminate()
            process.wait()


def submitted(there: Plane, generations: int, campaign: str) -> str:
    """A search that takes a while, one commit a generation."""
    search = {"population": POPULATION, "generations": generations, "constraints": []}
    body = {
        "kind": "evolve",
        "plays": [{"text": PLAY}],
        "markets": [there.market],
        "baselines": False,
        "search": search,
        "campaign": campaign,
    }
    with there.client as client:
        answer = client.post("/api/v1/jobs", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def finished(there: Plane, job: str) -> dict[str, Any]:
    """The job once it has ended."""
    with there.client as client:
        while True:
            found: dict[str, Any] = client.get(f"/api/v1/jobs/{job}").json()
            if found["status"] in FINAL_STATUSES:
                return found
            time.sleep(0.5)


def rate(job: dict[str, Any]) -> float:
    """Variants a second from its start to its end."""
    began, ended = (datetime.fromisoformat(job[name]) for name in ("started", "finished"))
    return float(job["evaluations"] / (ended - began).total_seconds())


async def loaded(there: Plane, job: str, watchers: int, reads_per_s: float) -> Seen:
    """Follow a job with many and read beside, until all of them were told that it ended."""
    seen = Seen()
    following = [asyncio.create_task(_watch(there, job, seen)) for _ in range(watchers)]
    while seen.following < watchers:
        await asyncio.sleep(0.01)
    reading = asyncio.create_task(_read(there, job, reads_per_s, seen))
    await asyncio.gather(*following)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    return seen


async def _watch(there: Plane, job: str, seen: Seen) -> None:
    reader, writer = await _connected(there)
    writer.write(there.head(f"/api/v1/jobs/{job}/events"))
    commits = 0
    await reader.readline()
    seen.following += 1
    while line := await reader.readline():
        commits += line == b"event: commit\n"
        if line == b"event: end\n":
            seen.ended += 1
            break
    seen.commits.append(commits)
    writer.close()


async def _read(there: Plane, job: str, per_s: float, seen: Seen) -> None:
    """Ask at fixed times, whether or not earlier answers are there: a slow server does not slow the asking down."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await _connected(there))
    began, asked, out = time.perf_counter(), 0, set()
    while True:
        due = began + asked / per_s
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        seen.late_ms.append(1000 * (time.perf_counter() - due))
        task = asyncio.create_task(_ask(there, PLACES[asked % len(PLACES)], job, free, seen))
        out.add(task)
        task.add_done_callback(out.discard)
        asked += 1


async def _ask(there: Plane, place: str, job: str, free: asyncio.Queue[Any], seen: Seen) -> None:
    began = time.perf_counter()
    reader, writer = await free.get()
    writer.write(there.head(place.format(job=job)))
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next(int(line.partition(":")[2]) for line in head.splitlines() if line.startswith("content-length:"))
    await reader.readexactly(length)
    free.put_nowait((reader, writer))
    status = int(head.split(" ", 2)[1])
    seen.reads_ms.append(1000 * (time.perf_counter() - began))
    seen.by_place.setdefault(place, []).append(seen.reads_ms[-1])
    seen.statuses[status] = seen.statuses.get(status, 0) + 1


async def _connected(there: Plane) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(there.url)
    return await asyncio.open_connection(parts.hostname, parts.port)


def measured(there: Plane, *, watchers: int, reads_per_s: float, generations: int, turns: int) -> dict[str, Any]:
    """Run the search alone and under load in turns; rates of each, and the answers' times of all turns."""
    alone, under, reads, late, statuses, cpu = [], [], [], [], {}, []
    places: dict[str, list[float]] = {}
    for turn in range(turns):
        alone.append(rate(finished(there, submitted(there, generations, f"alone-{turn}"))))
        job = submitted(there, generations, f"load-{turn}")
        before, began = sum(there.api.cpu_times()[:2]), time.perf_counter()
        seen = asyncio.run(loaded(there, job, watchers, reads_per_s))
        cpu.append((sum(there.api.cpu_times()[:2]) - before) / (time.perf_counter() - began))
        under.append(rate(finished(there, job)))
        assert seen.ended == watchers
        assert set(seen.commits) == {generations}
        reads += seen.reads_ms
        for place, took in seen.by_place.items():
            places.setdefault(place, []).extend(took)
        late += seen.late_ms
        statuses = {status: statuses.get(status, 0) + number for status, number in seen.statuses.items()}
    return {
        "watchers": watchers, "reads_per_s": reads_per_s, "reads": len(reads), "statuses": statuses,
        "read_ms": {f"p{share}": round(float(np.percentile(reads, share)), 1) for share in (50, 95, 99)} if reads else {},
        "p99_ms_by_place": {place: round(float(np.percentile(took, 99)), 1) for place, took in sorted(places.items())},
        "client_late_ms_p99": round(float(np.percentile(late, 99)), 1) if late else 0.0,
        "variants_per_s_alone": [round(each) for each in alone], "variants_per_s_under_load": [round(each) for each in under],
        "slowdown": round(1 - float(np.median(under)) / float(np.median(alone)), 4),
        "api_processors": round(float(np.mean(cpu)), 3), "load_average": psutil.getloadavg(),
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=int, default=200)
    parser.add_argument("--reads", type=float, default=50.0)
    parser.add_argument("--generations", type=int, default=60)
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="coinswarm-load-") as name:
        folder = Path(name) / "pg"
        url = embedded.ensure(folder)
        try:
            with plane(url, Path(name)) as there:
                finished(there, submitted(there, 2, "warm-up"))
                found = measured(there, watchers=asked.watchers, reads_per_s=asked.reads, generations=asked.generations, turns=asked.turns)
        finally:
            embedded.stop(folder, force=True)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
