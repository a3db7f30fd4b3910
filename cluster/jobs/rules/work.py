"""One rule on all markets in whatever process one is in."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from coinswarm import errors, play
from coinswarm.ledger.records import Json
from coinswarm.market.bars import Bars
from coinswarm.patterns import rule_tests
from coinswarm.patterns.rule_tests import RuleSegments
from coinswarm.play.model import Mode


@dataclass(frozen=True, kw_only=True)
class RuleTrial:
    """A rule to try.

    Attributes:
        text: of its play.
        traded: the first so many of the bars that come along are traded.
        start_ts, end_ts: stretches of time, ms.
        warmup_tolerance: how far the bars before the data may move a warm feature, in units of its own scale.
    """

    text: str
    traded: int
    start_ts: tuple[int, ...]
    end_ts: tuple[int, ...]
    warmup_tolerance: float


def try_rule(item: RuleTrial, *bars: Bars) -> Json:
    """What each side of a rule did; a rule that these bars cannot carry says why instead."""
    read = play.with_tolerance(play.loads(item.text), item.warmup_tolerance)
    when = RuleSegments(start_ts=np.array(item.start_ts, dtype=np.int64), end_ts=np.array(item.end_ts, dtype=np.int64))
    others = {market.symbol: market for market in bars[item.traded :]}
    try:
        found = rule_tests.trades(read, bars[: item.traded], when, others=others)
    except errors.CoinswarmError as problem:
        return {"rule": read.name, "sides": [], "refused": str(problem)}
    forbidden = {Mode.LONG_ONLY: -1, Mode.SHORT_ONLY: 1}.get(read.policy.mode)
    sides = [asdict(rule_tests.summary(side, when)) for side in found if side.side != forbidden]
    return {"rule": read.name, "sides": sides, "refused": ""}
