"""The account of one run: cash, equity at every close, and the record of every trade."""

from __future__ import annotations

from dataclasses import dataclass, field

from coinswarm.backtest.position import EntryFill, Exit, ExitReason, Position, opened
from coinswarm.backtest.rules import TIE, Rules


@dataclass(frozen=True, kw_only=True, slots=True)
class Trade:
    """A finished trade, or the open position of the last bar marked at its close.

    Attributes:
        exit_bar: None while open.
        bars_held: exit bar minus entry bar; while open, last bar minus entry bar.
        mae, mfe: worst and best price since the fill as a fraction of it, for the trader: at most 0 and at least 0.
    """

    side: int
    entry_bar: int
    exit_bar: int | None
    qty: float
    entry_price: float
    exit_price: float
    reason: ExitReason
    pnl: float
    fees: float
    slippage: float
    funding: float
    bars_held: int
    mae: float
    mfe: float


@dataclass(kw_only=True)
class Holdings:
    """Cash and what it is in. `equity` and `held` have one value a bar, `held` the signed quantity at its close."""

    rules: Rules
    cash: float
    peak: float
    position: Position | None = None
    trades: list[Trade] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    n_gaps: int = 0
    ruined: bool = False
    stopped: bool = False

    @property
    def may_enter(self) -> bool:
        """Neither ruin nor the account stop has ended trading."""
        return not (self.ruined or self.stopped)

    def open(self, entry: EntryFill) -> Position:
        """Pay the entry fee and hold the position."""
        self.cash -= entry.fee
        self.position = opened(entry, self.rules)
        return self.position

    def pay_funding(self, position: Position, price: float, rate: float) -> None:
        """Pay, or with the other sign receive, funding on the position's value at `price`."""
        paid = position.entry.side * position.entry.qty * price * rate
        position.funding += paid
        self.cash -= paid

    def close(self, position: Position, exit_: Exit, at: int, slip: float) -> None:
        """Close the position in bar `at`, `slip` being the slippage of a market or stop fill there."""
        entry = position.entry
        if exit_.reason == ExitReason.LIQUIDATION:
            price, fee, gain = exit_.price, 0.0, -position.margin
        else:
            price = exit_.price if exit_.reason == ExitReason.TARGET else exit_.price * (1 - entry.side * slip)
            fee = (self.rules.maker if exit_.reason == ExitReason.TARGET else self.rules.taker) * entry.qty * price
            gain = position.gain(price)
        position.fees += fee
        position.slippage += abs(price - exit_.price) * entry.qty
        self.cash += gain - fee
        self._record(position, exit_.reason, at, price, gain)
        self.position = None

    def mark(self, price: float) -> None:
        """Value the account at a bar's close and decide whether trading continues."""
        position = self.position
        equity = self.cash if position is None else self.cash + position.gain(price)
        self.equity.append(equity)
        self.held.append(0.0 if position is None else position.entry.side * position.entry.qty)
        self.peak = max(self.peak, equity)
        self.ruined = self.ruined or equity <= self.peak * TIE
        floor = self.rules.equity_floor
        self.stopped = self.stopped or (floor is not None and equity <= self.peak * (floor + TIE))

    def report_open(self, last: int, price: float) -> None:
        """List a position that is open on the last bar at that bar's close."""
        if self.position is not None:
            self._record(self.position, ExitReason.OPEN, last, price, self.position.gain(price))

    def _record(self, position: Position, reason: ExitReason, at: int, price: float, gain: float) -> None:
        entry = position.entry
        trade = Trade(
            side=entry.side,
            entry_bar=entry.bar,
            exit_bar=None if reason == ExitReason.OPEN else at,
            qty=entry.qty,
            entry_price=entry.fill,
            exit_price=price,
            reason=reason,
            pnl=gain - position.fees - position.funding,
            fees=position.fees,
            slippage=position.slippage,
            funding=position.funding,
            bars_held=at - entry.bar,
            mae=position.excursion(position.worst),
            mfe=position.excursion(position.best),
        )
        self.trades.append(trade)
