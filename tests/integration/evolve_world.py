"""A small world for jobs: real candles in a catalog, a play with a space, and requests about them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

from cluster.compute.evaluator import Evaluator, Scored, ScoreRequest, Task
from cluster.jobs import registry, spec
from cluster.jobs.evolve.loop import SearchLoop
from cluster.jobs.evolve.plan import SearchPlan, planned_search
from cluster.jobs.evolve.settings import EvolveRequest
from cluster.jobs.kind import Planned
from cluster.jobs.progress import SearchProgress, Silent
from coinswarm.evolve.settings import Constraint, SearchSettings
from coinswarm.ledger.campaigns import Campaigns
from coinswarm.ledger.store import Store
from coinswarm.market import files
from coinswarm.market.catalog import Catalog
from tests import jobs_world

PLAY = """
version: "3.0.0"
name: crossing
timeframes: { low_tf: 5m, exec: low_tf }
features:
  fast: { indicator: ema, params: { length: { min: 5, max: 40 } } }
  slow: { indicator: ema, params: { length: { min: 45, max: 150, step: 5 } } }
actions:
  entry_long: { all: [ [fast, cross_above, slow] ] }
  exit_long: { any: [ [fast, cross_below, slow] ] }
risk: { stop_loss_pct: [1.0, 2.0, 3.0], take_profit_pct: { min: 1, max: 6, step: 0.5 } }
position_policy: { mode: long_only, exit_mode: first_hit }
"""
N_BARS = 4000


@dataclass(frozen=True, kw_only=True)
class World:
    """A catalog with bars of some markets."""

    catalog: Path
    markets: tuple[str, ...]

    def request(
        self, *, text: str = PLAY, path: Path | None = None, seed: int = 7, islands: int = 2, generations: int = 4,
        population: int = 24, **others: object,
    ) -> EvolveRequest:  # fmt: skip
        """A small search over all markets."""
        limit = Constraint(figure="n_trades", operator=">=", threshold=3)
        search = SearchSettings(
            population=population, generations=generations, islands=islands, migration_every=2, seed=seed, constraints=(limit,)
        )
        values = {"markets": self.markets, "search": search, "winners": 4, **others}
        return EvolveRequest(plays=(jobs_world.play(text, path),), **values)

    def planned(self, *, campaigns: Campaigns | None = None, **others: object) -> Planned:
        """The job of a small search over all markets."""
        return jobs_world.planned(self.request(**others), jobs_world.plan_context(self.catalog, campaigns=campaigns))

    def plan(self, **others: object) -> SearchPlan:
        """The plan of a small search over all markets."""
        return planned_search(self.planned(**others), self.catalog)


def world(folder: Path, data: Path) -> World:
    """The beginning of two real markets, stored in a catalog of its own."""
    path = folder / "bars.duckdb"
    keys = []
    with Catalog.open(path) as catalog:
        for coin in ("BTC", "ETH"):
            bars = files.read(data / "spot5m_2024" / f"binance_{coin}-USDT_5m.parquet")[:N_BARS]
            keys.append(catalog.put(bars, source=coin).key)
    return World(catalog=path, markets=tuple(keys))


class Witness(Silent):
    """Remembers what a driver told, and wants it stopped after so many commits."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.seen: list[SearchProgress] = []
        self.notes: list[str] = []
        self._stop_after = stop_after

    def on_progress(self, progress: SearchProgress) -> None:
        self.seen.append(progress)

    def on_note(self, text: str) -> None:
        self.notes.append(text)

    def stopped(self) -> bool:
        return self._stop_after is not None and len(self.seen) >= self._stop_after


class LastFirst:
    """An evaluator that finishes what came last first."""

    def __init__(self, inner: Evaluator) -> None:
        self._inner = inner
        self._works: deque[ScoreRequest] = deque()

    @property
    def workers(self) -> int:
        return self._inner.workers

    def open(self, task: Task) -> None:
        self._works.clear()
        self._inner.open(task)

    def submit(self, work: ScoreRequest) -> None:
        self._works.append(work)

    def collect(self, timeout_s: float) -> Scored:
        self._inner.submit(self._works.pop())
        while (scored := self._inner.collect(timeout_s)) is None:
            pass
        return scored

    def close(self) -> None:
        self._inner.close()


def driven(
    store: Store, evaluator: Evaluator, planned: SearchPlan, *, witness: Witness | None = None, new: bool = True
) -> jobs_world.Ending:
    """The ending of a plan, driven by this process; one that is not new and has ended is resumed first, as a user would."""
    watcher = witness or Witness()
    if new:
        submit(store, planned)
    elif store.status(planned.job.id) in ("cancelled", "failed"):
        store.resume(planned.job.id)
    return jobs_world.driven(store, planned.job.id, SearchLoop(planned, store, evaluator), watcher=watcher, stopped=watcher.stopped)


def submit(store: Store, planned: SearchPlan) -> None:
    """Queue a planned search with all that it refers to."""
    spec.submit(store, Planned(job=planned.job, plays=planned.plays, data_sets=planned.data_sets))


def resumed(store: Store, name: str, catalog: Path) -> SearchPlan:
    """The plan of a stored search, refused where it would no longer be the same."""
    made = spec.stored(store, name)
    spec.refuse_done(made.job)
    spec.refuse_changed(registry.of(made.job), made)
    return planned_search(made, catalog)
