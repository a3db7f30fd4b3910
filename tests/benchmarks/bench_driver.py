"""What a job costs besides evaluation, and how many processors a driver can keep busy.

    python -m tests.benchmarks.bench_driver overhead BARS.parquet [POPULATION] [GENERATIONS]
    python -m tests.benchmarks.bench_driver cores [POPULATION] [GENERATIONS]
    python -m tests.benchmarks.bench_driver workers BARS.parquet [POPULATION] [GENERATIONS]
    python -m tests.benchmarks.bench_driver memory BARS.parquet [POPULATION] [GENERATIONS]

`overhead` runs a real job on a local Ray cluster with the embedded PostgreSQL and prints where its wall time went. `cores` replaces the
evaluator by a stand-in of known cost whose processors exist on a clock only, so that what limits the figures is the driver alone.
"""

from __future__ import annotations

import heapq
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from cluster import bootstrap
from cluster.compute.batching import BatchEvaluator
from cluster.compute.evaluator import Evaluator, Scored, ScoreRequest, Task
from cluster.jobs.evolve.loop import SearchLoop
from cluster.jobs.evolve.plan import SearchPlan, planned_search
from cluster.jobs.evolve.play_search import PlaySearch
from cluster.jobs.evolve.settings import EvolveRequest
from cluster.jobs.progress import SearchProgress, Silent
from cluster.machine import MachineSettings
from cluster.store import embedded
from coinswarm.evolve.search import Search
from coinswarm.evolve.settings import Constraint, SearchSettings
from coinswarm.market import files, synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics.figures import FIGURES, SCORE_DTYPE
from tests import jobs_world
from tests.integration import evolve_world

PLAY = """
version: "3.0.0"
name: bench
timeframes: { low_tf: 5m, exec: low_tf }
features:
  fast: { indicator: ema, params: { length: { min: 5, max: 60 } } }
  slow: { indicator: ema, params: { length: { min: 65, max: 300, step: 5 } } }
  rsi: { indicator: rsi, params: { length: { min: 7, max: 28 } } }
actions:
  entry_long: { all: [ [fast, cross_above, slow], [rsi, "<", { min: 50, max: 80 }] ] }
  exit_long: { any: [ [fast, cross_below, slow] ] }
risk: { stop_loss_pct: { min: 1, max: 5, step: 0.25 }, take_profit_pct: { min: 1, max: 8, step: 0.25 } }
position_policy: { mode: long_only, exit_mode: first_hit }
"""


_TWELVE_MONTHS = 105_120


class Stopwatch:
    """Seconds by activity, of this thread's own calls; nested activities are taken out of the outer one."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.processor: dict[str, float] = defaultdict(float)
        self._open: list[str] = []

    @contextmanager
    def on(self, name: str) -> Any:
        """Count what happens inside as `name`."""
        began = time.perf_counter()
        self._open.append(name)
        try:
            yield
        finally:
            self._open.pop()
            took = time.perf_counter() - began
            self.seconds[name] += took
            if self._open:
                self.seconds[self._open[-1]] -= took

    def aside(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, counted as `name` though it happens on another thread, beside everything else."""

        def inner(*arguments: Any, **others: Any) -> Any:
            began, busy = time.perf_counter(), time.thread_time()
            try:
                return call(*arguments, **others)
            finally:
                self.seconds[name] += time.perf_counter() - began
                self.processor[name] += time.thread_time() - busy

        return inner

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, counted as `name`."""

        def inner(*arguments: Any, **others: Any) -> Any:
            with self.on(name):
                return call(*arguments, **others)

        return inner


class Meter:
    """Processor seconds of everything that takes part in a job on this machine, by who spends them."""

    def __init__(self, settings: MachineSettings) -> None:
        server = embedded.status(settings.postgres_folder)
        self._server = None if server is None else psutil.Process(server.pid)

    def read(self) -> dict[str, float]:
        """Seconds so far; workers are the processes that score."""
        ray = [each for each in psutil.Process().children(recursive=True) if _seconds(each)]
        workers = [each for each in ray if _name(each).startswith("ray::")]
        database = [] if self._server is None else [self._server, *self._server.children()]
        return {
            "workers": sum(map(_seconds, workers)), "driver": time.process_time(), "PostgreSQL": sum(map(_seconds, database)),
            "the rest of Ray": sum(map(_seconds, ray)) - sum(map(_seconds, workers)),
        }  # fmt: skip


def _seconds(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _name(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


class Watched:
    """An evaluator whose waiting and handing out are told apart."""

    def __init__(self, inner: Evaluator, watch: Stopwatch) -> None:
        self._inner, self._watch = inner, watch
        self.seconds = 0.0

    @property
    def workers(self) -> int:
        return self._inner.workers

    def open(self, task: Task) -> None:
        with self._watch.on("loading bars"):
            self._inner.open(task)

    def submit(self, work: ScoreRequest) -> None:
        with self._watch.on("dispatch"):
            self._inner.submit(work)

    def collect(self, timeout_s: float) -> Scored | None:
        with self._watch.on("waiting"):
            scored = self._inner.collect(timeout_s)
        self.seconds += 0.0 if scored is None else scored.seconds
        return scored

    def close(self) -> None:
        self._inner.close()


class StandIn:
    """Variants of known cost on processors that exist on a clock only: a work is done when its share of them would have done it."""

    def __init__(self, cores: int, *, variant_s: float, markets: int) -> None:
        self.workers = cores
        self._variant_s, self._markets = variant_s, markets
        self._free = 0.0
        self._due: list[tuple[float, int, int]] = []
        self.busy_s = 0.0

    def open(self, task: Task) -> None:
        self._free = time.perf_counter()

    def submit(self, work: ScoreRequest) -> None:
        cost = len(work.genomes) * self._variant_s
        self.busy_s += cost
        self._free = max(self._free, time.perf_counter()) + cost / self.workers
        heapq.heappush(self._due, (self._free, work.token, len(work.genomes)))

    def collect(self, timeout_s: float) -> Scored | None:
        due, token, rows = heapq.heappop(self._due)
        time.sleep(max(0.0, due - time.perf_counter()))
        rng = np.random.default_rng(token)
        table = np.zeros((rows, self._markets), dtype=SCORE_DTYPE)
        for name in FIGURES:
            table[name] = rng.random((rows, self._markets))
        table["n_trades"], table["n_obs"], table["avg_hold"] = 50.0, 1e5, 12.0
        return Scored(token=token, figures=table, reasons={}, seconds=rows * self._variant_s)

    def close(self) -> None:
        self._due.clear()


def watched(watch: Stopwatch, store: Any) -> None:
    """Count the driver's own work by activity."""
    store.commit_generation = watch.aside("database, beside the rest", store.commit_generation)
    for kind, name, label in (
        (Search, "ask", "breeding"), (Search, "tell", "selection"),
        (PlaySearch, "_show", "archive"), (PlaySearch, "_evaluations", "rows for the ledger"),
    ):  # fmt: skip
        setattr(kind, name, watch.timed(label, getattr(kind, name)))


def request(markets: list[str], population: int, generations: int, islands: int) -> EvolveRequest:
    """A search without held-out part and yardsticks: the loop alone."""
    limit = Constraint(figure="n_trades", operator=">=", threshold=10)
    search = SearchSettings(population=population, generations=generations, islands=islands, constraints=(limit,), seed=1)
    return EvolveRequest(plays=(jobs_world.play(PLAY),), markets=tuple(markets), search=search, baselines=False, out_of_sample=0.0)


def planned_on(asked: EvolveRequest, bars_file: Path) -> SearchPlan:
    """The plan of a request."""
    return planned_search(jobs_world.planned(asked, jobs_world.plan_context(bars_file)), bars_file)


def overhead(bars: str | int, population: int = 10_000, generations: int = 4, islands: int = 4) -> None:
    """Run a real job and print a table of where its wall time went."""
    with _prepared(bars, request, population, generations, islands) as (planned, store, evaluator, settings):
        watch = Stopwatch()
        watching = Watched(evaluator, watch)
        watched(watch, store)
        _report(planned, store, watch, watching, Meter(settings))


def _warmed(evaluator: Evaluator, planned: Any) -> None:
    """Have every worker started and compiled before the clock runs."""
    evaluator.open(planned.task)
    space = planned.task.setups[0].play.space
    for token in range(4):
        evaluator.submit(
            ScoreRequest(token=-1 - token, setup=0, segment="in_sample", genomes=space.sample(np.random.default_rng(token), 500))
        )
    while True:
        try:
            evaluator.collect(120.0)
        except Exception:  # noqa: BLE001 - nothing is under way any more
            break


def _report(planned: SearchPlan, store: Any, watch: Stopwatch, watching: Watched, meter: Meter) -> None:
    evolve_world.submit(store, planned)
    loop = SearchLoop(planned, store, watching)
    began, before, mine = time.perf_counter(), meter.read(), time.thread_time()
    with watch.on("the loop itself"):
        ending = jobs_world.driven(store, planned.job.id, loop, lease_s=60.0)
    wall = time.perf_counter() - began
    mine = time.thread_time() - mine
    spent = {name: seconds - before[name] for name, seconds in meter.read().items()}
    spent["of the driver: its own thread"], spent["of the driver: commits"] = mine, sum(watch.processor.values())
    state = store.last_generations(planned.job.id)[0].state
    facts = {
        "wall_s": wall, "evaluations": ending.result["evaluations"], "variants_per_s": ending.result["evaluations"] / wall,
        "evaluating_s": watching.seconds, "workers": watching.workers,
        "busy": watching.seconds / (wall * watching.workers), "state_bytes": len(state),
        "overhead": 1.0 - spent["workers"] / sum(spent[name] for name in ("workers", "driver", "PostgreSQL", "the rest of Ray")),
        "processor_us_a_variant": {name: 1e6 * seconds / ending.result["evaluations"] for name, seconds in spent.items()},
        "share": {name: seconds / wall for name, seconds in sorted(watch.seconds.items(), key=lambda pair: -pair[1])},
    }  # fmt: skip
    sys.stdout.write(json.dumps(facts, indent=1) + "\n")


def workers(bars: str | int, population: int = 4_000, generations: int = 4) -> None:
    """Print how much faster two workers are than one: the median of three pairs, for the machine may have other things to do."""
    ratios = []
    for _ in range(3):
        one, two = (_speed(bars, population, generations, count) for count in (1, 2))
        ratios.append(two / one)
        sys.stdout.write(f"one worker {one:,.0f} variants/s, two {two:,.0f}: {two / one:.2f} times\n")
        sys.stdout.flush()
    sys.stdout.write(f"median {sorted(ratios)[1]:.2f}\n")


def _speed(bars: str | int, population: int, generations: int, count: int) -> float:
    """Variants a second of a job on so many workers."""
    with _prepared(bars, request, population, generations, 4, workers=count) as (planned, store, evaluator, _):
        evolve_world.submit(store, planned)
        began = time.perf_counter()
        ending = jobs_world.driven(store, planned.job.id, SearchLoop(planned, store, evaluator), lease_s=60.0)
        return float(ending.result["evaluations"]) / (time.perf_counter() - began)


@contextmanager
def _prepared(
    bars: str | int, asked: Callable[..., EvolveRequest], *sizes: int, workers: int | None = None
) -> Iterator[tuple[SearchPlan, Any, Any, MachineSettings]]:
    """A plan on the bars of a file, a store, and warm workers."""
    with tempfile.TemporaryDirectory() as name:
        settings = MachineSettings(home=Path(name))
        with Catalog.open(settings.bars_file) as catalog:
            keys = [catalog.put(market, source="benchmark").key for market in _markets(bars)]
        planned = planned_on(asked(keys, *sizes), settings.bars_file)
        with bootstrap.open_store(settings) as store, bootstrap.open_executor(settings, workers=workers, bounded=True) as (executor, _):
            evaluator = BatchEvaluator(executor)
            _warmed(evaluator, planned)
            yield planned, store, evaluator, settings


def _markets(bars: str | int) -> Iterator[Bars]:
    """Twelve months of so many made-up markets, or the candles of files with commas between them."""
    if isinstance(bars, int):
        for number in range(bars):
            yield synthetic.market(f"C{number}/USDT", Timeframe.parse("5m"), _TWELVE_MONTHS, seed=number)
    else:
        yield from (files.read(Path(name)) for name in bars.split(","))


class Scales(Silent):
    """Weighs the driver and the processes that score, once a generation."""

    def __init__(self) -> None:
        self.weights: dict[int, tuple[float, float]] = {}

    def on_progress(self, progress: SearchProgress) -> None:
        if progress.generation not in self.weights:
            scoring = [each for each in psutil.Process().children(recursive=True) if "scoring.score" in _name(each)]
            heaviest = max((each.memory_full_info().uss for each in scoring), default=0)
            self.weights[progress.generation] = (progress.memory_bytes / 2**20, heaviest / 2**20)


def memory(bars: str | int, population: int = 1_000, generations: int = 100) -> None:
    """Print what the driver (all of its memory) and the heaviest worker (its own, without shared bars) hold over a long job, in MB."""
    with _prepared(bars, request, population, generations, 4) as (planned, store, evaluator, _):
        scales = Scales()
        evolve_world.submit(store, planned)
        jobs_world.driven(store, planned.job.id, SearchLoop(planned, store, evaluator), watcher=scales, lease_s=60.0)
    for generation, (driver, worker) in sorted(scales.weights.items()):
        if generation % 10 == 0 or generation == generations:
            sys.stdout.write(f"generation {generation:>4}: driver {driver:>7.1f} MB, worker {worker:>7.1f} MB\n")


def cores(population: int = 10_000, generations: int = 4) -> None:
    """Print how many processors the driver keeps busy with variants of 10 ms on ten markets, for growing clusters."""
    with tempfile.TemporaryDirectory() as name:
        catalog_path = Path(name) / "bars.duckdb"
        with Catalog.open(catalog_path) as catalog:
            keys = [catalog.put(synthetic.market(f"C{k}/USDT", Timeframe.parse("5m"), 2000, seed=k), source="made").key for k in range(10)]
        settings = MachineSettings(home=Path(name))
        for asked in (128, 512, 1024):
            planned = planned_on(request(keys, population, generations, 8), catalog_path)
            with bootstrap.open_store(settings) as store:
                _cores(store, planned, asked)


def _cores(store: Any, planned: Any, asked: int) -> None:
    evaluator = StandIn(asked, variant_s=0.01, markets=10)
    evolve_world.submit(store, planned)
    began = time.perf_counter()
    ending = jobs_world.driven(store, planned.job.id, SearchLoop(planned, store, evaluator), lease_s=60.0)
    wall = time.perf_counter() - began
    trials = ending.result["evaluations"]
    sys.stdout.write(f"{asked:>5} processors  {trials / wall:>8,.0f} variants/s  {evaluator.busy_s / wall:>6,.0f} kept busy\n")
    sys.stdout.flush()


if __name__ == "__main__":
    {"overhead": overhead, "cores": cores, "workers": workers, "memory": memory}[sys.argv[1]](
        *[int(word) if word.isdigit() else word for word in sys.argv[2:]]
    )
