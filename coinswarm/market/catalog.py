"""The catalog of bars: every data set of this machine in one DuckDB file, read straight into NumPy columns.

A data set is one market of one exchange in one timeframe. DuckDB allows one writing process: open for as long as rows are read or written,
not while something else is waited for or worked out; `storing` does so for bars that are at hand. Rows have no index, because the one
writer keeps times unique itself and an index would slow imports and reads down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from coinswarm import errors
from coinswarm.market import merging, naming, quality, resample, storage, symbols, turns
from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.market.merging import BarChanges, Prefer
from coinswarm.market.naming import Name
from coinswarm.market.timeframe import Timeframe
from coinswarm.market.turns import Turn
from coinswarm.retry import RetryPolicy
from coinswarm.types import IntArray

if TYPE_CHECKING:
    import duckdb

_BAR_NAMES = ("ts", *COLUMNS)
_NAMES = "SELECT id, exchange, symbol, timeframe_ms, synthetic FROM datasets"


@dataclass(frozen=True, kw_only=True, slots=True)
class DataSet:
    """What is stored of one market.

    Attributes:
        exchange, symbol, timeframe: what it is.
        synthetic: the bars were made, not traded.
        n_bars, n_funding: how many bars and funding payments.
        first_ts, last_ts: open times of the first and last bar, milliseconds since 1970 UTC.
        content_hash: `Bars.content_hash` of all of it.
        sources: where the bars came from, oldest import first.
    """

    exchange: str
    symbol: str
    timeframe: Timeframe
    synthetic: bool
    n_bars: int
    n_funding: int
    first_ts: int
    last_ts: int
    content_hash: str
    sources: tuple[str, ...]

    @property
    def key(self) -> str:
        """`exchange:symbol:timeframe`."""
        return f"{self.exchange}:{self.symbol}:{self.timeframe}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """What an import did: bars added, replaced and already there, funding payments added, and the new content hash."""

    key: str
    added: int
    replaced: int
    unchanged: int
    funding_added: int
    content_hash: str

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return bool(self.added or self.replaced or self.funding_added)


class Revision(NamedTuple):
    """A data set at one moment: its number and content hash, how often it was written, and when last."""

    number: int
    content_hash: str
    n_imports: int
    imported_at: datetime | None


def require(bars: Bars) -> None:
    """Refuse bars that no data set takes.

    Args:
        bars: (n_bars,) any number.

    Raises:
        BadBars: they are broken, see `quality.check`.
        InvalidArgument: they were made of others that reach beyond their end, see `resample.refuse_late`.
        OutsideModel: the market is an inverse or quanto contract, an expiring future or an option.
    """
    symbols.require_simulated(bars.symbol)
    quality.require(bars)
    resample.refuse_late(bars)


class Catalog:
    """Bars of this machine. Use it as a context manager; one process at a time may hold it for writing."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, turn: Turn, path: Path) -> None:
        self._connection, self._turn = connection, turn
        self._open_transaction = False
        self.path = path

    @classmethod
    def open(cls, path: Path | str, read_only: bool = False, patience: RetryPolicy | None = None) -> Self:
        """Open or create the DuckDB file of bars, once it is free.

        Args:
            path: the file.
            read_only: refuse to write; several processes may read at once.
            patience: how long to wait for those who hold it; `turns.READING` or `turns.WRITING` unless given.

        Raises:
            NotFound: read-only, and there is no such file.
            Conflict: another process holds it for longer than that; the message names the process.
            BadInput: it is no file of bars, or damaged.
            Refused: a later version wrote it.
        """
        usual = turns.READING if read_only else turns.WRITING
        return cls(*turns.opened(Path(path), read_only=read_only, patience=patience or usual), Path(path))

    def close(self) -> None:
        """Let go of the file."""
        try:
            self._connection.close()
        finally:
            self._turn.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is stored together or not at all; transactions do not nest deeper than one."""
        if self._open_transaction:
            yield
            return
        with storage.translated(self.path):
            self._connection.execute("BEGIN")
            self._open_transaction = True
            try:
                yield
            except BaseException:
                self._roll_back()
                raise
            self._open_transaction = False
            self._connection.execute("COMMIT")

    def _roll_back(self) -> None:
        import duckdb

        self._open_transaction = False
        try:
            self._connection.execute("ROLLBACK")
        except duckdb.Error:
            # a failed statement may already have ended the transaction; its own error is the one to tell
            return

    def list(self) -> tuple[DataSet, ...]:
        """All data sets, by exchange, symbol and timeframe."""
        query = """
            SELECT d.exchange, d.symbol, d.timeframe_ms, d.synthetic, d.content_hash,
                   b.n, b.first, b.last, coalesce(f.n, 0), coalesce(i.sources, [])
            FROM datasets d
            JOIN (SELECT dataset, count(*) n, min(ts) first, max(ts) last FROM bars GROUP BY dataset) b ON b.dataset = d.id
            LEFT JOIN (SELECT dataset, count(*) n FROM funding GROUP BY dataset) f ON f.dataset = d.id
            LEFT JOIN (SELECT dataset, list(DISTINCT source ORDER BY source) sources FROM imports GROUP BY dataset) i ON i.dataset = d.id
            ORDER BY d.exchange, d.symbol, d.timeframe_ms"""
        return tuple(self._sealed(_data_set(row)) for row in self._rows(query))

    def _sealed(self, entry: DataSet) -> DataSet:
        if entry.content_hash:
            return entry
        name = self._stored(entry.exchange, entry.symbol, entry.timeframe)
        return entry if name is None else replace(entry, content_hash=self._read(name)[:].content_hash)

    def find(self, market: str, timeframe: Timeframe | str | None = None) -> DataSet:
        """The one data set that is meant.

        Args:
            market: a key such as `binance:BTC/USDT:5m`, `binance:BTC/USDT`, or a symbol in any spelling; a symbol that is stored
                both traded and synthetic means the traded bars.
            timeframe: which one, when several are stored.

        Raises:
            NotFound: there is none; the nearest are named.
            InvalidArgument: several fit.
        """
        meant = self._meant(market, timeframe)
        return next(entry for entry in self.list() if entry.key == meant.key)

    def _meant(self, market: str, timeframe: Timeframe | str | None) -> Name:
        # the names alone: counting the bars of every data set, as `list` does, would cost more than reading one
        stored = [Name(*row) for row in self._rows(f"{_NAMES} ORDER BY exchange, symbol, timeframe_ms")]
        fits = [entry for entry in stored if naming.fits(entry, market, timeframe)]
        fits = [entry for entry in fits if not entry.synthetic] or fits
        if len(fits) == 1:
            return fits[0]
        if fits:
            hint = f"say which: {', '.join(entry.key for entry in fits)}"
            raise errors.InvalidArgument(f"{market!r} must name one data set", found=f"{len(fits)} of them", hint=hint)
        symbols.require_simulated(market)
        raise naming.unknown(market, timeframe, stored)

    def read(self, market: str, timeframe: Timeframe | str | None = None, *, start: int | None = None, end: int | None = None) -> Bars:
        """Bars of one market.

        Args:
            market: a key such as `binance:BTC/USDT:5m`, `binance:BTC/USDT`, or a symbol in any spelling.
            timeframe: which one, when several are stored.
            start: first open time wanted, milliseconds since 1970 UTC.
            end: bars opening at or after it are left out.

        Returns:
            (n_bars,) oldest first, with the funding paid in their span; possibly none when `start` and `end` leave none.

        Raises:
            NotFound: there is no such data set.
            InvalidArgument: several fit.
            OutsideModel: it is an inverse or quanto contract, an expiring future or an option, stored by an earlier version.
        """
        entry = self._meant(market, timeframe)
        symbols.require_simulated(entry.symbol)
        return self._read(entry, start=start, end=end)[:]

    def span(self, exchange: str, symbol: str, timeframe: Timeframe) -> tuple[int, int] | None:
        """Open times of the oldest and newest stored bar in milliseconds; none when nothing is stored."""
        return self._span("bars", exchange, symbol, timeframe)

    def funding_span(self, exchange: str, symbol: str, timeframe: Timeframe) -> tuple[int, int] | None:
        """Times of the oldest and newest stored funding payment in milliseconds; none when none is stored."""
        return self._span("funding", exchange, symbol, timeframe)

    def _span(self, table: str, exchange: str, symbol: str, timeframe: Timeframe) -> tuple[int, int] | None:
        name = self._stored(exchange, symbol, timeframe)
        if name is None:
            return None
        first, last = self._rows(f"SELECT min(ts), max(ts) FROM {table} WHERE dataset = ?", [name.number])[0]  # noqa: S608 - our own names
        return None if first is None else (first, last)

    def put(self, bars: Bars, *, source: str, source_hash: str = "", prefer: Prefer | None = None, seal: bool = True) -> Stored:
        """Add bars to their data set. Bars that are stored already change nothing.

        Args:
            bars: (n_bars,) at least one.
            source: where they come from, kept as provenance.
            source_hash: SHA-256 of the file they come from, if any.
            prefer: which one wins where new and stored bars disagree; none: refuse.
            seal: work the content hash out now; otherwise `seal` or `list` does it later, which spares reading all bars after each page.

        Returns:
            What was done. When nothing changed, nothing was written.

        Raises:
            BadBars, InvalidArgument, OutsideModel: as `require`.
            ConflictingBars: stored bars of the same time differ and `prefer` is not given.
            StorageFull: the disk is full; nothing was written.
        """
        require(bars)
        with self.transaction():
            done = self.add(bars, source=source, source_hash=source_hash, prefer=prefer)
            if done.content_hash or not seal:
                return done
            return replace(done, content_hash=self.seal(bars.exchange, bars.symbol, bars.timeframe))

    def add(self, bars: Bars, *, source: str, source_hash: str = "", prefer: Prefer | None = None) -> Stored:
        """As `put` of bars that `require` has accepted, in the transaction that is open; the content hash is empty where bars changed."""
        name = self._stored(bars.exchange, bars.symbol, bars.timeframe)
        stored = replace(bars[:0], funding_ts=bars.funding_ts[:0], funding_rate=bars.funding_rate[:0])
        if name is not None:
            stored = self._read(name, start=int(bars.ts[0]), end=int(bars.ts[-1]) + 1)
        change = merging.changes(bars, stored, prefer)
        if name is not None and not (change.rows.any() or change.payments.any()):
            digest = str(self._one("SELECT content_hash FROM datasets WHERE id = ?", [name.number]))
            return Stored(key=bars.key, added=0, replaced=0, unchanged=len(bars), funding_added=0, content_hash=digest)
        number = self._add_data_set(bars) if name is None else name.number
        self._write(number, bars, change)
        added, replaced, paid = (int(mask.sum()) for mask in (change.new, change.changed, change.payments))
        self._remember(number, bars, source, source_hash, (added, replaced, paid))
        unchanged = int(change.same.sum())
        return Stored(key=bars.key, added=added, replaced=replaced, unchanged=unchanged, funding_added=paid, content_hash="")

    def remove(self, market: str, timeframe: Timeframe | str | None = None) -> DataSet:
        """Forget a data set: its bars, its funding and where they came from.

        Returns:
            What was stored.

        Raises:
            NotFound, InvalidArgument: as `find`; nothing is removed.
        """
        entry, number = self.find(market, timeframe), self._meant(market, timeframe).number
        with self.transaction():
            for table, column in (("bars", "dataset"), ("funding", "dataset"), ("imports", "dataset"), ("datasets", "id")):
                self._connection.execute(f"DELETE FROM {table} WHERE {column} = ?", [number])  # noqa: S608 - names of our own
        return entry

    def new_name(self, market: str, new: str) -> Name:
        """What `rename` with these arguments calls a data set; raises what it raises, and changes nothing."""
        old, entry = self._meant(market, None), self.find(market)
        name = naming.renamed(old, new, has_funding=entry.n_funding > 0)
        if self._stored(name.exchange, name.symbol, name.timeframe) is not None:
            raise errors.Conflict(f"there is a data set {name.key} already", hint="remove it first, or choose another name")
        return name

    def rename(self, market: str, new: str) -> tuple[DataSet, DataSet]:
        """Call a data set by another name. Its content hash changes with it, for the name is part of what is hashed.

        Args:
            market: as `find`.
            new: a symbol, `exchange:symbol` or a key; the length of a bar stays.

        Returns:
            What it was and what it is now.

        Raises:
            NotFound, InvalidArgument: as `find`, or the new name does not fit the bars. Conflict: it is taken.
        """
        entry, name = self.find(market), self.new_name(market, new)
        with self.transaction():
            row = [name.exchange, name.symbol, name.number]
            self._connection.execute("UPDATE datasets SET exchange = ?, symbol = ? WHERE id = ?", row)
            source = [name.number, f"renamed from {entry.key}", entry.content_hash, entry.first_ts, entry.last_ts]
            self._connection.execute("INSERT INTO imports VALUES (?, ?, ?, now()::TIMESTAMP, ?, ?, 0, 0, 0)", source)
            self.seal(name.exchange, name.symbol, name.timeframe)
        return entry, self.find(name.key)

    def seal(self, exchange: str, symbol: str, timeframe: Timeframe) -> str:
        """Work out and store the content hash of a data set.

        Returns:
            `Bars.content_hash` of all of it.

        Raises:
            NotFound: there is none.
        """
        name = self._stored(exchange, symbol, timeframe)
        if name is None:
            raise errors.NotFound(f"no data set is called {exchange}:{symbol}:{timeframe}")
        content_hash = self._read(name)[:].content_hash
        self._rows("UPDATE datasets SET content_hash = ? WHERE id = ?", [content_hash, name.number])
        return content_hash

    def revision(self, exchange: str, symbol: str, timeframe: Timeframe) -> Revision:
        """What is stored of a data set, as far as it tells whether it has changed since.

        Raises:
            NotFound: there is none.
        """
        name = self._stored(exchange, symbol, timeframe)
        if name is None:
            raise errors.NotFound(f"no data set is called {exchange}:{symbol}:{timeframe}")
        return self._revision(name.number)

    def _revision(self, number: int) -> Revision:
        query = """
            SELECT d.id, d.content_hash, count(i.dataset), max(i.imported_at) FROM datasets d LEFT JOIN imports i ON i.dataset = d.id
            WHERE d.id = ? GROUP BY ALL"""
        rows = self._rows(query, [number])
        return Revision(*rows[0]) if rows else Revision(number, "", 0, None)

    def seal_as(self, content_hash: str, revision: Revision) -> None:
        """Store the content hash of a data set that was read in this revision; it stays unsealed where it has changed since."""
        with self.transaction():
            if self._revision(revision.number) == revision:
                self._rows("UPDATE datasets SET content_hash = ? WHERE id = ?", [content_hash, revision.number])

    def _write(self, number: int, bars: Bars, change: BarChanges) -> None:
        self._delete("bars", number, bars.ts[change.changed], 1)
        self._delete("funding", number, bars.funding_ts[change.changed_funding], merging.FUNDING_GRID_MS)
        self._insert("bars", number, {name: getattr(bars, name)[change.rows] for name in _BAR_NAMES})
        self._insert("funding", number, {"ts": bars.funding_ts[change.payments], "rate": bars.funding_rate[change.payments]})

    def _insert(self, table: str, number: int, columns: dict[str, Any]) -> None:
        if not columns["ts"].size:
            return
        self._connection.register("incoming", {name: np.ascontiguousarray(column) for name, column in columns.items()})
        self._connection.execute(f"INSERT INTO {table} SELECT {number}, * FROM incoming")  # noqa: S608 - names of our own
        self._connection.unregister("incoming")

    def _delete(self, table: str, number: int, ts: IntArray, grid_ms: int) -> None:
        if not ts.size:
            return
        self._connection.register("outgoing", {"place": merging.on_grid(ts, grid_ms)})
        # the same whole-number rounding as in `merging.on_grid`, so that both sides agree on every time
        place = f"(ts + {grid_ms // 2}) // {grid_ms}"
        self._connection.execute(f"DELETE FROM {table} WHERE dataset = {number} AND {place} IN (SELECT place FROM outgoing)")  # noqa: S608
        self._connection.unregister("outgoing")

    def _add_data_set(self, bars: Bars) -> int:
        number = (self._one("SELECT max(id) FROM datasets") or 0) + 1
        row = [number, bars.exchange, bars.symbol, bars.timeframe.ms, bars.synthetic]
        self._connection.execute("INSERT INTO datasets VALUES (?, ?, ?, ?, ?, '')", row)
        return number

    def _remember(self, number: int, bars: Bars, source: str, source_hash: str, counts: tuple[int, int, int]) -> None:
        row = [number, source, source_hash, int(bars.ts[0]), int(bars.ts[-1]), *counts]
        self._connection.execute("INSERT INTO imports VALUES (?, ?, ?, now()::TIMESTAMP, ?, ?, ?, ?, ?)", row)
        self._connection.execute("UPDATE datasets SET content_hash = '' WHERE id = ?", [number])

    def _read(self, name: Name, *, start: int | None = None, end: int | None = None) -> Bars:
        low, high = -(2**62) if start is None else int(start), 2**62 if end is None else int(end)
        query = f"SELECT {', '.join(_BAR_NAMES)} FROM bars WHERE dataset = ? AND ts >= ? AND ts < ?"  # noqa: S608 - names of our own
        columns = self._columns(query, [name.number, low, high])
        payments = self._columns("SELECT ts, rate FROM funding WHERE dataset = ?", [name.number])
        return Bars(
            symbol=name.symbol,
            timeframe=name.timeframe,
            exchange=name.exchange,
            synthetic=name.synthetic,
            funding_ts=payments["ts"],
            funding_rate=payments["rate"],
            **columns,
        )

    def _columns(self, query: str, parameters: Sequence[Any]) -> dict[str, Any]:
        with storage.translated(self.path):
            columns = self._connection.execute(query, parameters).fetchnumpy()
        return _by_time({name: np.ascontiguousarray(np.ma.getdata(column)) for name, column in columns.items()})

    def _rows(self, query: str, parameters: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
        with storage.translated(self.path):
            return self._connection.execute(query, parameters).fetchall()

    def _one(self, query: str, parameters: Sequence[Any] = ()) -> Any:
        return self._rows(query, parameters)[0][0]

    def _stored(self, exchange: str, symbol: str, timeframe: Timeframe) -> Name | None:
        """The data set of exactly this name."""
        where = "exchange = ? AND symbol = ? AND timeframe_ms = ?"
        rows = self._rows(f"{_NAMES} WHERE {where}", [exchange, symbol, timeframe.ms])
        return Name(*rows[0]) if rows else None


def _by_time(columns: dict[str, Any]) -> dict[str, Any]:
    """(n,) columns in the order of time, in which most are stored: DuckDB's sorting would double the time that a large read takes."""
    ts = columns["ts"]
    if (ts[1:] >= ts[:-1]).all():
        return columns
    order = np.argsort(ts, kind="stable")
    return {name: column[order] for name, column in columns.items()}


def _data_set(row: tuple[Any, ...]) -> DataSet:
    exchange, symbol, timeframe_ms, synthetic, content_hash, n_bars, first, last, n_funding, sources = row
    return DataSet(
        exchange=exchange, symbol=symbol, timeframe=Timeframe(timeframe_ms), synthetic=synthetic, n_bars=n_bars, n_funding=n_funding,
        first_ts=first, last_ts=last, content_hash=content_hash, sources=tuple(sources),
    )  # fmt: skip
