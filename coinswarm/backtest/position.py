"""A position from fill to exit: the levels that protect it and what a bar does to them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from coinswarm.backtest.rules import Rules
from coinswarm.backtest.tape import Bar


class ExitReason(StrEnum):
    """Why a position was closed."""

    STOP = "stop"
    TARGET = "target"
    SIGNAL = "signal"
    REVERSE = "reverse"
    MAX_HOLD = "max_hold"
    LIQUIDATION = "liquidation"
    ACCOUNT_STOP = "account_stop"
    OPEN = "open"


class Exit(NamedTuple):
    """Where a position is closed: the reason and the price before slippage."""

    reason: ExitReason
    price: float


class EntryFill(NamedTuple):
    """A fill that opened a position.

    `price` is before slippage, `fill` after it; `inside`: a limit that filled inside the bar rather than at its open; `stop` and
    `target` are the levels in force from the fill on, None where there is none.
    """

    bar: int
    side: int
    price: float
    fill: float
    qty: float
    fee: float
    inside: bool
    stop: float | None
    target: float | None


@dataclass(kw_only=True)
class Position:
    """An open position; money in quote currency.

    Attributes:
        stop, target, liquidation: price levels; NaN where there is none, which no price ever reaches.
        best, worst: most and least favourable price since the fill.
        fees, slippage, funding: paid so far.
    """

    entry: EntryFill
    rules: Rules
    margin: float
    liquidation: float
    stop: float
    target: float
    best: float
    worst: float
    fees: float
    slippage: float
    funding: float = 0.0

    # --- what a bar does, in the order of docs/simulation.md --------------------------------------------------------------

    def exit_at_open(self, bar: Bar) -> Exit | None:
        """Step 2, gaps: the open is already at or beyond a level."""
        self._touch(bar.open)
        if self._fell_to(self.liquidation, bar.open):
            return Exit(ExitReason.LIQUIDATION, self.liquidation)
        if self._fell_to(self.stop, bar.open):
            return Exit(ExitReason.STOP, bar.open)
        return Exit(ExitReason.TARGET, bar.open) if self._rose_to(self.target, bar.open) else None

    def exit_inside(self, bar: Bar, *, at_entry: bool) -> Exit | None:
        """Steps 3 and 4: the adverse side first; the target not in the bar in which a limit filled inside."""
        exit_ = self._adverse_exit(bar)
        if exit_ is None and not (at_entry and self.entry.inside):
            exit_ = self._target_exit(bar)
        return exit_

    def _adverse_exit(self, bar: Bar) -> Exit | None:
        """Of liquidation and stop the one nearer the open, if the bar reaches it."""
        side, worst = self.entry.side, bar.worst(self.entry.side)
        if self._fell_to(self.liquidation, worst) and not side * self.stop > side * self.liquidation:
            self._touch(self.liquidation)
            return Exit(ExitReason.LIQUIDATION, self.liquidation)
        if not self._fell_to(self.stop, worst):
            return None
        # Only on the entry bar can the open lie beyond the stop, when slippage carried the fill past it; nothing trades at the stop then.
        price = min(self.stop, bar.open) if side > 0 else max(self.stop, bar.open)
        self._touch(price)
        return Exit(ExitReason.STOP, price)

    def _target_exit(self, bar: Bar) -> Exit | None:
        if not self._rose_to(self.target, bar.best(self.entry.side)):
            return None
        self._touch(bar.worst(self.entry.side))
        self._touch(self.target)
        return Exit(ExitReason.TARGET, self.target)

    def close_bar(self, bar: Bar, level: float, *, at_entry: bool) -> None:
        """The bar's extremes move trailing stop and break-even, from the next bar on.

        Args:
            bar: a bar that the position ends in.
            level: the ATR known at its close, where the stop is measured by one.
            at_entry: it is the bar of the entry. What a limit that filled inside it saw of its favourable extreme is not known.
        """
        self._touch(bar.worst(self.entry.side))
        if not (at_entry and self.entry.inside):
            self._touch(bar.best(self.entry.side))
        stop, break_even = self.rules.stop, self.rules.break_even
        if stop is not None and stop.trails and (stop.activation is None or self._has_gained(stop.activation)):
            self._tighten(self.best - self.entry.side * stop.distance(self.entry.fill, level))
        if break_even is not None and self._has_gained(break_even.activation):
            self._tighten(self.entry.fill * (1 + self.entry.side * break_even.offset))

    # --- worth ------------------------------------------------------------------------------------------------------------

    def gain(self, price: float) -> float:
        """What the price move since the fill is worth."""
        return self.entry.side * self.entry.qty * (price - self.entry.fill)

    def excursion(self, price: float) -> float:
        """The favourable move from the fill to a price, as a fraction of the fill."""
        return self.entry.side * (price - self.entry.fill) / self.entry.fill

    # --- levels -----------------------------------------------------------------------------------------------------------

    def _fell_to(self, level: float, price: float) -> bool:
        return self.entry.side * price <= self.entry.side * level

    def _rose_to(self, level: float, price: float) -> bool:
        return self.entry.side * price >= self.entry.side * level

    def _has_gained(self, move: float) -> bool:
        return self.entry.side * (self.best - self.entry.fill) >= self.entry.fill * move

    def _tighten(self, candidate: float) -> None:
        if self.rules.levels_live and (math.isnan(self.stop) or self._rose_to(self.stop, candidate)):
            self.stop = candidate

    def _touch(self, price: float) -> None:
        ahead, behind = (max, min) if self.entry.side > 0 else (min, max)
        self.best, self.worst = ahead(self.best, price), behind(self.worst, price)


def opened(entry: EntryFill, rules: Rules) -> Position:
    """The position that an entry opens."""
    live = rules.levels_live
    return Position(
        entry=entry,
        rules=rules,
        margin=entry.qty * entry.fill / rules.leverage,
        liquidation=_liquidation(entry, rules),
        stop=entry.stop if live and entry.stop is not None else math.nan,
        target=entry.target if live and entry.target is not None else math.nan,
        best=entry.fill,
        worst=entry.fill,
        fees=entry.fee,
        slippage=abs(entry.fill - entry.price) * entry.qty,
    )


def _liquidation(entry: EntryFill, rules: Rules) -> float:
    rate, loss = rules.account.maintenance_margin_rate, entry.side / rules.leverage
    return entry.fill * (1 - loss) / (1 - entry.side * rate)
