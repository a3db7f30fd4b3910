"""Slow, obvious twins of `coinswarm.kernels.chain`: every trade computed afresh, the account's figures taken from its equity at all closes.

Conditions are lists of truth values, one a bar. `chain` also answers for `walk`, which only has its room handed in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from coinswarm.kernels.codes import Outcome, Reason, Tally
from tests.oracles import naive_trades

TIE = 1e-12
Trade = tuple[naive_trades.Record, int, float]
"""Record, side, equity before."""


@dataclass
class Books:
    """Equity at each close from the first bar on, and what it says of the account stop."""

    start: float
    least: float  # the part of the peak at which the account stop acts
    closes: list[float] = field(default_factory=list)

    def stopped(self) -> int | None:
        """The first close at which the account stop acts."""
        peak = self.start
        for place, equity in enumerate(self.closes):
            peak = max(peak, equity)
            if equity <= peak * self.least:
                return place
        return None


def chain(
    tape: Any, terms: Any, min_notional: float, levels: Any, rule: Any, enter_long: list[bool], enter_short: list[bool],
    exit_long: list[bool], exit_short: list[bool], first: int, scale_free: bool,
) -> tuple[bool, dict[Tally, float], list[float], list[Trade]]:  # fmt: skip
    """Whether the account stop ended it, its figures, its equity at the closes from the first bar on, and its trades."""
    n, stops = len(tape.open), math.isfinite(terms.max_drawdown)
    terms = terms._replace(min_notional=min_notional if scale_free else terms.min_notional)
    books = Books(terms.starting_equity, (1 - terms.max_drawdown if stops else 0.0) + TIE)
    trades: list[Trade] = []
    equity, position, turning, rejected = terms.starting_equity, first, 0, 0
    while books.stopped() is None:
        d, side = (position - 1, turning) if turning else next_entry(enter_long, enter_short, position)
        if d >= n - 1:
            break
        own, opposite, exits = (enter_long, enter_short, exit_long) if side > 0 else (enter_short, enter_long, exit_short)
        record = naive_trades.trade(tape, terms, levels, rule, side, d, equity, exits, own, opposite, n)
        e = int(record[Outcome.ENTRY_BAR])
        wait(books, equity, first, e)
        if books.stopped() is not None:
            break
        turning = 0
        if record[Outcome.REASON] <= Reason.REJECTED:
            rejected += record[Outcome.REASON] == Reason.REJECTED
            position = max(e, d + 1)
            wait(books, equity, first, position + 1)
            continue
        before = list(books.closes)
        books.closes += curve(tape, record, equity)
        halt = books.stopped()
        if halt is not None and stops and first + halt < min(record[Outcome.EXIT_BAR], n - 1):
            record = naive_trades.trade(tape, terms, levels, rule, side, d, equity, exits, own, opposite, first + halt + 1)
            books.closes = before + curve(tape, record, equity)
        trades.append((record, side, equity))
        equity *= record[Outcome.CASH]
        position = int(record[Outcome.EXIT_BAR])
        turning = -side if record[Outcome.REVERSES] else 0
    halted = books.stopped() is not None
    wait(books, equity, first, n)
    return halted, tallied(books, trades, rejected), books.closes, trades


walk = chain


def next_entry(enter_long: list[bool], enter_short: list[bool], position: int) -> tuple[int, int]:
    """The first bar on which exactly one side may be entered, and which; past the end when there is none."""
    for d in range(position, len(enter_long)):
        if enter_long[d] != enter_short[d]:
            return d, 1 if enter_long[d] else -1
    return len(enter_long), 0


def wait(books: Books, equity: float, first: int, bar: int) -> None:
    """Equity stands still at the closes before `bar`."""
    books.closes += [equity] * (bar - first - len(books.closes))


def curve(tape: Any, record: naive_trades.Record, equity: float) -> list[float]:
    """Equity at the closes of a trade; that of the last one is not known yet where the other side is entered at its open."""
    e, x = int(record[Outcome.ENTRY_BAR]), int(record[Outcome.EXIT_BAR])
    moves = [record[Outcome.SIGNED_QTY] * (tape.adjusted[i] - record[Outcome.BASE]) for i in range(e, x)]
    closes = [equity * (record[Outcome.CASH_IN] + move) for move in moves]
    return closes if record[Outcome.REVERSES] else [*closes, equity * record[Outcome.CASH]]


def tallied(books: Books, trades: list[Trade], rejected: int) -> dict[Tally, float]:
    closed = [trade for trade in trades if trade[0][Outcome.REASON] != Reason.OPEN]
    pnl = [equity * record[Outcome.RETURN] * record[Outcome.NOTIONAL] for record, _, equity in closed]
    held = [record[Outcome.EXIT_BAR] - record[Outcome.ENTRY_BAR] for record, _, _ in closed]
    still = [record[Outcome.EXIT_BAR] - record[Outcome.ENTRY_BAR] + 1 for record, _, _ in trades if record[Outcome.REASON] == Reason.OPEN]
    money = {
        tally: math.fsum(equity * record[Outcome[tally.name]] for record, _, equity in trades)
        for tally in (Tally.TRADED, Tally.FEES, Tally.SLIPPAGE, Tally.FUNDING)
    }
    sums = naive_trades.moments([books.start, *books.closes])
    return {
        **{Tally[outcome.name]: value for outcome, value in sums.items() if outcome is not Outcome.SUM_EQUITY},
        **money, Tally.EQUITY_SUM: sums[Outcome.SUM_EQUITY], Tally.EQUITY_END: books.closes[-1] if books.closes else books.start,
        Tally.MAX_DRAWDOWN: drawdown(books), Tally.MAX_STAGNATION: stagnation(books),
        Tally.N_ENTERED: len(trades), Tally.N_TRADES: len(closed), Tally.N_OPEN: len(still), Tally.N_REJECTED: rejected,
        Tally.N_WINS: sum(value > 0 for value in pnl), Tally.GROSS_WIN: math.fsum(value for value in pnl if value > 0),
        Tally.GROSS_LOSS: -math.fsum(value for value in pnl if value <= 0),
        Tally.SUM_RETURN: math.fsum(record[Outcome.RETURN] for record, _, _ in closed), Tally.SUM_HELD: sum(held),
        Tally.BARS_IN: sum(held) + sum(still), Tally.N_GAPS: sum(record[Outcome.GAPS] for record, _, _ in trades),
        Tally.N_LIQUIDATED: sum(record[Outcome.REASON] == Reason.LIQUIDATION for record, _, _ in closed),
    }  # fmt: skip


def drawdown(books: Books) -> float:
    closes = [books.start, *books.closes]
    return max(1 - equity / max(closes[: i + 1]) for i, equity in enumerate(closes))


def stagnation(books: Books) -> float:
    """Most closes in a row below the highest one before."""
    longest = row = 0
    peak = books.start
    for equity in books.closes:
        row = 0 if equity >= peak * (1 - TIE) else row + 1
        longest, peak = max(longest, row), max(peak, equity)
    return longest


def exit_row(rows: list[list[bool]], place: int) -> list[bool]:
    return [] if place < 0 else rows[place]


def chain_batch(
    tape: Any, terms: Any, min_notional: float, levels: Any, rules: Any, entries: list[list[bool]], exits: list[list[bool]],
    variants: list[list[int]], scale_free: bool,
) -> dict[int, dict[Tally, float]]:  # fmt: skip
    """What each variant's own `chain` says, by its place."""
    found = {}
    for place, rule, long, short, exit_long, exit_short, first, _ in variants:
        ways = entries[long], entries[short], exit_row(exits, exit_long), exit_row(exits, exit_short)
        found[place] = chain(tape, terms, min_notional, levels, rules[rule], *ways, first, scale_free)[1]
    return found
