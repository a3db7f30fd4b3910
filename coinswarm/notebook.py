"""Functions for notebooks: `import coinswarm as cs` and then `cs.load_play`, `cs.read_bars`, `cs.backtest`, `cs.score`, `cs.evolve`.

Thin over the packages; everything here runs in this process, without Ray, SQL or HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm import display, errors, fitness
from coinswarm.backtest.run import Backtest
from coinswarm.backtest.run import run as simulate
from coinswarm.config import Account, Costs
from coinswarm.evolve import Result, SearchSettings, State, reduction, run
from coinswarm.evolve.convergence import BEST
from coinswarm.evolve.settings import OUT_OF_SAMPLE, WINNERS
from coinswarm.market import overlap, splits
from coinswarm.market.bars import Bars
from coinswarm.metrics.figures import FIGURES, SCORE_DTYPE
from coinswarm.play import variants
from coinswarm.play.dimension import Value
from coinswarm.play.model import Play
from coinswarm.play.runs import Side, with_tolerance
from coinswarm.report import Context, MarketReport, Segment, svg, wording, write, write_many
from coinswarm.report.picture import Picture
from coinswarm.types import FloatArray

if TYPE_CHECKING:
    import polars as pl

Variants = FloatArray | Sequence[Mapping[str, Any]]
"""(n_variants, n_dims) genomes, or one mapping a variant from dimension paths to values."""


def score(
    play: Play,
    variants: Variants,
    bars: Bars,
    costs: Costs | None = None,
    account: Account | None = None,
    markets: Mapping[str, Bars] | None = None,
    start_ts: int | None = None,
    end_ts: int | None = None,
    side: Side | None = None,
    warmup_tolerance: float | None = None,
) -> pl.DataFrame:
    """Score variants of a play.

    Args:
        play: the play.
        variants: (n_variants, n_dims) genomes, or mappings from dimension paths to values.
        bars: (n_bars,) candles of the traded market.
        costs: replace those of the play.
        account: replaces that of the play.
        markets: candles of other markets that features name.
        start_ts: first time (ms) at which a decision may be taken.
        end_ts: bars that open at or after it (ms) are not used.
        side: take the entries of this side alone, as `coinswarm.play.one_side` says; None: all.
        warmup_tolerance: how far the bars before the data may move a warm feature, in units of its own scale; None: as the play has it.

    Returns:
        One row a variant: `status` and every figure of docs/simulation.md; missing where a variant could not be simulated.
    """
    genomes = _genomes(play, variants)
    return frame(
        fitness.score(
            play, genomes, bars, costs=costs, account=account, markets=markets, start_ts=start_ts, end_ts=end_ts, side=side,
            warmup_tolerance=warmup_tolerance,
        )
    )  # fmt: skip


def frame(scores: np.ndarray) -> pl.DataFrame:
    """(n_variants,) scores as a table, the status in words."""
    import polars as pl

    from coinswarm.metrics.figures import Status

    names = [name for name in SCORE_DTYPE.names or () if name != "status"]
    words = [Status(code).name.lower() for code in scores["status"].tolist()]
    return pl.DataFrame({"status": words, **{name: scores[name] for name in names}}).with_columns(
        pl.when(pl.col(names).is_finite()).then(pl.col(names))
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Evolved:
    """What `evolve` found.

    Attributes:
        search: the search's own result; `search.state` can be stored and looked into.
        winners: best first: every dimension by path, and the figures of each market in and out of sample, as
            `sharpe_in_BTC/USDT`, `sharpe_out_BTC/USDT` and so on.
        trials: different variants that were tried: the number any winner has to be judged by.
        out_of_sample_ts: time (ms) from which bars were never shown to the search.
        play, bars, settings, costs, account: what was searched, on which markets, and how.
    """

    search: Result
    winners: pl.DataFrame
    trials: int
    out_of_sample_ts: int
    play: Play
    bars: tuple[Bars, ...]
    settings: SearchSettings
    costs: Costs | None
    account: Account | None

    def __repr__(self) -> str:
        made = ", SYNTHETIC" if any(bars.synthetic for bars in self.bars) else ""
        return (
            f"Evolved({self.play.name}, {self.trials:,} variants tried, out of sample from {display.moment(self.out_of_sample_ts)}{made})"
        )

    def _repr_html_(self) -> str:
        winners = [self.best(rank) for rank in range(1, self.winners.height + 1)]
        rows = [
            [place, *(_worded(segment, figure) for segment in winner.figures.values() for figure in ("sharpe", "n_trades")), winner.words]
            for place, winner in enumerate(winners, start=1)
        ]
        figures = [f"{figure} {name}" for name in self._segments() for figure in ("Sharpe", "trades")]
        return display.table(repr(self), rows, ["", *figures, "parameters"])

    def best(self, rank: int = 1) -> Winner:
        """The winner in that place, 1 for the best.

        Raises:
            InvalidArgument: there is no such winner.
        """
        if not 1 <= rank <= self.winners.height:
            raise errors.InvalidArgument("a winner is named by its place", found=rank, hint=f"from 1 to {self.winners.height}")
        row = self.winners.row(rank - 1, named=True)
        paths = [dimension.path for dimension in self.play.space.dimensions]
        figures = {name: {figure: row[f"{figure}_{name.replace(' ', '_', 1)}"] for figure in SHOWN} for name in self._segments()}
        return Winner(
            params={path: row[path] for path in paths}, figures=figures, fitness=float(self.search.figures[rank - 1, 0]),
            genome=self.search.best.genomes[rank - 1], trials=self.trials,
        )  # fmt: skip

    def _segments(self) -> list[str]:
        return [f"{name} {bars.symbol}" for bars in self.bars for name in ("in", "out")]

    def plot(self) -> Picture:
        """The fitness of the best variant after each generation, in sample."""
        objective = self.settings.objectives[0]
        histories = [island.history[:, BEST] for island in self.search.state.islands]
        n = min(map(len, histories))
        best = np.fmin.reduce([history[:n] for history in histories]) * (-1.0 if objective.direction == "max" else 1.0)
        title = f"{objective.name} of the best variant by generation, in sample"
        return Picture.of(title, svg.lines({objective.name: best.tolist()}, title=title))

    def backtest(self, rank: int = 1, market: int = 0) -> Backtested:
        """A winner simulated in full on one market, over all of its bars.

        Args:
            rank: place of the winner, from 1.
            market: which of the markets that were searched, from 0.
        """
        genome = self.best(rank).genome
        return backtest(self.play, self.bars[market], genome=genome, costs=self.costs, account=self.account)

    def report(self, path: str | PathLike[str], rank: int = 1) -> Path:
        """Write a winner as one self-contained HTML file, in sample and out of sample, and return its path.

        Raises:
            StorageFull: there is no room; nothing is left half-written. BadInput: the path may not be written.
        """
        winner = self.best(rank)
        about = Context(
            variant=variants.identities(self.play, winner.genome[None])[0], parameters=winner.params,
            seed=self.settings.seed, trials=self.trials, data={bars.key: bars.content_hash for bars in self.bars},
            synthetic=any(bars.synthetic for bars in self.bars),
        )  # fmt: skip
        markets = [
            MarketReport(backtest=self.backtest(rank, place), segments=self._judged(winner.genome, bars))
            for place, bars in enumerate(self.bars)
        ]
        return write_many(markets, path, context=about)

    def _judged(self, genome: FloatArray, bars: Bars) -> tuple[Segment, Segment]:
        begin, cut, end = int(bars.ts[0]), self.out_of_sample_ts, int(bars.close_ts[-1])
        seen = fitness.Scorer(self.play, bars, costs=self.costs, account=self.account, end_ts=cut)
        held = fitness.Scorer(self.play, bars, costs=self.costs, account=self.account, start_ts=cut)
        return (
            Segment(name="in sample", start_ts=begin, end_ts=cut, metrics=_figures(seen, genome)),
            Segment(name="out of sample", start_ts=cut, end_ts=end, metrics=_figures(held, genome), held_out=True),
        )


def _figures(scorer: fitness.Scorer, genome: FloatArray) -> dict[str, float]:
    scores = scorer.score(genome[None])[0]
    return {figure: float(scores[figure]) for figure in FIGURES}


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Winner:
    """One variant that a search found.

    Attributes:
        params: value of every dimension by path.
        fitness: the first objective, in sample.
        figures: figures by segment and market, such as `figures["out BTC/USDT"]["sharpe"]`.
        genome: (n_dims,) the variant as numbers.
        trials: different variants that were tried: the number it has to be judged by.
    """

    params: dict[str, Value]
    fitness: float
    figures: dict[str, dict[str, float]]
    genome: FloatArray
    trials: int

    @property
    def words(self) -> str:
        """Its parameters in a line."""
        return ", ".join(f"{path}={_cell(value)}" for path, value in self.params.items())

    def __repr__(self) -> str:
        judged = ", ".join(f"{name}: sharpe {_worded(figures, 'sharpe')}" for name, figures in self.figures.items())
        return f"Winner({self.words}; {judged}; one of {self.trials:,} variants)"

    def _repr_html_(self) -> str:
        params = display.table("parameters", [[path, _cell(value)] for path, value in self.params.items()])
        shown = [[name, *(_worded(figures, figure) for figure in SHOWN)] for name, figures in self.figures.items()]
        titles = [wording.FIGURES[figure].title for figure in SHOWN]
        return params + display.table(f"one of {self.trials:,} variants", shown, ["", *titles])


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Backtested(Backtest):
    """One variant in full, as a notebook shows it."""

    def __repr__(self) -> str:
        figures = ", ".join(f"{figure} {self._shown(figure)}" for figure in SHOWN)
        made = ", SYNTHETIC" if self.bars.synthetic else ""
        return f"Backtest({self.play.name} on {self.bars.key}, {figures}{f', {self.reason}' if self.reason else ''}{made})"

    def _repr_html_(self) -> str:
        title = f"{self.play.name} on {self.bars.key}{', SYNTHETIC' if self.bars.synthetic else ''}"
        return display.table(title, [[wording.FIGURES[figure].title, self._shown(figure)] for figure in MAIN])

    def _shown(self, figure: str) -> str:
        return _worded(self.metrics, figure, self.bars.timeframe.ms / 60_000)

    def plot(self) -> Picture:
        """What the account had gained at bar closes, from the first decision on; of many bars, every so many."""
        gain, ts = self.equity[self.start :] / self.account.starting_equity - 1.0, self.bars.close_ts[self.start :]
        rows = np.unique(np.linspace(0, len(gain) - 1, min(len(gain), _POINTS)).astype(np.int64))
        title = f"what the account of {self.play.name} on {self.bars.key} had gained"
        labels = [display.moment(int(moment)) for moment in ts[rows]]
        return Picture.of(title, svg.lines({"gain": gain[rows].tolist()}, labels=labels, unit="percent", mark=0.0, title=title))

    def report(self, path: str | PathLike[str]) -> Path:
        """Write it as one self-contained HTML file and return the path. Raises as `coinswarm.report.write`."""
        return write(self, path, context=Context(synthetic=self.bars.synthetic))


@wraps(simulate, assigned=("__doc__",))
def backtest(*args: Any, **kwargs: Any) -> Backtested:  # noqa: D103 - it has the text of what it wraps
    found = simulate(*args, **kwargs)
    return Backtested(**{each.name: getattr(found, each.name) for each in fields(found)})


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _worded(figures: Mapping[str, float], figure: str, bar_minutes: float = 0.0) -> str:
    return wording.figure(figure, figures[figure], bar_minutes)


_POINTS = 1000
"""Most points of a line; a picture has fewer pixels."""
SHOWN = ("sharpe", "total_return", "max_drawdown", "n_trades")
"""Figures in the table of winners."""
MAIN = (
    "total_return",
    "cagr",
    "sharpe",
    "sortino",
    "max_drawdown",
    "n_trades",
    "win_rate",
    "profit_factor",
    "avg_hold",
    "exposure",
    "fees",
)
"""Figures of a backtest that a notebook shows; `metrics` has all."""


def evolve(
    play: Play,
    bars: Bars | Sequence[Bars],
    settings: SearchSettings | None = None,
    *,
    costs: Costs | None = None,
    account: Account | None = None,
    out_of_sample: float = OUT_OF_SAMPLE,
    start_ts: int | None = None,
    top: int = WINNERS,
    warmup_tolerance: float | None = None,
    on_generation: Callable[[State], None] | None = None,
) -> Evolved:
    """Evolve a play on one or several markets, in this process.

    Args:
        play: a play with dimensions.
        bars: candles of each market.
        settings: how to search; the seed decides everything.
        costs: replace those of the play.
        account: replaces that of the play.
        out_of_sample: share of the common time, at its end, that the search never sees.
        start_ts: bars that open before it (ms) are not used.
        top: how many winners to show.
        warmup_tolerance: how far the bars before the data may move a warm feature, in units of its own scale; None: as the play has it.
        on_generation: called with the state after each generation.

    Raises:
        InvalidArgument: the play has no dimension to search, or there are no bars.
        SpanTooShort: a market was listed so late that the search sees none of its bars.
    """
    given = [bars] if isinstance(bars, Bars) else list(bars)
    several = [market if start_ts is None else market[market.index_at(start_ts) :] for market in given]
    if not several or not play.space.dimensions:
        raise errors.InvalidArgument("evolution needs bars and a play with lists or ranges", found=f"{len(several)} markets")
    settings = settings or SearchSettings()
    reduction.check(settings)
    play = with_tolerance(play, warmup_tolerance)
    inside, outside = splits.holdout(several, out_of_sample)
    _refuse_late(several, inside.end_ts)
    seen = [fitness.Scorer(play, market, costs=costs, account=account, end_ts=inside.end_ts) for market in several]

    def evaluate(genomes: FloatArray) -> Any:
        return reduction.results(np.stack([scorer.score(genomes) for scorer in seen], axis=1), settings)

    result = run(play.space, evaluate, settings, identify=lambda genomes: variants.identities(play, genomes), on_generation=on_generation)
    held = [fitness.Scorer(play, market, costs=costs, account=account, start_ts=outside.start_ts) for market in several]
    return Evolved(
        search=result,
        winners=_winners(play, result.best.genomes[:top], seen, held),
        trials=result.state.distinct,
        out_of_sample_ts=outside.start_ts,
        play=play,
        bars=tuple(several),
        settings=settings,
        costs=costs,
        account=account,
    )


def _refuse_late(markets: Sequence[Bars], end_ts: int) -> None:
    late = [market.key for market in markets if market.index_at(end_ts) == 0]
    if late:
        common = overlap.of([market for market in markets if len(market)])
        apart = common.end_ts <= common.start_ts
        raise errors.SpanTooShort(
            f"{late[0]} must have bars that the search sees", found=f"none before {overlap.moment(end_ts)}",
            hint=f"{common.text}{', so search them apart' if apart else f': {common.option} searches those'}",
        )  # fmt: skip


def _winners(play: Play, genomes: FloatArray, seen: Sequence[fitness.Scorer], held: Sequence[fitness.Scorer]) -> pl.DataFrame:
    import polars as pl

    columns: dict[str, Any] = {}
    settings = [play.space.decode(genome) for genome in genomes]
    for dimension in play.space.dimensions:
        columns[dimension.path] = [row[dimension.path] for row in settings]
    for name, scorers in (("in", seen), ("out", held)):
        for scorer in scorers:
            scores = scorer.score(genomes)
            columns |= {f"{figure}_{name}_{scorer.bars.symbol}": scores[figure] for figure in SHOWN}
    return pl.DataFrame(columns)


def _genomes(play: Play, given: Variants) -> FloatArray:
    if isinstance(given, np.ndarray):
        return given
    return np.array([play.space.encode(settings) for settings in given], dtype=np.float64).reshape(len(given), len(play.space.dimensions))
