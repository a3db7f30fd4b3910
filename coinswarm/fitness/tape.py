"""Bars, costs and account as the compiled simulator takes them."""

from __future__ import annotations

import numpy as np

from coinswarm.config import Account, Costs
from coinswarm.indicators import features
from coinswarm.kernels import blocks
from coinswarm.kernels.chain import Shared
from coinswarm.kernels.codes import N_OUTCOME, Outcome
from coinswarm.kernels.tape import Tape, Terms
from coinswarm.market import funding
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray, IntArray

VOLATILITY_BARS = 20
_BARS_AN_OUTCOME = 5
"""One kept outcome for this many bars, as many bytes as the bars themselves: room for the entries that variants of one rule share."""


def tape_of(bars: Bars, costs: Costs, max_gap_ms: int | None) -> Tape:
    """The columns, their block extremes and running sums."""
    paid = funding.paid(bars)
    adjusted = bars.close - paid if bars.funding_ts.size else _column(bars.close)
    return Tape(
        open=_column(bars.open),
        high=_column(bars.high),
        low=_column(bars.low),
        close=_column(bars.close),
        volume=_column(bars.volume),
        adjusted=adjusted,
        funding=paid,
        volatility=_volatility(bars) if costs.slippage_volatility > 0 else np.zeros(1),
        gaps=gaps_until(bars, max_gap_ms),
        low_small=blocks.block_min(_column(bars.low), blocks.SMALL),
        low_large=blocks.block_min(_column(bars.low), blocks.LARGE),
        high_small=blocks.block_max(_column(bars.high), blocks.SMALL),
        high_large=blocks.block_max(_column(bars.high), blocks.LARGE),
        adjusted_low=blocks.block_min(adjusted, blocks.SMALL),
        adjusted_high=blocks.block_max(adjusted, blocks.SMALL),
    )


def terms_of(costs: Costs, account: Account) -> Terms:
    """Costs and account limits as fractions."""
    return Terms(
        taker=costs.taker_bps / 1e4,
        maker=costs.maker_bps / 1e4,
        slip=costs.slippage_bps / 1e4,
        slip_volatility=costs.slippage_volatility,
        slip_participation=costs.slippage_participation,
        max_participation=costs.max_participation if costs.max_participation is not None else np.inf,
        lot_step=costs.lot_step,
        min_notional=account.min_notional,
        maintenance=account.maintenance_margin_rate,
        max_drawdown=account.max_drawdown_pct / 100.0 if account.max_drawdown_pct < 100.0 else np.inf,
        starting_equity=account.starting_equity,
    )


def shared_outcomes(n_bars: int) -> Shared:
    """An empty ring of outcomes, sized to the bars."""
    capacity = 1 << max(4, (n_bars // _BARS_AN_OUTCOME).bit_length())
    outcomes = np.zeros((capacity, N_OUTCOME))
    outcomes[:, Outcome.KEY] = -1.0
    return Shared(
        outcomes=outcomes,
        place=np.zeros(2 * n_bars, dtype=np.int32),
        used=np.zeros(3, dtype=np.int64),
    )


def gaps_until(bars: Bars, max_gap_ms: int | None) -> IntArray:
    """(n_bars,) how many bars up to each one follow a gap longer than `max_gap_ms`."""
    if max_gap_ms is None:
        return np.zeros(len(bars), dtype=np.int64)
    late = np.diff(bars.ts, prepend=bars.ts[:1]) - bars.timeframe.ms > max_gap_ms
    return np.cumsum(late, dtype=np.int64)


def _column(values: FloatArray) -> FloatArray:
    return np.ascontiguousarray(values, dtype=np.float64)


def _volatility(bars: Bars) -> FloatArray:
    return features.compute("volatility", {"length": VOLATILITY_BARS}, bars).outputs["value"]
