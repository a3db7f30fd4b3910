"""A small request of every kind of job, and its world: made-up markets, an exchange that plays one back, records in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.jobs.kind import PlanContext, Planned
from cluster.jobs.settings import JobSettings
from coinswarm import errors
from coinswarm.market import providers, synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from tests import jobs_world
from tests.exchanges import ReplayExchange
from tests.integration.evolve_world import PLAY
from tests.jobs_world import RunWorld

N_BARS = 4000
EXCHANGE = "replay"
HALF_AN_HOUR_MS = 1_800_000


@dataclass(frozen=True, kw_only=True)
class KindsWorld:
    """Where requests of every kind are asked."""

    context: PlanContext
    bars: tuple[Bars, ...]

    @property
    def run(self) -> RunWorld:
        """What runs a job of this world, in this process."""
        return RunWorld(context=self.context)

    @property
    def markets(self) -> list[str]:
        """Names of the stored data sets."""
        return [one.key for one in self.bars]

    def finished(self, name: str, **values: Any) -> str:
        """The id of a job of a kind that is done."""
        made = jobs_world.planned(jobs_world.request(name, **values), self.context)
        return jobs_world.run(made, self.run).id


def world(folder: Path, n_bars: int = N_BARS) -> KindsWorld:
    """A world with nothing done in it."""
    bars = tuple(synthetic.market(symbol, Timeframe.parse("5m"), n_bars, seed=3) for symbol in ("BTC/USDT", "ETH/USDT"))
    with Catalog.open(folder / "bars.duckdb") as catalog:
        for one in bars:
            catalog.put(one, source="made")
    return KindsWorld(context=jobs_world.plan_context(folder / "bars.duckdb"), bars=bars)


@contextmanager
def replaying(bars: Bars) -> Iterator[None]:
    """An exchange that plays bars back, for the length of a `with`."""
    providers.CONNECTORS[EXCHANGE] = lambda *_: ReplayExchange(bars)
    try:
        yield
    finally:
        del providers.CONNECTORS[EXCHANGE]


def _search(population: int = 16) -> dict[str, Any]:
    return {"population": population, "generations": 3, "islands": 2, "constraints": [], "seed": 5}


def _evolve(here: KindsWorld) -> dict[str, Any]:
    return {"plays": [{"text": PLAY}], "markets": here.markets[:1], "search": _search(), "winners": 2}


def _chaos(here: KindsWorld) -> dict[str, Any]:
    return {"markets": here.markets, "trades": 60_000, "settings": {"hold_ms": [300_000, HALF_AN_HOUR_MS]}}


def _discover(here: KindsWorld) -> dict[str, Any]:
    sampled = here.finished("chaos", **_chaos(here))
    return {"jobs": [sampled], "settings": {"depth": 1, "flips": 99}}


def _rules(here: KindsWorld) -> dict[str, Any]:
    return {"markets": here.markets[:1], "source": "academic", "settings": {"segments": 5, "segment_bars": 500, "flips": 99}}


def _validate(here: KindsWorld) -> dict[str, Any]:
    searched = here.finished("evolve", **_evolve(here))
    return {"job": searched, "all_unseen": False, "effort": {"resamples": 99, "lotteries": 19, "neighbours": 4, "worlds": 2, "moments": 1}}


def _honesty(_here: KindsWorld) -> dict[str, Any]:
    patterns = {"trades": 2000, "hold": "5m..30m", "depth": 1, "flips": 99}
    settings = {"worlds": 2, "cells": [{"family": "N0"}], "patterns": patterns}
    return {"settings": settings, "n_bars": 3000, "markets": 1}


def _fetch(here: KindsWorld) -> dict[str, Any]:
    one = here.bars[0]
    return {"exchange": EXCHANGE, "markets": [one.symbol], "since_ts": int(one.ts[0]), "until_ts": int(one.close_ts[499])}


EXAMPLES: Mapping[str, Callable[[KindsWorld], dict[str, Any]]] = {
    "evolve": _evolve, "chaos": _chaos, "discover": _discover, "rules": _rules, "validate": _validate, "honesty": _honesty, "fetch": _fetch,
}  # fmt: skip
"""What is asked of each kind, as values of its request."""


def example(name: str, here: KindsWorld) -> JobSettings:
    """A small request of a kind."""
    return jobs_world.request(name, **EXAMPLES[name](here))


def again(asked: JobSettings, here: KindsWorld) -> Planned:
    """The job of a request that was made before; in another campaign, where one has the same thing only once."""
    try:
        return jobs_world.planned(asked, here.context)
    except errors.Conflict:
        return jobs_world.planned(asked.model_copy(update={"campaign": "apart"}), here.context)
