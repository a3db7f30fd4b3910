"""The reference simulator: one variant, bar by bar, in the order of docs/simulation.md and in its words.

It is written to be read beside that page. `coinswarm.fitness` does the same by jumping between events; a property test holds both equal.
"""

from __future__ import annotations

from dataclasses import dataclass

from coinswarm.backtest import orders
from coinswarm.backtest.decisions import Decisions
from coinswarm.backtest.portfolio import Holdings
from coinswarm.backtest.position import EntryFill, Exit, ExitReason, Position
from coinswarm.backtest.rules import Rules
from coinswarm.backtest.tape import BarTape


@dataclass(frozen=True, kw_only=True, slots=True)
class Signals:
    """The decisions of a variant as plain lists, by side: +1 long, -1 short."""

    entry: dict[int, list[bool]]
    exit: dict[int, list[bool]]


class Simulation:
    """One variant on one tape. `run` plays it to the end; `portfolio` then holds equity and trades.

    Attributes:
        portfolio: cash, position, equity and trades.
        n_rejected: entries that were rejected.
    """

    def __init__(self, tape: BarTape, decisions: Decisions, rules: Rules) -> None:
        self.portfolio = Holdings(rules=rules, cash=rules.account.starting_equity, peak=rules.account.starting_equity)
        self.n_rejected = 0
        self._tape = tape
        self._rules = rules
        self._first = decisions.first
        self._levels = decisions.levels
        self._desk = orders.Desk(rules=rules, tape=tape, levels=decisions.levels)
        self._signals = Signals(
            entry={1: decisions.entry_long.tolist(), -1: decisions.entry_short.tolist()},
            exit={1: decisions.exit_long.tolist(), -1: decisions.exit_short.tolist()},
        )
        self._order: orders.Order | None = None
        self._leaving: ExitReason | None = None

    def run(self) -> None:
        """Play every bar: leave, enter, mark, decide."""
        for at in range(len(self._tape)):
            position = self.portfolio.position
            if position is not None:
                self._hold(position, at)
            if self._order is not None:
                self._enter(self._order, at)
            self._close_bar(at)
            if self._first <= at < len(self._tape) - 1:
                self._decide(at)
        self.portfolio.report_open(len(self._tape) - 1, self._tape.bars[-1].close)

    # --- within the bar -----------------------------------------------------------------------------------------------------

    def _hold(self, position: Position, at: int) -> None:
        """A bar after the entry bar: funding, then exits at the open, then gaps, then exits inside the bar."""
        bar = self._tape.bars[at]
        if at in self._tape.funding:
            self.portfolio.pay_funding(position, bar.open, self._tape.funding[at])
        if self._rules.max_gap_ms is not None and self._tape.gap_ms[at] > self._rules.max_gap_ms:
            self.portfolio.n_gaps += 1
        exit_ = position.exit_at_open(bar)
        if self._leaving is not None:
            exit_ = Exit(self._leaving, bar.open)
            self._leaving = None
        self._leave(position, exit_ or position.exit_inside(bar, at_entry=False), at)

    def _leave(self, position: Position, exit_: Exit | None, at: int) -> None:
        if exit_ is not None:
            slip = orders.slippage(self._rules, self._tape, at, position.entry.qty)
            self.portfolio.close(position, exit_, at, slip)

    def _enter(self, order: orders.Order, at: int) -> None:
        """Offer the bar to a waiting order; a fill may be stopped in the same bar."""
        bar, equity = self._tape.bars[at], self.portfolio.cash
        if order.limit is None or self._rules.limit is None:
            self._open(self._desk.market_entry(order, at, equity), at)
            return
        fill = orders.try_limit(order, order.limit, self._rules.limit, bar, at)
        if fill is not None and fill.cancelled:
            self._order = None
        elif fill is not None:
            self._open(self._desk.limit_entry(order, at, equity, fill), at)

    def _open(self, entry: EntryFill | None, at: int) -> None:
        """The order is done: it became an entry or was rejected."""
        self._order = None
        if entry is None:
            self.n_rejected += 1
            return
        position = self.portfolio.open(entry)
        self._leave(position, position.exit_inside(self._tape.bars[at], at_entry=True), at)

    def _close_bar(self, at: int) -> None:
        """At the close: stops move, the account is valued."""
        bar, position = self._tape.bars[at], self.portfolio.position
        if position is not None:
            level = float(self._levels.stop(position.entry.side)[at])
            position.close_bar(bar, level, at_entry=at == position.entry.bar)
        self.portfolio.mark(bar.close)
        if not self.portfolio.may_enter:
            self._order = None

    # --- at the close -------------------------------------------------------------------------------------------------------

    def _decide(self, at: int) -> None:
        """What is done at the next open: leave the position, enter one, both (a reversal), or nothing."""
        position = self.portfolio.position
        if position is not None:
            self._leaving = self._reason_to_leave(position, at)
            if self._reverses(position, at) and self.portfolio.may_enter:
                self._order = orders.place(self._rules, self._tape.bars[at], at, -position.entry.side)
        elif self._order is None and self.portfolio.may_enter:
            for side in (1, -1):
                if self._signals.entry[side][at]:
                    self._order = orders.place(self._rules, self._tape.bars[at], at, side)

    def _reason_to_leave(self, position: Position, at: int) -> ExitReason | None:
        if self.portfolio.stopped:
            return ExitReason.ACCOUNT_STOP
        if self._rules.exits_live and self._signals.exit[position.entry.side][at]:
            return ExitReason.SIGNAL
        if self._reverses(position, at):
            return ExitReason.REVERSE
        return ExitReason.MAX_HOLD if at + 1 - position.entry.bar == self._rules.max_hold_bars else None

    def _reverses(self, position: Position, at: int) -> bool:
        return self._rules.reverse and self._signals.entry[-position.entry.side][at]
