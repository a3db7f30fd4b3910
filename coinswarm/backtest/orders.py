"""Orders: what they cost, how much they buy, and the bar in which they fill."""

from __future__ import annotations

import math
from dataclasses import dataclass

from coinswarm.backtest.decisions import Levels
from coinswarm.backtest.position import EntryFill
from coinswarm.backtest.rules import TIE, LimitRule, Rules
from coinswarm.backtest.tape import Bar, BarTape
from coinswarm.play import model

MAX_SLIPPAGE = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """An entry that waits for its fill.

    Attributes:
        side: +1 buys, -1 sells.
        decided: the decision bar `d`.
        limit: limit price; None: at the market.
        last: the last bar in which it is live; None: until filled.
    """

    side: int
    decided: int
    limit: float | None = None
    last: int | None = None


def place(rules: Rules, bar: Bar, decided: int, side: int) -> Order:
    """The order that an entry signal at the close of `bar` places."""
    limit = rules.limit
    if limit is None:
        return Order(side=side, decided=decided)
    price = bar.close * (1 - side * limit.offset_pct / 100)
    return Order(side=side, decided=decided, limit=price, last=None if limit.life_bars is None else decided + limit.life_bars)


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitFill:
    """What a bar makes of a limit order: filled at a price, at the open or inside the bar; or `cancelled`."""

    price: float = math.nan
    inside: bool = False
    cancelled: bool = False


def try_limit(order: Order, price: float, rule: LimitRule, bar: Bar, at: int) -> LimitFill | None:
    """Offer bar `at` to an order with a limit price; None while it waits."""
    if order.side * bar.open <= order.side * price:
        return LimitFill(cancelled=True) if rule.post_only else LimitFill(price=bar.open)
    if rule.at_once:
        return LimitFill(cancelled=True)
    if order.side * bar.worst(order.side) <= order.side * price:
        return LimitFill(price=price, inside=True)
    return LimitFill(cancelled=True) if at == order.last else None


def slippage(rules: Rules, tape: BarTape, at: int, qty: float) -> float:
    """How far a market or stop fill of `qty` in bar `at` is moved against the trader, as a fraction of the price, at most 0.5."""
    costs, volume = rules.costs, tape.bars[at].volume
    share = min(1.0, qty / volume) if volume > 0 else 1.0
    slip = costs.slippage_bps / 1e4 + costs.slippage_volatility * tape.volatility[at] + costs.slippage_participation * math.sqrt(share)
    return min(slip, MAX_SLIPPAGE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Turns orders into entries: the rules of one variant on the bars of one run."""

    rules: Rules
    tape: BarTape
    levels: Levels

    def market_entry(self, order: Order, at: int, equity: float) -> EntryFill | None:
        """Fill a market order at the open of bar `at`; None when the entry is rejected."""
        price = self.tape.bars[at].open
        qty = self._notional(order, equity, price) / price
        fill = price * (1 + order.side * slippage(self.rules, self.tape, at, max(0.0, qty)))
        return self._admit(order, at, equity, price=price, fill=fill, fee_rate=self.rules.taker, inside=False)

    def limit_entry(self, order: Order, at: int, equity: float, fill: LimitFill) -> EntryFill | None:
        """Fill a limit order in bar `at`: a maker's fill inside the bar, a taker's at its open; None when the entry is rejected."""
        fee_rate = self.rules.maker if fill.inside else self.rules.taker
        return self._admit(order, at, equity, price=fill.price, fill=fill.price, fee_rate=fee_rate, inside=fill.inside)

    def _admit(self, order: Order, at: int, equity: float, *, price: float, fill: float, fee_rate: float, inside: bool) -> EntryFill | None:
        """The entry, unless a level is missing or on the wrong side, or there is too little to buy."""
        stop, target = self._stop(order, fill), self._target(order, fill)
        if stop is not None and not order.side * stop < order.side * fill:
            return None
        if target is not None and math.isnan(target):
            return None
        qty = self._quantity(order, at, equity, fill, fee_rate)
        if not qty > 0 or qty * fill < self.rules.account.min_notional * (1 - TIE):
            return None
        fee = fee_rate * qty * fill
        return EntryFill(bar=at, side=order.side, price=price, fill=fill, qty=qty, fee=fee, inside=inside, stop=stop, target=target)

    def _quantity(self, order: Order, at: int, equity: float, fill: float, fee_rate: float) -> float:
        leverage, costs = self.rules.leverage, self.rules.costs
        affordable = equity * leverage / (1 + leverage * fee_rate)
        qty = min(self._notional(order, equity, fill), affordable) / fill
        if costs.max_participation is not None:
            qty = min(qty, costs.max_participation * self.tape.bars[at].volume)
        return math.floor(qty / costs.lot_step) * costs.lot_step if costs.lot_step > 0 else qty

    def _notional(self, order: Order, equity: float, fill: float) -> float:
        """What the sizing model asks for, before any cap."""
        value = self.rules.size_value
        match self.rules.size:
            case model.SizingModel.PERCENT_EQUITY:
                return equity * value / 100 * self.rules.leverage
            case model.SizingModel.RISK_BASED:
                return self._risked(order, equity * value / 100, fill)
            case model.SizingModel.FIXED_NOTIONAL:
                return value

    def _risked(self, order: Order, money: float, fill: float) -> float:
        """The notional that loses `money` between fill and stop; nothing where there is no stop to measure by."""
        stop = self._stop(order, fill)
        if stop is None or math.isnan(stop):
            return 0.0
        distance = abs(fill - stop) / fill
        return money / distance if distance > 0 else math.inf

    def _stop(self, order: Order, fill: float) -> float | None:
        rule = self.rules.stop
        return None if rule is None else rule.at_entry(order.side, fill, float(self.levels.stop(order.side)[order.decided]))

    def _target(self, order: Order, fill: float) -> float | None:
        rule = self.rules.target
        if rule is None:
            return None
        return rule.at_entry(order.side, fill, self._stop(order, fill), float(self.levels.target[order.decided]))
