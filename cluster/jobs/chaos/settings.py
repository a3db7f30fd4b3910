"""What can be asked of a job of chaos trades."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cluster.jobs.options import Machine, Option, Options
from cluster.jobs.settings import MAX_MARKETS, Campaign, JobSettings, Moment, Name
from cluster.jobs.typed import BARS, FROM, MARKETS, TIMEFRAME, TO
from coinswarm import errors
from coinswarm.chaos.settings import ChaosSettings, make
from coinswarm.ledger.quotas import JobAmounts

MOST_TRADES = 10**10


class ChaosRequest(JobSettings):
    """Sample random trades and store their outcomes: see `coinswarm chaos run --help`."""

    kind: Literal["chaos"] = "chaos"
    markets: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_MARKETS, description="names of data sets")]
    trades: Annotated[int, Field(ge=1, le=MOST_TRADES, description="how many random trades")] = 100_000
    settings: ChaosSettings = ChaosSettings()
    timeframe: Annotated[Name, Field(description="of the bars, such as 5m")] | None = None
    start_ts: Moment | None = None
    end_ts: Moment | None = None
    campaign: Campaign = "default"


def amounts(request: ChaosRequest) -> JobAmounts:
    """What a job of chaos trades asks for."""
    return JobAmounts(chaos_trades=request.trades)


def _size(text: str, _machine: Machine) -> tuple[float, float]:
    low, _, high = text.partition("..")
    try:
        return float(low), float(high or low)
    except ValueError:
        raise errors.InvalidArgument("--size reads A or A..B in quote currency", found=repr(text), hint="such as 100..10000") from None


def _hold(text: str, _machine: Machine) -> tuple[int, int]:
    return make(hold=text).hold_ms


OPTIONS = Options(
    settings=ChaosRequest,
    declares=True,
    panel="Random trades",
    options=(
        Option(names=("--trades",), fills=("trades",)),
        MARKETS, BARS, TIMEFRAME, FROM, TO,
        Option(names=("--hold",), fills=("settings.hold_ms",), type=str, read=_hold, default="5m..24h", help="Shortest and longest hold."),
        Option(names=("--hold-law",), fills=("settings.hold_law",), metavar="LAW",
               help="log: each doubling of the hold as often; uniform: each number of bars."),
        Option(names=("--side",), fills=("settings.side",), help="long, short or both."),
        Option(names=("--size",), fills=("settings.size",), type=str, read=_size, default="1000",
               help="Notional in quote currency, or its bounds A..B; uniform between."),
        Option(names=("--feature", "-f"), fills=("settings.features",),
               help="Describe trades by this too, as known at the decision: rsi(14)@1h, BTC/USDT:roc(5). Repeat for several."),
        Option(names=("--fee-bps",), fills=("settings.costs.taker_bps", "settings.costs.maker_bps"),
               help="Fee of every fill, in basis points."),
        Option(names=("--seed",), fills=("settings.seed",), help="The same seed draws the same trades, with any number of workers."),
        Option(names=("--campaign",), fills=("campaign",),
               help="Jobs whose trades are mined together; a further job adds its trades to them."),
    ),
    left_out={
        "settings.costs.max_participation": "chaos trades are filled whole", "settings.costs.lot_step": "chaos trades are filled whole",
    },
)  # fmt: skip
