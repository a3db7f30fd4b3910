"""The files that people have: one record for each source that is recognised, and what its columns mean.

A file is recognised by its columns, by how many numbers its lines hold where nothing names them, or by its shape in JSON. Files of no
source here are read by the usual names of their columns, see `columns`; what cannot be read is refused with the closest record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Unit = Literal["seconds", "milliseconds", "microseconds", "printed", "any"]
_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One kind of file.

    Attributes:
        name: who writes it.
        columns: plain names that make it known; all of them in their order where nothing names them.
        form: `named` with a header, or a table that names its columns; `lines` of text without one; `lists` in JSON; `records` in JSON.
        separator: between fields of text.
        unit: how times are written.
        time: which column is the open time.
        volume: which column is the volume.
        volume_unit: what it counts. `quote` is turned into coins by the close, aloud.
        ticks: a column that counts price changes, taken aloud where the volume is 0 throughout.
        newest_first: its rows run backwards and are turned round, aloud.
        symbol: where the market stands.
        exchange: where such bars come from, unless the file's name tells.
        perpetual: its markets are linear perpetuals although they are named like spot.
        warning: what a reader of these bars must know.
    """

    name: str
    columns: tuple[str, ...]
    form: Literal["named", "lines", "lists", "records"] = "named"
    separator: str = ","
    unit: Unit = "any"
    time: str
    volume: str = "volume"
    volume_unit: Literal["coins", "quote"] = "coins"
    ticks: str = ""
    newest_first: bool = False
    symbol: str = "file name or --symbol"
    exchange: str | None = None
    perpetual: bool = False
    warning: str = ""


_BINANCE = (
    "opentime", *_PRICES, "volume", "closetime", "quotevolume", "count", "takerbuyvolume", "takerbuyquotevolume", "ignore",
)  # fmt: skip

SOURCES = (
    Source(name="coinswarm", columns=("ts", *_PRICES, "volume"), time="ts"),
    Source(name="Binance archive, spot", columns=_BINANCE, form="lines", time="opentime", symbol="file name"),
    Source(
        name="Binance archive, futures", columns=_BINANCE, unit="milliseconds", time="opentime", symbol="file name", perpetual=True,
    ),
    Source(name="Binance API", columns=_BINANCE, form="lists", unit="milliseconds", time="opentime"),
    Source(
        name="Kraken archive", columns=("time", *_PRICES, "volume", "trades"), form="lines", unit="seconds", time="time",
        symbol="file name", exchange="kraken",
    ),
    Source(
        name="Kraken API", columns=("time", *_PRICES, "vwap", "volume", "count"), form="lists", unit="seconds", time="time",
        symbol="name of the list", exchange="kraken",
    ),
    Source(name="Kraken futures API", columns=("time", *_PRICES, "volume"), form="records", unit="milliseconds", time="time"),
    Source(
        name="CryptoDataDownload", columns=("unix", "date", "symbol", *_PRICES), time="unix", volume="Volume and the coin's name",
        newest_first=True, symbol="column symbol",
    ),
    Source(
        name="CryptoDataDownload, older", columns=("unixtimestamp", "date", "symbol", *_PRICES), time="unixtimestamp",
        volume="volume, or Volume and the coin's name", newest_first=True, symbol="column symbol",
    ),
    Source(
        name="CoinMarketCap", columns=("timeopen", "timeclose", "timehigh", "timelow", *_PRICES, "volume", "marketcap"), separator=";",
        unit="printed", time="timeopen", volume_unit="quote", newest_first=True, symbol="--symbol",
    ),
    Source(
        name="OKX archive", columns=("instrumentname", *_PRICES, "vol", "volccy", "volquote", "opentime"), unit="milliseconds",
        time="opentime", volume="vol of spot, vol_ccy of swaps", symbol="column instrument_name", exchange="okx",
    ),
    Source(
        name="OKX API", columns=("ts", *_PRICES, "vol", "volccy", "volccyquote", "confirm"), form="lists", unit="milliseconds", time="ts",
        volume="vol of spot, volCcy of swaps", newest_first=True, exchange="okx",
    ),
    Source(
        name="Bybit API", columns=("starttime", *_PRICES, "volume", "turnover"), form="lists", unit="milliseconds", time="starttime",
        newest_first=True, symbol="field symbol", exchange="bybit",
    ),
    Source(
        name="Coinbase API", columns=("start", "low", "high", "open", "close", "volume"), form="records", unit="seconds", time="start",
        newest_first=True,
    ),
    Source(
        name="dYdX API", columns=("startedat", "ticker", *_PRICES, "basetokenvolume", "usdvolume"), form="records", unit="printed",
        time="startedat", volume="basetokenvolume", newest_first=True, symbol="field ticker",
    ),
    Source(name="freqtrade", columns=("date", *_PRICES, "volume"), unit="milliseconds", time="date", symbol="file name"),
    Source(
        name="freqtrade or ccxt in JSON", columns=("timestamp", *_PRICES, "volume"), form="lists", unit="milliseconds", time="timestamp",
        symbol="file name or --symbol",
    ),
    Source(
        name="jesse", columns=("timestamp", "open", "close", "high", "low", "volume", "exchange", "symbol", "timeframe"),
        unit="milliseconds", time="timestamp", symbol="column symbol",
    ),
    Source(name="pandas index", columns=("", *_PRICES, "volume"), unit="printed", time="the column without a name"),
    Source(name="date and time apart", columns=("date", "time", *_PRICES, "volume"), unit="printed", time="date and time"),
    Source(
        name="MetaTrader 5", columns=("date", "time", *_PRICES, "tickvol", "vol", "spread"), separator="\t", unit="printed",
        time="date and time", volume="vol, or tickvol where vol is 0", ticks="tickvol",
        warning="MetaTrader writes the broker's clock: its times are taken as UTC",
    ),
    Source(
        name="MetaTrader 4, and Bybit's archive for it", columns=("date", "time", *_PRICES, "volume"), form="lines", unit="printed",
        time="date and time", warning="MetaTrader writes the broker's clock: its times are taken as UTC",
    ),
    Source(
        name="Yahoo Finance", columns=("date", *_PRICES, "adjclose", "volume"), unit="printed", time="date", volume_unit="quote",
        symbol="--symbol",
    ),
)  # fmt: skip
"""Every kind of file that is recognised. A kind with more columns wins over one whose columns it holds, too."""


def by_names(names: Iterable[str], *, form: str = "named") -> Source | None:
    """The source whose columns a table has, the one with the most; none when there is none.

    Args:
        names: plain names of the columns.
        form: `named`, or `records` where the table is one of JSON.
    """
    words = set(names)
    fits = [source for source in SOURCES if source.form in (form, "named") and words >= set(source.columns)]
    return max(fits, key=lambda source: (len(source.columns), source.form == form), default=None)


def by_width(form: Literal["lines", "lists"], fields: Sequence[str]) -> Source | None:
    """The source of rows that nothing names, by how many fields they have and whether the first is a number.

    Args:
        form: lines of text, or lists of JSON.
        fields: the first row.
    """
    fits = [source for source in SOURCES if source.form == form and len(source.columns) == len(fields)]
    return next((source for source in fits if (source.unit == "printed") == (not is_number(fields[0]))), None)


def is_number(field: str) -> bool:
    """Whether a field of text is a number."""
    try:
        float(field)
    except ValueError:
        return False
    return True


def widths(form: Literal["lines", "lists"]) -> str:
    """The rows without names that are known, in words."""
    return ", ".join(f"{len(source.columns)} fields of {source.name}" for source in SOURCES if source.form == form)


def closest(names: Iterable[str]) -> tuple[Source, tuple[str, ...]]:
    """The source that a table comes nearest to, and which of its columns the table lacks.

    Args:
        names: plain names of the columns.
    """
    words = set(names)
    recognisable = [source for source in SOURCES if source.form in ("named", "records")]
    # the share of a source's columns that are there; of equals the simplest source
    best = max(recognisable, key=lambda source: (len(words & set(source.columns)) / len(source.columns), -len(source.columns)))
    return best, tuple(column for column in best.columns if column not in words)
