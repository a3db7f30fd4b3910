"""Numbers that compiled code uses for words: columns of a rule, fields of an outcome, reasons to leave.

IntEnums are constants to the compiler. docs/simulation.md says what each one means.
"""

from __future__ import annotations

from enum import IntEnum


class RuleColumn(IntEnum):
    """Columns of a rule: how one variant sizes, protects and leaves a position."""

    LEVERAGE = 0
    SIZE_MODEL = 1
    SIZE_VALUE = 2
    STOP_KIND = 3
    STOP_VALUE = 4
    STOP_ROW_LONG = 5
    STOP_ROW_SHORT = 6
    ACTIVATION = 7
    TARGET_KIND = 8
    TARGET_VALUE = 9
    TARGET_ROW = 10
    BREAK_EVEN_AT = 11
    BREAK_EVEN_OFFSET = 12
    MAX_HOLD = 13
    LIMIT_OFFSET = 14
    TIME_IN_FORCE = 15
    EXPIRE_AFTER = 16
    USE_SIGNAL = 17
    USE_LEVELS = 18
    REVERSE = 19


class Size(IntEnum):
    """What `SIZE_VALUE` is."""

    PERCENT_EQUITY = 0
    RISK_BASED = 1
    FIXED_NOTIONAL = 2


class StopCode(IntEnum):
    """How the stop's level follows from the entry."""

    NONE = 0
    PERCENT = 1
    ATR = 2
    POINTS = 3
    STRUCTURE = 4
    TRAIL_PERCENT = 5
    TRAIL_ATR = 6


class TargetCode(IntEnum):
    """How the target's level follows from the entry."""

    NONE = 0
    PERCENT = 1
    ATR = 2
    POINTS = 3
    R_MULTIPLE = 4


class InForce(IntEnum):
    """How long a limit order lives."""

    GTC = 0
    IOC = 1
    FOK = 2
    POST_ONLY = 3


class Reason(IntEnum):
    """Why a position ended, or why there was none."""

    NOT_FILLED = -1
    REJECTED = 0
    STOP = 1
    TARGET = 2
    SIGNAL = 3
    REVERSE = 4
    MAX_HOLD = 5
    LIQUIDATION = 6
    ACCOUNT_STOP = 7
    OPEN = 8


class Outcome(IntEnum):
    """Fields of one trade's outcome; money is in units of the equity before the entry.

    What decides where the walk goes next comes first, so that it shares a cache line.
    """

    KEY = 0  # decision bar and side of a shared outcome, as `chain.key_of` has them
    GROUP = 1  # rule and exits of a shared outcome
    REASON = 2
    ENTRY_BAR = 3
    EXIT_BAR = 4
    NOTIONAL = 5  # entry notional
    LOWEST = 6  # smallest and largest equity at the closes of entry bar .. exit bar
    HIGHEST = 7
    CASH = 8  # equity after the exit, or at the last close while open
    FIRST = 9  # equity at the close of the entry bar over equity before
    LAST = 10  # equity at the close of the exit bar over that at the close before; 1 when it is the entry bar
    SUM = 11  # sums of r, r^2, r^3, r^4 and min(r, 0)^2 over the bars between entry and exit bar
    SUM_2 = 12
    SUM_3 = 13
    SUM_4 = 14
    SUM_DOWN_2 = 15
    SUM_EQUITY = 16  # of equity at the closes of entry bar .. exit bar
    TRADED = 17  # notional of all fills
    FEES = 18
    SLIPPAGE = 19
    FUNDING = 20
    RETURN = 21  # pnl over entry notional
    GAPS = 22
    REVERSES = 23  # 1 when the other side is entered at the open of the exit bar
    BASE = 24  # equity at close i is CASH_IN + SIGNED_QTY * (adjusted close i - BASE)
    CASH_IN = 25
    SIGNED_QTY = 26


N_OUTCOME = len(Outcome)


class Tally(IntEnum):
    """What is summed over the trades of one variant; money is in quote currency."""

    SUM = 0
    SUM_2 = 1
    SUM_3 = 2
    SUM_4 = 3
    SUM_DOWN_2 = 4
    EQUITY_END = 5
    EQUITY_SUM = 6
    MAX_DRAWDOWN = 7
    MAX_STAGNATION = 8
    N_TRADES = 9
    N_WINS = 10
    GROSS_WIN = 11
    GROSS_LOSS = 12
    SUM_RETURN = 13
    BARS_IN = 14
    SUM_HELD = 15
    TRADED = 16
    FEES = 17
    SLIPPAGE = 18
    FUNDING = 19
    N_OPEN = 20
    N_REJECTED = 21
    N_LIQUIDATED = 22
    N_GAPS = 23
    N_ENTERED = 24


N_TALLY = len(Tally)


class Path(IntEnum):
    """Where a variant's equity stands against its own past."""

    PEAK = 0  # highest equity at a close so far
    UNDER = 1  # first bar of the current run below it, -1 at the peak
    MAX_DRAWDOWN = 2
    MAX_STAGNATION = 3
    EQUITY = 4  # after the last exit
    ACCOUNTED = 5  # first bar whose closing equity is not yet in the sum
    PENDING_BAR = 6  # bar of the last exit, whose return a reversal may still change; -1 before the first
    PENDING = 7  # equity at its close over that at the close before


N_PATH = len(Path)
