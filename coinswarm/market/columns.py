"""Which column of a file is the time, a price, the volume: names and layouts that exchanges and archives really use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from coinswarm import errors
from coinswarm.market.bars import COLUMNS

TIMES = (
    "ts", "timestamp", "unixtimestamp", "unix", "opentime", "openat", "starttime", "startedat", "start", "time", "datetime", "date", "t",
)  # fmt: skip
"""Names of an open time in order of preference: a number beats a printed date."""
_PRICES = {"open": ("open", "o", "openprice"), "high": ("high", "h", "highprice"), "low": ("low", "l", "lowprice")}
_CLOSES = ("close", "c", "closeprice", "last")
_VOLUMES = ("volume", "basevolume", "volumebase", "volumefrom", "basetokenvolume", "vol", "v", "qty")
_QUOTE_WORDS = ("quote", "turnover", "usd", "usdt", "usdc", "busd", "fdusd", "tusd", "dai", "eur", "gbp", "jpy", "krw")
_RATES = ("fundingrate", "rate", "lastfundingrate", "realizedrate")
_FUNDING_TIMES = ("ts", "timestamp", "fundingtime", "fundingratetimestamp", "calctime", "effectiveat", "unix", "time", "datetime", "date")
BINANCE_ARCHIVE = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume",
    "trades", "taker_volume", "taker_quote_volume", "ignore",
)  # fmt: skip
"""Columns of the headerless files of Binance's public archive."""


def plain(name: str) -> str:
    """A column's name without case, blanks and signs: `Unix Timestamp` is `unixtimestamp`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def of_bars(names: Sequence[str], *, symbol: str | None = None) -> dict[str, str]:
    """Which of a file's columns is which column of bars.

    Args:
        names: columns of the file.
        symbol: the market, to tell base from quote volume; `BTC/USDT`.

    Returns:
        `{"ts": …, "open": …, …, "volume": …}` with names of the file.

    Raises:
        UnknownColumns: some are missing, or two columns could be one; all of them are named.
    """
    wanted = {"ts": TIMES, **_PRICES, "close": _CLOSES}
    found, problems = _choose(names, wanted)
    volume, trouble = _volume(names, symbol)
    if volume:
        found["volume"] = volume
    return _complete(found, ("ts", *COLUMNS), [*problems, *trouble], names)


def of_funding(names: Sequence[str]) -> dict[str, str]:
    """Which of a file's columns is the time and which the rate of funding.

    Args:
        names: columns of the file.

    Raises:
        UnknownColumns: one of them is missing.
    """
    found, problems = _choose(names, {"ts": _FUNDING_TIMES, "funding_rate": _RATES})
    return _complete(found, ("ts", "funding_rate"), problems, names)


def looks_like_header(fields: Iterable[str]) -> bool:
    """Whether a line of a text file names a time and a price or rate."""
    words = {plain(field) for field in fields}
    times = words & {*TIMES, *_FUNDING_TIMES}
    return bool(times and words & {*_CLOSES, *_PRICES["open"], *_PRICES["high"], *_RATES})


def _choose(names: Sequence[str], wanted: dict[str, tuple[str, ...]]) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    problems: list[str] = []
    for column, spellings in wanted.items():
        for spelling in spellings:
            fits = [name for name in names if plain(name) == spelling]
            if len(fits) > 1:
                problems.append(f"{' and '.join(fits)} could both be {column}")
            if fits:
                found[column] = fits[0]
                break
    return found, problems


def _volume(names: Sequence[str], symbol: str | None) -> tuple[str | None, list[str]]:
    found, problems = _choose(names, {"volume": _VOLUMES})
    if found:
        return found["volume"], problems
    named = {plain(name)[len("volume") :]: name for name in names if plain(name).startswith("volume")}
    base, _, quote = (symbol or "").lower().partition("/")
    quotes = {*_QUOTE_WORDS, quote.partition(":")[0]}
    coins = [name for unit, name in named.items() if unit == base or unit not in quotes]
    if len(coins) == 1:
        return coins[0], []
    if len(coins) > 1:
        return None, [f"{' and '.join(coins)} could all be the volume"]
    return None, ["there is only a volume in quote currency, and bars need it in base currency"] if named else []


def _complete(found: dict[str, str], needed: Sequence[str], problems: list[str], names: Sequence[str]) -> dict[str, str]:
    missing = [column for column in needed if column not in found]
    if missing:
        problems = [f"no column for {', '.join('time' if column == 'ts' else column for column in missing)}", *problems]
    if problems:
        rule = f"{'; '.join(problems)}; the columns are {', '.join(names[:20]) or 'none'}"
        raise errors.UnknownColumns(rule, hint=f"rename them to {', '.join(needed)}")
    return found
