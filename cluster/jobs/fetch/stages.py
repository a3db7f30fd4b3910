"""The steps of a fetch: each is one market, and within it pages are committed one by one.

So a job that was stopped in the middle of a market goes on behind the last page, and others read the catalog between two pages.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from cluster.jobs.kind import Estimate, PlanContext, Planned, Recount, RunContext
from cluster.jobs.recount import of_steps
from cluster.jobs.stages import Step, Steps
from coinswarm.ledger.records import Json
from coinswarm.market import fetch, providers
from coinswarm.market.fetch import PATIENCE, Progress
from coinswarm.market.providers import Provider
from coinswarm.market.timeframe import Timeframe
from coinswarm.printable import counted
from coinswarm.retry import RetryPolicy

_NOTE_S = 10.0
"""Seconds between two notes on how far a market is."""
_PAGE, _PAGE_S = 1000, 0.5
"""Candles that one question is answered with, and seconds between questions: what the large exchanges allow."""


class Markets:
    """The steps of a job: each is one market, as far as it goes.

    Args:
        settled: the config of the job.
        bars_file: the catalog.
        timeout_s: how long one answer of the exchange may take.
        tell: is told what is waited for.
        patience: how long to wait for an exchange that does not answer.
    """

    unit = "markets"

    def __init__(
        self,
        settled: Json,
        bars_file: Path,
        *,
        timeout_s: float,
        tell: Callable[[str], None] = lambda _: None,
        patience: RetryPolicy = PATIENCE,
    ) -> None:
        self._settled, self._bars_file = settled, bars_file
        self._timeout_s, self._tell, self._patience = timeout_s, tell, patience

    @property
    def total(self) -> int:
        """How many markets there are."""
        return len(self._settled["fetched"])

    def steps(self, done: Sequence[Json], halted: Callable[[], bool], /) -> Iterator[Step]:
        """The markets that are missing, in order."""
        provider = providers.connect(self._settled["exchange"], timeout_s=self._timeout_s)
        for number in range(len(done), self.total):
            yield Step(number=number, figures=self._fetched(provider, self._settled["fetched"][number], halted))

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        """What was added, and the hash of all bars that are stored of these markets now."""
        added = {name: sum(int(entry[name]) for entry in figures) for name in ("added", "funding_added")}
        return {**added, "data_sets": [entry["key"] for entry in figures]}, _digest(figures)

    def _fetched(self, provider: Provider, symbol: str, halted: Callable[[], bool]) -> Json:
        settled, timeframe = self._settled, Timeframe.parse(self._settled["timeframe"])
        done = fetch.fetch(
            provider, self._bars_file, symbol, timeframe, since_ms=settled["from"], until_ms=settled["to"],
            on_progress=PageNotes(self._tell).on_progress, cancelled=halted, patience=self._patience,
        )  # fmt: skip
        return asdict(done)


class PageNotes:
    """Tells how far one market is: what is waited for at once, pages at most every ten seconds.

    Args:
        tell: is told.
        clock: seconds that only rise.
    """

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell, self._clock = tell, clock
        self._first: tuple[float, float] | None = None
        self._told = clock()

    def on_progress(self, progress: Progress) -> None:
        """A page is stored, or something is waited for."""
        now = self._clock()
        if self._first is None:
            self._first = (now, progress.done)
        if progress.note:
            self._tell(f"{progress.symbol}: {progress.note}")
        elif now - self._told >= _NOTE_S:
            self._told = now
            self._tell(f"{progress.symbol}: {progress.done:.0%}, {progress.added:,} bars{self._to_go(now, progress.done)}")

    def _to_go(self, now: float, done: float) -> str:
        began, before = self._first or (now, done)
        return f", about {(now - began) * (1 - done) / (done - before):,.0f} s to go" if done > before else ""


def recount(made: Planned, context: PlanContext) -> Iterator[Recount]:
    """Recounts of a job."""
    return of_steps(made, context, lambda _, figures: _digest(figures))


def _digest(figures: Sequence[Json]) -> str:
    return hashlib.sha256("".join(f"{entry['key']} {entry['content_hash']}\n" for entry in figures).encode()).hexdigest()


def load(made: Planned, context: RunContext) -> Steps:
    """The work of a planned job."""
    settled = made.job.config
    patience_s = float(settled.get("patience_s", PATIENCE.limit_s))
    markets = Markets(
        settled, context.bars_file, timeout_s=min(patience_s, context.fetch_timeout_s), tell=context.note,
        patience=replace(PATIENCE, limit_s=patience_s),
    )  # fmt: skip
    return Steps(context.store, made.job.id, markets)


def estimate(made: Planned, _context: RunContext) -> Estimate:
    """What a fetch would take at the pace that exchanges allow; none is asked for it."""
    settled = made.job.config
    candles = len(settled["fetched"]) * (settled["to"] - settled["from"]) // Timeframe.parse(settled["timeframe"]).ms
    pages = -(-candles // _PAGE)
    rows = (("candles", f"at most {candles:,} of {counted(len(settled['fetched']), 'market')}"),
            ("questions", f"about {pages:,}, a page of {_PAGE:,} candles each"))  # fmt: skip
    return Estimate(seconds=pages * _PAGE_S, facts={"candles": candles, "pages": pages}, rows=rows)
