"""What a play means once it is read: conditions as trees, numbers that may still vary as slots, and the space they span.

Everything here is frozen and hashable, has no text of the file in it, and can be trusted: the reader (`coinswarm.play.reader`) refuses what
would fail later. A number is either written out or a `Slot`, an index into the dimensions of the play's space.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from coinswarm.config import WARMUP_TOLERANCE, Account, Costs

if TYPE_CHECKING:
    from coinswarm.play.space import Space


@dataclass(frozen=True)
class Slot:
    """A value that differs between variants: dimension `index` of the play's space."""

    index: int


Number = float | Slot
Setting = float | str | bool | Slot
"""A parameter's value: numbers, but also words such as a moving average's kind or a feature's `source`."""


# --- operands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Literal:
    """A number."""

    value: Number


@dataclass(frozen=True)
class Column:
    """A column of the exec bars: open high low close volume hl2 hlc3 ohlc4."""

    name: str


@dataclass(frozen=True)
class Output:
    """One output of a feature or structure, known as `Play.features[feature]`."""

    feature: str
    output: str


@dataclass(frozen=True)
class Shift:
    """An operand as it stood `bars` exec bars ago."""

    operand: Operand
    bars: Number


@dataclass(frozen=True)
class Arithmetic:
    """`left operator right` with operator one of + - * / %; division by zero is missing."""

    operator: str
    left: Operand
    right: Operand


Operand = Literal | Column | Output | Shift | Arithmetic


# --- conditions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Compare:
    """`left operator right` with operator one of > < >= <= == !=; false where an operand is missing."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True)
class Between:
    """`low <= operand <= high`."""

    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True)
class Near:
    """`|left - right| <= tolerance`, where the tolerance is in percent of `|right|` when `percent`."""

    left: Operand
    right: Operand
    tolerance: Operand
    percent: bool


@dataclass(frozen=True)
class Cross:
    """Up: `left > right` now and `left <= right` one bar ago, all four known. Down: the mirror image."""

    left: Operand
    right: Operand
    up: bool


@dataclass(frozen=True)
class Member:
    """The operand equals one of the values."""

    operand: Operand
    values: tuple[Operand, ...]


@dataclass(frozen=True)
class All:
    """Every condition is true; true when there is none."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one condition is true; false when there is none."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The condition is not true."""

    condition: Condition


class WindowKind(StrEnum):
    """What is asked of the last bars, the current one included."""

    HOLDS_FOR = "holds_for"
    OCCURRED_WITHIN = "occurred_within"
    COUNT_TRUE = "count_true"


@dataclass(frozen=True)
class Window:
    """A condition over the last `bars` bars: all of them, at least one, or at least `min_true` of them.

    `bar_ms` is the length of the bars that are counted; None counts exec bars. The window spans
    `max(1, round(bars * bar_ms / exec_ms))` exec bars. Bars before the data count as false.
    """

    kind: WindowKind
    bars: Number
    condition: Condition
    min_true: Number = 1.0
    bar_ms: int | None = None


Condition = Compare | Between | Near | Cross | Member | All | AnyOf | Not | Window


# --- features -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Feature:
    """An indicator or structure with its parameters, on one timeframe of one market.

    Attributes:
        id: its name in the play (identity ignores it).
        indicator: name in `coinswarm.indicators.catalog`.
        params: every parameter of the indicator, defaults filled, sorted by name.
        timeframe_ms: length of its bars; None: the exec bars.
        source: the column it is computed of, where the indicator takes one.
        market: canonical symbol of another market; None: the traded market.
    """

    id: str
    indicator: str
    params: tuple[tuple[str, Setting], ...]
    timeframe_ms: int | None = None
    source: Setting = "close"
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


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Percentages are of margin. `level` is the ATR for the ATR kinds.

    For structures `level` is the level below (long), `level_short` that above (short), and `value` a buffer in percent of price.
    """

    kind: StopKind
    value: Number
    level: Operand | None = None
    level_short: Operand | None = None
    activation_pct: Number | None = None


@dataclass(frozen=True, kw_only=True)
class Target:
    """Percentages are of margin. `level` is the ATR for the ATR kind."""

    kind: TargetKind
    value: Number
    level: Operand | None = None


@dataclass(frozen=True, kw_only=True)
class BreakEven:
    """Percentages are of margin."""

    activation_pct: Number
    offset_pct: Number = 0.0


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A limit entry; none on a play means market entries. `expire_after_bars` 0: until filled."""

    offset_pct: Number = 0.0
    time_in_force: TimeInForce = TimeInForce.GTC
    expire_after_bars: Number = 0.0


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How positions follow each other."""

    mode: Mode = Mode.LONG_ONLY
    exit_mode: ExitMode = ExitMode.FIRST_HIT
    reverse: bool = False
    max_gap_ms: int | None = None


# --- play -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
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
