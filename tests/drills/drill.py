"""One fault after the other in a world: a job is begun, something is done to a process, and it is seen what becomes of the job."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

import psutil

from cluster import bootstrap
from cluster.jobs import registry, spec
from coinswarm import errors
from tests.drills import faults, jobs, processes
from tests.drills.faults import Fault
from tests.drills.jobs import Example, Sources, Undisturbed
from tests.drills.processes import Found, Home
from tests.drills.world import Unit, World

LIMIT_S = 420.0
"""How long after a fault a job may take to end, and the server to be ready."""
_ATTEMPTS = 3
_BEGIN_S = 180.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a fault.

    Attributes:
        number: which one, from 1.
        fault: what was done.
        at: when, UTC.
        job: the job under way; "" when no process of the kind was found while one ran.
        pid: of the process; 0: a second one was started.
        ready_s: seconds from the end of the fault until the server was ready; None: it was not in time.
        healed_s: seconds from the fault until every job that was under way had ended, a stop included; None: not in time.
        wrong: what was wrong; nothing when it healed.
    """

    number: int
    fault: Fault
    at: str
    job: str = ""
    pid: int = 0
    ready_s: float | None = None
    healed_s: float | None = None
    wrong: tuple[str, ...] = ()

    @property
    def tried(self) -> bool:
        """Whether there was a process to do it to."""
        return bool(self.job)

    @property
    def healed(self) -> bool:
        """Whether nothing was wrong afterwards."""
        return self.tried and not self.wrong


@dataclass(kw_only=True)
class Drill:
    """Faults in a world whose server runs.

    Attributes:
        there: the world.
        unit: its server.
        home: its processes.
        sources: jobs that others are about.
        expected: what each example comes to undisturbed.
        stop_s: how long a process is stopped.
        unknown: command lines of processes that no kind names.
    """

    there: World
    unit: Unit
    home: Home
    sources: Sources
    expected: Mapping[str, Undisturbed]
    stop_s: float
    unknown: set[str] = field(default_factory=set)
    _names: count[int] = field(default_factory=lambda: count(1))

    def inflict(self, number: int, fault: Fault) -> Outcome:
        """Do what is planned, with other jobs of the same kind where one ended before it could be done."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        for attempt in range(_ATTEMPTS):
            under_way = self._begun(fault)
            time.sleep(fault.moment * self.expected[fault.example.name].seconds / 2**attempt)
            victim = self._victim(fault, under_way[0])
            if victim is None and fault.action != "twice":
                self._settled(under_way)
                continue
            began = time.monotonic()
            try:
                wrong = self._done(fault, under_way[0], victim)
            except psutil.NoSuchProcess:  # it ended by itself a moment before, so nothing was done to it
                self._settled(under_way)
                continue
            ready_s = self._ready_s()
            under_way[0].again(fault)
            problems = self._settled(under_way)
            healed_s = None if any("not ended" in each for each in problems) else time.monotonic() - began
            wrong += ["the server was not ready"] * (ready_s is None) + problems
            pid = 0 if victim is None else victim.process.pid
            return Outcome(
                number=number, fault=fault, at=at, job=under_way[0].job, pid=pid, ready_s=ready_s, healed_s=healed_s, wrong=tuple(wrong)
            )  # fmt: skip
        return Outcome(number=number, fault=fault, at=at)

    def _begun(self, fault: Fault) -> list[_Running]:
        """The jobs of a fault, the first of which runs."""
        first = (_OfCommand if fault.side == "command" else _OfService)(self, fault.example)
        beside = [_OfService(self, fault.beside)] if fault.beside else []
        until = time.monotonic() + _BEGIN_S
        while first.status() == "queued" and time.monotonic() < until:
            time.sleep(0.1)
        return [first, *beside]

    def _victim(self, fault: Fault, running: _Running) -> Found | None:
        """A process of the kind; of those that run a job the one that runs this, if it can be told."""
        if running.status() not in ("queued", "running"):
            return None
        found = self.home.running()
        self.unknown |= {each.words for each in found if each.kind == processes.UNKNOWN}
        of_kind = processes.of(found, fault.kind, fault.side)
        fitting = [each for each in of_kind if each.job == running.job] or of_kind
        return fitting[int(fault.moment * 1e6) % len(fitting)] if fitting else None

    def _done(self, fault: Fault, running: _Running, victim: Found | None) -> list[str]:
        if fault.action == "twice":
            wrong = faults.SECONDS[processes.kind(fault.kind).twice](self.there, running.job)
            return [wrong] if wrong else []
        assert victim is not None
        if fault.action == "kill":
            faults.kill(victim.process)
        else:
            faults.stop(victim.process, self.stop_s)
        return []

    def _ready_s(self) -> float | None:
        try:
            return self.there.until_ready(LIMIT_S)
        except TimeoutError:
            return None

    def _settled(self, under_way: list[_Running]) -> list[str]:
        """What is wrong with jobs once they have ended; one that has not in time is terminated, so that the next fault has room."""
        return [f"{each.example.name}, job {each.job}: {wrong}" for each in under_way if (wrong := each.wrong())]

    def campaign(self) -> str:
        """A name that no job had before."""
        return f"drill {next(self._names)}"


class _Running:
    """A job that is under way.

    Args:
        drill: of which it is.
        example: what it is.
    """

    def __init__(self, drill: Drill, example: Example) -> None:
        self._drill, self.example = drill, example
        self._name = drill.campaign()
        self._body = example.body(drill.there, drill.sources, self._name)
        self.job = self._submitted()

    def _submitted(self) -> str:
        return self._drill.there.submitted(self._body, key=self._name)

    def status(self) -> str:
        """Where it stands; "" while the server does not answer."""
        answer = self._drill.there.ask("GET", f"/api/v1/jobs/{self.job}", timeout_s=10.0)
        return str(answer.body["status"]) if answer.status == 200 else ""

    def again(self, fault: Fault) -> None:
        """Do what a user does after the fault, if anything."""

    def wrong(self) -> str:
        """Wait for its end; the answer is what is wrong with it, "" for nothing."""
        there = self._drill.there
        found = jobs.ended(there, self.job, LIMIT_S)
        if found is None:
            there.ask("POST", f"/api/v1/jobs/{self.job}/terminate")
            return f"it had not ended {LIMIT_S:.0f} s after the fault"
        if found["status"] != "done":
            return f"it is {found['status']}: {found['error']}"
        expected = self._expected()
        return "" if found["result_hash"] == expected else f"its result hash is {found['result_hash'][:12]}, undisturbed {expected[:12]}"

    def _expected(self) -> str:
        return jobs.fetched_hash(self._body) if self.example.kind == "fetch" else self._drill.expected[self.example.name].result_hash


class _OfService(_Running):
    """A job that was submitted to the server."""


class _OfCommand(_Running):
    """A job that a command runs on a cluster of its own; nothing but a command takes it up again."""

    _command: subprocess.Popen[str]

    def again(self, fault: Fault) -> None:
        """Wait for the command; one that was killed is given once more, as its user would."""
        killed = fault.kind == "command" and fault.action == "kill"
        self._code = self._ended()
        if killed:
            self._command = self._resumed()
            self._code = self._ended()

    def wrong(self) -> str:
        """See `_Running`."""
        code = getattr(self, "_code", None)
        code = self._ended() if code is None else code
        if code is None:
            self._command.kill()
        return f"the command ended with exit code {code}; {super().wrong()}" if code != 0 else super().wrong()

    def _submitted(self) -> str:
        self.job = _patiently(self._stored)
        self._command = self._resumed()
        return self.job

    def _stored(self) -> str:
        pinned = self._drill.there.pinned
        with bootstrap.open_plan_context(pinned) as context:
            asked = registry.reader().validate_python(self._body)
            made = spec.planned(spec.resolved(asked, context.store), context, datetime.now(UTC))
            spec.submit(context.store, made)
        return made.job.id

    def _resumed(self) -> subprocess.Popen[str]:
        return self._drill.there.popen("jobs", "resume", self.job, "--workers", "2", "--json")

    def _ended(self) -> int | None:
        try:
            return self._command.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            return None


def _patiently(call: Callable[[], str]) -> str:
    """What `call` gives, tried again while others hold the bars or the database is away."""
    until = time.monotonic() + _BEGIN_S
    while True:
        try:
            return call()
        except (errors.Conflict, errors.Unavailable):
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
