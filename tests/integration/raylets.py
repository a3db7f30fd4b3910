"""Drills on a real cluster of several raylets, in a process of its own: jobs are driven while their surroundings are taken away.

    python -m tests.integration.raylets DATABASE_URL CATALOG CPUS DRILL…
    python -m tests.integration.raylets --stand CPUS

CPUS are the processors of each raylet, such as 3,2,2. Each drill prints one line of JSON: its name, the job's result hash, a digest of all
stored trials, and what was done to it.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import ray
from ray.cluster_utils import Cluster
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster import bootstrap, machine
from cluster.compute.batching import BatchEvaluator
from cluster.compute.evaluator import BarSource, TimeSegment
from cluster.compute.executor import Call, Finished, Handle
from cluster.compute.ray import session, tasks
from cluster.compute.ray.executor import RayExecutor
from cluster.jobs.evolve.loop import SearchLoop
from cluster.jobs.evolve.plan import SearchPlan
from cluster.jobs.progress import SearchProgress, Silent
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from cluster.version import code_version
from coinswarm import errors
from coinswarm.ledger.store import Store
from tests import jobs_world
from tests.integration import evolve_world
from tests.integration.evolve_world import Witness, World, driven
from tests.jobs_world import Ending

ROOT = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1"
LEASE_S = 1.5
COMMON = {"node_ip_address": LOOPBACK, "object_store_memory": 128 * 2**20}


def planned(world: World) -> SearchPlan:
    """The job of every drill."""
    return world.plan(islands=3, generations=8, baselines=False, population=60)


def trials(store: Store, job: str) -> dict[str, Any]:
    """How many rows of trials a job has, how many different ones, and a digest of all: variant, fitness and figures."""
    batches = store.evaluations(job)
    rows = sorted(zip((v for b in batches for v in b.variants), (f for b in batches for f in b.fitness.tolist()), strict=True))
    figures = sorted((s.data_set, v, s.figures[k].tobytes().hex()) for s in store.scores(job) for k, v in enumerate(s.variants))
    digest = hashlib.sha256(repr((rows, figures)).encode()).hexdigest()
    return {"rows": len(rows), "distinct": len({variant for variant, _ in rows}), "trials": digest}


class Shuffled(RayExecutor):
    """Waits for calls in an order drawn at random, whichever is ready first."""

    def collect(self, calls: Collection[Call], timeout_s: float) -> Finished | None:
        chosen = random.Random(len(calls)).choice(list(calls))
        return super().collect([chosen], timeout_s)


class Sabotaged(RayExecutor):
    """Has something done to its cluster while calls are under way."""

    def __init__(self, sabotage: Callable[[], object], *, after: int, until_hurt: bool = False) -> None:
        super().__init__()
        self._sabotage, self._after, self._until_hurt = sabotage, after, until_hurt
        self.done: object = None

    def collect(self, calls: Collection[Call], timeout_s: float) -> Finished | None:
        self._after -= 1
        # A worker that is killed may have answered a moment before.
        if self._after <= 0 and calls and (self.done is None or (self._until_hurt and self.deaths == 0)):
            self.done = self._sabotage()
        return super().collect(calls, timeout_s)


class Elsewhere(Sabotaged):
    """Has the bars loaded by another machine than the driver's, and remembers who held them when that one was lost."""

    def __init__(self, raylets: Raylets, *, after: int) -> None:
        super().__init__(self._lose, after=after, until_hurt=True)
        self._raylets = raylets
        self._home = raylets.others[0].node_id
        self._bars: list[Any] = []
        self.held_by: set[str] = set()

    def read(self, sources: Sequence[BarSource], segment: TimeSegment) -> Iterator[Handle]:
        there = NodeAffinitySchedulingStrategy(self._home, soft=True)
        for source in sources:
            bars, loaded = tasks.load_bars.options(scheduling_strategy=there).remote(code_version(), source, segment)
            self._bars.append(bars)
            ray.get(loaded)
            yield Handle(bars)

    def _lose(self) -> str | None:
        places = ray.experimental.get_object_locations(self._bars)
        held = {node for each in places.values() for node in each["node_ids"]}
        lost = self._raylets.kill_node()
        if lost is not None:
            self.held_by = self.held_by or held
            self._raylets.add_node(cpus=1)
        return lost


@ray.remote(num_cpus=1)
class Guest:
    """Somebody else's work: holds a processor until it is killed."""

    def ready(self) -> bool:
        return True


class Raylets:
    """Raylets on the loopback address and a driver that is connected to them."""

    def __init__(self, cpus: list[int]) -> None:
        bootstrap.prepare(machine.load())
        head = {"num_cpus": cpus[0], "include_dashboard": False, **COMMON}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.others = [self.cluster.add_node(num_cpus=each, **COMMON) for each in cpus[1:]]
        self.cluster.wait_for_nodes()
        session.connect(self.cluster.address, workers=None, variables={})

    def kill_worker(self) -> int | None:
        """Kill a process that scores right now, wherever it is; the answer is its id."""
        busy = [each for node in (self.cluster.head_node, *self.others) for each in scoring(node)]
        if not busy:
            return None
        busy[0].send_signal(signal.SIGKILL)
        return busy[0].pid

    def kill_node(self) -> str | None:
        """Take a raylet that scores right now away as a loss of power does: its workers stop in the middle of what they do."""
        for node in self.others:
            busy = scoring(node)
            for worker in busy:
                worker.send_signal(signal.SIGSTOP)
            if busy:
                self.others.remove(node)
                self.cluster.remove_node(node, allow_graceful=False)
                for worker in busy:
                    worker.send_signal(signal.SIGKILL)
                return str(node.unique_id)
        return None

    def add_node(self, *, cpus: int) -> None:
        """Another machine joins."""
        self.others.append(self.cluster.add_node(num_cpus=cpus, **COMMON))

    def fill(self, store: PostgresStore, world: World) -> tuple[Ending, dict[str, Any]]:
        """Drive a job while others hold every processor; stop it there; then go on when they have left."""
        guests = [Guest.remote() for _ in range(int(ray.cluster_resources()["CPU"]))]
        ray.get([guest.ready.remote() for guest in guests])
        plan = planned(world)
        try:
            driven(store, BatchEvaluator(RayExecutor(room_s=2.0)), plan)
        except errors.Unavailable as problem:
            said = str(problem)
        left = store.job(plan.job.id).status
        stopped = driven(store, BatchEvaluator(RayExecutor()), plan, new=False, witness=Witness(stop_after=0)).status
        for guest in guests:
            ray.kill(guest)
        ending = driven(store, BatchEvaluator(RayExecutor()), evolve_world.resumed(store, plan.job.id, world.catalog), new=False)
        return ending, {"said": said, "left": left, "stopped": stopped}

    def kill_driver(self, store: PostgresStore, url: str, world: World, commits: int, pause_s: float) -> tuple[Ending, dict[str, Any]]:
        """Drive in another process, kill it a moment after so many commits, and go on from what it left."""
        plan = planned(world)
        evolve_world.submit(store, plan)
        command = [sys.executable, "-m", "tests.integration.raylets", "--drive", url, str(world.catalog), plan.job.id, self.cluster.address]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
            assert process.stdout is not None
            for _ in range(commits):
                process.stdout.readline()
            time.sleep(pause_s)
            process.send_signal(signal.SIGKILL)
        before = store.job(plan.job.id)
        stored = trials(store, plan.job.id)["rows"]
        if before.status != "done":
            ending = driven_after(store, plan, world)
        else:
            ending = Ending(job=plan.job.id, status="done", result=before.result or {}, result_hash=before.result_hash)
        return ending, {"commits": commits, "stored": stored, "finished": before.status == "done"}

    def close(self) -> None:
        ray.shutdown()
        self.cluster.shutdown()


def scoring(node: Any) -> list[psutil.Process]:
    """Workers of a raylet that score a batch right now."""
    raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
    return [each for each in raylet.children(recursive=True) if "scoring.score" in _command(each)]


def _command(process: psutil.Process) -> str:
    """Its command line; empty for one that has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def driven_after(store: PostgresStore, plan: SearchPlan, world: World) -> Ending:
    """Go on with a job as soon as its dead driver's lease has run out."""
    while True:
        try:
            return driven(store, BatchEvaluator(RayExecutor()), evolve_world.resumed(store, plan.job.id, world.catalog), new=False)
        except errors.Conflict:
            time.sleep(0.1)


class Loud(Silent):
    """Says when the first generation is in."""

    def on_progress(self, progress: SearchProgress) -> None:
        sys.stdout.write(f"{progress.evaluations}\n")
        sys.stdout.flush()


def drive(url: str, catalog: str, job: str, address: str) -> None:
    """Drive a stored job on a running cluster."""
    session.connect(address, workers=None, variables={})
    store = PostgresStore(Database(url))
    plan = evolve_world.resumed(store, job, Path(catalog))
    jobs_world.driven(store, job, SearchLoop(plan, store, BatchEvaluator(RayExecutor())), watcher=Loud(), lease_s=LEASE_S)


def stand(cpus: str) -> None:
    """A cluster for others: says its address, loses a node that works at each line it reads, and ends with its input."""
    raylets = Raylets([int(each) for each in cpus.split(",")])
    sys.stdout.write(f"{raylets.cluster.address}\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        lost = None
        while lost is None and raylets.others:
            lost = raylets.kill_node()
        sys.stdout.write(f"{lost}\n")
        sys.stdout.flush()
    raylets.close()


def report(name: str, store: PostgresStore, ending: Ending, **facts: object) -> None:
    """Print what came of a drill."""
    sys.stdout.write(json.dumps({"drill": name, "hash": ending.result_hash, **trials(store, ending.job), **facts}) + "\n")
    sys.stdout.flush()


def main(url: str, catalog: str, cpus: str, *drills: str) -> None:
    """Run drills, in the order asked for."""
    world = World(catalog=Path(catalog), markets=("binance:BTC/USDT:5m", "binance:ETH/USDT:5m"))
    store, raylets, rng = PostgresStore(Database(url)), Raylets([int(each) for each in cpus.split(",")]), random.Random(os.getpid())
    for drill in drills:
        began = time.perf_counter()
        if drill == "full":
            ending, facts = raylets.fill(store, world)
        elif drill == "driver":
            ending, facts = raylets.kill_driver(store, url, world, rng.randrange(23), rng.uniform(0.0, 0.1))
        else:
            makers: dict[str, Callable[[], RayExecutor]] = {
                "all": RayExecutor, "one": lambda: RayExecutor(max_workers=1), "two": lambda: RayExecutor(max_workers=2),
                "shuffled": Shuffled, "worker": lambda: Sabotaged(raylets.kill_worker, after=8, until_hurt=True),
                "node": lambda: Sabotaged(raylets.kill_node, after=8), "bars": lambda: Elsewhere(raylets, after=8),
            }  # fmt: skip
            executor = makers[drill]()
            workers = executor.workers
            ending = driven(store, BatchEvaluator(executor), planned(world))
            facts = {"workers": workers, "deaths": executor.deaths, "done": str(getattr(executor, "done", ""))}
            facts |= {"held_by": sorted(getattr(executor, "held_by", ()))}
        report(drill, store, ending, **facts, seconds=round(time.perf_counter() - began, 2))
    raylets.close()


if __name__ == "__main__":
    {"--drive": drive, "--stand": stand}[sys.argv[1]](*sys.argv[2:]) if sys.argv[1].startswith("--") else main(*sys.argv[1:])
