"""Stress tests of a variant: costs doubled, every decision a bar late, one entry in ten missed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from coinswarm import errors
from coinswarm.config import Costs
from coinswarm.kernels.bits import packed
from coinswarm.market.splits import Span
from coinswarm.play import slots
from coinswarm.play.expressions import All, AnyOf, Between, Compare, Condition, Cross, Literal, Member, Near, Not, Operand, Shift, Window
from coinswarm.play.model import Play
from coinswarm.validate import curves, names
from coinswarm.validate.bench import Bench
from coinswarm.validate.card import Cell, Chart, Section, Table
from coinswarm.validate.curves import Portfolio
from coinswarm.validate.spans import portfolio_of

MISSED = 0.1
_DRAWS = 20
_MULTIPLES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
_WORDS = {"base": "as it is", "costs_x2": "costs doubled", "delay": "a bar late", "missed": "one entry in ten missed"}


def section(bench: Bench) -> Section:
    """Each stress beside the run as it is, over train and validation."""
    whole = bench.case.splits.whole
    found = {
        "base": _figures(portfolio_of(bench, whole)),
        "costs_x2": _figures(bench.portfolio(whole, costs=multiplied(bench.case.play.costs, 2.0))),
        "delay": _figures(bench.portfolio(whole, play=delayed(bench.case.play))),
        "missed": _missed(bench, whole),
    }
    gains = [bench.portfolio(whole, costs=multiplied(bench.case.play.costs, times)).total_return for times in _MULTIPLES]
    figures = {f"{kind}_{name}": value for kind, values in found.items() for name, value in values.items()}
    rows: tuple[tuple[Cell, ...], ...] = tuple((_WORDS[kind], *values.values()) for kind, values in found.items())
    table = Table(title="Stress", head=("run", *names.STRESSED), rows=rows, units=("", "", "percent", "percent", "percent", ""))
    chart = Chart(kind="lines", title="Return by multiple of the costs", series={"return": tuple(gains)},
                  labels=tuple(f"{times:g}" for times in _MULTIPLES), unit="percent", mark=0.0)  # fmt: skip
    note = f"Missed: of {_DRAWS} draws the figure that nine in ten surpass. A late decision acts on the bar before: nothing else changes."
    return Section(
        name="stress", title=names.TITLES["stress"], figures={**figures, "break_even_costs": crossing(_MULTIPLES, gains)},
        tables=(table,), charts=(chart,), notes=(note,),
    )  # fmt: skip


def multiplied(costs: Costs, times: float) -> Costs:
    """Fees and slippage multiplied by `times`, as far as the settings allow (a hundred times 10 bps)."""
    limits = {"taker_bps": 1000.0, "maker_bps": 1000.0, "slippage_bps": 1000.0, "slippage_volatility": 10.0, "slippage_participation": 10.0}
    return costs.model_copy(update={name: min(limit, times * float(getattr(costs, name))) for name, limit in limits.items()})


def delayed(play: Play) -> Play:
    """The play with each condition as it stood a bar ago: what was decided at a close is acted upon a bar later."""
    changed: dict[str, Any] = {name: None if getattr(play, name) is None else _late(getattr(play, name)) for name in slots.CONDITIONS}
    return replace(play, **changed)


def crossing(times: tuple[float, ...], gains: list[float]) -> float:
    """The multiple of the costs at which the gain is gone, between two that were tried by a straight line; 0 without any gain."""
    if gains[0] <= 0:
        return 0.0
    for place in range(1, len(gains)):
        if gains[place] <= 0:
            share = gains[place - 1] / (gains[place - 1] - gains[place])
            return times[place - 1] + share * (times[place] - times[place - 1])
    return math.inf


def _late(condition: Condition) -> Condition:
    match condition:
        case All(inner) | AnyOf(inner):
            return replace(condition, conditions=tuple(_late(one) for one in inner))
        case Not(one) | Window(condition=one):
            return replace(condition, condition=_late(one))
        case Compare(_, left, right) | Near(left, right) | Cross(left, right):
            return replace(condition, left=_before(left), right=_before(right))
        case Between(operand, low, high):
            return replace(condition, operand=_before(operand), low=_before(low), high=_before(high))
        case Member(operand, values):
            return replace(condition, operand=_before(operand), values=tuple(_before(value) for value in values))
    raise errors.InvalidArgument("a condition must be of a kind that can be moved", found=type(condition).__name__)


def _before(operand: Operand) -> Operand:
    return operand if isinstance(operand, Literal) else Shift(operand, 1.0)


def _missed(bench: Bench, span: Span) -> dict[str, float]:
    """The figures that nine in ten draws surpass; each bar loses its entry with a chance of one in ten."""
    drawn = []
    for number in range(_DRAWS):
        histories = []
        for bars in bench.case.markets:
            scorer = bench.scorer(bars, span)
            allowed = bench.case.stream("missed", number, bars.key).random(len(scorer.bars)) >= MISSED
            histories.append(bench.history(scorer, entries=packed(allowed)))
        drawn.append(_figures(curves.portfolio(histories)))
    worse = {name: 0.9 if name == "max_drawdown" else 0.1 for name in names.STRESSED}
    return {name: float(np.quantile([one[name] for one in drawn], share)) for name, share in worse.items()}


def _figures(portfolio: Portfolio) -> dict[str, float]:
    every = portfolio.span_figures()
    return {name: every[name] for name in names.STRESSED}
