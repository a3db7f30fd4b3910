"""A variant's whole history: trade after trade, jumping from exit to the next entry, adding up what each was worth.

Where sizes are proportional to equity a trade's outcome is the same for every variant with the same rule and exits, so outcomes are kept in
a ring of recent ones (`Shared`) and looked up by decision bar; the search for an exit is then paid once per population, not per variant.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from coinswarm.kernels import bits
from coinswarm.kernels.blocks import SMALL
from coinswarm.kernels.codes import N_OUTCOME, N_PATH, Outcome, Path, Reason, Tally
from coinswarm.kernels.jit import inlined_kernel, kernel, view_kernel
from coinswarm.kernels.tape import Tape, Terms
from coinswarm.kernels.trades import TIE, trade
from coinswarm.types import Bits, FloatArray, IntArray


class Shared(NamedTuple):
    """Recent outcomes: a ring of records, and for each decision bar and side where its last record lies."""

    outcomes: Any  # (capacity, N_OUTCOME); KEY is -1 where empty
    place: Any  # (2 * n,) int32: index into the ring
    used: Any  # (3,) int64: next place, look-ups, hits


@inlined_kernel
def key_of(side: int, d: int, n: int) -> int:
    """Where a decision stands among all: long ones first, in order of time."""
    return d if side > 0 else n + d


@inlined_kernel
def equity_at(tape: Tape, record: FloatArray, i: int) -> float:
    """Equity at the close of a bar inside the trade, in units of the equity before it."""
    return record[Outcome.CASH_IN] + record[Outcome.SIGNED_QTY] * (tape.adjusted[i] - record[Outcome.BASE])


@inlined_kernel
def close_at(path: FloatArray, equity: float, i: int, floor: float) -> bool:
    """Account for one close; true when the equity has fallen to `floor`, a fraction of its peak: the account stop, or ruin."""
    if equity >= path[Path.PEAK] * (1.0 - TIE):
        if path[Path.UNDER] >= 0.0:
            path[Path.MAX_STAGNATION] = max(path[Path.MAX_STAGNATION], i - path[Path.UNDER])
            path[Path.UNDER] = -1.0
    elif path[Path.UNDER] < 0.0:
        path[Path.UNDER] = i
    if equity > path[Path.PEAK]:
        path[Path.PEAK] = equity
    elif equity < path[Path.PEAK] * (1.0 - path[Path.MAX_DRAWDOWN]):
        path[Path.MAX_DRAWDOWN] = 1.0 - equity / path[Path.PEAK]
    return equity <= path[Path.PEAK] * floor


@inlined_kernel
def skip_block(tape: Tape, record: FloatArray, equity: float, path: FloatArray, i: int, floor: float) -> bool:
    """Account for a whole block of closes at once; false when one of them may be a new peak or the account stop."""
    one = equity * (record[Outcome.CASH_IN] + record[Outcome.SIGNED_QTY] * (tape.adjusted_low[i // SMALL] - record[Outcome.BASE]))
    other = equity * (record[Outcome.CASH_IN] + record[Outcome.SIGNED_QTY] * (tape.adjusted_high[i // SMALL] - record[Outcome.BASE]))
    low = min(one, other)
    if max(one, other) >= path[Path.PEAK] * (1.0 - TIE) or low <= path[Path.PEAK] * floor:
        return False
    if low < path[Path.PEAK] * (1.0 - path[Path.MAX_DRAWDOWN]):
        path[Path.MAX_DRAWDOWN] = 1.0 - low / path[Path.PEAK]
    return True


@inlined_kernel
def follow(tape: Tape, record: FloatArray, equity: float, path: FloatArray, floor: float) -> int:
    """Account for the closes of a trade; the bar whose close ends all entering, or -1.

    A trade that stays below the peak needs only its lowest close, and so does a block of bars that does; the others are walked.
    """
    i = int(record[Outcome.ENTRY_BAR])
    x = int(record[Outcome.EXIT_BAR])
    low = equity * record[Outcome.LOWEST]
    below = path[Path.UNDER] >= 0.0 and equity * record[Outcome.HIGHEST] < path[Path.PEAK] * (1.0 - TIE)
    if below and low > path[Path.PEAK] * floor:
        if low < path[Path.PEAK] * (1.0 - path[Path.MAX_DRAWDOWN]):
            path[Path.MAX_DRAWDOWN] = 1.0 - low / path[Path.PEAK]
        return -1
    while i < x:
        if i % SMALL == 0 and i + SMALL <= x and path[Path.UNDER] >= 0.0 and skip_block(tape, record, equity, path, i, floor):
            i += SMALL
            continue
        if close_at(path, equity * equity_at(tape, record, i), i, floor):
            return i
        i += 1
    if record[Outcome.REVERSES] == 0.0 and close_at(path, equity * record[Outcome.CASH], x, floor):
        return x
    return -1


@inlined_kernel
def add_return(tally: FloatArray, growth: float) -> None:
    """Add one bar's return to the moments."""
    r = growth - 1.0
    r2 = r * r
    tally[Tally.SUM] += r
    tally[Tally.SUM_2] += r2
    tally[Tally.SUM_3] += r2 * r
    tally[Tally.SUM_4] += r2 * r2
    if r < 0.0:
        tally[Tally.SUM_DOWN_2] += r2


@inlined_kernel
def add_trade(tally: FloatArray, record: FloatArray, equity: float) -> None:
    """Add a trade to the tally; money is scaled by the equity before it."""
    for k in range(Tally.SUM_DOWN_2 + 1):
        tally[k] += record[Outcome.SUM + k]
    tally[Tally.N_ENTERED] += 1.0
    tally[Tally.TRADED] += equity * record[Outcome.TRADED]
    tally[Tally.FEES] += equity * record[Outcome.FEES]
    tally[Tally.SLIPPAGE] += equity * record[Outcome.SLIPPAGE]
    tally[Tally.FUNDING] += equity * record[Outcome.FUNDING]
    tally[Tally.N_GAPS] += record[Outcome.GAPS]
    held = record[Outcome.EXIT_BAR] - record[Outcome.ENTRY_BAR]
    tally[Tally.BARS_IN] += held
    reason = int(record[Outcome.REASON])
    if reason == Reason.OPEN:
        tally[Tally.N_OPEN] += 1.0
        tally[Tally.BARS_IN] += 1.0
        return
    tally[Tally.N_TRADES] += 1.0
    tally[Tally.SUM_HELD] += held
    tally[Tally.SUM_RETURN] += record[Outcome.RETURN]
    pnl = equity * record[Outcome.RETURN] * record[Outcome.NOTIONAL]
    if pnl > 0.0:
        tally[Tally.N_WINS] += 1.0
        tally[Tally.GROSS_WIN] += pnl
    else:
        tally[Tally.GROSS_LOSS] -= pnl
    if reason == Reason.LIQUIDATION:
        tally[Tally.N_LIQUIDATED] += 1.0


@inlined_kernel
def recall(
    tape: Tape, terms: Terms, levels: FloatArray, rule: FloatArray, side: int, d: int, exits: Bits, own: Bits, opposite: Bits,
    group: int, shared: Shared,
) -> int:  # fmt: skip
    """The outcome of the trade decided at `d` in units of equity, from the ring or computed into it: its place."""
    key = key_of(side, d, tape.open.size)
    k = shared.place[key]
    shared.used[1] += 1
    if shared.outcomes[k, Outcome.KEY] == key and shared.outcomes[k, Outcome.GROUP] == group:
        shared.used[2] += 1
        return k
    k = shared.used[0]
    shared.used[0] = (k + 1) % shared.outcomes.shape[0]
    shared.outcomes[k, Outcome.KEY] = key
    shared.outcomes[k, Outcome.GROUP] = group
    shared.place[key] = k
    trade(tape, terms, levels, rule, side, d, 1.0, exits, own, opposite, tape.open.size, shared.outcomes[k])
    return k


@inlined_kernel
def trace(curve: FloatArray, log: FloatArray, tape: Tape, record: FloatArray, side: int, equity: float, place: int) -> None:
    """Write a trade's equity at closes into `curve`, and its record with its side and the equity before it into row `place` of `log`."""
    for k in range(N_OUTCOME):
        log[place, k] = record[k]
    log[place, N_OUTCOME] = side
    log[place, N_OUTCOME + 1] = equity
    x = int(record[Outcome.EXIT_BAR])
    for i in range(int(record[Outcome.ENTRY_BAR]), x):
        curve[i] = equity * equity_at(tape, record, i)
    curve[x] = equity * record[Outcome.CASH]


@inlined_kernel
def outcome(
    tape: Tape, terms: Terms, levels: FloatArray, rule: FloatArray, side: int, d: int, equity: float,
    exits: Bits, own: Bits, opposite: Bits, group: int, scale_free: bool, shared: Shared, scratch: FloatArray,
) -> int:  # fmt: skip
    """The outcome of the trade decided at `d`: its place among the shared ones, or -1 when it was computed into `scratch`."""
    if scale_free and group >= 0:
        return recall(tape, terms, levels, rule, side, d, exits, own, opposite, group, shared)
    trade(tape, terms, levels, rule, side, d, 1.0 if scale_free else equity, exits, own, opposite, tape.open.size, scratch)
    return -1


@inlined_kernel
def settled_path(path: FloatArray, tally: FloatArray, n: int) -> None:
    """Close the books at the end of the bars."""
    if path[Path.PENDING_BAR] >= 0.0:
        add_return(tally, path[Path.PENDING])
    if path[Path.UNDER] >= 0.0:
        path[Path.MAX_STAGNATION] = max(path[Path.MAX_STAGNATION], n - path[Path.UNDER])
    tally[Tally.EQUITY_SUM] += path[Path.EQUITY] * (n - path[Path.ACCOUNTED])
    tally[Tally.EQUITY_END] = path[Path.EQUITY]
    tally[Tally.MAX_DRAWDOWN] = path[Path.MAX_DRAWDOWN]
    tally[Tally.MAX_STAGNATION] = path[Path.MAX_STAGNATION]


@inlined_kernel
def book(path: FloatArray, tally: FloatArray, record: FloatArray) -> None:
    """Add a trade's returns and equity, in the bars it spans; its last bar waits, since a reversal at its open shares it."""
    e = record[Outcome.ENTRY_BAR]
    x = record[Outcome.EXIT_BAR]
    growth = record[Outcome.FIRST]
    if path[Path.PENDING_BAR] == e:
        growth *= path[Path.PENDING]
    elif path[Path.PENDING_BAR] >= 0.0:
        add_return(tally, path[Path.PENDING])
    if x > e:
        add_return(tally, growth)
        growth = record[Outcome.LAST]
    path[Path.PENDING] = growth
    path[Path.PENDING_BAR] = x
    tally[Tally.EQUITY_SUM] += path[Path.EQUITY] * (e - path[Path.ACCOUNTED] + record[Outcome.SUM_EQUITY])
    path[Path.ACCOUNTED] = x + 1.0
    add_trade(tally, record, path[Path.EQUITY])
    path[Path.EQUITY] *= record[Outcome.CASH]


@inlined_kernel
def fresh_path(path: FloatArray, starting_equity: float, first: int) -> None:
    """Open the books."""
    path[Path.PEAK] = path[Path.EQUITY] = starting_equity
    path[Path.UNDER] = path[Path.PENDING_BAR] = -1.0
    path[Path.MAX_DRAWDOWN] = path[Path.MAX_STAGNATION] = 0.0
    path[Path.ACCOUNTED] = first


@inlined_kernel
def standing(record: FloatArray, scale_free: bool, equity: float, min_notional: float) -> int:
    """The reason of a record, REJECTED where this account is too small for it."""
    reason = int(record[Outcome.REASON])
    if scale_free and reason > Reason.REJECTED and (equity <= 0.0 or equity * record[Outcome.NOTIONAL] < min_notional * (1.0 - TIE)):
        return Reason.REJECTED.value
    return reason


@view_kernel
def walk(
    tape: Tape, terms: Terms, min_notional: float, levels: FloatArray, rule: FloatArray, enter_long: Bits, enter_short: Bits,
    exit_long: Bits, exit_short: Bits, first: int, group: int, scale_free: bool, shared: Shared, path: FloatArray,
    scratch: FloatArray, tally: FloatArray, curve: FloatArray, log: FloatArray,
) -> bool:  # fmt: skip
    """What `chain` does; `path` and `scratch` are room."""
    n = tape.open.size
    stops = terms.max_drawdown < np.inf
    floor = 1.0 - terms.max_drawdown + TIE if stops else TIE
    fresh_path(path, terms.starting_equity, first)
    position = first
    turning = 0
    halted = False
    while not halted:
        d, side = position - 1, turning
        if turning == 0:
            d = bits.next_set_of_xor(enter_long, enter_short, position, n - 1)
            if d >= n - 1:
                break
            side = 1 if bits.is_set(enter_long, d) else -1
        own, opposite, exits = (enter_long, enter_short, exit_long) if side > 0 else (enter_short, enter_long, exit_short)
        equity = path[Path.EQUITY]
        place = outcome(tape, terms, levels, rule, side, d, equity, exits, own, opposite, group, scale_free, shared, scratch)
        record = shared.outcomes[place] if place >= 0 else scratch
        e = int(record[Outcome.ENTRY_BAR])
        reason = standing(record, scale_free, equity, min_notional)
        late = turning != 0 and e > position
        halted = late and close_at(path, equity, position, floor)
        if halted:
            break
        if reason <= Reason.REJECTED:
            tally[Tally.N_REJECTED] += reason == Reason.REJECTED
            halted = turning != 0 and not late and close_at(path, equity, position, floor)
            turning = 0
            position = max(e, d + 1)
            continue
        turning = 0
        peak, under, worst, longest = path[Path.PEAK], path[Path.UNDER], path[Path.MAX_DRAWDOWN], path[Path.MAX_STAGNATION]
        halt = follow(tape, record, equity, path, floor)
        halted = halt >= 0
        if halted and halt < int(record[Outcome.EXIT_BAR]):
            path[Path.PEAK], path[Path.UNDER], path[Path.MAX_DRAWDOWN], path[Path.MAX_STAGNATION] = peak, under, worst, longest
            if stops and halt < n - 1:
                trade(tape, terms, levels, rule, side, d, 1.0 if scale_free else equity, exits, own, opposite, halt + 1, scratch)
                record = scratch
            follow(tape, record, equity, path, -np.inf)
        if curve.size:
            trace(curve, log, tape, record, side, equity, int(tally[Tally.N_ENTERED]))
        book(path, tally, record)
        position = int(record[Outcome.EXIT_BAR])
        if record[Outcome.REVERSES] > 0.0 and not halted:
            turning = -side
    settled_path(path, tally, n)
    return halted


@kernel
def chain(
    tape: Tape, terms: Terms, min_notional: float, levels: FloatArray, rule: FloatArray, enter_long: Bits, enter_short: Bits,
    exit_long: Bits, exit_short: Bits, first: int, group: int, scale_free: bool, shared: Shared, tally: FloatArray,
    curve: FloatArray, log: FloatArray,
) -> bool:  # fmt: skip
    """Trade one variant from its first decision bar to the last bar, into `tally`; true when the account stop ended it.

    `enter_*` are (n_words,) bits of decision bars, `exit_*` the same or (0,) where there is no exit signal, `first` is the first bar on
    which a decision may be taken, `group` numbers the rule with its exits or is -1 when no other variant shares them. `scale_free`
    says that outcomes do not depend on the equity; `terms` then has no `min_notional`, which is held against each trade here. `curve`
    is (n_bars,), to be filled with equity at the closes of trades, or (0,); with a curve, `log` (n_bars, N_OUTCOME + 2) is filled with
    the trades' records, sides and equities.
    """
    scratch = np.zeros(N_OUTCOME)
    path = np.zeros(N_PATH)
    return walk(
        tape, terms, min_notional, levels, rule, enter_long, enter_short, exit_long, exit_short, first, group, scale_free, shared,
        path, scratch, tally, curve, log,
    )  # fmt: skip


@kernel
def exit_row(exit_rows: Bits, place: int) -> Bits:
    """One row of exit bits; empty for -1."""
    return exit_rows[place] if place >= 0 else exit_rows[0, :0]


@kernel
def chain_batch(
    tape: Tape, terms: Terms, min_notional: float, levels: FloatArray, rules: FloatArray, entry_rows: Bits, exit_rows: Bits,
    variants: IntArray, scale_free: bool, shared: Shared, tallies: FloatArray,
) -> None:  # fmt: skip
    """Every variant of a batch, in the order given, into `tallies` (n_variants, N_TALLY), which starts as zeros.

    `variants` is (n_variants, 8) int64: place in `tallies`, rule, long entry, short entry, long exit, short exit row (-1: no exit signal),
    first decision bar, group.
    """
    none = np.empty(0)
    no_log = np.empty((0, 0))
    for v in range(variants.shape[0]):
        row = variants[v]
        chain(
            tape, terms, min_notional, levels, rules[row[1]], entry_rows[row[2]], entry_rows[row[3]],
            exit_row(exit_rows, row[4]), exit_row(exit_rows, row[5]), row[6], row[7], scale_free, shared, tallies[row[0]], none, no_log,
        )  # fmt: skip
