"""What a job costs besides evaluation, and how many processors a driver can keep busy.

    python -m tests.benchmarks.bench_driver overhead BARS.parquet [POPULATION] [GENERATIONS]
    python -m tests.benchmarks.bench_driver cores [POPULATION] [GENERATIONS]

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
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cluster import bootstrap
from cluster.driver import submit
from cluster.driver.evaluator import Evaluator, Scored, Task, Work
from cluster.driver.evolve import EvolveDriver
from cluster.driver.hunt import Hunt
from cluster.driver.plan import Overrides, PlayFile, Request, plan
from cluster.settings import Settings
from coinswarm.evolve import archive, behaviour
from coinswarm.evolve.search import Search
from coinswarm.evolve.settings import Constraint, SearchSettings
from coinswarm.market import files, synthetic
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics.figures import FIGURES, SCORE_DTYPE

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


class Stopwatch:
    """Seconds by activity, of this thread's own calls; nested activities are taken out of the outer one."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
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
            began = time.perf_counter()
            try:
                return call(*arguments, **others)
            finally:
                self.seconds[name] += time.perf_counter() - began

        return inner

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, counted as `name`."""

        def inner(*arguments: Any, **others: Any) -> Any:
            with self.on(name):
                return call(*arguments, **others)

        return inner


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

    def submit(self, work: Work) -> None:
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

    def submit(self, work: Work) -> None:
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


def watched(watch: Stopwatch, store: Any, driver: EvolveDriver) -> None:
    """Count the driver's own work by activity."""
    store.commit_generation = watch.aside("database, beside the rest", store.commit_generation)
    for kind, name, label in (
        (Search, "ask", "breeding"), (Search, "tell", "selection"),
        (Hunt, "_show", "archive"), (Hunt, "_evaluations", "rows for the ledger"),
    ):  # fmt: skip
        setattr(kind, name, watch.timed(label, getattr(kind, name)))


def request(markets: list[str], population: int, generations: int, islands: int) -> Request:
    """A search without held-out part and yardsticks: the loop alone."""
    limit = Constraint(figure="n_trades", operator=">=", threshold=10)
    search = SearchSettings(population=population, generations=generations, islands=islands, constraints=(limit,), seed=1)
    return Request(
        plays=(PlayFile(text=PLAY),), markets=tuple(markets), search=search, overrides=Overrides(), baselines=False, out_of_sample=0.0
    )


def overhead(bars: str, population: int = 10_000, generations: int = 4, islands: int = 4) -> None:
    """Run a real job and print a table of where its wall time went."""
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(home=Path(name), RAY_ADDRESS=None)
        with Catalog.open(settings.bars_file) as catalog:
            key = catalog.put(files.read(Path(bars)), source=bars).key
        planned = plan(request([key], population, generations, islands), settings.bars_file)
        with bootstrap.open_store(settings) as store, bootstrap.open_cluster(settings) as (evaluator, _):
            _warmed(evaluator, planned)
            _loaded()
            watch, watching = Stopwatch(), None
            watching = Watched(evaluator, watch)
            driver = EvolveDriver(store, watching)
            watched(watch, store, driver)
            _report(planned, store, driver, watch, watching)


def _warmed(evaluator: Evaluator, planned: Any) -> None:
    """Have every worker started and compiled before the clock runs."""
    evaluator.open(planned.task)
    space = planned.task.setups[0].play.space
    for token in range(4):
        evaluator.submit(Work(token=-1 - token, setup=0, segment="in_sample", genomes=space.sample(np.random.default_rng(token), 500)))
    while True:
        try:
            evaluator.collect(120.0)
        except Exception:  # noqa: BLE001 - nothing is under way any more
            break


def _report(planned: Any, store: Any, driver: EvolveDriver, watch: Stopwatch, watching: Watched) -> None:
    submit.submit(store, planned)
    lease = submit.claim(store, planned.job.id, lease_s=60.0)
    began = time.perf_counter()
    with watch.on("the loop itself"):
        ending = driver.run(planned, lease)
    wall = time.perf_counter() - began
    state = store.last_generations(planned.job.id)[0].state
    facts = {
        "wall_s": wall, "evaluations": ending.result["evaluations"], "variants_per_s": ending.result["evaluations"] / wall,
        "evaluating_s": watching.seconds, "workers": watching.workers,
        "busy": watching.seconds / (wall * watching.workers), "state_bytes": len(state),
        "share": {name: seconds / wall for name, seconds in sorted(watch.seconds.items(), key=lambda pair: -pair[1])},
    }  # fmt: skip
    sys.stdout.write(json.dumps(facts, indent=1) + "\n")


def cores(population: int = 10_000, generations: int = 4) -> None:
    """Print how many processors the driver keeps busy with variants of 10 ms on ten markets, for growing clusters."""
    with tempfile.TemporaryDirectory() as name:
        catalog_path = Path(name) / "bars.duckdb"
        with Catalog.open(catalog_path) as catalog:
            keys = [catalog.put(synthetic.market(f"C{k}/USDT", Timeframe.parse("5m"), 2000, seed=k), source="made").key for k in range(10)]
        settings = Settings(home=Path(name), RAY_ADDRESS=None)
        for asked in (128, 512, 1024):
            planned = plan(request(keys, population, generations, 8), catalog_path)
            with bootstrap.open_store(settings) as store:
                _cores(store, planned, asked)


def _loaded() -> None:
    """Load what the archive is made of, once a process and not once a generation."""
    archive.cells(behaviour.TRADING, np.ones((1, len(behaviour.TRADING.descriptors))))


def _cores(store: Any, planned: Any, asked: int) -> None:
    _loaded()
    evaluator = StandIn(asked, variant_s=0.01, markets=10)
    submit.submit(store, planned)
    lease = submit.claim(store, planned.job.id, lease_s=60.0)
    began = time.perf_counter()
    ending = EvolveDriver(store, evaluator).run(planned, lease)
    wall = time.perf_counter() - began
    trials = ending.result["evaluations"]
    sys.stdout.write(f"{asked:>5} processors  {trials / wall:>8,.0f} variants/s  {evaluator.busy_s / wall:>6,.0f} kept busy\n")
    sys.stdout.flush()


if __name__ == "__main__":
    {"overhead": overhead, "cores": cores}[sys.argv[1]](*[int(word) if word.isdigit() else word for word in sys.argv[2:]])
