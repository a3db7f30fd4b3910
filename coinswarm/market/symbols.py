"""One spelling for each market: `BTC/USDT` for spot, `BTC/USDT:USDT` for a linear perpetual (the unified form of ccxt).

The simulator knows spot and linear perpetuals only. Inverse and quanto contracts, expiring futures and options have other profits for the
same prices, so they are refused by name wherever a market is named.
"""

from __future__ import annotations

import re

from coinswarm import errors

_QUOTES = ("USDT", "USDC", "BUSD", "FDUSD", "TUSD", "USD", "EUR", "GBP", "JPY", "KRW", "BTC", "ETH", "BNB", "DAI")
_DOLLARS = {"USD", "USDT", "USDC", "BUSD", "FDUSD", "TUSD", "DAI", "USDE"}
_PERPETUAL = re.compile(r"[-_. ]?(PERPETUAL|PERP|SWAP)$")
_OLD_COINS = {"XBT": "BTC", "XDG": "DOGE"}
_QUOTED_IN_USD = frozenset((
    "ACT", "ANT", "APT", "BAT", "BLAST", "BNB", "BTT", "CAT", "DENT", "FTT", "GMT", "GOAT", "GRT", "HNT", "HT", "IOST", "JST", "LIT", "LPT",
    "MNT", "NFT", "OKT", "ONT", "PNUT", "QNT", "SHIB", "SNT", "USDT", "WBT", "XBT",
))  # fmt: skip
"""Coins whose last letter makes `…USD` look like `…TUSD` or `…BUSD`: `BNBUSD` is BNB/USD and not BN/BUSD."""
_TWO_CUTS = {"ARBUSD": "AR/BUSD or ARB/USD"}
_MONTH = r"(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)"
_EXPIRY = rf"(?:\d{{6}}|\d{{8}}|\d{{1,2}}{_MONTH}\d{{2}})"
_OPTION = re.compile(rf"[-_]{_EXPIRY}[-_]\d+(?:[.D]\d+)?[-_](?:C|P|CALL|PUT)(?:[-_]\w+)?$")
_FUTURE = re.compile(rf"[-_]{_EXPIRY}$|^F[IF]_|^(?:XBT|ETH|[A-Z]+USDT?)[FGHJKMNQUVXZ]\d{{2}}$")
_INVERSE = re.compile(r"^[A-Z0-9]+USD_PERP$|^[A-Z0-9]+-USD-SWAP$|^[A-Z0-9]+-PERPETUAL$|^PI_")
"""Inverse perpetuals as Binance, OKX, Deribit and Kraken name them; `BTC-USD-PERP` is a linear one, as on Paradex and Crypto.com."""
_SETTLE = re.compile(r"([A-Z][A-Z0-9]*)?")
_LINEAR = re.compile(r"^PF_")
_HINT = "the simulator knows spot and linear perpetuals, such as BTC/USDT and BTC/USDT:USDT"


def canonical(text: str) -> str:
    """The one spelling of a market: reads `BTCUSDT`, `BTC-USDT`, `btc_usdt`, `BTC/USDT:USDT`, `BTC-USDT-PERP`.

    Raises:
        OutsideModel: it is an inverse or quanto contract, an expiring future or an option.
        InvalidArgument: base and quote cannot be distinguished.
    """
    word = str(text).strip().upper()
    _require_no_contract(word, text)
    body = _PERPETUAL.sub("", _LINEAR.sub("", word))
    pair, _, settle = body.partition(":")
    perpetual = bool(settle) or body != word
    parts = [part for part in re.split(r"[/\-_ ]", pair) if part]
    if len(parts) == 1:
        parts = _split(parts[0])
    if len(parts) != 2 or not all(part.isalnum() for part in parts) or not _SETTLE.fullmatch(settle):
        raise errors.InvalidArgument("a market must read like BTC/USDT, BTCUSDT or BTC-USDT-PERP", found=repr(text))
    base, quote = parts
    _require_linear(base, quote, settle, text)
    return f"{base}/{quote}:{settle or quote}" if perpetual else f"{base}/{quote}"


def require_simulated(market: str) -> None:
    """Refuse a market that is neither spot nor a linear perpetual; a name that cannot be read as a market passes.

    Raises:
        OutsideModel: it is an inverse or quanto contract, an expiring future or an option.
    """
    try:
        canonical(market)
    except errors.OutsideModel:
        raise
    except errors.InvalidArgument:
        return


def same_pair(one: str, other: str) -> bool:
    """Whether two canonical markets have the same base and quote; `XBT` is `BTC`, and a perpetual counts as its pair."""
    return _pair(one) == _pair(other)


def usual_coin(name: str) -> str:
    """The coin's common name: Kraken and BitMEX write `XBT` for `BTC` and `XDG` for `DOGE`."""
    return _OLD_COINS.get(name.upper(), name.upper())


def outside(text: object, kind: str) -> errors.OutsideModel:
    """The refusal of a market of that kind."""
    return errors.OutsideModel(f"{text} is {kind}, which the simulator does not know", hint=_HINT)


def _pair(market: str) -> tuple[str, str]:
    base, _, quote = market.partition(":")[0].partition("/")
    return usual_coin(base), usual_coin(quote)


def _require_no_contract(word: str, text: object) -> None:
    if _OPTION.search(word):
        raise outside(text, "an option")
    if _FUTURE.search(word):
        raise outside(text, "a future that expires")
    if _INVERSE.search(word):
        raise outside(text, "an inverse contract")


def _require_linear(base: str, quote: str, settle: str, text: object) -> None:
    if not settle or settle == quote or {settle, quote} <= _DOLLARS:
        return
    raise outside(text, "an inverse contract" if settle == base else f"a quanto contract, quoted in {quote} and settled in {settle}")


def _split(pair: str) -> list[str]:
    if pair in _TWO_CUTS:
        raise errors.InvalidArgument(f"a market must be one market, {pair} could be {_TWO_CUTS[pair]}", hint="write it with a slash")
    dollars = pair.removesuffix("USD")
    if dollars != pair and dollars in _QUOTED_IN_USD:
        return [usual_coin(dollars), "USD"]
    for quote in _QUOTES:
        if pair.endswith(quote) and len(pair) > len(quote):
            return [usual_coin(pair[: -len(quote)]), quote]
    return [pair]
