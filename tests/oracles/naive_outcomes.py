"""Slow, obvious twins of `coinswarm.kernels.outcomes`: one random trade at a time, its cash counted in quote currency."""

from __future__ import annotations

import math
from typing import Any

from coinswarm.kernels.codes import Reason


def slip_at(tape: Any, terms: Any, bar: int, qty: float) -> float:
    """Slippage of a market or stop fill, docs/simulation.md."""
    slip = terms.slip
    before = tape.volatility[bar - 1] if bar > 0 and terms.slip_volatility > 0 else 0.0
    slip += 0.0 if math.isnan(before) else terms.slip_volatility * before
    share = min(1.0, qty / tape.volume[bar]) if tape.volume[bar] > 0 else 1.0
    return min(0.5, slip + terms.slip_participation * math.sqrt(share))


def outcomes(tape: Any, terms: Any, decision: int, hold: int, side: int, size: float) -> tuple[list[float], int, Reason]:
    """The figures of one trade as fractions of what was paid for it, the bar of its exit and why it ended."""
    entry, leave = decision + 1, decision + 1 + hold
    raw = tape.open[entry]
    fill = raw * (1 + side * slip_at(tape, terms, entry, size / raw))
    qty = size / fill
    paid_in = abs(fill - raw) * qty
    liquidation = 2 * fill / (1 + terms.maintenance)
    touched = [bar for bar in range(entry, leave) if side < 0 and tape.high[bar] >= liquidation]
    if touched:
        funding = side * qty * (tape.paid[touched[0]] - tape.paid[entry])
        net = -size - terms.fee * size - funding
        figures = [fill, liquidation, (net + terms.fee * size + paid_in + funding) / size, net / size, terms.fee, paid_in / size]
        return [*figures, funding / size], touched[0], Reason.LIQUIDATION
    last = tape.open[leave]
    price = last * (1 - side * slip_at(tape, terms, leave, qty))
    funding = side * qty * (tape.paid[leave] - tape.paid[entry])
    fees = terms.fee * qty * fill + terms.fee * qty * price
    net = side * qty * (price - fill) - fees - funding
    slippage = paid_in + abs(price - last) * qty
    gross = side * qty * (last - raw)
    return [fill, price, gross / size, net / size, fees / size, slippage / size, funding / size], leave, Reason.MAX_HOLD


def settle(starts: list[int], lengths: list[int], hold: int) -> list[tuple[int, int]]:
    """Run and bar of every decision that allows a hold: entry on the next bar and exit `hold` later are in the same run."""
    return [(run, start + k) for run, (start, length) in enumerate(zip(starts, lengths, strict=True)) for k in range(length - 1 - hold)]
