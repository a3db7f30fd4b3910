"""Random trades on one market: where they may begin, and the outcome of each.

Follows docs/simulation.md for a market entry of fixed notional without leverage that is closed after its hold: the same fills, fees,
slippage, funding and liquidation, one trade at a time and none knowing of another.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from coinswarm.kernels.codes import Reason
from coinswarm.kernels.jit import inlined_kernel, view_kernel
from coinswarm.kernels.tape import slip_at
from coinswarm.types import FloatArray, IntArray

N_FIGURES = 7
"""Entry price, exit price, gross, net, fees, slippage and funding: the columns of `outcomes`."""


class OutcomeTape(NamedTuple):
    """One market as `outcomes` sees it: (n_bars,) columns."""

    open: Any
    high: Any
    volume: Any
    volatility: Any  # known at the close of each bar, NaN while missing
    paid: Any  # funding paid so far on one unit held since the first bar


class OutcomeTerms(NamedTuple):
    """Costs as fractions, not basis points."""

    fee: float
    slip: float
    slip_volatility: float
    slip_participation: float
    maintenance: float


@inlined_kernel
def liquidated_at(high: FloatArray, entry: int, leave: int, level: float) -> int:
    """First bar from the entry to the one before the exit in which a short meets its liquidation price; `leave` when none does."""
    for bar in range(entry, leave):
        if high[bar] >= level:
            return bar
    return leave


@view_kernel
def outcomes(
    tape: OutcomeTape,
    terms: OutcomeTerms,
    decision: IntArray,
    hold: IntArray,
    side: Any,
    size: FloatArray,
    out: FloatArray,
    left: IntArray,
    reason: Any,
) -> None:
    """Fill (n, N_FIGURES) `out`, (n,) bars of the exit `left` and (n,) `reason` for n trades of one market."""
    for row in range(decision.size):
        entry, leave, way = decision[row] + 1, decision[row] + 1 + hold[row], float(side[row])
        raw = tape.open[entry]
        fill = raw * (1.0 + way * slip_at(tape, terms, entry, size[row] / raw))
        qty = size[row] / fill
        code, level, fee = Reason.MAX_HOLD, 0.0, terms.fee
        if way < 0.0:
            # without leverage a long cannot be liquidated before its price is 0
            level = fill * 2.0 / (1.0 + terms.maintenance)
            found = liquidated_at(tape.high, entry, leave, level)
            if found < leave:
                code, leave = Reason.LIQUIDATION, found
        funding = way * (tape.paid[leave] - tape.paid[entry]) / fill
        entry_slip = abs(fill - raw) / fill
        if code == Reason.LIQUIDATION:
            # the whole margin is lost and no fee is paid on the way out, so that gross is what makes the loss of it exact
            price, fees, slippage = level, fee, entry_slip
            gross = -1.0 + entry_slip
        else:
            raw_exit = tape.open[leave]
            price = raw_exit * (1.0 - way * slip_at(tape, terms, leave, qty))
            fees = fee + fee * (price / fill)
            slippage = entry_slip + abs(price - raw_exit) / fill
            gross = way * (raw_exit - raw) / fill
        out[row, 0], out[row, 1], out[row, 2] = fill, price, gross
        out[row, 3] = gross - fees - slippage - funding
        out[row, 4], out[row, 5], out[row, 6] = fees, slippage, funding
        left[row], reason[row] = leave, code


@view_kernel
def settle(sums: IntArray, starts: IntArray, many: IntArray, hold: IntArray, place: IntArray, run: IntArray, decision: IntArray) -> None:
    """Turn the `place`-th decision that allows a hold into its run and bar.

    Runs stand longest first, `sums` (n_runs + 1,) are running sums of their lengths and `starts` (n_runs,) their first bars. With a hold
    of h a run of length L has `L - 1 - h` decisions, so the first j runs have `sums[j] - j * (h + 1)`, which grows up to `many[row]` runs.
    """
    for row in range(hold.size):
        low, high, cut = 0, many[row], hold[row] + 1
        while high - low > 1:
            middle = (low + high) // 2
            if sums[middle] - middle * cut <= place[row]:
                low = middle
            else:
                high = middle
        run[row] = low
        decision[row] = starts[low] + place[row] - (sums[low] - low * cut)
