"""Bars, costs and account limits as the kernels of trades see them, and the slippage that follows from them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from coinswarm.kernels.jit import inlined_kernel

MAX_SLIP = 0.5


class Tape(NamedTuple):
    """The bars as the kernels see them: (n,) columns, block extremes, and running sums of funding and gaps."""

    open: Any
    high: Any
    low: Any
    close: Any
    volume: Any
    adjusted: Any  # close minus the funding paid so far on one unit held since the first bar
    funding: Any  # that funding, (n,)
    volatility: Any  # (n,) known at the close of each bar; one value when no cost uses it
    gaps: Any  # (n,) number of too long gaps up to each bar
    low_small: Any
    low_large: Any
    high_small: Any
    high_large: Any
    adjusted_low: Any  # extremes of `adjusted` in small blocks
    adjusted_high: Any


class Terms(NamedTuple):
    """Costs and account limits, the same for every variant of a call; fractions, not basis points."""

    taker: float
    maker: float
    slip: float
    slip_volatility: float
    slip_participation: float
    max_participation: float  # infinite: unlimited
    lot_step: float
    min_notional: float
    maintenance: float
    max_drawdown: float  # infinite: no account stop
    starting_equity: float


@inlined_kernel
def slip_at(tape: Any, terms: Any, bar: int, qty: float) -> float:
    """Slippage of a market or stop fill of `qty` in `bar`, as a fraction of the price.

    Of `tape` it reads `volume` and `volatility`, of `terms` what begins with `slip`: the records of random trades hold little more.
    """
    slip = terms.slip
    if terms.slip_volatility > 0.0 and bar > 0 and not np.isnan(tape.volatility[bar - 1]):
        slip += terms.slip_volatility * tape.volatility[bar - 1]
    if terms.slip_participation > 0.0:
        share = 1.0
        if tape.volume[bar] > 0.0:
            share = min(1.0, qty / tape.volume[bar])
        slip += terms.slip_participation * np.sqrt(share)
    return min(slip, MAX_SLIP)
