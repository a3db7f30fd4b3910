"""What can be asked of a fetch."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from cluster.jobs.options import Machine, Option, Options
from cluster.jobs.settings import MAX_MARKETS, Campaign, JobSettings, Moment, Name
from cluster.jobs.typed import moment
from coinswarm.ledger.quotas import JobAmounts
from coinswarm.market.timeframe import DAY_MS, Timeframe


class FetchRequest(JobSettings):
    """Fetch candles from an exchange, and funding of perpetuals: see `coinswarm bars fetch --help`."""

    kind: Literal["fetch"] = "fetch"
    exchange: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,40}$"), Field(description="its name in ccxt")]
    markets: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_MARKETS)]
    timeframe: Annotated[Name, Field(description="length of a bar: 1m, 5m, 1h, 1d")] = "5m"
    days: Annotated[int, Field(ge=1, le=10_000, description="how far back, unless `since_ts` is given")] = 90
    since_ts: Annotated[Moment | None, Field(description="first open time wanted")] = None
    until_ts: Annotated[Moment | None, Field(description="time before which bars open; none: now")] = None
    patience_s: Annotated[float, Field(ge=0.1, le=86_400, description="seconds to wait for an exchange that does not answer")] = 60.0
    campaign: Campaign = "default"


def amounts(request: FetchRequest) -> JobAmounts:
    """What a fetch asks for: a candle for each moment of its span, until now where it has no end."""
    until = int(time.time() * 1000) if request.until_ts is None else request.until_ts
    span_ms = request.days * DAY_MS if request.since_ts is None else max(0, until - request.since_ts)
    return JobAmounts(fetched_bars=len(request.markets) * span_ms // Timeframe.parse(request.timeframe).ms)


def _since(text: str, _machine: Machine) -> int | None:
    return moment(text, "--from")


def _until(text: str, _machine: Machine) -> int | None:
    return moment(text, "--to")


OPTIONS = Options(
    settings=FetchRequest,
    panel="Fetch",
    options=(
        Option(names=("exchange",), fills=("exchange",), required=True, metavar="EXCHANGE",
               help="Its name in ccxt: binance, bybit, kraken…"),
        Option(names=("markets",), fills=("markets",), required=True, metavar="SYMBOL…", help="BTC/USDT, BTC-USDT-PERP…"),
        Option(names=("--timeframe", "-t"), fills=("timeframe",), help="Bar interval: 1m, 5m, 1h, 1d…"),
        Option(names=("--days",), fills=("days",), help="How far back, unless --from is given."),
        Option(names=("--from",), fills=("since_ts",), type=str, read=_since, metavar="TIME",
               help="First day or time wanted, UTC."),
        Option(names=("--to",), fills=("until_ts",), type=str, read=_until, metavar="TIME",
               help="Day or time before which bars open, UTC; else now."),
        Option(names=("--patience",), fills=("patience_s",)),
    ),
)  # fmt: skip
