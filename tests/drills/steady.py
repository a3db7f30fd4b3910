"""An hour of small jobs: two clients submit one after the other, and it is seen whether memory, handles, connections and logs stay flat.

    python -m tests.drills.steady [--minutes 60] [--every 10] [--out FILE]

Prints what is looked at every ten seconds once a minute, a table and a verdict; exit code 1 when something grew or is too large.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from cluster.version import code_version
from tests.drills import jobs, world
from tests.drills.jobs import Example, Sources
from tests.drills.processes import Found, Home
from tests.drills.world import World

CLIENTS = 2
SMALL = (
    Example(kind="evolve", size="small", request=lambda _, name: jobs.search(name, population=16, generations=5)),
    Example(kind="chaos", size="small", request=lambda _, name: jobs.chaos(name, trades=5000)),
    Example(kind="discover", size="small", trades=20_000, request=lambda _, name: jobs.discover(name, depth=1, flips=99)),
    Example(kind="rules", size="small", request=lambda _, name: jobs.rules(name)),
    Example(kind="honesty", size="small", request=lambda *_: jobs.honesty(worlds=2, trades=1000)),
    Example(kind="validate", size="small", request=lambda given, _: jobs.validate(given.search, neighbours=4)),
)
"""Jobs of about a second; kinds take turns."""
IDLE_BYTES = 1_500_000_000
"""What `serve` may take without jobs, the database included."""
SERVICE_BYTES, DATABASE_BYTES = 6 * 2**30, 2 * 2**30
"""Memory of the control plane and of PostgreSQL in docker-compose.yml."""
HANDLES, CONNECTIONS = 1024, 100
"""Files that one process may usually have open, and connections that the embedded PostgreSQL takes."""
LOG_BYTES_A_JOB = 20_000
"""Logs are kept up to 500 MB whatever is written; a job may write so much of them."""
_IDLE_S = 30.0
_WARM_UP = 1 / 7
"""Share of the run, at its begin, that nothing is judged by: kernels are loaded and memory pools fill."""
_BLOCKS = 5
NOISE, SHARE = 3.0, 0.05
_DAY_S = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A look at everything that a home runs.

    Attributes:
        at_s: seconds since the clients began.
        pss: bytes by kind of process; shared pages are divided among those who share them.
        shared: those of `pss` that are shared memory, such as the buffers of PostgreSQL, which fill up to a size that is set.
        rss: bytes by kind of process, shared pages with each.
        count: processes by kind.
        handles: open files by kind.
        most_handles: of one process.
        connections: of PostgreSQL.
        log_bytes, log_files: of everything that writes logs.
        jobs: done so far.
    """

    at_s: float
    pss: Mapping[str, int]
    shared: Mapping[str, int]
    rss: Mapping[str, int]
    count: Mapping[str, int]
    handles: Mapping[str, int]
    most_handles: int
    connections: int
    log_bytes: int
    log_files: int
    jobs: int

    def bytes_of(self, *, database: bool, shared: bool = True) -> int:
        """Memory of PostgreSQL, or of everything else; with shared memory, or besides it."""
        kinds = [kind for kind in self.pss if kind.startswith("PostgreSQL") == database]
        return sum(self.pss[kind] - (0 if shared else self.shared.get(kind, 0)) for kind in kinds)


@dataclass(frozen=True, kw_only=True)
class Trend:
    """How a quantity went from the first third, after the warm-up, to the last.

    Attributes:
        what: it is.
        unit: of the values.
        first, last: means of the two thirds.
        noise: standard error of their difference, by means of five blocks of each.
        in_a_day: what it would be after a day at this pace.
        limit: what that may be.
        judged: whether growth of it is a fault.
        slack: growth that is none, as of a connection that is opened late.
    """

    what: str
    unit: str
    first: float
    last: float
    noise: float
    in_a_day: float
    limit: float
    judged: bool = True
    slack: float = 0.0

    @property
    def is_flat(self) -> bool:
        """Whether it grew by no more than a twentieth, than its slack, or than noise explains."""
        return self.last - self.first <= max(SHARE * self.first, NOISE * self.noise, self.slack)

    @property
    def holds(self) -> bool:
        """Whether it is flat, or is not judged by that, and is below its limit."""
        return max(self.last, self.in_a_day if self.judged and not self.is_flat else 0.0) <= self.limit and (
            self.is_flat or not self.judged
        )


class Clients:
    """Clients that submit small jobs, each one after the other, and remember what was wrong."""

    def __init__(self, there: World, given: Sources) -> None:
        self._there, self._given = there, given
        self._names = count(1)
        self._stopped = threading.Event()
        self.done: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(CLIENTS)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End with the jobs that are under way."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        while not self._stopped.is_set():
            name = next(self._names)
            try:
                example = SMALL[name % len(SMALL)]
                body = example.body(self._there, self._given, f"steady {name}")
                jobs.run(self._there, body, key=f"steady {number} {name}")
                self.done[example.kind] += 1
            except (ValueError, RuntimeError) as problem:
                self.wrong.append(str(problem))


def looked(home: Home, folder: Path, at_s: float, done: int) -> Sample:
    """A look at a home now."""
    found = [each for each in home.running() if each.side != "look"]
    pss, shared, rss, handles = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    most = 0
    for each in found:
        with suppress(psutil.Error, OSError):
            memory, files = _memory(each.process.pid), each.process.num_fds()
            pss[each.kind] += memory["Pss"]
            shared[each.kind] += memory["Pss_Shmem"]
            rss[each.kind] += memory["Rss"]
            handles[each.kind] += files
            most = max(most, files)
    logs = [*folder.glob("*.log"), folder / "pg" / "log", *(folder / "logs").glob("*")]
    sizes = [file.stat().st_size for file in logs if file.is_file()]
    return Sample(
        at_s=at_s, pss=dict(pss), shared=dict(shared), rss=dict(rss), count=dict(Counter(each.kind for each in found)),
        handles=dict(handles), most_handles=most,
        connections=len(_backends(found)), log_bytes=sum(sizes), log_files=len(sizes), jobs=done,
    )  # fmt: skip


def _memory(pid: int) -> dict[str, int]:
    """Bytes of a process by the names that the kernel gives them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name: 1024 * int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}


def _backends(found: Sequence[Found]) -> list[Found]:
    return [each for each in found if each.kind == "PostgreSQL backend"]


def trends(samples: Sequence[Sample]) -> list[Trend]:
    """What is judged, and what stands beside it."""
    judged = [each for each in samples if each.at_s >= _WARM_UP * samples[-1].at_s]
    times = np.array([each.at_s for each in judged])

    def trend(what: str, unit: str, values: Sequence[float], limit: float, *, judge: bool = True, slack: float = 0.0) -> Trend:
        first, last, noise, per_s = _thirds(times, np.array(values, dtype=float))
        day = last + max(per_s, 0.0) * _DAY_S
        return Trend(what=what, unit=unit, first=first, last=last, noise=noise, in_a_day=day, limit=limit, judged=judge, slack=slack)

    of_kinds = sorted({kind for each in judged for kind in each.pss})
    found = [
        trend(
            "memory of serve and its worker processes", "MB", [each.bytes_of(database=False) / 1e6 for each in judged], SERVICE_BYTES / 1e6
        ),
        trend(
            "memory of PostgreSQL besides its buffers",
            "MB",
            [each.bytes_of(database=True, shared=False) / 1e6 for each in judged],
            DATABASE_BYTES / 1e6,
        ),
        trend("memory of PostgreSQL", "MB", [each.bytes_of(database=True) / 1e6 for each in judged], DATABASE_BYTES / 1e6, judge=False),
        trend("open files of all processes", "", [sum(each.handles.values()) for each in judged], HANDLES * 20),
        trend("open files of one process", "", [each.most_handles for each in judged], HANDLES),
        trend("connections of PostgreSQL", "", [each.connections for each in judged], CONNECTIONS, slack=2),
        trend("processes", "", [sum(each.count.values()) for each in judged], 200, slack=2),
        trend("log bytes a job", "", _per_job(judged), LOG_BYTES_A_JOB, judge=False),
    ]
    return found + [
        trend(f"memory of kind `{kind}`", "MB", [each.pss.get(kind, 0) / 1e6 for each in judged], SERVICE_BYTES / 1e6, judge=False)
        for kind in of_kinds
    ]


def _per_job(samples: Sequence[Sample]) -> list[float]:
    """Log bytes that were written since the first sample, for each job done since."""
    first = samples[0]
    return [(each.log_bytes - first.log_bytes) / max(1, each.jobs - first.jobs) for each in samples]


def _thirds(times: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> tuple[float, float, float, float]:
    """Means of the first and the last third, the standard error of their difference, and the growth a second between their middles."""
    third = max(1, len(values) // 3)
    first, last = values[:third], values[-third:]
    noise = float(np.sqrt(_error(first) ** 2 + _error(last) ** 2))
    apart_s = float(times[-third:].mean() - times[:third].mean())
    return float(first.mean()), float(last.mean()), noise, float(last.mean() - first.mean()) / max(apart_s, 1e-9)


def _error(values: np.ndarray[Any, Any]) -> float:
    """Standard error of a mean of values that hang together, by means of blocks."""
    blocks = [float(block.mean()) for block in np.array_split(values, _BLOCKS) if block.size]
    return float(np.std(blocks, ddof=1) / np.sqrt(len(blocks))) if len(blocks) > 1 else 0.0


def main(arguments: list[str]) -> int:
    """Run the jobs and judge; the answer is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.drills.steady")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two looks")
    parser.add_argument("--out", type=Path, help="a JSON file of everything that was found")
    asked = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _measured(asked)
    except KeyboardInterrupt:
        _say("ended before its time")
        return 130


def _measured(asked: argparse.Namespace) -> int:
    started = datetime.now(UTC)
    with world.world() as there, world.served(there):
        home = Home(there.home)
        time.sleep(_IDLE_S)
        idle = looked(home, there.home, 0.0, 0)
        _say(f"without jobs: {sum(idle.pss.values()) / 1e6:.0f} MB in {sum(idle.count.values())} processes")
        clients = Clients(there, jobs.sources(there))
        samples = _sampled(there, home, clients, asked.minutes * 60.0, asked.every)
    found = trends(samples)
    wrong = _wrong(idle, samples, found, clients)
    _say("\n" + table(found))
    _say(f"\n{sum(clients.done.values()):,} jobs in {asked.minutes:g} minutes: " + ("flat" if not wrong else "NOT flat"))
    for each in wrong:
        _say(f"  {each}")
    if asked.out:
        asked.out.write_text(json.dumps({
            "started": started.isoformat(timespec="seconds"), "minutes": asked.minutes, "cores": os.cpu_count(), "code": code_version(),
            "jobs": clients.done, "idle": asdict(idle), "samples": [asdict(each) for each in samples],
            "trends": [asdict(each) | {"is_flat": each.is_flat, "holds": each.holds} for each in found], "wrong": wrong,
        }, indent=1))  # fmt: skip
    return 1 if wrong else 0


def _sampled(there: World, home: Home, clients: Clients, seconds: float, every_s: float) -> list[Sample]:
    began, told_s = time.monotonic(), 0.0
    clients.start()
    samples = []
    while (now_s := time.monotonic() - began) < seconds:
        samples.append(looked(home, there.home, now_s, sum(clients.done.values())))
        if now_s >= told_s:
            told_s += 60.0
            _say(f"{line(samples[-1])}  [{(seconds - now_s) / 60:.0f} min to go]")
        time.sleep(max(0.0, every_s - (time.monotonic() - began - now_s)))
    clients.stop()
    return samples


def _wrong(idle: Sample, samples: Sequence[Sample], found: Sequence[Trend], clients: Clients) -> list[str]:
    """A sentence for each thing that does not hold."""
    sizes = {
        "without jobs": (sum(idle.pss.values()), IDLE_BYTES),
        "serve and its worker processes": (max(each.bytes_of(database=False) for each in samples), SERVICE_BYTES),
        "PostgreSQL": (max(each.bytes_of(database=True) for each in samples), DATABASE_BYTES),
    }
    said = [f"{what}: {size / 1e6:.0f} MB, at most {most / 1e6:.0f}" for what, (size, most) in sizes.items() if size > most]
    grown = [each for each in found if not each.holds]
    said += [f"{each.what}: {each.first:.1f}, then {each.last:.1f} {each.unit}, after a day {each.in_a_day:.0f}" for each in grown]
    return said + clients.wrong


def line(sample: Sample) -> str:
    """A look, in a line."""
    service, database = (sample.bytes_of(database=each) / 1e6 for each in (False, True))
    return (
        f"{sample.at_s / 60:5.1f} min  {sample.jobs} jobs  serve {service:.0f} MB  PostgreSQL {database:.0f} MB  "
        f"{sum(sample.handles.values())} files  {sample.connections} connections  "
        f"logs {sample.log_bytes / 1e6:.2f} MB in {sample.log_files} files"
    )


def table(found: Sequence[Trend]) -> str:
    """What was judged."""
    rows = ["| what | first third | last third | noise | after a day | limit | |", "|---|---|---|---|---|---|---|"]
    for each in found:
        said = ("flat" if each.is_flat else "grows") if each.judged else ""
        day = f"{each.in_a_day:.0f}" if each.judged else ""
        rows.append(
            f"| {each.what} | {each.first:.1f} {each.unit} | {each.last:.1f} {each.unit} | {each.noise:.1f} | {day} "
            f"| {each.limit:.0f} | {said if each.holds or not said else f'{said}, too much'} |"
        )
    return "\n".join(rows)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
