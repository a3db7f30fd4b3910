"""Is the variant on a plateau of good variants, or on a spike? Slices along each parameter, and neighbours in all of them at once."""

from __future__ import annotations

import math

import numpy as np

from coinswarm import errors
from coinswarm.play.dimension import Dimension
from coinswarm.types import FloatArray, IntArray
from coinswarm.validate import names
from coinswarm.validate.bench import Bench
from coinswarm.validate.card import Cell, Chart, Section, Table
from coinswarm.validate.spans import portfolio_of

REACH = 0.1
"""Neighbours lie within this part of each parameter's range, and at least one step."""
_SLICE = 11


def section(bench: Bench) -> Section:
    """How much of the Sharpe ratio is left when parameters move a little."""
    space, genome = bench.case.play.space, bench.case.genome
    if not space.dimensions:
        raise errors.Refused("a plateau needs parameters to move", found="a play in which nothing varies", hint="give numbers a range")
    portfolio_of(bench, bench.case.splits.train)
    own = float(scores(bench, genome[np.newaxis])[0])
    around = neighbours(bench)
    sharpes = scores(bench, around) if len(around) else np.empty(0)
    steps = _steps(bench)
    near = scores(bench, steps) if len(steps) else np.empty(0)
    charts, rows = _slices(bench)
    figures = {**neighbourhood(own, sharpes, near), "n_neighbours": float(sharpes.size + near.size)}
    table = Table(title="One parameter at a time", head=("parameter", "value", "lower", "higher", "best", "worst"), rows=rows)
    note = (
        f"Sharpe here is the mean of the markets' annual ratios in sample, {own:.2f} for this variant. Neighbours lie within "
        f"{REACH:.0%} of each parameter's range, at least a step."
    )
    return Section(name="plateau", title=names.TITLES["plateau"], figures=figures, tables=(table,), charts=charts, notes=(note,))


def neighbourhood(own: float, around: FloatArray, near: FloatArray) -> dict[str, float]:
    """The figures of a neighbourhood.

    Args:
        own: Sharpe ratio of the variant.
        around: (n,) of neighbours in all parameters.
        near: (n_near,) of those one step away in one parameter.
    """
    everyone = np.concatenate([around, near])
    if not everyone.size:
        return {"score": math.nan, "positive_share": math.nan, "worst_ratio": math.nan, "rank": math.nan}
    ratio = float(np.clip(everyone.mean() / own, 0.0, 1.0)) if own > 0 else 0.0
    worst = (near if near.size else everyone).min()
    return {
        "score": ratio,
        "positive_share": float((everyone > 0).mean()),
        "worst_ratio": float(worst / own) if own > 0 else 0.0,
        "rank": float((everyone < own).mean()),
    }


def scores(bench: Bench, genomes: FloatArray) -> FloatArray:
    """(n,) mean annual Sharpe ratio over the markets, in sample, of (n, n_dims) variants; one that cannot trade counts 0."""
    span = bench.case.splits.train
    parts = [np.nan_to_num(bench.scorer(bars, span).score(genomes)["sharpe"]) for bars in bench.case.markets]
    return np.asarray(np.mean(parts, axis=0))


def neighbours(bench: Bench) -> FloatArray:
    """(n, n_dims) different variants near the case's own, in all parameters at once; itself is not among them."""
    space, genome = bench.case.play.space, bench.case.genome
    rng = bench.case.stream("plateau")
    low, high = genome - [_reach(d) for d in space.dimensions], genome + [_reach(d) for d in space.dimensions]
    drawn = rng.uniform(low, high, size=(4 * bench.case.effort.neighbours, genome.size))
    for place, dimension in enumerate(space.dimensions):
        drawn[:, place] = dimension.snap(drawn[:, place])
    drawn = drawn[space.valid(drawn)]
    kept = drawn[np.sort(_first_of_each(drawn))] if len(drawn) else drawn
    return np.asarray(kept[~(kept == genome).all(axis=1)][: bench.case.effort.neighbours])


def _first_of_each(rows: FloatArray) -> IntArray:
    return np.asarray(np.unique(rows, axis=0, return_index=True)[1], dtype=np.int64)


def _reach(dimension: Dimension) -> float:
    """How far a gene of this dimension may move: choices of words have no neighbours, but every one of them is tried."""
    return max(REACH * (dimension.high - dimension.low), dimension.step)


def _steps(bench: Bench) -> FloatArray:
    """(n, n_dims) the valid variants one step away in one parameter; a step of a real number is a hundredth of its range."""
    space, genome = bench.case.play.space, bench.case.genome
    moved = []
    for place, dimension in enumerate(space.dimensions):
        step = dimension.step or (dimension.high - dimension.low) / 100
        for sign in (-1, 1):
            other = genome.copy()
            other[place] = dimension.snap(np.array([genome[place] + sign * step]))[0]
            if other[place] != genome[place]:
                moved.append(other)
    rows = np.array(moved).reshape(-1, genome.size)
    return rows[space.valid(rows)] if len(rows) else rows


def _slices(bench: Bench) -> tuple[tuple[Chart, ...], tuple[tuple[Cell, ...], ...]]:
    space, genome = bench.case.play.space, bench.case.genome
    charts, rows = [], []
    for place, dimension in enumerate(space.dimensions):
        genes = _genes(dimension, float(genome[place]))
        line = np.repeat(genome[np.newaxis], genes.size, axis=0)
        line[:, place] = genes
        valid = space.valid(line)
        found = np.full(genes.size, np.nan)
        if valid.any():
            found[valid] = scores(bench, line[valid])
        words = tuple(_word(dimension.decode(float(gene))) for gene in genes)
        here = int(np.argmin(np.abs(genes - genome[place])))
        charts.append(Chart(kind="lines", title=f"Sharpe by {dimension.path}, {words[here]}", series={"Sharpe": tuple(found.tolist())},
                            labels=words, mark=float(found[here])))  # fmt: skip
        lower, higher = (float(found[at]) if 0 <= at < genes.size else math.nan for at in (here - 1, here + 1))
        rows.append((dimension.path, words[here], lower, higher, float(np.nanmax(found)), float(np.nanmin(found))))
    return tuple(charts), tuple(rows)


def _genes(dimension: Dimension, own: float) -> FloatArray:
    """Up to a dozen genes of a dimension in order, its own among them, with those next to it."""
    if dimension.step and dimension.size <= _SLICE:
        return dimension.grid(np.arange(dimension.steps + 1, dtype=np.float64))
    step = dimension.step or (dimension.high - dimension.low) / 100
    wanted = np.concatenate([np.linspace(dimension.low, dimension.high, _SLICE - 2), [own - step, own, own + step]])
    return np.unique(dimension.snap(wanted))


def _word(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
