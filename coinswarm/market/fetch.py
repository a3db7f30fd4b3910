"""Candles from an exchange into the catalog, page by page, each committed: what was fetched is never fetched again.

The file of bars is open only while a page is stored. Exchanges take seconds to answer, and some never do.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from coinswarm import check, errors
from coinswarm.market import catalog, quality, storing, turns
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog, Stored
from coinswarm.market.providers import Candle, Provider
from coinswarm.market.timeframe import Timeframe
from coinswarm.retry import RetryPolicy, retry

_T = TypeVar("_T")
PATIENCE = RetryPolicy(limit_s=60.0, first_s=0.5, longest_s=30.0)
"""How long an exchange may leave a question without an answer before it counts as unreachable."""
_LOOK_S, _NAP_S = 0.2, 1.0
"""How often a cancel is asked for while an answer is waited for, and between two tries."""
_HELD_S = 120.0
"""How long others may hold the bars: a backup of gigabytes, while nobody waits for the next page."""
_FUNDING_PAGE = 500
_MINUTE_MS = 60_000

_THREAD = "exchange"


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a fetch is.

    Attributes:
        symbol: the market.
        done: share of the time span that is stored, in [0, 1].
        added: bars stored by this fetch so far.
        note: what is being waited for, if anything.
    """

    symbol: str
    done: float
    added: int
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """What a fetch did.

    Attributes:
        key: the data set.
        added, funding_added: bars and funding payments added.
        has_funding: the exchange has a history of funding.
        content_hash: of all that is stored of the market now; empty for nothing.
    """

    key: str
    added: int
    funding_added: int
    has_funding: bool
    content_hash: str


def waits() -> bool:
    """Whether an exchange was asked for something in this process and has not answered."""
    return any(thread.name == _THREAD for thread in threading.enumerate())


def fetch(
    provider: Provider,
    bars_file: Path,
    symbol: str,
    timeframe: Timeframe,
    *,
    since_ms: int,
    until_ms: int | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    patience: RetryPolicy = PATIENCE,
) -> Fetched:
    """Store all finished candles of a market from `since_ms` on, and its funding if it is a perpetual.

    Pages are committed one by one, always next to what is stored, so that a stop at any point leaves no hole: older bars are added
    backwards, newer ones forwards. The candle that is still open is dropped.

    Args:
        provider: the exchange.
        bars_file: the DuckDB file of bars, made when it is missing.
        symbol: canonical market.
        timeframe: length of a bar.
        since_ms: first open time wanted, milliseconds since 1970 UTC.
        until_ms: bars opening at or after it are left out; now unless given.
        on_progress: called after each page and before each wait.
        cancelled: asked before each page, and about every second while something is waited for; an answer that is under way is dropped.
        patience: how long to wait for an exchange that does not answer.

    Returns:
        What was added.

    Raises:
        Unavailable: no answer within the patience; what came before is stored.
        NotFound, InvalidArgument, Refused: the exchange has no such market or timeframe, or refuses.
        BadBars: the exchange sent candles that cannot be trusted.
        Conflict: others held the file of bars for too long; what came before is stored.
        Cancelled: `cancelled` returned true; what came before is stored.
    """
    check.at_least(since_ms, "since_ms", 0)
    job = _Fetch(provider, bars_file, symbol, timeframe, on_progress, cancelled, patience)
    return job.run(since_ms, until_ms)


class _Begun(Exception):  # noqa: N818 - not an error
    """Another process stored the first bars of the market while this one asked for them."""


@dataclass
class _Fetch:
    """One fetch under way: what it asks, where it stores, and how far it is."""

    provider: Provider
    bars_file: Path
    symbol: str
    timeframe: Timeframe
    on_progress: Callable[[Progress], None]
    cancelled: Callable[[], bool]
    patience: RetryPolicy
    added: int = 0
    funding_added: int = 0
    done: float = 0.0

    def run(self, since_ms: int, until_ms: int | None) -> Fetched:
        self._ask(lambda: self.provider.require(self.symbol, self.timeframe))
        now = self._ask(self.provider.now_ms)
        end = min(now if until_ms is None else until_ms, now - self.timeframe.ms + 1)
        try:
            self._bars(-(-since_ms // self.timeframe.ms) * self.timeframe.ms, end)
            has_funding = ":" in self.symbol and self._funding(since_ms, now)
        except BaseException:
            # what ended the fetch is what is told; bars without a hash are as good
            with suppress(errors.CoinswarmError):
                self._seal()
            raise
        added = {"added": self.added, "funding_added": self.funding_added}
        return Fetched(key=self._key, **added, has_funding=has_funding, content_hash=self._seal())

    @property
    def _key(self) -> str:
        return f"{self.provider.name}:{self.symbol}:{self.timeframe}"

    def _opened(self, *, read_only: bool = False) -> Catalog:
        """The catalog, once others have closed it; a cancel ends the wait."""
        return Catalog.open(self.bars_file, read_only=read_only, patience=self._turn(turns.READING if read_only else turns.WRITING))

    def _turn(self, usual: RetryPolicy) -> RetryPolicy:
        return replace(usual, limit_s=_HELD_S, sleep=self._sleep)

    def _seal(self) -> str:
        try:
            return storing.seal(self.bars_file, self.provider.name, self.symbol, self.timeframe, patience=self._turn(turns.WRITING))
        except errors.NotFound:
            return ""

    def _spans(self) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        """Times of the oldest and newest stored bar, and of the oldest and newest funding payment."""
        what = (self.provider.name, self.symbol, self.timeframe)
        try:
            with self._opened(read_only=True) as opened:
                return opened.span(*what), opened.funding_span(*what)
        except errors.NotFound:
            return None, None

    def _bars(self, since: int, end: int) -> None:
        stored, _ = self._spans()
        if stored is None:
            try:
                self._forwards(since, end, since, first=True)
            except _Begun:
                self._bars(since, end)
            return
        self._backwards(since, min(stored[0], end))
        # the next open time is not always last + timeframe: some exchanges close a day early or shift their grid
        self._forwards(stored[1] + 1, end, since)

    def _forwards(self, cursor: int, end: int, since: int, *, first: bool = False) -> None:
        page_ms = self.provider.page_size * self.timeframe.ms
        while cursor < end:
            page = self._page(cursor, end)
            self._store(page, first=first)
            first = first and not page
            # without new candles the page may be a hole in the market's history: step over it
            cursor = int(page[-1][0]) + 1 if page else cursor + page_ms
            self._tell(min(1.0, max(0.0, (cursor - since) / max(1, end - since))))

    def _nothing_before(self, since: int, end: int) -> bool:
        """Whether the exchange, asked for candles from `since` on, begins at `end` or later: the market was not listed before."""
        candles = self._ask(partial(self.provider.candles, self.symbol, self.timeframe, since, self.provider.page_size))
        return bool(candles) and min(row[0] for row in _rows(candles, self.provider.name)) >= end

    def _backwards(self, since: int, end: int) -> None:
        if since < end and self._nothing_before(since, end):
            return
        page_ms = self.provider.page_size * self.timeframe.ms
        while end > since:
            start = max(since, end - page_ms)
            self._store(self._page(start, end))
            end = start
            self._tell(0.0)

    def _page(self, start: int, end: int) -> list[tuple[float, ...]]:
        self._refuse_cancelled()
        limit = self.provider.page_size
        candles = self._ask(lambda: self.provider.candles(self.symbol, self.timeframe, start, limit))
        rows = _rows(candles, self.provider.name)
        inside = [row for row in rows if start <= row[0] < end]
        _require_one_each(inside, f"{self.provider.name}:{self.symbol}", "candles")
        unique = {int(row[0]): row for row in inside}
        return [unique[ts] for ts in sorted(unique)]

    def _store(self, page: Sequence[Sequence[float]], *, first: bool = False) -> None:
        if page:
            self.added += self._put(_as_bars(page, self.provider.name, self.symbol, self.timeframe), first=first).added

    def _put(self, bars: Bars, *, first: bool = False) -> Stored:
        """Store a page; it is checked before the file is opened. Raises `_Begun` where it shall be the first of a market and is not."""
        catalog.require(bars)
        with self._opened() as opened, opened.transaction():
            if first and opened.span(bars.exchange, bars.symbol, bars.timeframe) is not None:
                raise _Begun
            return opened.add(bars, source=f"{self.provider.name} (fetched)")

    def _funding(self, since: int, now: int) -> bool:
        stored, known = self._spans()
        if stored is None:
            return False
        cursor = since if known is None or since < known[0] - 8 * 60 * _MINUTE_MS else known[1] + _MINUTE_MS
        payments = self._payments(cursor, now)
        if payments:
            self._store_funding(payments, stored[0])
        return payments is not None

    def _payments(self, cursor: int, now: int) -> list[tuple[int, float]] | None:
        """Those from a time on, None where the exchange tells none. They are few, so they are stored together: a stop leaves no hole."""
        found: list[tuple[int, float]] = []
        while cursor < now:
            self._refuse_cancelled()
            page = self._ask(partial(self.provider.funding, self.symbol, cursor, _FUNDING_PAGE))
            if page is None:
                return None
            _require_one_each(page, f"{self.provider.name}:{self.symbol}", "funding payments")
            fresh = sorted({int(ts): rate for ts, rate in page if cursor <= ts <= now}.items())
            if not fresh:
                break
            found += fresh
            cursor = fresh[-1][0] + _MINUTE_MS
        return found

    def _store_funding(self, payments: Sequence[tuple[int, float]], anchor_ts: int) -> None:
        with self._opened(read_only=True) as opened:
            anchor = opened.read(self._key, start=anchor_ts, end=anchor_ts + 1)
        ts = np.array([entry[0] for entry in payments], dtype=np.int64)
        rates = np.array([entry[1] for entry in payments], dtype=np.float64)
        self.funding_added += self._put(replace(anchor, funding_ts=ts, funding_rate=rates)).funding_added

    def _ask(self, question: Callable[[], _T]) -> _T:
        """Ask until there is an answer or the patience is over."""

        def on_pause(error: errors.Unavailable, pause_s: float) -> None:
            self._tell(self.done, f"{error.rule}: trying again in {pause_s:g} s")

        policy = replace(self.patience, sleep=self._sleep)
        return retry(partial(self._answer, question), policy, on=errors.Unavailable, on_pause=on_pause)

    def _answer(self, question: Callable[[], _T]) -> _T:
        """The answer, asked for in a thread of its own: a socket that is silent until its timeout would not hear of a cancel."""
        answer: Future[_T] = Future()
        threading.Thread(target=_settle, args=(answer, question), name=_THREAD, daemon=True).start()
        while not wait([answer], timeout=_LOOK_S).done:
            self._refuse_cancelled()
        return answer.result()

    def _sleep(self, seconds: float) -> None:
        while seconds > 0:
            self._refuse_cancelled()
            self.patience.sleep(min(seconds, _NAP_S))
            seconds -= _NAP_S

    def _refuse_cancelled(self) -> None:
        if self.cancelled():
            raise errors.Cancelled(
                f"fetching {self.symbol} was stopped", hint="what was fetched is stored; the same command continues from there"
            )

    def _tell(self, done: float, note: str = "") -> None:
        self.done = done
        self.on_progress(Progress(symbol=self.symbol, done=done, added=self.added, note=note))


def _settle(answer: Future[_T], question: Callable[[], _T]) -> None:
    try:
        answer.set_result(question())
    except BaseException as problem:  # noqa: BLE001 - whatever it is, the thread that asked raises it
        answer.set_exception(problem)


def _rows(candles: Sequence[Candle], exchange: str) -> list[tuple[float, ...]]:
    """Candles as six numbers each, NaN where one is missing; raises `BadBars` where one is none."""
    try:
        return [tuple(math.nan if value is None else float(value) for value in _six(candle)) for candle in candles]
    except (TypeError, ValueError) as error:
        raise errors.BadBars(f"{exchange} must send candles of time, open, high, low, close and volume", found=str(error)) from error


def _six(candle: Candle) -> Candle:
    if len(candle) < 6 or candle[0] is None:
        raise ValueError(f"{list(candle)}")
    return candle[:6]


def _require_one_each(rows: Iterable[Sequence[float]], name: str, what: str) -> None:
    """Refuse answers that say two things of one time; repeating the same is no fault."""
    known: dict[int, Sequence[float]] = {}
    for row in rows:
        # as text, for a missing number equals itself here
        if str(known.setdefault(int(row[0]), row)) != str(row):
            raise errors.BadBars(
                f"{name} must have one answer for each time", found=f"two different {what} of {quality.moment(int(row[0]))}"
            )


def _as_bars(page: Sequence[Sequence[float]], exchange: str, symbol: str, timeframe: Timeframe) -> Bars:
    table = np.array(page, dtype=np.float64)
    columns: dict[str, Any] = {
        name: np.ascontiguousarray(table[:, place]) for place, name in enumerate(("open", "high", "low", "close", "volume"), 1)
    }
    return Bars(symbol=symbol, timeframe=timeframe, exchange=exchange, ts=table[:, 0].astype(np.int64), **columns)
