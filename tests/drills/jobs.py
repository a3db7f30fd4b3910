"""Jobs of every kind, one small and one that a cluster is worth, each some seconds long; and what comes of each when nothing happens."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from coinswarm.ledger.records import FINAL_STATUSES
from tests import jobs_world
from tests.drills import exchange
from tests.drills.world import SYMBOLS, World
from tests.integration.evolve_world import PLAY
from tests.jobs_world import RunWorld

MARKETS = [f"synthetic:{symbol}:5m" for symbol in SYMBOLS]
HOLD = {"hold_ms": [300_000, 1_800_000]}


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Jobs that others are about."""

    search: str


@dataclass(frozen=True, kw_only=True)
class Example:
    """A job that is drilled.

    Attributes:
        kind: of job.
        size: `small`, computed in the worker process of a service, or `cluster`.
        request: its body, of what it is about and a campaign of its own.
        trades: of a job of chaos trades that is run before in the same campaign, for this one to be about; 0: there is none.
    """

    kind: str
    size: str
    request: Callable[[Sources, str], dict[str, Any]]
    trades: int = 0

    @property
    def name(self) -> str:
        """As tables call it."""
        return f"{self.kind}, {self.size}"

    def body(self, there: World, sources: Sources, campaign: str) -> dict[str, Any]:
        """What is submitted, once what it needs in its campaign is done."""
        if self.trades:
            run(there, {"kind": "chaos", **chaos(campaign, trades=self.trades)}, key=f"trades of {campaign}")
        return {"kind": self.kind, **self.request(sources, campaign)}


@dataclass(frozen=True, kw_only=True)
class Undisturbed:
    """What a job comes to when nothing happens to it, and how long it takes."""

    result_hash: str
    seconds: float


def search(campaign: str, *, population: int, generations: int) -> dict[str, Any]:
    """A search of some variants on one market."""
    settings = {"population": population, "generations": generations, "islands": 2, "constraints": [], "seed": 5}
    return {
        "plays": [{"text": PLAY}], "markets": MARKETS[:1], "search": settings, "winners": 2, "baselines": False, "campaign": campaign,
    }  # fmt: skip


def chaos(campaign: str, *, trades: int) -> dict[str, Any]:
    """Chaos trades on both markets."""
    return {"markets": MARKETS, "trades": trades, "settings": HOLD, "campaign": campaign}


def discover(campaign: str, *, depth: int, flips: int) -> dict[str, Any]:
    """A search for patterns among the chaos trades of a campaign, where the same is not searched twice."""
    return {"settings": {"depth": depth, "flips": flips}, "campaign": campaign}


def rules(campaign: str) -> dict[str, Any]:
    """A test of published rules."""
    return {"markets": MARKETS[:1], "source": "academic", "settings": {"segments": 30, "segment_bars": 500}, "campaign": campaign}


def validate(job: str, *, neighbours: int) -> dict[str, Any]:
    """The report card of a search's best."""
    effort = {"resamples": 199, "lotteries": 99, "neighbours": neighbours, "worlds": 4, "moments": 1}
    return {"job": job, "all_unseen": False, "effort": effort}


def honesty(*, worlds: int, trades: int) -> dict[str, Any]:
    """What is promoted on worlds where there is nothing."""
    patterns = {"trades": trades, "hold": "5m..30m", "depth": 1, "flips": 99}
    return {"settings": {"worlds": worlds, "cells": [{"family": "N0"}], "patterns": patterns}, "n_bars": 10_000, "markets": 1}


_FETCHED = count(1)


def fetch(_sources: Sources, campaign: str) -> dict[str, Any]:
    """A fetch of a market that was not fetched before."""
    bars = exchange.candles("BTC/USDT")
    span = {"since_ts": int(bars.ts[0]), "until_ts": int(bars.close_ts[-1])}
    return {"exchange": exchange.NAME, "markets": [f"C{next(_FETCHED)}/USDT"], "campaign": campaign, **span}


EXAMPLES = (
    Example(kind="evolve", size="small", request=lambda _, name: search(name, population=24, generations=150)),
    Example(kind="evolve", size="cluster", request=lambda _, name: search(name, population=400, generations=60)),
    Example(kind="chaos", size="small", request=lambda _, name: chaos(name, trades=300_000)),
    Example(kind="chaos", size="cluster", request=lambda _, name: chaos(name, trades=600_000)),
    Example(kind="discover", size="small", trades=60_000, request=lambda _, name: discover(name, depth=2, flips=999)),
    Example(kind="discover", size="cluster", trades=600_000, request=lambda _, name: discover(name, depth=1, flips=99)),
    Example(kind="rules", size="small", request=lambda _, name: rules(name)),
    Example(kind="validate", size="small", request=lambda given, _: validate(given.search, neighbours=20)),
    Example(kind="validate", size="cluster", request=lambda given, _: validate(given.search, neighbours=10_000)),
    Example(kind="honesty", size="small", request=lambda *_: honesty(worlds=40, trades=2000)),
    Example(kind="honesty", size="cluster", request=lambda *_: honesty(worlds=8, trades=15_000)),
    Example(kind="fetch", size="small", request=fetch),
)
"""Rules and fetches are never worth a cluster to the service; a command with `--workers 2` computes every kind on one."""


def ended(there: World, job: str, limit_s: float) -> Mapping[str, Any] | None:
    """A job once it has ended, as the server shows it; None where it has not in time."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        answer = there.ask("GET", f"/api/v1/jobs/{job}", timeout_s=10.0)
        if answer.status == 200 and answer.body["status"] in FINAL_STATUSES:
            found: Mapping[str, Any] = answer.body
            return found
        time.sleep(0.1)
    return None


def run(there: World, body: Mapping[str, Any], *, key: str) -> Mapping[str, Any]:
    """A job that is submitted and done."""
    job = there.submitted(body, key=key)
    return require_done(ended(there, job, 600.0), job)


def sources(there: World) -> Sources:
    """Run what other jobs are about."""
    found = run(there, {"kind": "evolve", **search("sources", population=24, generations=20)}, key="sources")
    return Sources(search=str(found["id"]))


def require_done(found: Mapping[str, Any] | None, job: str) -> Mapping[str, Any]:
    """The job; raises `RuntimeError` unless it is done."""
    if found is None or found["status"] != "done":
        raise RuntimeError(f"job {job} ended as {found and (found['status'], found['error'])} though nothing happened to it")
    return found


def undisturbed(there: World, given: Sources, examples: tuple[Example, ...] = EXAMPLES) -> Iterator[tuple[Example, Undisturbed]]:
    """Run each example once with nothing done to it."""
    for example in examples:
        name = f"undisturbed {example.name}"
        body = example.body(there, given, name)
        began = time.monotonic()
        found = run(there, body, key=name)
        yield example, Undisturbed(result_hash=str(found["result_hash"]), seconds=time.monotonic() - began)


def fetched_hash(body: Mapping[str, Any]) -> str:
    """The result hash of a fetch: each is of another market, so it is computed in a catalogue of its own."""
    exchange.know(pause_s=0.0)
    with tempfile.TemporaryDirectory() as folder:
        context = jobs_world.plan_context(Path(folder) / "bars.duckdb")
        made = jobs_world.planned(jobs_world.request(**body), context)
        return jobs_world.run(made, RunWorld(context=context)).result_hash
