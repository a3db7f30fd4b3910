"""Searches with and without racing, seed by seed: the same winner, and at what share of the variant-bars.

    python -m tests.benchmarks.racing_seeds SEEDS [WORLD …]

Two winners are the same when they are the same variant, or equally fit in sample to 1e-9. What is the same for all seeds, the score of a
variant on a part of the bars, is computed once; cost is counted as if it were not, and time is measured apart.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cluster.compute.batching import BatchEvaluator
from cluster.compute.evaluator import Evaluator, Scored, ScoreRequest, Setup, Task
from cluster.compute.local import LocalExecutor
from cluster.compute.sources import MemorySource
from cluster.jobs.evolve.rounds import Rounds
from coinswarm import play
from coinswarm.evolve import racing
from coinswarm.evolve.search import Search
from coinswarm.evolve.settings import Constraint, RacingSettings, SearchSettings
from coinswarm.ledger.records import IN_SAMPLE
from coinswarm.market import files
from coinswarm.market.bars import Bars
from coinswarm.play import variants
from coinswarm.types import FloatArray
from tests.benchmarks.workloads import HERE, data_dir

EXAMPLES = HERE.parents[1] / "plays" / "examples"
COINS = ("BTC", "ETH", "SOL")
ENOUGH = Constraint(figure="n_trades", operator=">=", threshold=30)
DRIFT, DRIFT_BARS = 3e-4, 12


class Remembering:
    """An evaluator that scores no variant twice on the same bars."""

    workers = 1

    def __init__(self, inner: Evaluator) -> None:
        self._inner = inner
        self._known: dict[tuple[str, bytes], np.void] = {}
        self._works: list[ScoreRequest] = []
        self._task: Task | None = None

    def open(self, task: Task) -> None:
        if self._task is not task:
            self._inner.open(task)
        self._task = task
        self._works.clear()

    def submit(self, work: ScoreRequest) -> None:
        self._works.append(work)

    def collect(self, timeout_s: float) -> Scored | None:
        work = self._works.pop(0)
        names = [(work.segment, row.tobytes()) for row in work.genomes]
        new = np.array([name not in self._known for name in names], dtype=np.bool_)
        if new.any():
            fresh = ScoreRequest(token=0, setup=work.setup, segment=work.segment, genomes=work.genomes[new])
            self._inner.submit(fresh)
            scored = self._inner.collect(timeout_s)
            assert scored is not None
            self._known |= dict(zip([name for name, is_new in zip(names, new, strict=True) if is_new], scored.figures, strict=True))
        return Scored(token=work.token, figures=np.stack([self._known[name] for name in names]), reasons={}, seconds=0.0)

    def close(self) -> None:
        self._known.clear()


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one search came to: its best feasible variant, its fitness, and evaluations and cost in variants on all bars."""

    winner: bytes
    fitness: float
    evaluations: int
    cost: float


def searched(evaluator: Evaluator, task: Task, settings: SearchSettings) -> Found:
    """One search, raced as the settings say."""
    setup, rounds = task.setups[0], Rounds(evaluator)
    rounds.open(task, settings)
    search = Search(setup.play.space, settings, lambda genomes: variants.identities(setup.play, genomes))
    state, cost = search.start(), 0.0
    while search.done(state) is None:
        for island in search.ready(state):
            proposals = search.ask(state, island)
            rounds.submit(ScoreRequest(token=1, setup=0, segment=IN_SAMPLE, genomes=proposals.genomes[proposals.todo]))
            while (scored := rounds.collect(60.0)) is None:
                pass
            state = search.tell(state, proposals, racing.results(scored.figures, scored.dropped_after, settings))
            cost += len(proposals.todo) if scored.rungs is None else scored.cost
    best = search.best(state)
    best = best.take(best.feasible)
    if not len(best):
        return Found(winner=b"", fitness=float("nan"), evaluations=state.evaluations, cost=cost)
    row = int(np.lexsort((best.identities, best.objectives[:, 0]))[0])
    return Found(winner=bytes(best.identities[row]), fitness=-float(best.objectives[row, 0]), evaluations=state.evaluations, cost=cost)


def same(one: Found, other: Found) -> bool:
    """Whether two searches have the same winner."""
    return one.winner == other.winner or abs(one.fitness - other.fitness) <= 1e-9


def real(name: str, n_bars: int | None = None, coins: Sequence[str] = COINS) -> Task:
    """A play of the examples, or of the benchmarks, on real candles."""
    path = next(folder / name for folder in (EXAMPLES, HERE / "plays") if (folder / name).exists())
    return task_of(path.read_text(), [candles(coin, n_bars) for coin in coins], name)


def candles(coin: str, n_bars: int | None = None) -> Bars:
    """Real candles of 2024, from the beginning."""
    return files.read(data_dir() / "spot5m_2024" / f"binance_{coin}-USDT_5m.parquet")[:n_bars]


def task_of(text: str, markets: Sequence[Bars], name: str) -> Task:
    """A task of one play."""
    read = play.loads(text)
    setup = Setup(play=read, costs=read.costs, account=read.account)
    return Task(id=name, setups=(setup,), sources=tuple(MemorySource(bars=bars) for bars in markets), racing=RacingSettings())


PLANTED = """
version: "3.0.0"
name: planted
timeframes: { low_tf: 5m, exec: low_tf }
features:
  fast: { indicator: ema, params: { length: { min: 5, max: 40 } } }
  slow: { indicator: ema, params: { length: { min: 45, max: 200, step: 5 } } }
actions:
  entry_long: { all: [ [fast, cross_above, slow] ] }
  exit_long: { any: [ [fast, cross_below, slow] ] }
risk: { stop_loss_pct: [1.0, 2.0, 3.0, 4.0], take_profit_pct: { min: 1, max: 6, step: 0.5 }, max_hold_bars: { min: 6, max: 48, step: 6 } }
position_policy: { mode: long_only, exit_mode: first_hit }
"""
HIDDEN = (14, 90)


def planted(n_bars: int | None = None, coins: Sequence[str] = ("BTC",)) -> Task:
    """Real candles on which one pair of averages is made to pay: after each of its crossings the price drifts up for an hour."""
    return task_of(PLANTED, [drifted(candles(coin, n_bars)) for coin in coins], "planted")


def drifted(bars: Bars) -> Bars:
    """`bars` with an upward drift after each crossing of the hidden averages."""
    fast, slow = (average(bars.close, length) for length in HIDDEN)
    crossed = np.flatnonzero((fast[1:] > slow[1:]) & (fast[:-1] <= slow[:-1])) + 1
    drift = np.zeros(len(bars))
    for lag in range(1, DRIFT_BARS + 1):
        drift[crossed[crossed + lag < len(bars)] + lag] = DRIFT
    level = np.exp(np.cumsum(drift))
    before = np.concatenate([[1.0], level[:-1]])
    prices = {"open": bars.open * before, "close": bars.close * level, "high": bars.high * level, "low": bars.low * before}
    facts = {name: getattr(bars, name) for name in ("timeframe", "symbol", "exchange", "ts", "volume", "funding_ts", "funding_rate")}
    return Bars(**facts, **prices, synthetic=True)


def average(close: FloatArray, length: int) -> FloatArray:
    """Exponential moving average, from the first close."""
    out, weight = np.empty_like(close), 2.0 / (length + 1)
    out[0] = close[0]
    for row in range(1, len(close)):
        out[row] = out[row - 1] + weight * (close[row] - out[row - 1])
    return out


@dataclass(frozen=True, kw_only=True)
class World:
    """A task, and how large a search it takes to find the same winner from most seeds without a race."""

    task: Callable[[], Task]
    population: int
    generations: int

    def settings(self, seed: int, racing: RacingSettings) -> SearchSettings:
        """The search of one seed."""
        return SearchSettings(population=self.population, generations=self.generations, seed=seed, constraints=(ENOUGH,), racing=racing)


WORLDS = {
    "planted": World(task=planted, population=200, generations=20),
    "band": World(task=lambda: real("band_reversion.yml"), population=400, generations=30),
    "w1": World(task=lambda: real("w1_cross_and_filter.yml"), population=200, generations=12),
    "channel": World(task=lambda: real("channel_breakout.yml"), population=400, generations=30),
    "trend": World(task=lambda: real("trend_pullback.yml"), population=200, generations=12),
}
DESIGNS = {
    "100 blocks, 12 % then 40 %, keep 30 %": RacingSettings(enabled=True, blocks=100),
    "25 blocks, 12 % then 40 %, keep 30 %": RacingSettings(enabled=True, blocks=25),
    "100 blocks, 15 %, keep 20 %": RacingSettings(enabled=True, blocks=100, rungs=1, first_share=0.15, keep=0.2),
}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a design did in one world.

    Attributes:
        seeds: searches with and without.
        same: how many had the same winner.
        share: variant-bars with, of those without.
        differences: fitness with less fitness without, where the winners differ.
    """

    seeds: int
    same: int
    share: float
    differences: tuple[float, ...]


def compared(plain: Sequence[Found], raced: Sequence[Found]) -> Comparison:
    """Searches with and without, seed by seed."""
    pairs = list(zip(plain, raced, strict=True))
    return Comparison(
        seeds=len(pairs),
        same=sum(same(one, other) for one, other in pairs),
        share=sum(other.cost for other in raced) / sum(one.cost for one in plain),
        differences=tuple(other.fitness - one.fitness for one, other in pairs if not same(one, other)),
    )


def raced(world: World, task: Task, racing_settings: RacingSettings, seeds: int) -> list[Found]:
    """Searches from `seeds` seeds."""
    evaluator, raced_task = Remembering(BatchEvaluator(LocalExecutor())), replace(task, racing=racing_settings)
    return [searched(evaluator, raced_task, world.settings(seed, racing_settings)) for seed in range(seeds)]


def timed(world: World, task: Task, racing_settings: RacingSettings) -> float:
    """CPU seconds of one search from nothing; kernels are compiled."""
    began = time.process_time()
    searched(BatchEvaluator(LocalExecutor()), replace(task, racing=racing_settings), world.settings(0, racing_settings))
    return time.process_time() - began


def say(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(seeds: int, names: Sequence[str]) -> None:
    """Print a table of every design in every world."""
    for name in names or WORLDS:
        world = WORLDS[name]
        task = world.task()
        plain = raced(world, task, RacingSettings(), seeds)
        seconds = timed(world, task, RacingSettings())
        say(f"{name}: {world.population} x {world.generations}, {len({found.winner for found in plain})} winners, {seconds:.1f} CPU s")
        for words, design in DESIGNS.items():
            found = compared(plain, raced(world, task, design, seeds))
            worse, better = sum(d < 0 for d in found.differences), sum(d > 0 for d in found.differences)
            middle = float(np.median(found.differences)) if found.differences else 0.0
            say(
                f"  {words}: same {found.same}/{found.seeds}, {found.share:.1%} of variant-bars, {worse} worse, {better} better,"
                f" median difference {middle:+.3f}, {timed(world, task, design):.1f} CPU s"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
