"""What is put to the test: the functions that compute features, decide and trade, each replaceable by one that cheats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from coinswarm import errors, fitness
from coinswarm.backtest import decisions
from coinswarm.backtest.decisions import Decisions
from coinswarm.backtest.run import run
from coinswarm.config import Account, Costs
from coinswarm.indicators import features
from coinswarm.indicators.catalog import Params
from coinswarm.indicators.features import Computed, Series
from coinswarm.kernels.codes import N_OUTCOME, Outcome, Reason
from coinswarm.market.bars import Bars
from coinswarm.play.model import Play
from coinswarm.types import BoolArray, FloatArray

if TYPE_CHECKING:
    import polars as pl

_AT_OPEN = (Reason.SIGNAL, Reason.REVERSE, Reason.MAX_HOLD, Reason.ACCOUNT_STOP)
_OF_ENTRY = frozenset({"entry_bar", "side", "entry_price", "qty"})


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Trading:
    """What a simulator did on some bars.

    Attributes:
        columns: name -> (n_trades,) values, in order of entry: at least `entry_bar`, `exit_bar` (-1 while open), `side` (+1 or -1),
            `reason` (`kernels.codes.Reason`), `entry_price`, `exit_price`, `qty`; money as a fraction of the entry's notional.
        equity: (n_bars,) at closes, quote currency; empty when no decision was possible.
        market_entries: every entry is filled at an open; with limit entries some fill inside a bar.
    """

    columns: Mapping[str, FloatArray]
    equity: FloatArray
    market_entries: bool = True

    def __len__(self) -> int:
        return int(self.columns["entry_bar"].size)

    def until(self, t: int) -> dict[str, FloatArray]:
        """The trades as they stood before bar `t` opened: later ones left out, those not yet left open and without a result."""
        seen = self.columns["entry_bar"] < t
        table = {name: column[seen] for name, column in self.columns.items()}
        left = table["exit_bar"]
        return _without_result(table, (left < 0) | (left >= t))

    def entered_at_open(self, t: int, opening: float) -> dict[str, FloatArray]:
        """Entries filled at the open of bar `t`; a limit that filled inside the bar at another price is not one."""
        price = self.columns["entry_price"]
        market = np.ones(price.size, dtype=np.bool_) if self.market_entries else np.isclose(price, opening, rtol=1e-9, atol=0.0)
        chosen = (self.columns["entry_bar"] == t) & market
        return {name: self.columns[name][chosen] for name in ("entry_bar", "side", "entry_price", "qty")}

    def left_at_open(self, t: int) -> dict[str, FloatArray]:
        """Exits that were decided at a close and filled at the open of bar `t`."""
        chosen = (self.columns["exit_bar"] == t) & np.isin(self.columns["reason"], _AT_OPEN)
        return {name: self.columns[name][chosen] for name in ("exit_bar", "entry_bar", "side", "reason", "exit_price")}


def _without_result(table: dict[str, FloatArray], held: BoolArray) -> dict[str, FloatArray]:
    for name, column in table.items():
        if name not in _OF_ENTRY:
            table[name] = np.where(held, -1.0 if name == "exit_bar" else np.nan, column)
    return table


class FeatureCompute(Protocol):
    """`coinswarm.indicators.features.compute`, or what stands in for it."""

    def __call__(
        self, indicator: str, params: Params, bars: Bars, *, source: str | Series, timeframe_ms: int | None, market: Bars | None,
        warmup_tolerance: float,
    ) -> Computed:  # fmt: skip
        """Values of one feature on the exec bars."""


class Decide(Protocol):
    """`coinswarm.backtest.decide`, or what stands in for it."""

    def __call__(self, play: Play, bars: Bars, markets: Mapping[str, Bars]) -> Decisions:
        """Signals and levels of a fixed play at every close."""


class Simulator(Protocol):
    """A simulator: `reference`, `fast`, or what stands in for either."""

    def __call__(
        self, play: Play, bars: Bars, *, costs: Costs, account: Account, markets: Mapping[str, Bars], start_ts: int | None
    ) -> Trading:
        """What a fixed play trades; nothing when no decision is possible."""


def reference(play: Play, bars: Bars, *, costs: Costs, account: Account, markets: Mapping[str, Bars], start_ts: int | None) -> Trading:
    """The readable simulator's trades: `coinswarm.backtest.run`."""
    try:
        result = run(play, bars, costs=costs, account=account, markets=markets, start_ts=start_ts)
    except errors.SpanTooShort:
        return NOTHING
    return from_listing(result.trades, result.equity, play)


def from_listing(trades: pl.DataFrame, equity: FloatArray, play: Play) -> Trading:
    """A trade list of `coinswarm.backtest` in order of entry, with its (n_bars,) equity."""
    plain = trades.sort("entry_bar", maintain_order=True)
    columns = {name: plain[name].to_numpy().astype(np.float64) for name in ("entry_bar", "entry_price", "exit_price", "qty", "mae", "mfe")}
    notional = columns["qty"] * columns["entry_price"]
    columns |= {name: plain[name].to_numpy() / notional for name in ("pnl", "fees", "slippage", "funding")}
    columns["exit_bar"] = plain["exit_bar"].fill_null(-1).to_numpy().astype(np.float64)
    columns["side"] = np.where(plain["side"].to_numpy() == "long", 1.0, -1.0)
    columns["reason"] = np.array([float(Reason[word.upper()]) for word in plain["exit_reason"].to_list()])
    return Trading(columns=columns, equity=equity, market_entries=play.risk.limit is None)


def fast(play: Play, bars: Bars, *, costs: Costs, account: Account, markets: Mapping[str, Bars], start_ts: int | None) -> Trading:
    """The compiled simulator's trades: `coinswarm.fitness.Scorer.replay`."""
    scorer = fitness.Scorer(play, bars, costs=costs, account=account, markets=markets, start_ts=start_ts)
    equity, log = scorer.replay(np.empty(0))
    qty, notional, reason = np.abs(log[:, Outcome.SIGNED_QTY]), log[:, Outcome.NOTIONAL], log[:, Outcome.REASON]
    columns = {"entry_bar": log[:, Outcome.ENTRY_BAR], "side": log[:, N_OUTCOME], "reason": reason}
    columns["exit_bar"] = np.where(reason == Reason.OPEN, -1.0, log[:, Outcome.EXIT_BAR])
    columns["entry_price"] = notional / qty
    columns["exit_price"] = log[:, Outcome.TRADED] / qty - columns["entry_price"]
    columns["qty"] = qty * log[:, N_OUTCOME + 1]
    columns["pnl"] = log[:, Outcome.RETURN]
    columns |= {name: log[:, Outcome[name.upper()]] / notional for name in ("fees", "slippage", "funding")}
    return Trading(columns=columns, equity=equity, market_entries=play.risk.limit is None)


NOTHING = Trading(
    columns={
        name: np.empty(0)
        for name in (
            "entry_bar", "side", "entry_price", "qty", "exit_bar", "reason", "exit_price",
            "pnl", "fees", "slippage", "funding", "mae", "mfe",
        )
    },
    equity=np.empty(0),
)  # fmt: skip
"""The trading of a run in which no decision was possible."""


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Engine:
    """The four functions a play runs on."""

    compute: FeatureCompute = features.compute
    decide: Decide = decisions.decide
    reference: Simulator = reference
    fast: Simulator = fast


HONEST = Engine()
"""The project's own."""
