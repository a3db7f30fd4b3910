"""Frozen settings that decide what a result means. Values only: nothing here reads the environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from coinswarm import codec


class Settings(BaseModel):
    """A frozen record of settings: unknown names are refused, and equal settings have equal hashes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def content_hash(self) -> str:
        """SHA-256 of the canonical JSON form: equal settings give equal hashes on every machine."""
        return codec.canonical_hash(self.model_dump(mode="json"))


_Kind = TypeVar("_Kind", bound=Settings)
WARMUP_TOLERANCE = 1e-4
"""What a run allows unless it says otherwise."""
FORMER_WARMUP_TOLERANCE = 1e-9
"""That of every run that was stored before the tolerance could be chosen."""
LEAST_WARMUP_TOLERANCE, MOST_WARMUP_TOLERANCE = 1e-12, 1e-2
WarmupTolerance = Annotated[
    float,
    Field(
        ge=LEAST_WARMUP_TOLERANCE,
        le=MOST_WARMUP_TOLERANCE,
        description="how far the bars before the data may move a feature that is called warm, as a part of the feature's own scale",
    ),
]


def stored(kind: type[_Kind], values: Mapping[str, Any]) -> _Kind:
    """Settings with a warm-up tolerance as a job stored them: those stored before there was one had `FORMER_WARMUP_TOLERANCE`."""
    return kind.model_validate({"warmup_tolerance": FORMER_WARMUP_TOLERANCE, **values})


class Costs(Settings):
    """What trading costs. Fees are of the notional of each fill; slippage moves the fill price against the trader."""

    taker_bps: Annotated[float, Field(ge=0, le=1000, description="fee of market and stop fills, in basis points")] = 5.5
    maker_bps: Annotated[float, Field(ge=0, le=1000, description="fee of limit fills, in basis points")] = 2.0
    slippage_bps: Annotated[float, Field(ge=0, le=1000, description="fixed slippage of market and stop fills")] = 2.0
    slippage_volatility: Annotated[float, Field(ge=0, le=10, description="slippage per unit of volatility(20) known at the decision")] = 0.0
    slippage_participation: Annotated[float, Field(ge=0, le=10, description="slippage times sqrt(qty / bar volume)")] = 0.0
    max_participation: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="largest part of a bar's volume an entry may take; none: unlimited"
    )
    lot_step: Annotated[float, Field(ge=0, description="quantities are rounded down to a multiple of this; 0: any quantity")] = 0.0


class Account(Settings):
    """The account a play trades with, in quote currency."""

    starting_equity: Annotated[float, Field(gt=0, le=1e15)] = 10_000.0
    max_leverage: Annotated[float, Field(ge=1, le=200)] = 1.0
    max_drawdown_pct: Annotated[float, Field(gt=0, le=100, description="account stop; 100: never")] = 100.0
    maintenance_margin_rate: Annotated[float, Field(ge=0, lt=1)] = 0.005
    min_notional: Annotated[float, Field(ge=0)] = 10.0
