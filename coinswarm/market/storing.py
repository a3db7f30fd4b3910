"""Bars into the catalog, with everything that can be worked out beforehand worked out before its file is held, or after.

Readers wait for as long as rows are written, about a quarter of a second a million. Checks of candles take three times as long, and so does
the hash of a data set of which only the end is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from coinswarm import errors
from coinswarm.market import catalog, turns
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog, Stored
from coinswarm.market.merging import Prefer
from coinswarm.market.timeframe import Timeframe
from coinswarm.retry import RetryPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """Bars that shall be stored: (n_bars,) at least one, where they come from, and the SHA-256 of the file they come from, if any."""

    bars: Bars
    source: str
    source_hash: str = ""


def store(path: Path, entries: Sequence[Incoming], *, prefer: Prefer | None = None) -> list[Stored]:
    """Add bars to their data sets, all or none.

    Args:
        path: the DuckDB file of bars, made when it is missing.
        entries: what is stored, in this order.
        prefer: which bars win where new and stored ones disagree; none: refuse.

    Returns:
        (n_entries,) what was done, one each; the content hash is that of the data set after all of them.

    Raises:
        BadBars, InvalidArgument, OutsideModel, ConflictingBars, StorageFull: as `Catalog.put`; nothing is stored.
        Conflict: others hold the file for too long.
    """
    for entry in entries:
        catalog.require(entry.bars)
    with Catalog.open(path) as opened, opened.transaction():
        stored = [opened.add(entry.bars, source=entry.source, source_hash=entry.source_hash, prefer=prefer) for entry in entries]
    hashes = {done.key: done.content_hash for done in stored}
    for bars in {entry.bars.key: entry.bars for entry in entries}.values():
        hashes[bars.key] = hashes[bars.key] or seal(path, bars.exchange, bars.symbol, bars.timeframe)
    return [replace(done, content_hash=hashes[done.key]) for done in stored]


def seal(path: Path, exchange: str, symbol: str, timeframe: Timeframe, *, patience: RetryPolicy = turns.WRITING) -> str:
    """Work out the content hash of a data set, and store it unless bars were added meanwhile: whoever added them does it then.

    Args:
        path: the DuckDB file of bars.
        exchange: where the market is.
        symbol: its canonical name.
        timeframe: length of a bar.
        patience: how long to wait for those who hold the file.

    Returns:
        `Bars.content_hash` of what was read.

    Raises:
        NotFound: there is no such data set. Conflict: others write for so long that it cannot be read.
    """
    with Catalog.open(path, read_only=True, patience=patience) as opened:
        revision = opened.revision(exchange, symbol, timeframe)
        if revision.content_hash:
            return revision.content_hash
        content_hash = opened.read(f"{exchange}:{symbol}:{timeframe}").content_hash
    # without it the bars are as good: those who list them work it out then
    with suppress(errors.StorageFull, errors.Conflict), Catalog.open(path, patience=patience) as opened:
        opened.seal_as(content_hash, revision)
    return content_hash
