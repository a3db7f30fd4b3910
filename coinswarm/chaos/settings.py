"""What decides a draw of chaos trades, besides the bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from coinswarm import check, errors
from coinswarm.config import LEAST_WARMUP_TOLERANCE, MOST_WARMUP_TOLERANCE, WARMUP_TOLERANCE, Costs, Settings, WarmupTolerance
from coinswarm.market.timeframe import DAY_MS, MINUTE_MS, Timeframe

Law = Literal["log", "uniform"]
Side = Literal["long", "short", "both"]

MAX_HOLD_BARS = 100_000
_HOLD_READS, _HOLD_HINT = "hold reads SHORTEST..LONGEST", "such as 5m..24h"


class ChaosSettings(Settings):
    """How chaos trades are drawn and what they cost; `make` checks what a person asked for.

    Attributes:
        hold_ms: shortest and longest hold.
        hold_law: `log`: a hold of h bars has a chance in proportion to 1/h, so that each octave is drawn equally often;
            `uniform`: every number of bars is as likely.
        side: long, short, or each with even odds.
        size: least and largest notional in quote currency, uniform between; it matters only where slippage depends on it.
        features: canonical names of features besides `naming.BASE`.
        costs: fees, slippage; funding is what the bars say.
        maintenance: margin rate at which a short without leverage is liquidated.
        warmup_tolerance: how far the bars before the data may move a warm feature, in units of its own scale.
        seed: decides every number drawn.
    """

    hold_ms: tuple[int, int] = (5 * MINUTE_MS, DAY_MS)
    hold_law: Law = "log"
    side: Side = "both"
    size: tuple[float, float] = (1000.0, 1000.0)
    features: tuple[str, ...] = ()
    costs: Costs = Costs()
    maintenance: Annotated[float, Field(ge=0, lt=1)] = 0.005
    warmup_tolerance: WarmupTolerance = WARMUP_TOLERANCE
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    def hold_bars(self, bar_ms: int) -> tuple[int, int]:
        """Shortest and longest hold in bars of `bar_ms`: those that lie in the range.

        Raises:
            InvalidArgument: none does, or the longest is beyond reason.
        """
        low, high = max(1, -(-self.hold_ms[0] // bar_ms)), self.hold_ms[1] // bar_ms
        if low > high:
            found = f"{Timeframe(self.hold_ms[0])}..{Timeframe(self.hold_ms[1])} on {Timeframe(bar_ms)} bars"
            raise errors.InvalidArgument("a hold lasts at least one bar", found=found, hint="hold longer, or use faster bars")
        check.within(high, "the longest hold in bars", 1, MAX_HOLD_BARS, hint="hold shorter, or use slower bars")
        return low, high


def make(
    *,
    hold: str | tuple[int, int] = "5m..24h",
    hold_law: Law = "log",
    side: Side = "both",
    size: tuple[float, float] | float = 1000.0,
    features: Sequence[str] = (),
    costs: Costs | None = None,
    seed: int = 0,
    warmup_tolerance: float = WARMUP_TOLERANCE,
) -> ChaosSettings:
    """Settings from what a person says.

    Args:
        hold: `5m..24h`, a single length, or two numbers of milliseconds.
        hold_law: `log` or `uniform`; see `ChaosSettings`.
        side: `long`, `short` or `both`.
        size: notional in quote currency, or its bounds.
        features: names of features to describe trades by, besides `naming.BASE`; see `naming`.
        costs: what trading costs; the project's defaults unless given.
        seed: the same seed draws the same trades.
        warmup_tolerance: how far the bars before the data may move a warm feature, in units of its own scale.

    Raises:
        InvalidArgument: a range is reversed or out of bounds, a word unknown, a feature badly named. NotFound: there is no such feature.
        Refused: the costs would fill trades in part.
    """
    from coinswarm.chaos import naming  # the catalogue of indicators, which a request that names no feature does not need

    costs = costs or Costs()
    if costs.max_participation is not None or costs.lot_step > 0:
        raise errors.Refused(
            "chaos trades are filled whole: a trade cut or dropped by its size would not be random",
            found="max_participation or lot_step",
            hint="use slippage_participation to make large trades cost more",
        )
    check.within(seed, "seed", 0, 2**63 - 1)
    check.within(warmup_tolerance, "warmup_tolerance", LEAST_WARMUP_TOLERANCE, MOST_WARMUP_TOLERANCE)
    _word(hold_law, "hold_law", ("log", "uniform"))
    _word(side, "side", ("long", "short", "both"))
    named = naming.described_by(tuple(features))[len(naming.BASE) :]
    return ChaosSettings(
        hold_ms=_hold(hold), hold_law=hold_law, side=side, size=_size(size), features=tuple(map(str, named)), costs=costs, seed=seed,
        warmup_tolerance=warmup_tolerance,
    )  # fmt: skip


def _hold(hold: str | tuple[int, int]) -> tuple[int, int]:
    if isinstance(hold, str):
        low, high = _lengths(hold)
    else:
        low, high = hold
    if not 0 < low <= high:
        raise errors.InvalidArgument(_HOLD_READS, found=hold, hint=_HOLD_HINT)
    return low, high


def _lengths(hold: str) -> tuple[int, int]:
    first, _, last = hold.partition("..")
    try:
        return Timeframe.parse(first).ms, Timeframe.parse(last or first).ms
    except errors.InvalidArgument:
        raise errors.InvalidArgument(_HOLD_READS, found=repr(hold), hint=_HOLD_HINT) from None


def _size(size: tuple[float, float] | float) -> tuple[float, float]:
    low, high = (size, size) if isinstance(size, int | float) else size
    if not 0 < low <= high < 1e15:
        raise errors.InvalidArgument("size is above 0, the least before the largest", found=f"{low:g}..{high:g}", hint="such as 100..10000")
    return float(low), float(high)


def _word(value: str, name: str, words: tuple[str, ...]) -> None:
    if value not in words:
        raise errors.InvalidArgument(f"{name} is one of {', '.join(words)}", found=repr(value))
