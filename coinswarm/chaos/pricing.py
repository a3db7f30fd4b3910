"""The outcomes of drawn trades: filled, held, closed and described."""

from __future__ import annotations

from typing import Any

import numpy as np

from coinswarm.chaos import naming
from coinswarm.chaos.drawing import Drawn, TradeSampler, draw
from coinswarm.chaos.markets import DescribedMarket
from coinswarm.kernels import outcomes
from coinswarm.ledger.chaos import COLUMNS, ChaosTrades
from coinswarm.types import IntArray


def trades(sampler: TradeSampler, start: int, stop: int) -> ChaosTrades:
    """Trades `start` to `stop` of a sampler: drawn, priced and described.

    Raises:
        InvalidArgument: `start` is below 0 or `stop` below `start`.
    """
    return price(sampler, draw(sampler, start, stop))


def price(sampler: TradeSampler, drawn: Drawn) -> ChaosTrades:
    """Fill, close and describe trades that were drawn of `sampler`; each is a trade of its own that no other one touches."""
    frame = sampler.frame
    columns = _room(drawn, len(frame.features))
    order = np.argsort(drawn.market, kind="stable")
    edges = np.searchsorted(drawn.market[order], np.arange(len(sampler.markets) + 1))
    terms = _terms(sampler)
    for place, market in enumerate(sampler.markets):
        rows = order[edges[place] : edges[place + 1]]
        if rows.size:
            _enter(columns, rows, drawn, market, terms)
    return ChaosTrades(markets=frame.markets, features=frame.features, bar_ms=frame.bar_ms, number=drawn.number, **columns)


def _room(drawn: Drawn, width: int) -> dict[str, Any]:
    n = drawn.number.size
    columns: dict[str, Any] = {name: np.empty(n) for name in COLUMNS}
    columns |= {name: getattr(drawn, name) for name in ("market", "decision", "hold", "side", "size")}
    columns |= {"entry_ts": np.empty(n, np.int64), "exit_ts": np.empty(n, np.int64), "reason": np.empty(n, np.int8)}
    return columns | {"state": np.empty((n, width)), "exit_state": np.empty((n, width), np.float32)}


def _enter(columns: dict[str, Any], rows: IntArray, drawn: Drawn, market: DescribedMarket, terms: outcomes.OutcomeTerms) -> None:
    """Fill the rows of one market."""
    decision = drawn.decision[rows]
    figures = np.empty((rows.size, outcomes.N_FIGURES))
    left, reason = np.empty(rows.size, dtype=np.int64), np.empty(rows.size, dtype=np.int8)
    outcomes.outcomes(market.tape, terms, decision, drawn.hold[rows], drawn.side[rows], drawn.size[rows], figures, left, reason)
    names = ("entry_price", "exit_price", "gross", "net", "fees", "slippage", "funding")
    for name, column in zip(names, figures.T, strict=True):
        columns[name][rows] = column
    state = market.state[decision]
    columns["state"][rows] = state
    columns["exit_state"][rows] = market.state[left - 1]
    columns["volatility"][rows] = state[:, naming.VOLATILITY]
    columns["entry_ts"][rows], columns["exit_ts"][rows] = market.bars.ts[decision + 1], market.bars.ts[left]
    columns["reason"][rows] = reason


def _terms(sampler: TradeSampler) -> outcomes.OutcomeTerms:
    costs = sampler.settings.costs
    return outcomes.OutcomeTerms(
        fee=costs.taker_bps / 1e4,
        slip=costs.slippage_bps / 1e4,
        slip_volatility=costs.slippage_volatility,
        slip_participation=costs.slippage_participation,
        maintenance=sampler.settings.maintenance,
    )
