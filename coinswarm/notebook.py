"""Functions for notebooks: `import coinswarm as cs` and then `cs.load_play`, `cs.read_bars`, `cs.backtest`, `cs.score`, `cs.evolve`.

Thin over the packages; everything here runs in this process, without Ray, SQL or HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm import errors, fitness
from coinswarm.config import Account, Costs
from coinswarm.evolve import Result, SearchSettings, State, reduction, run
from coinswarm.evolve.settings import OUT_OF_SAMPLE, WINNERS
from coinswarm.market import overlap, splits
from coinswarm.market.bars import Bars
from coinswarm.metrics.figures import SCORE_DTYPE
from coinswarm.play import variants
from coinswarm.play.model import Play
from coinswarm.play.runs import Side, with_tolerance
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
    """

    search: Result
    winners: pl.DataFrame
    trials: int
    out_of_sample_ts: int


SHOWN = ("sharpe", "total_return", "max_drawdown", "n_trades")
"""Figures in the table of winners."""


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
