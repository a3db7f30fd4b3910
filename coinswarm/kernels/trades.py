"""One trade from decision to exit, found by jumping: the entry, its levels, the first bar that ends it, and what it was worth.

Follows docs/simulation.md. A trade's outcome depends on the decision bar, the side, the rule and the equity before it, and on nothing else;
where sizes are proportional to equity it does not even depend on that, so that outcomes can be shared between variants.
"""

from __future__ import annotations

import numpy as np

from coinswarm.kernels import bits
from coinswarm.kernels.blocks import SMALL, first_touch
from coinswarm.kernels.codes import InForce, Outcome, Reason, RuleColumn, Size, StopCode, TargetCode
from coinswarm.kernels.jit import inlined_kernel, summing_kernel, view_kernel
from coinswarm.kernels.tape import Tape, Terms, slip_at
from coinswarm.types import Bits, FloatArray

TIE = 1e-12
"""What rounding may leave of a difference, relative: equity counts as below its peak or above the account stop, and an order as below the
least notional, only beyond it; equity within it of 0, against its peak, is ruin."""


@inlined_kernel
def level_of(levels: FloatArray, row: float, bar: int) -> float:
    """The value of a level operand at a bar; missing when the rule has none."""
    if row < 0:
        return np.nan
    return levels[int(row), bar]


@inlined_kernel
def stop_level(levels: FloatArray, rule: FloatArray, side: int, d: int, fill: float) -> float:
    """The stop in force from the entry on; infinitely far away when there is none, missing when its level is."""
    kind = int(rule[RuleColumn.STOP_KIND])
    value = rule[RuleColumn.STOP_VALUE]
    if kind == StopCode.PERCENT:
        return fill * (1.0 - side * value)
    if kind == StopCode.POINTS:
        return fill - side * value
    row = rule[RuleColumn.STOP_ROW_LONG] if side > 0 else rule[RuleColumn.STOP_ROW_SHORT]
    if kind == StopCode.ATR:
        return fill - side * value * level_of(levels, row, d)
    if kind == StopCode.STRUCTURE:
        return level_of(levels, row, d) * (1.0 - side * value / 100.0)
    if kind == StopCode.TRAIL_PERCENT and rule[RuleColumn.ACTIVATION] < 0.0:
        return fill - side * fill * value
    if kind == StopCode.TRAIL_ATR and rule[RuleColumn.ACTIVATION] < 0.0:
        return fill - side * value * level_of(levels, row, d)
    return -side * np.inf


@inlined_kernel
def target_level(levels: FloatArray, rule: FloatArray, side: int, d: int, fill: float, stop: float) -> float:
    """The target; infinitely far away when there is none, missing when its level is."""
    kind = int(rule[RuleColumn.TARGET_KIND])
    value = rule[RuleColumn.TARGET_VALUE]
    if kind == TargetCode.PERCENT:
        return fill * (1.0 + side * value)
    if kind == TargetCode.POINTS:
        return fill + side * value
    if kind == TargetCode.ATR:
        return fill + side * value * level_of(levels, rule[RuleColumn.TARGET_ROW], d)
    if kind == TargetCode.R_MULTIPLE:
        return fill + side * value * abs(fill - stop) if abs(stop) < np.inf else np.nan
    return side * np.inf


@inlined_kernel
def wanted_notional(rule: FloatArray, equity: float, fill: float, stop: float) -> float:
    """Notional before any cap."""
    model = int(rule[RuleColumn.SIZE_MODEL])
    value = rule[RuleColumn.SIZE_VALUE]
    if model == Size.PERCENT_EQUITY:
        return equity * value / 100.0 * rule[RuleColumn.LEVERAGE]
    if model == Size.RISK_BASED:
        return equity * value / 100.0 / (abs(fill - stop) / fill)
    return value


@inlined_kernel
def limit_fill(tape: Tape, rule: FloatArray, side: int, d: int) -> tuple[int, float, int]:
    """Where a limit order decided at `d` fills: (bar or -1, price, 0 at the open | 1 inside the bar)."""
    n = tape.open.size
    price = tape.close[d] * (1.0 - side * rule[RuleColumn.LIMIT_OFFSET] / 100.0)
    force = int(rule[RuleColumn.TIME_IN_FORCE])
    last = n
    if force == InForce.IOC or force == InForce.FOK:
        last = min(n, d + 2)
    elif rule[RuleColumn.EXPIRE_AFTER] > 0:
        last = min(n, d + 1 + int(rule[RuleColumn.EXPIRE_AFTER]))
    for j in range(d + 1, last):
        if side * tape.open[j] <= side * price:
            if force == InForce.POST_ONLY:
                return -1, price, j
            return j, tape.open[j], 0
        if force == InForce.IOC or force == InForce.FOK:
            break
        if (side > 0 and tape.low[j] <= price) or (side < 0 and tape.high[j] >= price):
            return j, price, 1
    return -1, price, last - 1


@inlined_kernel
def trail(levels: FloatArray, rule: FloatArray, side: int, j: int, fill: float, best: float, stop: float) -> float:
    """The stop as it stands after the close of `j`: trailing and break-even, never looser than before."""
    kind = int(rule[RuleColumn.STOP_KIND])
    trails = kind == StopCode.TRAIL_PERCENT or kind == StopCode.TRAIL_ATR
    if trails and (rule[RuleColumn.ACTIVATION] < 0.0 or side * (best - fill) >= fill * rule[RuleColumn.ACTIVATION]):
        distance = fill * rule[RuleColumn.STOP_VALUE]
        if kind == StopCode.TRAIL_ATR:
            row = rule[RuleColumn.STOP_ROW_LONG] if side > 0 else rule[RuleColumn.STOP_ROW_SHORT]
            distance = rule[RuleColumn.STOP_VALUE] * level_of(levels, row, j)
        candidate = best - side * distance
        if side * candidate > side * stop:
            stop = candidate
    if rule[RuleColumn.BREAK_EVEN_AT] >= 0.0 and side * (best - fill) >= fill * rule[RuleColumn.BREAK_EVEN_AT]:
        candidate = fill * (1.0 + side * rule[RuleColumn.BREAK_EVEN_OFFSET])
        if side * candidate > side * stop:
            stop = candidate
    return stop


@inlined_kernel
def moving_touch(
    tape: Tape, levels: FloatArray, rule: FloatArray, side: int, e: int, stop_bar: int, fill: float, stop: float, target: float,
    liquidation: float, inside: int,
) -> tuple[int, float]:  # fmt: skip
    """Like `first_touch` for a stop that moves: walks the bars, returns (bar, stop in force there)."""
    best = fill
    live = rule[RuleColumn.USE_LEVELS] > 0.0
    for j in range(e, stop_bar):
        worse = tape.low[j] if side > 0 else tape.high[j]
        better = tape.high[j] if side > 0 else tape.low[j]
        if side * worse <= side * liquidation:
            return j, stop
        if live and side * worse <= side * stop:
            return j, stop
        if live and side * better >= side * target and not (inside and j == e):
            return j, stop
        if side * better > side * best and not (inside and j == e):
            best = better
        stop = trail(levels, rule, side, j, fill, best, stop)
    return stop_bar, stop


@inlined_kernel
def fixed_touch(
    tape: Tape, rule: FloatArray, side: int, e: int, stop_bar: int, stop: float, target: float, liquidation: float, inside: int,
) -> int:  # fmt: skip
    """The first bar in which a fixed stop, the liquidation price or the target is touched."""
    adverse = liquidation
    wanted = side * np.inf
    if rule[RuleColumn.USE_LEVELS] > 0.0:
        adverse = max(stop, liquidation) if side > 0 else min(stop, liquidation)
        wanted = target
    start = e
    if inside and e < stop_bar:
        if (side > 0 and tape.low[e] <= adverse) or (side < 0 and tape.high[e] >= adverse):
            return e
        start = e + 1
    if side > 0:
        if adverse <= 0.0 and wanted == np.inf:
            return stop_bar
        return first_touch(tape, start, stop_bar, adverse, wanted)
    return first_touch(tape, start, stop_bar, wanted, adverse)


@inlined_kernel
def touched_exit(
    tape: Tape, rule: FloatArray, side: int, e: int, j: int, stop: float, target: float, liquidation: float,
) -> tuple[Reason, float]:  # fmt: skip
    """What a touched bar means: (reason, price before slippage)."""
    live = rule[RuleColumn.USE_LEVELS] > 0.0
    opening = tape.open[j]
    worse = tape.low[j] if side > 0 else tape.high[j]
    if j > e:
        if side * opening <= side * liquidation:
            return Reason.LIQUIDATION, liquidation
        if live and side * opening <= side * stop:
            return Reason.STOP, opening
        if live and side * opening >= side * target:
            return Reason.TARGET, opening
    if side * worse <= side * liquidation and (not live or side * liquidation >= side * stop):
        return Reason.LIQUIDATION, liquidation
    if live and side * worse <= side * stop:
        return Reason.STOP, min(stop, opening) if side > 0 else max(stop, opening)
    if side * worse <= side * liquidation:
        return Reason.LIQUIDATION, liquidation
    return Reason.TARGET, target


@summing_kernel
def moments(adjusted: FloatArray, start: int, stop: int, cash: float, qty: float, base: float, out: FloatArray) -> None:
    """Sums over bars start..stop-1 of a position: r, r^2, r^3, r^4, min(r, 0)^2 and equity, into `out`."""
    s1 = 0.0
    s2 = 0.0
    s3 = 0.0
    s4 = 0.0
    down = 0.0
    total = 0.0
    for i in range(start, stop):
        before = cash + qty * (adjusted[i - 1] - base)
        r = qty * (adjusted[i] - adjusted[i - 1]) / before
        r2 = r * r
        s1 += r
        s2 += r2
        s3 += r2 * r
        s4 += r2 * r2
        fall = min(r, 0.0)
        down += fall * fall
        total += cash + qty * (adjusted[i] - base)
    out[Outcome.SUM] = s1
    out[Outcome.SUM_2] = s2
    out[Outcome.SUM_3] = s3
    out[Outcome.SUM_4] = s4
    out[Outcome.SUM_DOWN_2] = down
    out[Outcome.SUM_EQUITY] = total


@inlined_kernel
def extremes(tape: Tape, start: int, stop: int) -> tuple[float, float]:
    """(smallest, largest) adjusted close of bars start..stop-1, by blocks where a whole block lies inside."""
    low = np.inf
    high = -np.inf
    i = start
    while i < stop:
        if i % SMALL == 0 and i + SMALL <= stop:
            low = min(low, tape.adjusted_low[i // SMALL])
            high = max(high, tape.adjusted_high[i // SMALL])
            i += SMALL
        else:
            low = min(low, tape.adjusted[i])
            high = max(high, tape.adjusted[i])
            i += 1
    return low, high


@inlined_kernel
def enter(
    tape: Tape, terms: Terms, levels: FloatArray, rule: FloatArray, side: int, d: int, equity: float,
) -> tuple[Reason, int, float, float, float, float, float, int, float]:  # fmt: skip
    """The entry decided at `d`: (reason, bar, fill, price before slippage, qty, stop, target, inside, fee rate).

    `reason` is REJECTED or NOT_FILLED where nothing was bought, OPEN otherwise.
    """
    inside = 0
    fee = terms.taker
    if rule[RuleColumn.LIMIT_OFFSET] == rule[RuleColumn.LIMIT_OFFSET]:
        e, raw, inside = limit_fill(tape, rule, side, d)
        if e < 0:
            return Reason.NOT_FILLED, inside, 0.0, 0.0, 0.0, 0.0, 0.0, 0, fee
        fill = raw
        if inside:
            fee = terms.maker
    else:
        e = d + 1
        raw = tape.open[e]
        rough = wanted_notional(rule, equity, raw, stop_level(levels, rule, side, d, raw)) / raw
        fill = raw * (1.0 + side * slip_at(tape, terms, e, rough))
    stop = stop_level(levels, rule, side, d, fill)
    target = target_level(levels, rule, side, d, fill, stop)
    missing = np.isnan(stop) or np.isnan(target)
    if missing or side * stop >= side * fill or equity <= 0.0:
        return Reason.REJECTED, e, fill, raw, 0.0, stop, target, inside, fee
    leverage = rule[RuleColumn.LEVERAGE]
    notional = min(wanted_notional(rule, equity, fill, stop), equity * leverage / (1.0 + leverage * fee))
    qty = notional / fill
    if terms.max_participation < np.inf:
        qty = min(qty, terms.max_participation * tape.volume[e])
    if terms.lot_step > 0.0:
        qty = np.floor(qty / terms.lot_step) * terms.lot_step
    if qty <= 0.0 or qty * fill < terms.min_notional * (1.0 - TIE):
        return Reason.REJECTED, e, fill, raw, qty, stop, target, inside, fee
    return Reason.OPEN, e, fill, raw, qty, stop, target, inside, fee


@inlined_kernel
def leave(
    tape: Tape, terms: Terms, levels: FloatArray, rule: FloatArray, side: int, e: int, fill: float, stop: float, target: float,
    inside: int, exits: Bits, own: Bits, opposite: Bits, halt: int,
) -> tuple[Reason, int, float]:  # fmt: skip
    """The exit of a position entered in bar `e`: (reason, bar, price before slippage). `halt` is the bar of a forced exit, or n."""
    n = tape.open.size
    leverage = rule[RuleColumn.LEVERAGE]
    if side > 0:
        liquidation = fill * (1.0 - 1.0 / leverage) / (1.0 - terms.maintenance)
    else:
        liquidation = fill * (1.0 + 1.0 / leverage) / (1.0 + terms.maintenance)
    at_open = n
    reason = Reason.OPEN
    if rule[RuleColumn.MAX_HOLD] > 0.0 and e + rule[RuleColumn.MAX_HOLD] < n:
        at_open = e + int(rule[RuleColumn.MAX_HOLD])
        reason = Reason.MAX_HOLD
    reverse = rule[RuleColumn.REVERSE] > 0.0
    if exits.size or reverse:
        asked = bits.next_exit(exits, own, opposite, reverse, e, min(n - 1, at_open))
        if asked + 1 <= at_open and asked < n - 1:
            at_open = asked + 1
            reason = Reason.SIGNAL if exits.size and bits.is_set(exits, asked) else Reason.REVERSE
    if halt <= at_open and halt < n:
        at_open = halt
        reason = Reason.ACCOUNT_STOP
    kind = int(rule[RuleColumn.STOP_KIND])
    if kind == StopCode.TRAIL_PERCENT or kind == StopCode.TRAIL_ATR or rule[RuleColumn.BREAK_EVEN_AT] >= 0.0:
        j, stop = moving_touch(tape, levels, rule, side, e, at_open, fill, stop, target, liquidation, inside)
    else:
        j = fixed_touch(tape, rule, side, e, at_open, stop, target, liquidation, inside)
    if j < at_open:
        why, price = touched_exit(tape, rule, side, e, j, stop, target, liquidation)
        return why, j, price
    if at_open < n:
        return reason, at_open, tape.open[at_open]
    return Reason.OPEN, n - 1, tape.close[n - 1]


@view_kernel
def settle(
    tape: Tape, terms: Terms, rule: FloatArray, side: int, e: int, fill: float, raw: float, qty: float, fee: float, reason: Reason,
    x: int, price: float, equity: float, out: FloatArray,
) -> None:  # fmt: skip
    """Write what the trade was worth into `out` (fields of Outcome), money over `equity`."""
    entry_fee = fee * qty * fill
    slippage = abs(fill - raw) * qty
    funding = side * qty * (tape.funding[x] - tape.funding[e])
    exit_fee = 0.0
    final = price
    if reason == Reason.TARGET:
        exit_fee = terms.maker * qty * price
    elif reason != Reason.OPEN and reason != Reason.LIQUIDATION:
        final = price * (1.0 - side * slip_at(tape, terms, x, qty))
        exit_fee = terms.taker * qty * final
        slippage += abs(final - price) * qty
    gain = side * qty * (final - fill)
    if reason == Reason.LIQUIDATION:
        gain = -qty * fill / rule[RuleColumn.LEVERAGE]
    cash_in = equity - entry_fee
    cash = cash_in + gain - exit_fee - funding
    traded = qty * fill
    if reason != Reason.OPEN:
        traded += qty * final
    out[Outcome.REASON] = reason.value
    out[Outcome.ENTRY_BAR] = e
    out[Outcome.EXIT_BAR] = x
    out[Outcome.CASH] = cash / equity
    out[Outcome.TRADED] = traded / equity
    out[Outcome.FEES] = (entry_fee + exit_fee) / equity
    out[Outcome.SLIPPAGE] = slippage / equity
    out[Outcome.FUNDING] = funding / equity
    out[Outcome.RETURN] = (gain - entry_fee - exit_fee - funding) / (qty * fill)
    out[Outcome.NOTIONAL] = qty * fill / equity
    out[Outcome.GAPS] = tape.gaps[x] - tape.gaps[e]
    describe_path(tape, e, x, fill - tape.funding[e], cash_in / equity, side * qty / equity, cash / equity, out)


@view_kernel
def describe_path(tape: Tape, e: int, x: int, base: float, cash_in: float, qty: float, cash: float, out: FloatArray) -> None:
    """Equity at the closes of bars e..x: its moments, its extremes and the terms that rebuild it."""
    out[Outcome.BASE] = base
    out[Outcome.CASH_IN] = cash_in
    out[Outcome.SIGNED_QTY] = qty
    moments(tape.adjusted, e + 1, x, cash_in, qty, base, out)
    out[Outcome.SUM_EQUITY] += cash
    if x == e:
        out[Outcome.FIRST] = cash
        out[Outcome.LAST] = 1.0
        out[Outcome.LOWEST] = cash
        out[Outcome.HIGHEST] = cash
        return
    first = cash_in + qty * (tape.adjusted[e] - base)
    out[Outcome.FIRST] = first
    out[Outcome.SUM_EQUITY] += first
    out[Outcome.LAST] = cash / (cash_in + qty * (tape.adjusted[x - 1] - base))
    low, high = extremes(tape, e, x)
    one = cash_in + qty * (low - base)
    other = cash_in + qty * (high - base)
    out[Outcome.LOWEST] = min(one, other)
    out[Outcome.HIGHEST] = max(one, other)
    if out[Outcome.REVERSES] == 0.0:
        out[Outcome.LOWEST] = min(cash, out[Outcome.LOWEST])
        out[Outcome.HIGHEST] = max(cash, out[Outcome.HIGHEST])


@view_kernel
def trade(
    tape: Tape, terms: Terms, levels: FloatArray, rule: FloatArray, side: int, d: int, equity: float, exits: Bits, own: Bits,
    opposite: Bits, halt: int, out: FloatArray,
) -> None:  # fmt: skip
    """The whole trade decided at the close of `d` with `equity` before it, into `out`; `halt` is the bar of a forced exit, or n."""
    reason, e, fill, raw, qty, stop, target, inside, fee = enter(tape, terms, levels, rule, side, d, equity)
    out[Outcome.ENTRY_BAR] = e
    if reason != Reason.OPEN:
        out[Outcome.REASON] = reason.value
        out[Outcome.EXIT_BAR] = e
        return
    why, x, price = leave(tape, terms, levels, rule, side, e, fill, stop, target, inside, exits, own, opposite, halt)
    out[Outcome.REVERSES] = 0.0
    turns = rule[RuleColumn.REVERSE] > 0.0 and (why == Reason.SIGNAL or why == Reason.REVERSE)
    if turns and bits.is_set(opposite, x - 1) and not bits.is_set(own, x - 1):
        out[Outcome.REVERSES] = 1.0
    settle(tape, terms, rule, side, e, fill, raw, qty, fee, why, x, price, equity, out)
