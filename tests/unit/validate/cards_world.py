"""A small case for report cards: made-up markets, a play with a space, and trials drawn from it."""

from __future__ import annotations

from functools import cache

import numpy as np

from coinswarm import play
from coinswarm.market import splits, synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.validate.case import Case, Effort, Splits, TrialFacts

TEXT = """
version: "3.0.0"
name: crossing
timeframes: { low_tf: 15m, exec: low_tf }
features:
  fast: { indicator: sma, params: { length: { min: 4, max: 12 } } }
  slow: { indicator: sma, params: { length: { min: 16, max: 40, step: 4 } } }
actions:
  entry_long: { all: [ [fast, cross_above, slow] ] }
  exit_long: { any: [ [fast, cross_below, slow] ] }
risk: { stop_loss_pct: [1.0, 2.0, 3.0], take_profit_pct: { min: 2, max: 6 } }
position_policy: { mode: long_only, exit_mode: first_hit }
"""
QUICK = Effort(resamples=99, lotteries=19, neighbours=20, worlds=2, moments=1, folds=4, periods=800)


@cache
def market(symbol: str, n: int = 6000) -> Bars:
    return synthetic.market(symbol, Timeframe.parse("15m"), n, seed=3)


@cache
def family() -> play.Play:
    return play.loads(TEXT)


def case(*, text: str | None = None, n: int = 6000, **changes: object) -> Case:
    """The case of one variant of `TEXT`, or of another play, on two markets; `changes` replace what a case has."""
    judged = family() if text is None else play.loads(text)
    genomes = judged.space.sample(np.random.default_rng(0), 24)
    markets = (market("BTC/USDT", n), market("ETH/USDT", n))
    train, later = splits.holdout(markets, 0.3)
    given = {
        "play": judged,
        "genome": genomes[0],
        "markets": markets,
        "splits": Splits(train=train, validation=later),
        "unseen": (market("SOL/USDT", n),),
        "trials": TrialFacts(campaign="c", trials=500, sample=genomes, leaderboard=genomes[:12]),
        "effort": QUICK,
    }
    return Case(**(given | changes))
