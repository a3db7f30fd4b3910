"""Which column of a file is the time, a price, the volume: names that exchanges and archives really use.

A name is a claim. Every other column that speaks of the same thing is kept as a witness, see `witnesses`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coinswarm import errors
from coinswarm.market import sources, symbols

OPEN_TIMES = ("opentime", "timeopen", "openat", "starttime", "startedat", "startat", "start", "timeperiodstart")
LABELS = ("ts", "timestamp", "unixtimestamp", "unix", "time", "datetime", "date", "t", "gmttime")
"""Times that do not say whether they are the open or the close, in order of preference: a number beats a printed date."""
INDEXES = ("indexlevel0", "index", "unnamed0", "")
"""How pandas writes an index: a time only where no other column is one."""
CLOSE_TIMES = ("closetime", "timeclose", "endtime", "endedat", "endat", "end", "timeperiodend")
MARKETS = ("symbol", "pair", "market", "ticker", "instid", "instrument", "instrumentname", "instrumentid", "productid", "s")
LENGTHS = ("timeframe", "interval", "resolution", "period")
UNFINISHED = ("confirm", "confirmed", "isclosed", "isfinal", "complete")
"""Columns that say whether a candle is over."""
_PRICES = {
    "open": ("open", "o", "openprice"), "high": ("high", "h", "highprice"), "low": ("low", "l", "lowprice"),
    "close": ("close", "c", "closeprice", "last"),
}  # fmt: skip
_VOLUMES = ("volume", "basevolume", "volumebase", "volumefrom", "basetokenvolume", "baseassetvolume", "vol", "v", "qty", "volccy")
_QUOTE_VOLUMES = (
    "quotevolume", "volumequote", "quoteassetvolume", "volumeto", "turnover", "usdvolume", "volquote", "volccyquote", "volumecurrency",
)  # fmt: skip
_WITNESSES = ("amount", "value", "notional")
"""Columns that may be either volume: heard where their numbers fit, ignored where they do not."""
_CURRENCIES = ("quote", "usd", "usdt", "usdc", "busd", "fdusd", "tusd", "dai", "eur", "gbp", "jpy", "krw", "currency")
_RATES = ("realizedrate", "realizedfundingrate", "fundingrate", "rate", "lastfundingrate")
"""Rates of funding in order of preference: what was paid beats what was expected."""
_FUNDING_TIMES = ("ts", "timestamp", "fundingtime", "fundingratetimestamp", "calctime", "effectiveat", "unix", "time", "datetime", "date")


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """The columns of a file that hold times.

    Attributes:
        opens, closes: columns that say by their names that they are open or close times.
        labels: columns that do not say it, the preferred one first.
    """

    opens: tuple[str, ...]
    closes: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Volumes:
    """The columns of a file that hold a traded amount.

    Attributes:
        coins: columns that may count coins, the preferred one first.
        quote: columns that count quote currency by their names.
        either: columns that may be anything.
    """

    coins: tuple[str, ...]
    quote: tuple[str, ...]
    either: tuple[str, ...]


def plain(name: str) -> str:
    """A column's name without case, blanks and signs: `Unix Timestamp` is `unixtimestamp`."""
    return re.sub(r"[^a-z0-9]", "", name.lower()) or name


def prices(names: Sequence[str], file: str, *, also: Sequence[str] = ()) -> dict[str, str]:
    """Which of a file's columns are open, high, low and close.

    Args:
        names: columns of the file.
        file: what to call it in messages.
        also: other things that are missing, such as `time`, to be listed in the same message.

    Raises:
        UnknownColumns: some are missing, or two columns could be one; all of them are named, and the closest known source.
    """
    found, problems = _choose(names, _PRICES)
    missing = [*also, *(column for column in _PRICES if column not in found)]
    if missing:
        raise unknown(file, names, missing, problems)
    if problems:
        raise unknown(file, names, (), problems)
    return found


def times(names: Sequence[str]) -> Times:
    """Which of a file's columns are times.

    Args:
        names: columns of the file.
    """
    opens, closes, labels = (_all(names, known) for known in (OPEN_TIMES, CLOSE_TIMES, LABELS))
    return Times(opens=opens, closes=closes, labels=labels if opens or closes or labels else _all(names, INDEXES))


def volumes(names: Sequence[str], file: str, market: str) -> Volumes:
    """Which of a file's columns are traded amounts.

    Args:
        names: columns of the file.
        file: what to call it in messages.
        market: canonical, to know `Volume BTC` and `Volume USDT` apart.

    Raises:
        UnknownColumns: there is none, or two have the same name.
    """
    _, problems = _choose(names, {"volume": _VOLUMES})
    base, _, quote = market.partition(":")[0].partition("/")
    units = {plain(name)[len("volume") :]: name for name in names if plain(name).startswith("volume") and plain(name) != "volume"}
    coins = [name for unit, name in units.items() if symbols.usual_coin(unit) == symbols.usual_coin(base)]
    money = [name for unit, name in units.items() if unit in {*_CURRENCIES, quote.lower()} and name not in coins]
    amounts = Volumes(
        coins=_distinct([*_all(names, _VOLUMES), *coins]), quote=_distinct([*_all(names, _QUOTE_VOLUMES), *money]),
        either=_all(names, _WITNESSES),
    )  # fmt: skip
    if not (amounts.coins or amounts.quote or amounts.either):
        raise unknown(file, names, ["volume"], problems)
    if problems:
        raise unknown(file, names, (), problems)
    return amounts


def funding(names: Sequence[str], file: str) -> tuple[Times, tuple[str, ...]]:
    """Which of a file's columns are times and which are rates of funding, the preferred ones first.

    Args:
        names: columns of the file.
        file: what to call it in messages.

    Raises:
        UnknownColumns: one of them is missing.
    """
    found = Times(opens=(), closes=(), labels=_all(names, _FUNDING_TIMES)), _all(names, _RATES)
    missing = [what for what, there in (("time", found[0].labels), ("funding_rate", found[1])) if not there]
    if missing:
        rule = f"{file}: no column for {', '.join(missing)}; the columns are {', '.join(names[:20]) or 'none'}"
        raise errors.UnknownColumns(rule, hint="rename them to ts, funding_rate")
    return found


def one_of(names: Sequence[str], candidates: Sequence[str]) -> str | None:
    """The first of a file's columns with one of these plain names; none when there is none."""
    return next(iter(_all(names, candidates)), None)


def has_meaning(name: str) -> bool:
    """Whether a column of that name is read: as a time, a price, an amount, a market or a rate."""
    word = plain(name)
    known = (OPEN_TIMES, LABELS, INDEXES, CLOSE_TIMES, MARKETS, LENGTHS, _VOLUMES, _QUOTE_VOLUMES, _WITNESSES, _RATES, _FUNDING_TIMES)
    return word.startswith("volume") or any(word in words for words in (*known, *_PRICES.values()))


def looks_like_header(fields: Iterable[str]) -> bool:
    """Whether a line of a text file names a time and a price or rate."""
    words = {plain(field) for field in fields}
    times = words & {*OPEN_TIMES, *LABELS, *INDEXES, *CLOSE_TIMES, *_FUNDING_TIMES}
    return bool(times and words & {*_PRICES["close"], *_PRICES["open"], *_PRICES["high"], *_RATES})


def unknown(file: str, names: Sequence[str], missing: Sequence[str], problems: Sequence[str]) -> errors.UnknownColumns:
    """The refusal of columns that cannot be matched, with the closest known source and what it has that is missing here.

    Args:
        file: what to call the file.
        names: its columns.
        missing: what no column was found for.
        problems: other things that are wrong, as sentences.
    """
    lines = [f"no column for {', '.join(missing)}"] if missing else []
    rule = f"{file}: {'; '.join([*lines, *problems])}; the columns are {', '.join(names[:20]) or 'none'}"
    if "close" in missing and _all(names, _RATES):
        return errors.UnknownColumns(
            rule, hint="it looks like funding rates: they go with their bars, as `bars import BARS --funding FILE`"
        )
    source, lacking = sources.closest(plain(name) for name in names)
    lacks = f", which also has {', '.join(lacking)}" if lacking else ""
    hint = f"rename them to ts, open, high, low, close, volume; the closest known source is {source.name}{lacks}"
    return errors.UnknownColumns(rule, hint=hint)


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


def _all(names: Sequence[str], candidates: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for spelling in candidates for name in names if plain(name) == spelling)


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
