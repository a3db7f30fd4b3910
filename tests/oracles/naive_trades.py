"""Slow, obvious twins of `coinswarm.kernels.trades`: one position led bar by bar, as docs/simulation.md says, its equity a list of closes.

Conditions are lists of truth values, one a bar.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

from coinswarm.kernels.codes import InForce, Outcome, Reason, RuleColumn, Size, StopCode, TargetCode
from tests.oracles.naive_outcomes import slip_at

Record = dict[Outcome, float]
NEVER = math.inf


@dataclass(frozen=True, kw_only=True)
class Bought:
    """What was bought: bar, price with and without slippage, quantity, levels, whether inside the bar, fee rate."""

    bar: int
    fill: float
    raw: float
    qty: float
    stop: float
    target: float
    inside: bool
    fee: float


def moments(curve: list[float]) -> Record:
    """Sums of the returns between closes, and of the closes after the first."""
    returns = [after / before - 1 for before, after in itertools.pairwise(curve)]
    sums = {Outcome(Outcome.SUM + k): math.fsum(r ** (k + 1) for r in returns) for k in range(4)}
    return {**sums, Outcome.SUM_DOWN_2: math.fsum(min(r, 0.0) ** 2 for r in returns), Outcome.SUM_EQUITY: math.fsum(curve[1:])}


def describe_path(tape: Any, e: int, x: int, base: float, cash_in: float, qty: float, cash: float, reverses: bool) -> Record:
    """Of the closes of bars e..x; the last one belongs to the other side where that is entered at its open."""
    curve = [cash_in + qty * (tape.adjusted[i] - base) for i in range(e, x)] + [cash]
    own = curve[:-1] if reverses and x > e else curve
    return {
        **moments(curve[:-1]),
        Outcome.BASE: base, Outcome.CASH_IN: cash_in, Outcome.SIGNED_QTY: qty, Outcome.SUM_EQUITY: math.fsum(curve),
        Outcome.FIRST: curve[0], Outcome.LAST: curve[-1] / curve[-2] if x > e else 1.0,
        Outcome.LOWEST: min(own), Outcome.HIGHEST: max(own),
    }  # fmt: skip


def settle(
    tape: Any, terms: Any, rule: Any, side: int, entry: Bought, reason: Reason, x: int, price: float, equity: float, reverses: bool
) -> Record:
    """Cash of the entry, the way and the exit, over the equity before."""
    qty, e = entry.qty, entry.bar
    paid, slippage = entry.fee * qty * entry.fill, abs(entry.fill - entry.raw) * qty
    funding = side * qty * (tape.funding[x] - tape.funding[e])
    final, way_out = price, 0.0
    if reason is Reason.TARGET:
        way_out = terms.maker * qty * price
    elif reason not in {Reason.OPEN, Reason.LIQUIDATION}:
        final = price * (1 - side * slip_at(tape, terms, x, qty))
        way_out = terms.taker * qty * final
        slippage += abs(final - price) * qty
    margin = qty * entry.fill / rule[RuleColumn.LEVERAGE]
    gain = -margin if reason is Reason.LIQUIDATION else side * qty * (final - entry.fill)
    pnl = gain - paid - way_out - funding
    traded = qty * entry.fill + (0.0 if reason is Reason.OPEN else qty * final)
    money = {
        Outcome.TRADED: traded, Outcome.FEES: paid + way_out, Outcome.SLIPPAGE: slippage, Outcome.FUNDING: funding,
        Outcome.CASH: equity + pnl, Outcome.NOTIONAL: qty * entry.fill,
    }  # fmt: skip
    base = entry.fill - tape.funding[e]
    return {
        Outcome.REASON: reason, Outcome.ENTRY_BAR: e, Outcome.EXIT_BAR: x, Outcome.RETURN: pnl / (qty * entry.fill),
        Outcome.GAPS: tape.gaps[x] - tape.gaps[e], **{field: value / equity for field, value in money.items()},
        **describe_path(tape, e, x, base, (equity - paid) / equity, side * qty / equity, (equity + pnl) / equity, reverses),
    }  # fmt: skip


def level(levels: Any, row: float, bar: int) -> float:
    return math.nan if row < 0 else float(levels[int(row), bar])


def stop_of(levels: Any, rule: Any, side: int, bar: int, fill: float) -> float:
    value, follows = rule[RuleColumn.STOP_VALUE], rule[RuleColumn.ACTIVATION] >= 0
    at = level(levels, rule[RuleColumn.STOP_ROW_LONG if side > 0 else RuleColumn.STOP_ROW_SHORT], bar)
    none = -side * math.inf
    return float({
        StopCode.NONE: none, StopCode.PERCENT: fill * (1 - side * value), StopCode.POINTS: fill - side * value,
        StopCode.ATR: fill - side * value * at, StopCode.STRUCTURE: at * (1 - side * value / 100),
        StopCode.TRAIL_PERCENT: none if follows else fill * (1 - side * value),
        StopCode.TRAIL_ATR: none if follows else fill - side * value * at,
    }[StopCode(int(rule[RuleColumn.STOP_KIND]))])  # fmt: skip


def target_of(levels: Any, rule: Any, side: int, bar: int, fill: float, stop: float) -> float:
    value = rule[RuleColumn.TARGET_VALUE]
    return float({
        TargetCode.NONE: side * math.inf, TargetCode.PERCENT: fill * (1 + side * value), TargetCode.POINTS: fill + side * value,
        TargetCode.ATR: fill + side * value * level(levels, rule[RuleColumn.TARGET_ROW], bar),
        TargetCode.R_MULTIPLE: fill + side * value * abs(fill - stop) if math.isfinite(stop) else math.nan,
    }[TargetCode(int(rule[RuleColumn.TARGET_KIND]))])  # fmt: skip


def notional_of(rule: Any, equity: float, fill: float, stop: float) -> float:
    model, value = int(rule[RuleColumn.SIZE_MODEL]), rule[RuleColumn.SIZE_VALUE]
    if model == Size.FIXED_NOTIONAL:
        return float(value)
    part = equity * value / 100
    return float(part * rule[RuleColumn.LEVERAGE] if model == Size.PERCENT_EQUITY else part * fill / abs(fill - stop))


def limit_fill(tape: Any, rule: Any, side: int, d: int) -> tuple[int, float, bool] | int:
    """Bar, price and whether inside the bar; or the last bar of an order that did not fill."""
    price, force = tape.close[d] * (1 - side * rule[RuleColumn.LIMIT_OFFSET] / 100), int(rule[RuleColumn.TIME_IN_FORCE])
    at_once = force in {InForce.IOC, InForce.FOK}
    waits = 1 if at_once else int(rule[RuleColumn.EXPIRE_AFTER]) or len(tape.open)
    last = min(len(tape.open) - 1, d + waits)
    for j in range(d + 1, last + 1):
        if side * (price - tape.open[j]) >= 0:
            return j if force == InForce.POST_ONLY else (j, float(tape.open[j]), False)
        if not at_once and (tape.low[j] <= price if side > 0 else tape.high[j] >= price):
            return j, float(price), True
    return last


def enter(tape: Any, terms: Any, levels: Any, rule: Any, side: int, d: int, equity: float) -> Bought | tuple[Reason, int]:
    """What was bought, or why nothing was and in which bar."""
    if math.isnan(rule[RuleColumn.LIMIT_OFFSET]):
        e, raw, inside = d + 1, float(tape.open[d + 1]), False
        rough = notional_of(rule, equity, raw, stop_of(levels, rule, side, d, raw)) / raw
        fill = raw * (1 + side * slip_at(tape, terms, e, rough))
    else:
        order = limit_fill(tape, rule, side, d)
        if isinstance(order, int):
            return Reason.NOT_FILLED, order
        e, raw, inside = order
        fill = raw
    fee = terms.maker if inside else terms.taker
    stop = stop_of(levels, rule, side, d, fill)
    target = target_of(levels, rule, side, d, fill, stop)
    if math.isnan(stop) or math.isnan(target) or side * (fill - stop) <= 0 or equity <= 0:
        return Reason.REJECTED, e
    leverage = rule[RuleColumn.LEVERAGE]
    qty = min(notional_of(rule, equity, fill, stop), equity * leverage / (1 + leverage * fee)) / fill
    if math.isfinite(terms.max_participation):
        qty = min(qty, terms.max_participation * tape.volume[e])
    if terms.lot_step > 0:
        qty = math.floor(qty / terms.lot_step) * terms.lot_step
    if qty <= 0 or qty * fill < terms.min_notional * (1 - 1e-12):
        return Reason.REJECTED, e
    return Bought(bar=e, fill=fill, raw=raw, qty=qty, stop=stop, target=target, inside=inside, fee=fee)


def asked_to_leave(rule: Any, entry: Bought, j: int, exits: list[bool], own: list[bool], opposite: list[bool], halt: int) -> Reason | None:
    """Why the position is closed at the open of `j`, if it is."""
    if j == halt:
        return Reason.ACCOUNT_STOP
    if j > entry.bar and exits and exits[j - 1]:
        return Reason.SIGNAL
    if j > entry.bar and rule[RuleColumn.REVERSE] and opposite[j - 1] and not own[j - 1]:
        return Reason.REVERSE
    return Reason.MAX_HOLD if 0 < rule[RuleColumn.MAX_HOLD] == j - entry.bar else None


def touched(tape: Any, side: int, entry: Bought, j: int, stop: float, target: float, liquidation: float) -> tuple[Reason, float] | None:
    """What a bar's range closes, and at which price."""
    worse, better = (tape.low[j], tape.high[j]) if side > 0 else (tape.high[j], tape.low[j])
    if j > entry.bar:
        if side * (tape.open[j] - liquidation) <= 0:
            return Reason.LIQUIDATION, liquidation
        if side * (tape.open[j] - stop) <= 0:
            return Reason.STOP, tape.open[j]
        if side * (tape.open[j] - target) >= 0:
            return Reason.TARGET, tape.open[j]
    # the one that is met first on the way down, for a long, is the higher
    reached = [(side * at, reason) for at, reason in ((liquidation, Reason.LIQUIDATION), (stop, Reason.STOP)) if side * (worse - at) <= 0]
    if reached:
        reason = max(reached, key=lambda found: (found[0], found[1] is Reason.LIQUIDATION))[1]
        return reason, liquidation if reason is Reason.LIQUIDATION else side * min(side * stop, side * tape.open[j])
    if side * (better - target) >= 0 and not (entry.inside and j == entry.bar):
        return Reason.TARGET, target
    return None


def raised(levels: Any, rule: Any, side: int, j: int, fill: float, best: float, stop: float) -> float:
    """The stop after the close of `j`, never looser than before."""
    kind, value, moved = int(rule[RuleColumn.STOP_KIND]), rule[RuleColumn.STOP_VALUE], side * (best - fill)
    candidates = [stop]
    if kind in {StopCode.TRAIL_PERCENT, StopCode.TRAIL_ATR} and fill * rule[RuleColumn.ACTIVATION] <= moved:
        row = rule[RuleColumn.STOP_ROW_LONG if side > 0 else RuleColumn.STOP_ROW_SHORT]
        candidates.append(best - side * value * (fill if kind == StopCode.TRAIL_PERCENT else level(levels, row, j)))
    if 0 <= fill * rule[RuleColumn.BREAK_EVEN_AT] <= moved:
        candidates.append(fill * (1 + side * rule[RuleColumn.BREAK_EVEN_OFFSET]))
    return max((value for value in candidates if not math.isnan(value)), key=lambda value: side * value)


def trade(
    tape: Any, terms: Any, levels: Any, rule: Any, side: int, d: int, equity: float, exits: list[bool], own: list[bool],
    opposite: list[bool], halt: int,
) -> Record:  # fmt: skip
    entry = enter(tape, terms, levels, rule, side, d, equity)
    if not isinstance(entry, Bought):
        return {Outcome.REASON: entry[0], Outcome.ENTRY_BAR: entry[1], Outcome.EXIT_BAR: entry[1]}
    x, reason, price = leave(tape, terms, levels, rule, side, entry, exits, own, opposite, halt)
    asked = reason in {Reason.SIGNAL, Reason.REVERSE} and rule[RuleColumn.REVERSE] > 0
    reverses = bool(asked and opposite[x - 1] and not own[x - 1])
    return {Outcome.REVERSES: reverses, **settle(tape, terms, rule, side, entry, reason, x, price, equity, reverses)}


def leave(
    tape: Any, terms: Any, levels: Any, rule: Any, side: int, entry: Bought, exits: list[bool], own: list[bool], opposite: list[bool],
    halt: int,
) -> tuple[int, Reason, float]:  # fmt: skip
    live = rule[RuleColumn.USE_LEVELS] > 0
    liquidation = entry.fill * (1 - side / rule[RuleColumn.LEVERAGE]) / (1 - side * terms.maintenance)
    stop, target, best = entry.stop, entry.target, entry.fill
    for j in range(entry.bar, len(tape.open)):
        reason = asked_to_leave(rule, entry, j, exits, own, opposite, halt)
        if reason is not None:
            return j, reason, tape.open[j]
        hit = touched(tape, side, entry, j, stop if live else -side * NEVER, target if live else side * NEVER, liquidation)
        if hit is not None:
            return j, *hit
        if not (entry.inside and j == entry.bar):
            best = side * max(side * best, side * (tape.high[j] if side > 0 else tape.low[j]))
        stop = raised(levels, rule, side, j, entry.fill, best, stop)
    return len(tape.open) - 1, Reason.OPEN, tape.close[len(tape.open) - 1]
