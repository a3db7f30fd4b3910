"""One world of the benchmark: make it, run a pipeline on it, and say what it promoted and whether that is true.

A discovery on a planted world is judged by its effect in a huge simulation of the same process, not by how much it looks like the rule
that was planted: a part of the rule, or what follows from it, is as true as the rule itself.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from cluster.jobs.honesty.settings import Cell, HonestySettings, PatternSettings
from coinswarm import fitness, patterns
from coinswarm.chaos import running
from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.ledger.records import Json
from coinswarm.market.bars import Bars
from coinswarm.patterns.conditions import Pattern
from coinswarm.play import Play, with_tolerance
from coinswarm.types import FloatArray
from coinswarm.validate import gates, worlds
from coinswarm.validate.calibration import promoting, searching
from coinswarm.validate.case import Effort
from coinswarm.validate.worlds import canary

_FRESH = 8
_FRESH_SEED = 2**40
"""Worlds of the huge simulation, each as long as the one judged and with as many trades."""
_SURE = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class WorldRun:
    """One world, as it is sent to a worker process."""

    cell: Cell
    number: int
    settings: HonestySettings
    play: str = ""
    gates: str = ""

    @property
    def seed(self) -> int:
        """Of the world, of the trades drawn in it and of the search: no two worlds of a run share one."""
        return self.settings.seed * 1_000_003 + self.number


def judge(run: WorldRun, *like: Bars) -> Json:
    """Figures of one world; see `cluster.jobs.honesty.stages.Judge`."""
    began = time.process_time()
    world = worlds.make(run.cell.family, like, seed=run.seed, plant=run.cell.plant)
    figures = PIPELINES[run.settings.pipeline](run, world, like)
    flags = {**figures["flags"], **({"leak found": figures["leak"]} if run.cell.family == "look-ahead" else {})}
    return {**figures, "flags": flags, "cpu_s": time.process_time() - began}


def by_patterns(run: WorldRun, world: Sequence[Bars], like: Sequence[Bars]) -> Json:
    """Chaos trades, discovery and confirmation, as `coinswarm chaos run` and `coinswarm patterns discover` do it."""
    settings = run.settings.patterns
    wanted = patterns.DiscoverSettings(
        depth=settings.depth, min_trades=settings.min_trades, flips=settings.flips, alpha=settings.alpha, seed=run.number
    )
    trades = _trades(world, settings, run.seed)
    found = patterns.discover(trades, wanted, first_moves=_first_moves(world, trades))
    promoted = [finding.pattern for finding in found.confirmed]
    chosen = [finding.pattern for finding in found.findings]
    truths = _truths(run.cell, chosen, like, settings)
    true = sum(truths[str(pattern)] for pattern in promoted)
    flags = {
        "significant": found.significant > 0,
        "significant and true": any(truths.values()),
        **{name: count > 0 for name, count in found.naive_promoted.items()},
    }
    return {
        "promoted": len(promoted), "true": true, "false": len(promoted) - true, "flags": flags, "tested": found.tested,
        "leak": bool(found.leaks),
        "p_family": found.p_family, "patterns": [str(pattern) for pattern in promoted],
    }  # fmt: skip


def by_search(run: WorldRun, world: Sequence[Bars], like: Sequence[Bars]) -> Json:
    """A search for the best variant of a play, the gates on its winner, and what usual ways of selecting say of it."""
    settings = run.settings.evolve
    search = settings.search.model_copy(update={"seed": run.seed})
    play = _play(run)
    found = searching.search(world, play, search, out_of_sample=settings.out_of_sample, costs=settings.costs)
    effort = Effort(resamples=settings.resamples, lotteries=settings.lotteries)
    case = searching.case(found, world, play, seed=run.seed, effort=effort, costs=settings.costs)
    said = promoting.Promotion(passed=False, broken="no winner") if case is None else promoting.promotion(case, _gates(run.gates))
    real = said.passed and found.genome is not None and _holds(run, found.genome, like)
    return {
        "promoted": int(said.passed), "true": int(real), "false": int(said.passed and not real),
        "flags": found.naive, "leak": any(leak.found for bars in world for leak in canary.leaks(bars)),
        "tested": found.distinct, "broken": said.broken, "sharpe": found.sharpe if math.isfinite(found.sharpe) else None,
        "p_in": found.p_in, "p_out": found.p_out,
    }  # fmt: skip


def _holds(run: WorldRun, genome: FloatArray, like: Sequence[Bars]) -> bool:
    """Whether a variant makes money net of costs in fresh worlds of the same process; in a null world nothing does but by luck."""
    if worlds.family(run.cell.family).null:
        return False
    play, costs = _play(run), run.settings.evolve.costs
    fresh = [worlds.make(run.cell.family, like, seed=_FRESH_SEED + number, plant=run.cell.plant) for number in range(_FRESH)]
    gains = [float(fitness.score(play, genome[None, :], bars, costs=costs)["total_return"][0]) for world in fresh for bars in world]
    return float(np.mean(gains)) > _SURE * float(np.std(gains, ddof=1)) / math.sqrt(len(gains))


def _play(run: WorldRun) -> Play:
    return with_tolerance(searching.read(run.play), run.settings.evolve.warmup_tolerance)


@lru_cache(maxsize=2)
def _gates(text: str) -> gates.Gates:
    return gates.loads(text)


Pipeline = Callable[[WorldRun, Sequence[Bars], Sequence[Bars]], Json]
"""What is done to a world: the run, the world's markets, and those it is made like."""
PIPELINES: Mapping[str, Pipeline] = {"patterns": by_patterns, "evolve": by_search}


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What a pattern is worth in a world's process: mean result beyond random trades, mean net result, and their standard errors."""

    effect: float
    effect_error: float
    net: float
    net_error: float
    trades: int

    @property
    def holds(self) -> bool:
        """Better than random and better than nothing net of costs, both beyond doubt."""
        return self.trades > 0 and self.effect > _SURE * self.effect_error and self.net > _SURE * self.net_error


def true_effect(pattern: Pattern, cell: Cell, like: Sequence[Bars], settings: PatternSettings, *, fresh: int = _FRESH) -> Truth:
    """What a pattern is worth in the process of a kind of world, from worlds that were not searched.

    Args:
        pattern: the conditions; markets by the key of the template, of any world, or none.
        cell: the kind of world.
        like: what its worlds are made like.
        settings: how trades are drawn and what they cost.
        fresh: how many worlds, at least 2.
    """
    sums = np.array([_sums(pattern, trades) for trades in _fresh_trades(cell, tuple(like), settings, fresh)])
    n, effect, net = sums.T
    total = float(n.sum())
    if total == 0:
        return Truth(effect=math.nan, effect_error=math.nan, net=math.nan, net_error=math.nan, trades=0)
    means = [float(part.sum()) / total for part in (effect, net)]
    spread = math.sqrt(fresh / (fresh - 1)) / total
    errors = [spread * math.sqrt(float(((part - mean * n) ** 2).sum())) for part, mean in zip((effect, net), means, strict=True)]
    return Truth(effect=means[0], effect_error=errors[0], net=means[1], net_error=errors[1], trades=int(total))


def _truths(cell: Cell, chosen: Sequence[Pattern], like: Sequence[Bars], settings: PatternSettings) -> dict[str, bool]:
    """Whether each pattern is true; in a null world nothing is."""
    if worlds.family(cell.family).null or not chosen:
        return dict.fromkeys(map(str, chosen), False)
    return {str(pattern): true_effect(pattern, cell, like, settings).holds for pattern in chosen}


@lru_cache(maxsize=1)
def _fresh_trades(cell: Cell, like: tuple[Bars, ...], settings: PatternSettings, fresh: int) -> tuple[ChaosTrades, ...]:
    seeds = [_FRESH_SEED + number for number in range(fresh)]
    return tuple(_trades(worlds.make(cell.family, like, seed=seed, plant=cell.plant), settings, seed) for seed in seeds)


def _sums(pattern: Pattern, trades: ChaosTrades) -> tuple[float, float, float]:
    """Trades of a pattern, the sum of what they made beyond random trades of their market, side and hold, and of what they made."""
    from coinswarm.patterns import bins, outcomes

    member = pattern.mask(trades)
    excess = outcomes.excess(trades, bins.hold_bands(trades, patterns.DiscoverSettings().hold_bins))
    return float(member.sum()), float(excess[member].sum()), float(trades.net[member].sum())


def _first_moves(world: Sequence[Bars], trades: ChaosTrades) -> FloatArray:
    """(n,) simple return of the bar after each decision."""
    moves = [bars.close / bars.open - 1 for bars in world]
    out = np.empty(len(trades))
    for number, each in enumerate(moves):
        rows = trades.market == number
        out[rows] = each[trades.decision[rows] + 1]
    return out


def _trades(world: Sequence[Bars], settings: PatternSettings, seed: int) -> ChaosTrades:
    """Random trades on a world, whose markets are called by their symbols: a condition on a market then means it in every world."""
    plain = [replace(bars, exchange="world") for bars in world]
    return running.run(plain, settings.trades, hold=settings.hold, side=settings.side, costs=settings.costs, seed=seed)
