"""Rules published in books and papers, each tested against random trades of its own kind without the assumption that it works.

A rule's trades are those that its play makes on a market's history. Those that begin inside randomly chosen segments of time count, all
of them: leaving out what ends later would leave out the longest, which are the winners of one rule and the losers of another. Each is
compared with what chaos trades of the same market, side and hold, at the same costs, earned in the same segments; the difference is summed
over blocks of time of at least twice the longest hold, all markets together, and tested by sign flips. All rules that are tested together
share their chances: p-values are Holm's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from coinswarm import check, errors, fitness, stats
from coinswarm.chaos import naming
from coinswarm.chaos.markets import DescribedMarket, describe
from coinswarm.chaos.settings import ChaosSettings
from coinswarm.config import Costs
from coinswarm.kernels import outcomes
from coinswarm.kernels.codes import N_OUTCOME, Outcome, Reason
from coinswarm.market.bars import Bars
from coinswarm.patterns import foresight
from coinswarm.patterns.segments import HOLDS_A_BLOCK
from coinswarm.play import variants
from coinswarm.play.model import Play
from coinswarm.types import BoolArray, FloatArray, IntArray

Verdict = Literal["better", "no better", "too few blocks", "no trades"]

MIN_BLOCKS, MIN_ACTIVE = 70, 30
RANDOM_TRADES = 400
"""Chaos trades behind each expectation: of one market, side and hold, evenly over the segments of time."""


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class RuleSegments:
    """Randomly chosen segments of time, the same for all markets; (n,) first times and times after, in ms, in order."""

    start_ts: IntArray
    end_ts: IntArray

    def holds(self, ts: IntArray) -> BoolArray:
        """(m,) whether each of (m,) times lies in one of them."""
        place = np.searchsorted(self.start_ts, ts, side="right") - 1
        return np.asarray((place >= 0) & (ts < self.end_ts[np.maximum(place, 0)]))


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleVerdict:
    """The test of one side of a rule.

    Attributes:
        rule, side: name of the play, and `long` or `short`.
        n_trades, n_blocks, active_blocks: trades, blocks of time in the segments, and blocks with a trade.
        net: mean net result of a trade, a fraction of notional; NaN without trades, as all below.
        random: mean that chaos trades of the same market, side and hold earned there.
        excess: the difference of the two; `low` and `high` bound it with 95 %, from the blocks.
        win_rate: share of trades above 0.
        avg_hold: bars.
        naive_p: one-sided p of a t test that takes every trade for independent, and calls any profit an edge.
        p_value, p_adjusted: one-sided, by sign flips of blocks; alone and among all rules tested. 1 when it was not tested.
        verdict: what the numbers allow to say.
    """

    rule: str
    side: str
    n_trades: int
    n_blocks: int
    active_blocks: int
    net: float
    random: float
    excess: float
    low: float
    high: float
    win_rate: float
    avg_hold: float
    naive_p: float
    p_value: float
    p_adjusted: float
    verdict: Verdict


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class RuleTrades:
    """Trades of one side of a rule in the segments, over all markets: (n,) times, holds in bars, net results and expectations."""

    rule: str
    side: int
    entry_ts: IntArray
    hold: IntArray
    net: FloatArray
    random: FloatArray
    bar_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SideSummary:
    """What one side of a rule did: plain numbers, so that rules can be tried apart and judged together.

    Attributes:
        sums: excess over random trades, summed over each of the blocks of time with a trade.
        Others: see `RuleVerdict`.
    """

    rule: str
    side: str
    n_trades: int
    n_blocks: int
    sums: tuple[float, ...]
    net: float
    random: float
    win_rate: float
    avg_hold: float
    naive_p: float


def draw_segments(bars: Sequence[Bars], n: int, length_bars: int, *, seed: int) -> RuleSegments:
    """Choose `n` segments of `length_bars` bars at random, none overlapping; all that fit when there are fewer.

    Raises:
        InvalidArgument: a number is not above 0. SpanTooShort: not even one fits.
    """
    check.at_least(n, "the number of segments", 1)
    check.at_least(length_bars, "bars of a segment", 1)
    span_ms = length_bars * bars[0].timeframe.ms
    start, end = min(int(market.ts[0]) for market in bars), max(int(market.close_ts[-1]) for market in bars)
    there = (end - start) // span_ms
    if there == 0:
        raise errors.SpanTooShort(
            f"a segment needs {length_bars} bars", found=(end - start) // bars[0].timeframe.ms, hint="use shorter ones"
        )
    chosen = np.sort(np.random.default_rng(seed).permutation(there)[:n])
    first = start + chosen.astype(np.int64) * span_ms
    return RuleSegments(start_ts=first, end_ts=first + span_ms)


def published_genome(play: Play) -> FloatArray:
    """(n_dims,) the variant a rule is published with: the first choice of every parameter that lists several, else the least.

    Raises:
        InvalidArgument: the play's constraints do not allow it.
    """
    genome = np.array([0.0 if dimension.kind == "choice" else float(dimension.low or 0.0) for dimension in play.space.dimensions])
    if genome.size and not play.space.valid(genome[None, :])[0]:
        raise errors.InvalidArgument(f"the first choices of {play.name} must go together", hint="list the published values first")
    return genome


def trades(
    play: Play, bars: Sequence[Bars], when: RuleSegments, *, others: Mapping[str, Bars] | None = None
) -> tuple[RuleTrades, RuleTrades]:
    """Longs and shorts of a rule, as published, on all markets, each with what a random trade of its kind was expected to give.

    Raises:
        Refused: something that the rule looks at knows what comes next.
    """
    by_symbol = {market.symbol: market for market in bars} | dict(others or {})
    fixed = variants.fix(play, published_genome(play))
    foresight.refuse([leak for market in bars for leak in (*foresight.of_bars(market), *foresight.of_rule(fixed, market, by_symbol))])
    parts = [_on(play, market, when, by_symbol) for market in bars]
    return _joined(play, 1, parts, bars[0]), _joined(play, -1, parts, bars[0])


def summary(entry: RuleTrades, when: RuleSegments) -> SideSummary:
    """What judging needs of the trades of one side of a rule."""
    sums, n_blocks = _blocks(entry, when)
    n, missing = entry.net.size, float("nan")
    return SideSummary(
        rule=entry.rule, side="long" if entry.side > 0 else "short", n_trades=n, n_blocks=n_blocks, sums=tuple(sums.tolist()),
        net=float(entry.net.mean()) if n else missing, random=float(entry.random.mean()) if n else missing,
        win_rate=float((entry.net > 0).mean()) if n else missing, avg_hold=float(entry.hold.mean()) if n else missing,
        naive_p=_naive(entry.net),
    )  # fmt: skip


def judge(tried: Sequence[SideSummary], *, seed: int, alpha: float = 0.05, n_flips: int = 4999) -> tuple[RuleVerdict, ...]:
    """Rule on all of them together, so that many rules have no more chances than one.

    Args:
        tried: sides of rules.
        seed: of the sign flips.
        alpha: family-wise level of `better`, in (0, 1).
        n_flips: at least 99.
    """
    enough = np.array([entry.n_blocks >= MIN_BLOCKS and len(entry.sums) >= MIN_ACTIVE for entry in tried], dtype=np.bool_)
    p, adjusted = np.ones(len(tried)), np.ones(len(tried))
    for row in np.flatnonzero(enough).tolist():
        rng = np.random.default_rng([seed, row])
        flipped = stats.block_sign_flip_test(
            np.array(tried[row].sums)[None, :], rng=rng, n_flips=n_flips, alternative="greater", min_blocks=MIN_ACTIVE
        )
        p[row] = flipped.p_value[0]
    if enough.any():
        adjusted[enough] = stats.correct_p_values(p[enough], "holm").p_adjusted
    return tuple(
        _verdict_of(entry, float(p[row]), float(adjusted[row]), tested=bool(enough[row]), alpha=alpha) for row, entry in enumerate(tried)
    )


def _on(play: Play, bars: Bars, when: RuleSegments, known: Mapping[str, Bars]) -> dict[str, np.ndarray]:
    """Trades on one market: side, entry, hold, net and expectation."""
    _, log = fitness.Scorer(play, bars, markets=known).replay(published_genome(play))
    log = log[log[:, Outcome.REASON] != Reason.OPEN]
    entry, leave = log[:, Outcome.ENTRY_BAR].astype(np.int64), log[:, Outcome.EXIT_BAR].astype(np.int64)
    inside = when.holds(bars.ts[entry])
    log, entry, leave = log[inside], entry[inside], leave[inside]
    side, hold = log[:, N_OUTCOME].astype(np.int8), np.maximum(leave - entry, 1)
    return {
        "side": side, "entry_ts": bars.ts[entry], "hold": hold, "net": log[:, Outcome.RETURN],
        "random": expected_net(bars, side, hold, when, play.costs),
    }  # fmt: skip


def expected_net(bars: Bars, side: np.ndarray, hold: IntArray, when: RuleSegments, costs: Costs) -> FloatArray:
    """(n,) mean net result of chaos trades with (n,) sides and holds in the segments, fractions of notional; NaN where none fits."""
    if not len(hold):
        return np.empty(0)
    market = describe(bars, naming.described_by(()))
    terms = outcomes.OutcomeTerms(
        fee=costs.taker_bps / 1e4, slip=costs.slippage_bps / 1e4, slip_volatility=costs.slippage_volatility,
        slip_participation=costs.slippage_participation, maintenance=ChaosSettings().maintenance,
    )  # fmt: skip
    kinds, back = np.unique(np.stack([side.astype(np.int64), hold]), axis=1, return_inverse=True)
    means = [_mean(market, terms, when, int(way), int(bars_held)) for way, bars_held in kinds.T.tolist()]
    return np.array(means)[back]


def _mean(market: DescribedMarket, terms: outcomes.OutcomeTerms, when: RuleSegments, way: int, hold: int) -> float:
    bars = market.bars
    there = np.arange(market.first, len(bars) - 1 - hold, dtype=np.int64)
    there = there[when.holds(bars.ts[there + 1])]
    if not there.size:
        return float("nan")
    decision = there[np.linspace(0, there.size - 1, min(RANDOM_TRADES, there.size)).astype(np.int64)]
    n = decision.size
    figures, left, reason = np.empty((n, outcomes.N_FIGURES)), np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int8)
    outcomes.outcomes(
        market.tape, terms, decision, np.full(n, hold), np.full(n, way, dtype=np.int8), np.full(n, 1000.0), figures, left, reason
    )
    return float(figures[:, 3].mean())


def _joined(play: Play, way: int, parts: Sequence[dict[str, np.ndarray]], bars: Bars) -> RuleTrades:
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    mine = (whole.pop("side") == way) & np.isfinite(whole["random"])
    order = np.argsort(whole["entry_ts"][mine], kind="stable")
    return RuleTrades(rule=play.name, side=way, bar_ms=bars.timeframe.ms, **{name: column[mine][order] for name, column in whole.items()})


def _blocks(entry: RuleTrades, when: RuleSegments) -> tuple[FloatArray, int]:
    """Sums of excess in every block of time with a trade, and how many blocks the segments have in all; nothing without a trade."""
    if not entry.net.size:
        return np.empty(0), 0
    block_ms = HOLDS_A_BLOCK * int(entry.hold.max()) * entry.bar_ms
    first, last = when.start_ts // block_ms, (when.end_ts - 1) // block_ms
    there = np.unique(np.concatenate([np.arange(low, high + 1) for low, high in zip(first.tolist(), last.tolist(), strict=True)]))
    _, place = np.unique(entry.entry_ts // block_ms, return_inverse=True)
    return np.asarray(np.bincount(place, weights=entry.net - entry.random), dtype=np.float64), int(there.size)


def _verdict_of(entry: SideSummary, p: float, adjusted: float, *, tested: bool, alpha: float) -> RuleVerdict:
    mean = entry.net - entry.random
    error = 1.96 * math.sqrt(sum(value * value for value in entry.sums)) / entry.n_trades if entry.n_trades else math.nan
    facts = {
        name: getattr(entry, name) for name in ("rule", "side", "n_trades", "n_blocks", "net", "random", "win_rate", "avg_hold", "naive_p")
    }
    return RuleVerdict(
        **facts, active_blocks=len(entry.sums), excess=mean, low=mean - error, high=mean + error, p_value=p, p_adjusted=adjusted,
        verdict=_verdict(entry, adjusted, tested=tested, alpha=alpha),
    )  # fmt: skip


def _verdict(entry: SideSummary, adjusted: float, *, tested: bool, alpha: float) -> Verdict:
    """Better than chance is not enough: what loses money after costs is no finding."""
    if not entry.n_trades:
        return "no trades"
    if not tested:
        return "too few blocks"
    return "better" if adjusted <= alpha and entry.net > 0 else "no better"


def _naive(net: FloatArray) -> float:
    """One-sided p of a t test against 0."""
    from scipy import special

    if net.size < 2 or net.std() == 0:
        return float("nan")
    t = net.mean() / (net.std(ddof=1) / np.sqrt(net.size))
    return float(special.stdtr(net.size - 1, -t))
