"""What a play means once it is read: its features and conditions, how it sizes and protects a position, and the space of its variants.

Everything here is frozen and hashable, has no text of the file in it, and can be trusted: the reader (`coinswarm.play.reader`) refuses what
would fail later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from coinswarm import display
from coinswarm.config import WARMUP_TOLERANCE, Account, Costs
from coinswarm.market.timeframe import Timeframe
from coinswarm.play.expressions import Condition, Number, Operand, Output, Setting
from coinswarm.play.space import Space

# --- features -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Feature:
    """An indicator or structure with its parameters, on one timeframe of one market.

    Attributes:
        id: its name in the play (identity ignores it).
        indicator: name in `coinswarm.indicators.catalog`.
        params: every parameter of the indicator, defaults filled, sorted by name.
        timeframe_ms: length of its bars; None: the exec bars.
        source: the column it is computed of, where the indicator takes one, or the output of another feature on the same bars.
        market: canonical symbol of another market; None: the traded market.
    """

    id: str
    indicator: str
    params: tuple[tuple[str, Setting], ...]
    timeframe_ms: int | None = None
    source: Setting | Output = "close"
    market: str | None = None


# --- risk -----------------------------------------------------------------------------------------------------------


class StopKind(StrEnum):
    """How a stop's level follows from the entry."""

    PERCENT = "percent"
    ATR = "atr_multiple"
    POINTS = "fixed_points"
    STRUCTURE = "structure"
    TRAILING_PERCENT = "trailing_pct"
    TRAILING_ATR = "trailing_atr"


class TargetKind(StrEnum):
    """How a target's level follows from the entry."""

    PERCENT = "percent"
    ATR = "atr_multiple"
    POINTS = "fixed_points"
    R_MULTIPLE = "rr_ratio"


class SizingModel(StrEnum):
    """How much is bought."""

    PERCENT_EQUITY = "percent_equity"
    RISK_BASED = "risk_based"
    FIXED_NOTIONAL = "fixed_notional"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """Percentages are of margin. `level` is the ATR for the ATR kinds.

    For structures `level` is the level below (long), `level_short` that above (short), and `value` a buffer in percent of price.
    """

    kind: StopKind
    value: Number
    level: Operand | None = None
    level_short: Operand | None = None
    activation_pct: Number | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Percentages are of margin. `level` is the ATR for the ATR kind."""

    kind: TargetKind
    value: Number
    level: Operand | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakEven:
    """Percentages are of margin."""

    activation_pct: Number
    offset_pct: Number = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizing:
    """`value`: percent of equity put up as margin, percent of equity risked, or notional in quote currency.

    `max_leverage` None: the account's.
    """

    model: SizingModel = SizingModel.PERCENT_EQUITY
    value: Number = 100.0
    max_leverage: Number | None = None


class TimeInForce(StrEnum):
    """How long a limit order lives."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    POST_ONLY = "PostOnly"


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """A limit entry; none on a play means market entries. `expire_after_bars` 0: until filled."""

    offset_pct: Number = 0.0
    time_in_force: TimeInForce = TimeInForce.GTC
    expire_after_bars: Number = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Risk:
    """How a position is sized and protected."""

    stop: Stop | None = None
    target: Target | None = None
    break_even: BreakEven | None = None
    sizing: Sizing = field(default_factory=Sizing)
    limit: Limit | None = None
    max_hold_bars: Number | None = None


class Mode(StrEnum):
    """Which sides may be taken."""

    LONG_ONLY = "long_only"
    SHORT_ONLY = "short_only"
    LONG_SHORT = "long_short"


class ExitMode(StrEnum):
    """What closes a position besides liquidation, `max_hold_bars` and the account stop."""

    SL_TP_ONLY = "sl_tp_only"
    SIGNAL = "signal"
    FIRST_HIT = "first_hit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """How positions follow each other."""

    mode: Mode = Mode.LONG_ONLY
    exit_mode: ExitMode = ExitMode.FIRST_HIT
    reverse: bool = False
    max_gap_ms: int | None = None


# --- play -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Play:
    """A complete strategy, or a family of them.

    Attributes:
        symbols: canonical markets the play names; empty: the run says.
        timeframe_ms: length of the exec bars; None: that of the bars it is run on.
        features: features and structures by id.
        entry_long, exit_long, entry_short, exit_short: conditions; None: never.
        space: the dimensions that slots refer to, with the constraints between them.
        account, costs: what the play says of them; the run may override either.
        warmup_tolerance: how far the bars before the data may move a feature that is called warm. The run says it, never the play: it is
            part of no text and of no identity.
        notes: what was understood but has no effect here.
        text: the file as it was read, kept with every job.
    """

    name: str
    version: str = "3.0.0"
    description: str = ""
    symbols: tuple[str, ...] = ()
    timeframe_ms: int | None = None
    features: Mapping[str, Feature] = field(default_factory=dict)
    entry_long: Condition | None = None
    exit_long: Condition | None = None
    entry_short: Condition | None = None
    exit_short: Condition | None = None
    risk: Risk = field(default_factory=Risk)
    policy: Policy = field(default_factory=Policy)
    space: Space
    account: Account = field(default_factory=Account)
    costs: Costs = field(default_factory=Costs)
    warmup_tolerance: float = WARMUP_TOLERANCE
    provenance: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    text: str = ""

    def __repr__(self) -> str:
        on = f", {Timeframe(self.timeframe_ms)}" if self.timeframe_ms is not None else ""
        return f"Play({self.name!r}{on}, {len(self.features)} features, {len(self.space)} dimensions, {self.space.size:,} variants)"

    def _repr_html_(self) -> str:
        rows = [[dimension.path, dimension.text()] for dimension in self.space.dimensions]
        return display.table(repr(self), rows, ["dimension", "values"] if rows else ())
