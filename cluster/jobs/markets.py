"""The bars of a job: found and read when it is planned, written down in its config, and found again from there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cluster.compute.sources import CatalogSource
from coinswarm import errors
from coinswarm.ledger.campaigns import CampaignSplit
from coinswarm.ledger.records import DataSetRecord
from coinswarm.market import overlap
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from coinswarm.market.vault import Fence


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeSpan:
    """Which bars of each market: those that open in [start_ts, end_ts) ms, and before the vault of the campaign, if it has one."""

    start_ts: int | None = None
    end_ts: int | None = None
    split: CampaignSplit | None = None

    def fenced(self) -> TimeSpan:
        """The span up to the vault of its campaign.

        Raises:
            InvalidArgument: it ends before it begins. Refused: it reaches into the vault.
        """
        if self.start_ts is not None and self.end_ts is not None and self.start_ts >= self.end_ts:
            found = f"{overlap.moment(self.start_ts)} and {overlap.moment(self.end_ts)}"
            raise errors.InvalidArgument("--from must lie before --to", found=found)
        if self.split is None:
            return self
        end = self.split.fence.ts if self.end_ts is None else self.end_ts
        self.split.fence.require(end)
        return TimeSpan(start_ts=self.start_ts, end_ts=end, split=self.split)

    @property
    def settled(self) -> dict[str, Any]:
        """What a job's config says of it; `source` reads it."""
        return {"from": self.start_ts, "to": self.end_ts, "fence": None if self.split is None else asdict(self.split.fence)}

    def read(self, catalog: Catalog, key: str) -> Bars:
        """The bars of a data set.

        Raises:
            NotFound: it is not stored. SpanTooShort: it has no bars in the span.
        """
        bars = catalog.read(key, start=self.start_ts, end=self.end_ts)
        bars = bars if self.split is None else self.split.fence.cut(bars)
        if not len(bars):
            raise without_bars(catalog, key)
        return bars


def keys(catalog: Catalog, markets: Iterable[str], timeframe: str | None) -> list[str]:
    """Keys of named markets, each once.

    Raises:
        NotFound: one is not stored.
    """
    length = None if timeframe is None else Timeframe.parse(timeframe)
    return list(dict.fromkeys(catalog.find(market, length).key for market in markets))


def looked_at(symbols: Iterable[str], first: Bars) -> list[str]:
    """Names of the data sets of markets that features look at: of the exchange and the timeframe of the first market."""
    return [f"{first.exchange}:{symbol}:{first.timeframe}" for symbol in sorted(set(symbols))]


def without_bars(catalog: Catalog, key: str) -> errors.SpanTooShort:
    """The refusal of a span in which a data set has no bars, with the span that it has."""
    whole = catalog.read(key)
    had = f"{overlap.moment(int(whole.ts[0]))} to {overlap.moment(int(whole.close_ts[-1]))}" if len(whole) else "no bars"
    return errors.SpanTooShort(f"{key} has no bars between --from and --to", hint=f"it has {had}")


def span(bars: Bars) -> dict[str, Any]:
    """What a job's config says of its bars: which, from when to when, and their hash."""
    return {
        "key": bars.key,
        "symbol": bars.symbol,
        "content_hash": bars.content_hash,
        "first_ts": int(bars.ts[0]),
        "last_ts": int(bars.ts[-1]),
        "n_bars": len(bars),
    }


def record(bars: Bars) -> DataSetRecord:
    """The ledger's record of bars."""
    return DataSetRecord(exchange=bars.exchange, timeframe=str(bars.timeframe), synthetic=bars.synthetic, **span(bars))


def records(bars: Iterable[Bars]) -> tuple[DataSetRecord, ...]:
    """The ledger's records of bars."""
    return tuple(map(record, bars))


def source(span: Mapping[str, Any], settled: Mapping[str, Any], catalog_path: Path) -> CatalogSource:
    """The span as it was: bars stored since then after its end, or before its start, are not part of the job."""
    end = settled["to"] if settled["to"] is not None else span["last_ts"] + 1
    start = settled["from"] if settled["from"] is not None else span["first_ts"]
    fence = Fence(**settled["fence"]) if settled.get("fence") else None
    return CatalogSource(path=catalog_path, key=span["key"], content_hash=span["content_hash"], start_ts=start, end_ts=end, fence=fence)


def search_end_ts(settled: Mapping[str, Any]) -> int | None:
    """Where the part of the bars ends that a search sees; None: it sees all."""
    end: int | None = settled.get("train_end_ts")
    return settled["split_ts"] if end is None else end


def bar_ms(spans: Sequence[Mapping[str, Any]]) -> int:
    """Length of a bar of the first data set."""
    return Timeframe.parse(str(spans[0]["key"]).rpartition(":")[2]).ms


def n_bars(config: Mapping[str, Any]) -> int:
    """Bars of all traded markets."""
    return int(sum(one["n_bars"] for one in config["markets"]))
