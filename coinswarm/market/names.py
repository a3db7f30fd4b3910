"""What the name of a file tells: `binance_BTC-USDT_5m.parquet`, `BTCUSDT-5m-2024-02.zip`, `BTC_USDT-5m.feather`, `XBTUSD_5.csv`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from coinswarm import errors

_LENGTH = r"(?P<timeframe>\d+[smhdw])"
_MARKET = r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+|[A-Z0-9]+(?:_[A-Z0-9]+)*"
_OWN = re.compile(rf"(?P<exchange>[a-z0-9]+(?:-[a-z0-9]+)*)_(?P<symbol>{_MARKET})_{_LENGTH}")
_ARCHIVE = re.compile(rf"(?:^|.*_)(?P<symbol>(?!PERP-|\d{{6}}-)[A-Z0-9]+(?:_PERP|_\d{{6}})?)-{_LENGTH}-\d{{4}}-\d{{2}}(?:-\d{{2}})?")
_FREQTRADE = re.compile(rf"(?P<base>[A-Z0-9]+)_(?P<quote>[A-Z0-9]+)(?:_(?P<settle>[A-Z0-9]+))?-{_LENGTH}(?:-(?P<kind>\w+))?")
_KRAKEN = re.compile(r"(?P<symbol>[A-Z0-9]{5,})_(?P<minutes>1|5|15|30|60|240|720|1440)")


@dataclass(frozen=True, kw_only=True, slots=True)
class NameFacts:
    """What a file's name tells: any of it may be missing."""

    exchange: str | None = None
    symbol: str | None = None
    timeframe: str | None = None


def parse(name: str) -> NameFacts:
    """What the name of a file tells of its bars.

    Args:
        name: such as `binance_BTC-USDT-PERP_1m.parquet` or, from Binance's archive, `BTCUSDT-1m-2024-01.zip`; without its folder.

    Raises:
        Refused: it is a file of freqtrade that holds no traded candles, such as mark prices.
    """
    stem = _stem(name)
    if match := _OWN.fullmatch(stem):
        return NameFacts(**match.groupdict())
    if match := _ARCHIVE.fullmatch(stem):
        return NameFacts(exchange="binance", **match.groupdict())
    if match := _FREQTRADE.fullmatch(stem):
        return _freqtrade(name, match)
    if match := _KRAKEN.fullmatch(stem):
        return NameFacts(symbol=match["symbol"], timeframe=match["minutes"])
    return NameFacts()


def _stem(name: str) -> str:
    return name.split(".", 1)[0]


def _freqtrade(name: str, match: re.Match[str]) -> NameFacts:
    if match["kind"] not in (None, "futures", "spot"):
        raise errors.Refused(f"{name} holds {match['kind']} prices by its name, and bars need traded ones")
    settle = f":{match['settle']}" if match["settle"] else ""
    return NameFacts(symbol=f"{match['base']}/{match['quote']}{settle}", timeframe=match["timeframe"])


def funding_beside(path: Path) -> Path | None:
    """The file of funding rates that lies beside a file of bars: `…_1m.parquet` has `…_funding.parquet`."""
    match = _OWN.fullmatch(_stem(path.name))
    if match is None:
        return None
    beside = path.with_name(f"{match['exchange']}_{match['symbol']}_funding.parquet")
    return beside if beside.is_file() else None
