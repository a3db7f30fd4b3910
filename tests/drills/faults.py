"""What is done to processes: killed, stopped for a while, started a second time; and a plan of it, drawn from a seed."""

from __future__ import annotations

import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import psutil

from cluster import bootstrap
from cluster.store import accounts, embedded
from tests.drills import processes
from tests.drills.jobs import EXAMPLES, Example
from tests.drills.processes import ProcessKind
from tests.drills.world import World

Action = Literal["kill", "stop", "twice"]
BESIDE_S = 15.0
"""How long a second program that is let run stays beside the first."""
_ANSWER_S = 180.0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is done, to what, while which job runs.

    Attributes:
        kind: name of the kind of process.
        side: `serve`, or `command` for what a command of its own has.
        action: kill -9, stop for a while, or start a second one.
        example: the job that runs.
        moment: when, as a share of the time that the job takes undisturbed.
        beside: another job that the service runs then; None: there is none.
    """

    kind: str
    side: str
    action: Action
    example: Example
    moment: float
    beside: Example | None = None


def kill(process: psutil.Process) -> None:
    """End a process as the kernel does when memory is short."""
    process.send_signal(signal.SIGKILL)


def stop(process: psutil.Process, seconds: float) -> None:
    """Stop a process and let it go on later, as a laptop that sleeps or a debugger does."""
    process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)


def second_server(there: World, _job: str) -> str:
    """Start `serve` twice more: at the port of the first, where it must end, and at another, where it may run beside it."""
    with there.popen("serve", "--port", str(there.port), side="second") as same:
        refused = _code(same)
    with there.popen("serve", "--port", "0", side="second", out=subprocess.PIPE) as other:
        if other.stdout is not None:
            other.stdout.readline()  # its address, once it serves
        ended = _for_a_while(other)
    return _unless(refused not in (0, None) and ended == 0, f"a second server: exit code {refused} at the same port, {ended} at another")


def second_driver(there: World, _job: str) -> str:
    """Let a second driver service take jobs of the same queue for a while."""
    with there.popen("serve", "--driver-only", side="second") as other:
        ended = _for_a_while(other)
    return _unless(ended == 0, f"a second driver service ended with exit code {ended}")


def second_worker(there: World, job: str) -> str:
    """Start a process for a job that is driven: it must let it alone."""
    command = [*bootstrap.WORKER, "--job", job]
    with subprocess.Popen(command, env=there.environment("second"), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        code = _code(other)
    return _unless(code not in (0, None), f"a second process for a driven job ended with exit code {code}")


def second_host(there: World, _job: str) -> str:
    """Start a process to share the cluster at a socket where one does: it must end."""
    hosts = [each for each in processes.running(there.settings.home) if each.kind == "host of the cluster"]
    command = [*bootstrap.HOST, "--socket", hosts[0].words.rpartition(" ")[2]]
    with subprocess.Popen(command, env=there.environment("second"), stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as other:
        code = _code(other)
    return _unless(code not in (0, None), f"a second process that shares the cluster ended with exit code {code}")


def second_command(there: World, job: str) -> str:
    """Resume a job that a command drives: it must be refused."""
    with there.popen("jobs", "resume", job, side="second") as other:
        code = _code(other)
    return _unless(code not in (0, None), f"a second `jobs resume` of a driven job ended with exit code {code}")


def second_database(there: World, _job: str) -> str:
    """Start PostgreSQL on a folder where it runs, by a program of ours, which finds it, and by its own, which must refuse."""
    folder = there.settings.postgres_folder
    port = (folder / "port").read_text()
    embedded.ensure(folder)
    data = folder / "data"
    with tempfile.TemporaryFile() as said:
        program = str(accounts.for_server(data).programs(embedded.program(folder, "postgres").parents[1]) / "bin" / "postgres")
        code = accounts.for_server(data).run([program, "-p", "1"], data, said, timeout_s=60.0)
    same = (folder / "port").read_text() == port
    return _unless(code != 0 and same, f"a second PostgreSQL ended with exit code {code}; the port is {'the same' if same else 'another'}")


def second_cluster(there: World, _job: str) -> str:
    """Start another local cluster of the same home beside the first, as `doctor --cluster` does."""
    with there.popen("doctor", "--cluster", side="second") as other:
        code = _code(other)
    return _unless(code is not None, "a second cluster was not looked at in time")


SECONDS: Mapping[str, Callable[[World, str], str]] = {
    "server": second_server, "driver": second_driver, "host": second_host, "worker": second_worker, "command": second_command,
    "database": second_database, "cluster": second_cluster,
}  # fmt: skip
"""What starts a second one beside a job; the answer is what was wrong, "" for nothing."""


def plan(seed: int, *, kinds: Sequence[ProcessKind] = processes.KINDS, examples: Sequence[Example] = EXAMPLES) -> Iterator[Fault]:
    """Faults without end: every fault of every kind in an order drawn at random, then again in another."""
    drawn = random.Random(seed)
    every = list(_every(kinds))
    while every:
        drawn.shuffle(every)
        for kind, side, action in every:
            yield _fault(kind, side, action, examples, drawn)


def _every(kinds: Sequence[ProcessKind]) -> Iterator[tuple[ProcessKind, str, Action]]:
    for kind in kinds:
        for side in kind.sides if kind.drilled else ():
            actions: tuple[Action, ...] = ("kill", "stop", "twice") if kind.twice else ("kill", "stop")
            for action in actions:
                yield kind, side, action


def _fault(kind: ProcessKind, side: str, action: Action, examples: Sequence[Example], drawn: random.Random) -> Fault:
    """One fault; a command with `--workers` computes every job on a cluster, the service only those that are worth it."""
    fitting = [each for each in examples if side == "command" or kind.needs in ("", each.size)]
    beside = drawn.choice(examples) if side == "serve" and drawn.random() < 0.5 else None
    return Fault(
        kind=kind.name, side=side, action=action, example=drawn.choice(fitting), moment=drawn.uniform(0.0, 0.6), beside=beside
    )  # fmt: skip


def _code(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> int | None:
    """The exit code of a process that ends by itself; None for one that does not, and is killed."""
    try:
        return process.wait(_ANSWER_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return None


def _for_a_while(process: subprocess.Popen[str]) -> int | None:
    """The exit code of a process that is let run for a while and then told to end."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(BESIDE_S)
    process.terminate()
    return _code(process)


def _unless(well: bool, said: str) -> str:
    return "" if well else said
