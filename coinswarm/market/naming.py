"""Names of data sets: which one a person means, what an unknown one may have meant, and what a new one may be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import NamedTuple

from coinswarm import errors
from coinswarm.market import files, symbols
from coinswarm.market.timeframe import Timeframe

_EXCHANGE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class Name(NamedTuple):
    """A data set by its name and number alone."""

    number: int
    exchange: str
    symbol: str
    timeframe_ms: int
    synthetic: bool

    @property
    def timeframe(self) -> Timeframe:
        """Length of a bar."""
        return Timeframe(self.timeframe_ms)

    @property
    def key(self) -> str:
        """`exchange:symbol:timeframe`."""
        return f"{self.exchange}:{self.symbol}:{self.timeframe}"


def fits(entry: Name, market: str, timeframe: Timeframe | str | None) -> bool:
    """Whether a person who says `market`, a key or a symbol in any spelling, can mean this data set."""
    text = market.strip().lower()
    if timeframe is not None and entry.timeframe != (timeframe if isinstance(timeframe, Timeframe) else Timeframe.parse(timeframe)):
        return False
    if text in (entry.key.lower(), f"{entry.exchange}:{entry.symbol}".lower(), entry.symbol.lower()):
        return True
    try:
        return symbols.canonical(market) == entry.symbol
    except errors.InvalidArgument:
        return False


def unknown(market: str, timeframe: Timeframe | str | None, stored: Sequence[Name]) -> errors.NotFound:
    """No data set is called `market`: the error, with the nearest that are stored."""
    other = [entry for entry in stored if fits(entry, market, None)]
    if other:
        return errors.NotFound(f"{market} is not stored in bars of {timeframe}", hint=_other_timeframes(other, str(timeframe)))
    near = [entry.key for entry in stored if _is_near(market, entry.symbol)][:_SHOWN]
    meant = f"did you mean {' or '.join(near)}? If not, " if near else ""
    files_too = "" if stored else "; `coinswarm bars import` takes files"
    return errors.NotFound(f"no market {market!r} is stored", hint=f"{meant}{_ways_to_get(market, timeframe)}{files_too}")


_NEAR, _SHOWN = 0.8, 3
"""Likeness from which a symbol is suggested, high because most share a quote; and how many are at most."""


def _is_near(market: str, symbol: str) -> bool:
    """Whether a symbol may have been meant, mistyped: `BTC/USTD`, and not `DOGE/USDT` for `ETH/USDT`."""
    text = market if market.count(":") > 1 else market.rpartition(":")[2]
    return difflib.SequenceMatcher(None, _bare(text), _bare(symbol)).ratio() >= _NEAR


def _bare(symbol: str) -> str:
    return symbol.replace("/", "").lower()


def _ways_to_get(market: str, timeframe: Timeframe | str | None) -> str:
    """How a market that is not stored is had."""
    exchange, symbol, length = _KEY.fullmatch(market.strip()).groups()  # type: ignore[union-attr]  # it fits any text
    wanted = timeframe or length
    try:
        command = f"coinswarm bars fetch {(exchange or _USUAL_EXCHANGE).lower()} {symbols.canonical(symbol)}"
    except errors.InvalidArgument:
        return "`coinswarm bars list` shows what is stored"
    return f"`{command}{f' -t {wanted}' if wanted else ''}` fetches it"


_KEY = re.compile(r"(?:([A-Za-z][\w-]*):(?=.*/))?(.*?)(?::(\d+[mhdwM]))?", re.DOTALL)
"""Exchange, symbol and timeframe of a key; what stands before the colon of `BTC/USDT:USDT` is no exchange."""
_USUAL_EXCHANGE = "binance"


def _other_timeframes(other: Sequence[Name], key: str) -> str:
    stored_as = f"it is stored as {', '.join(entry.key for entry in other)}"
    length = Timeframe.parse(key)
    finer = [entry for entry in other if length.ms % entry.timeframe_ms == 0]
    if not finer:
        return stored_as
    best = max(finer, key=lambda entry: (not entry.synthetic, entry.timeframe_ms))
    made = f"{best.exchange}:{best.symbol}:{length}"
    return f"{stored_as}; `coinswarm bars resample {best.key} --timeframe {length}` makes {made} of it"


def renamed(old: Name, text: str, *, has_funding: bool) -> Name:
    """What a data set is called from now on.

    Args:
        old: what it is called.
        text: a symbol, `exchange:symbol` or a key, in any spelling.
        has_funding: whether funding is stored with it.

    Raises:
        InvalidArgument: it is no such name, or a name for bars of another length or kind.
    """
    exchange, symbol, timeframe = _parts(old, text)
    if not _EXCHANGE.fullmatch(exchange):
        raise errors.InvalidArgument("an exchange is named in small letters, digits and hyphens", found=repr(exchange))
    if timeframe != old.timeframe:
        hint = "`coinswarm bars resample` makes slower bars"
        raise errors.InvalidArgument("a new name does not change the length of a bar", found=f"{timeframe} for {old.timeframe}", hint=hint)
    if files.is_made(exchange) != old.synthetic:
        kinds = ("traded", "synthetic")
        rule = f"{old.key} holds {kinds[old.synthetic]} bars and keeps a name that says so"
        raise errors.InvalidArgument(rule, found=exchange, hint="change the symbol alone")
    if has_funding and ":" not in symbol:
        raise errors.InvalidArgument(
            "only perpetuals have funding", found=symbol, hint=f"call the market {symbol}:{symbol.partition('/')[2]}"
        )
    return old._replace(exchange=exchange, symbol=symbol)


def _parts(old: Name, text: str) -> tuple[str, str, Timeframe]:
    """Exchange, symbol and timeframe of a new name; what it leaves out stays as it is."""
    first, colon, rest = text.strip().partition(":")
    exchange, rest = (first.lower(), rest) if colon and "/" not in first else (old.exchange, text.strip())
    symbol, _, last = rest.rpartition(":")
    try:
        length = Timeframe.parse(last)
    except errors.InvalidArgument:
        symbol, length = rest, old.timeframe
    return exchange, symbols.canonical(symbol or rest), length
