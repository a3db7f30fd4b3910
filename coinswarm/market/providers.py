"""Candles from exchanges: the protocol of a provider, and ccxt, which implements it for a hundred of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from coinswarm import errors
from coinswarm.market import symbols
from coinswarm.market.timeframe import Timeframe

Candle = Sequence[float | None]
"""Open time in milliseconds, open, high, low, close, volume in coins."""
_VOLUME_IN_COINS = frozenset(("binance", "binanceusdm", "bitget", "bybit", "htx", "huobi", "myokx", "okx", "okxus"))
_VOLUME_IN_CONTRACTS = frozenset(("gate", "gateio", "kucoin", "kucoinfutures", "mexc", "xt"))
"""What ccxt returns as the volume of a derivative's candles: it differs by exchange, and no answer says it."""


class Provider(Protocol):
    """An exchange, as the fetcher sees it. A method raises `Unavailable` when trying again may help, and other errors when not."""

    name: str
    page_size: int

    def require(self, symbol: str, timeframe: Timeframe) -> None:
        """Raise unless the exchange lists the market, offers the timeframe, and both can be simulated."""

    def now_ms(self) -> int:
        """The exchange's clock, milliseconds since 1970 UTC."""

    def candles(self, symbol: str, timeframe: Timeframe, since_ms: int, limit: int) -> Sequence[Candle]:
        """At most `limit` candles opening at or after `since_ms`, in any order; the last one may be unfinished."""

    def funding(self, symbol: str, since_ms: int, limit: int) -> Sequence[tuple[int, float]] | None:
        """At most `limit` funding payments (time in ms, rate) from `since_ms` on; none when the exchange has no history of them."""


class CcxtProvider:
    """Any exchange that ccxt speaks to; ccxt keeps its rate limits."""

    page_size = 1000

    def __init__(self, exchange: Any) -> None:
        self._exchange = exchange
        self.name = str(exchange.id)

    def require(self, symbol: str, timeframe: Timeframe) -> None:
        """Raise unless the exchange lists the market and offers the timeframe.

        Raises:
            NotFound: there is no such market; the nearest are named.
            InvalidArgument: there is no such timeframe.
            OutsideModel: the market is an inverse or quanto contract, an expiring future or an option.
            Refused: the exchange has no candles at all, or counts volume in a unit that is not known.
        """
        if not self._exchange.has.get("fetchOHLCV"):
            raise errors.Refused(f"{self.name} offers no candles")
        offered = self._exchange.timeframes or {}
        if offered and str(timeframe) not in offered:
            raise errors.InvalidArgument(f"{self.name} has no candles of {timeframe}", hint=f"it has {', '.join(offered)}")
        with _translated(self.name):
            markets = self._exchange.load_markets()
        if symbol not in markets:
            raise errors.not_found(f"market of {self.name}", symbol, markets)
        _require_simulated(self.name, markets[symbol])
        self._contract_size(symbol)

    def now_ms(self) -> int:
        """The exchange's clock where it tells it, else this machine's."""
        with _translated(self.name):
            return int(self._exchange.fetch_time() if self._exchange.has.get("fetchTime") else self._exchange.milliseconds())

    def candles(self, symbol: str, timeframe: Timeframe, since_ms: int, limit: int) -> Sequence[Candle]:
        """One page of candles, see `Provider`."""
        with _translated(self.name):
            found: Sequence[Candle] = self._exchange.fetch_ohlcv(symbol, str(timeframe), since_ms, limit)
        size = self._contract_size(symbol)
        return found if size == 1 else [_in_coins(candle, size) for candle in found]

    def funding(self, symbol: str, since_ms: int, limit: int) -> Sequence[tuple[int, float]] | None:
        """One page of funding payments, see `Provider`."""
        if not self._exchange.has.get("fetchFundingRateHistory"):
            return None
        with _translated(self.name):
            found = self._exchange.fetch_funding_rate_history(symbol, since_ms, limit)
        return [_payment(self.name, entry) for entry in found]

    def _contract_size(self, symbol: str) -> float:
        """Coins for each unit of volume: 1 where the exchange counts coins.

        Raises:
            Refused: a contract is not one coin, and it is not known whether volume counts coins or contracts.
        """
        market = (self._exchange.markets or {}).get(symbol, {})
        size = float(market.get("contractSize") or 1.0) if market.get("contract") else 1.0
        if size == 1 or self.name in _VOLUME_IN_COINS:
            return 1.0
        if self.name in _VOLUME_IN_CONTRACTS:
            return size
        raise errors.Refused(
            f"{self.name} trades {symbol} in contracts of {size:g} coins, and whether its volume counts coins or contracts is not known",
            hint="fetch the market from another exchange, or import a file with the volume in coins",
        )


def _require_simulated(exchange: str, market: Any) -> None:
    """Raise `OutsideModel` unless a market of ccxt is spot or a linear perpetual."""
    name = f"{market['symbol']} of {exchange}"
    if market.get("option"):
        raise symbols.outside(name, "an option")
    if market.get("future") or market.get("expiry"):
        raise symbols.outside(name, "a future that expires")
    if market.get("inverse"):
        raise symbols.outside(name, "an inverse contract")
    if market.get("quanto") or (market.get("contract") and market.get("linear") is False):
        raise symbols.outside(name, "a quanto contract")


def _in_coins(candle: Candle, size: float) -> Candle:
    volume = candle[5] if len(candle) > 5 else None
    return [*candle[:5], None if volume is None else volume * size]


def _payment(exchange: str, entry: Any) -> tuple[int, float]:
    try:
        return int(entry["timestamp"]), float(entry["fundingRate"])
    except (KeyError, TypeError, ValueError) as error:
        found = {key: entry.get(key) for key in ("timestamp", "fundingRate")} if isinstance(entry, dict) else entry
        raise errors.BadBars(f"{exchange} must tell the time and rate of each funding payment", found=repr(found)) from error


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Turn what ccxt raises into errors of this project: `Unavailable` only where another try may help."""
    import ccxt

    try:
        yield
    except ccxt.NetworkError as error:
        hint = "check the network, or import files with `coinswarm bars import`"
        raise errors.Unavailable(f"could not reach {name}: {_reason(error)}", hint=hint) from error
    except ccxt.BadSymbol as error:
        raise errors.NotFound(f"{name} does not know this market", hint=_reason(error)) from error
    except ccxt.BaseError as error:
        raise errors.Refused(f"{name} refused", found=_reason(error)) from error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}"


def connect_ccxt(name: str, timeout_s: float) -> CcxtProvider:
    """An exchange by its name in ccxt; nothing is asked of it yet.

    Args:
        name: such as `binance`, `bybit`, `kraken`.
        timeout_s: how long one answer may take.

    Raises:
        NotFound: ccxt knows no such exchange; the nearest are named.
    """
    import ccxt

    if name not in ccxt.exchanges:
        raise errors.not_found("exchange", name, ccxt.exchanges)
    return CcxtProvider(getattr(ccxt, name)({"enableRateLimit": True, "timeout": int(timeout_s * 1000)}))


CONNECTORS: dict[str, Callable[[str, float], Provider]] = {}
"""Exchanges that are reached another way than through ccxt: name -> function of name and timeout in seconds."""


def connect(name: str, *, timeout_s: float = 10.0) -> Provider:
    """The exchange of that name.

    Args:
        name: of `CONNECTORS` or of ccxt.
        timeout_s: how long one answer may take.

    Raises:
        NotFound: there is none.
    """
    word = name.strip().lower()
    return CONNECTORS.get(word, connect_ccxt)(word, timeout_s)
