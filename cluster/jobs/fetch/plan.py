"""Jobs that fetch candles from an exchange into the catalog: one market a step, and within it page by page.

Pages are committed one by one, so a job that was stopped in the middle of a market goes on behind the last page. Others can read the
catalog between two markets only, for its file has one writer or many readers.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cluster import version
from cluster.jobs.evolve import plan as planning
from cluster.run.steps import Step
from coinswarm import errors
from coinswarm.ledger.records import DataSetRecord, Job, Json, PlayRecord, new_job_id
from coinswarm.market import fetch, providers, symbols
from coinswarm.market.catalog import Catalog
from coinswarm.market.fetch import Patience, Progress
from coinswarm.market.providers import Provider
from coinswarm.market.timeframe import Timeframe

KIND = "fetch"
_PATIENCE_S = 60.0
_USUAL = Patience()
_PAUSE_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be fetched: finished candles of `markets` that open in [since_ms, until_ms)."""

    exchange: str
    markets: tuple[str, ...]
    timeframe: str
    since_ms: int
    until_ms: int
    campaign: str = "default"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A job and what it fetches; it refers to no play, and to no bars that are there already."""

    job: Job
    request: Request
    plays: tuple[PlayRecord, ...] = ()
    data_sets: tuple[DataSetRecord, ...] = ()


def plan(request: Request) -> Plan:
    """Settle what is fetched; nobody is asked for anything yet.

    Raises:
        NotFound: there is no such exchange. InvalidArgument: no market, a market or timeframe that is none, or a span without time.
    """
    providers.connect(request.exchange)
    if not request.markets or request.since_ms >= request.until_ms:
        found = f"{len(request.markets)} markets from {request.since_ms} to {request.until_ms} ms"
        raise errors.InvalidArgument("a fetch needs a market and a span of time", found=found)
    settled = {
        "exchange": request.exchange.strip().lower(),
        "fetched": list(dict.fromkeys(map(symbols.canonical, request.markets))),
        "timeframe": str(Timeframe.parse(request.timeframe)),
        "from": request.since_ms,
        "to": request.until_ms,
    }
    created = datetime.now(UTC)
    job = Job(
        id=new_job_id(KIND, created), kind=KIND, campaign=request.campaign, plays=(), data_hashes=(),
        data_hash=planning.data_hash(()), config={**settled, "environment": version.environment()},
        config_hash=planning.config_hash(settled), code_version=version.code_version(), seed=0, synthetic=False, created=created,
    )  # fmt: skip
    return plan_again(job)


def plan_again(job: Job) -> Plan:
    """The plan of a stored job."""
    settled = job.config
    request = Request(
        exchange=settled["exchange"], markets=tuple(settled["fetched"]), timeframe=settled["timeframe"], since_ms=settled["from"],
        until_ms=settled["to"], campaign=job.campaign,
    )  # fmt: skip
    return Plan(job=job, request=request)


class Markets:
    """The steps of a job: each is one market, as far as it goes.

    Args:
        made: the plan.
        bars_file: the catalog.
        timeout_s: how long one answer of the exchange may take.
        tell: is told what is waited for.
        patience: how long to wait for an exchange that does not answer.
    """

    unit = "markets"

    def __init__(
        self,
        made: Plan,
        bars_file: Path,
        *,
        timeout_s: float,
        tell: Callable[[str], None] = lambda _: None,
        patience: Patience = _USUAL,
    ) -> None:
        self._request, self._bars_file = made.request, bars_file
        self._timeout_s, self._tell, self._patience = timeout_s, tell, patience

    @property
    def total(self) -> int:
        """How many markets there are."""
        return len(self._request.markets)

    def steps(self, done: Sequence[Json], halted: Callable[[], bool], /) -> Iterator[Step]:
        """The markets that are missing, in order."""
        provider = providers.connect(self._request.exchange, timeout_s=self._timeout_s)
        for number in range(len(done), self.total):
            yield Step(number=number, figures=self._fetched(provider, self._request.markets[number], halted))

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        """What was added, and the hash of all bars that are stored of these markets now."""
        stored = "".join(f"{entry['key']} {entry['content_hash']}\n" for entry in figures)
        added = {name: sum(int(entry[name]) for entry in figures) for name in ("added", "funding_added")}
        return {**added, "data_sets": [entry["key"] for entry in figures]}, hashlib.sha256(stored.encode()).hexdigest()

    def _fetched(self, provider: Provider, symbol: str, halted: Callable[[], bool]) -> Json:
        request, timeframe = self._request, Timeframe.parse(self._request.timeframe)
        with _opened(self._bars_file, halted) as catalog:
            done = fetch.fetch(
                provider, catalog, symbol, timeframe, since_ms=request.since_ms, until_ms=request.until_ms, on_progress=self._on_progress,
                cancelled=halted, patience=self._patience,
            )  # fmt: skip
            there = catalog.span(provider.name, symbol, timeframe) is not None
            content_hash = catalog.find(done.key).content_hash if there else ""
        return {
            "key": done.key, "added": done.added, "funding_added": done.funding_added, "has_funding": done.has_funding,
            "content_hash": content_hash,
        }  # fmt: skip

    def _on_progress(self, progress: Progress) -> None:
        if progress.note:
            self._tell(f"{progress.symbol}: {progress.note}")


def _opened(path: Path, halted: Callable[[], bool]) -> Catalog:
    """The catalog for writing, once those who read it are done.

    Raises:
        Conflict: somebody holds it for too long. Cancelled: `halted` said so.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return Catalog.open(path)
        except errors.Conflict:
            if time.monotonic() > deadline:
                raise
            if halted():
                raise errors.Cancelled("the fetch was stopped while others held the bars") from None
            time.sleep(_PAUSE_S)
