"""One spelling for each market: `BTC/USDT` for spot, `BTC/USDT:USDT` for a linear perpetual (the unified form of ccxt)."""

from __future__ import annotations

import re

from coinswarm import errors

_QUOTES = ("USDT", "USDC", "BUSD", "FDUSD", "TUSD", "USD", "EUR", "GBP", "JPY", "KRW", "BTC", "ETH", "BNB", "DAI")
_PERPETUAL = re.compile(r"[-_. ]?(PERP|SWAP)$")


def canonical(text: str) -> str:
    """The one spelling of a market: reads `BTCUSDT`, `BTC-USDT`, `btc_usdt`, `BTC/USDT:USDT`, `BTC-USDT-PERP`.

    Raises:
        InvalidArgument: no base and quote can be told apart.
    """
    word = str(text).strip().upper()
    body = _PERPETUAL.sub("", word)
    pair, _, settle = body.partition(":")
    perpetual = bool(settle) or body != word
    parts = [part for part in re.split(r"[/\-_ ]", pair) if part]
    if len(parts) == 1:
        parts = _split(parts[0])
    if len(parts) != 2 or not all(part.isalnum() for part in parts):
        raise errors.InvalidArgument("a market must read like BTC/USDT, BTCUSDT or BTC-USDT-PERP", found=repr(text))
    base, quote = parts
    return f"{base}/{quote}:{settle or quote}" if perpetual else f"{base}/{quote}"


def _split(pair: str) -> list[str]:
    for quote in _QUOTES:
        if pair.endswith(quote) and len(pair) > len(quote):
            return [pair[: -len(quote)], quote]
    return [pair]
