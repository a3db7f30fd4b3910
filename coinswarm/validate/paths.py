"""Combinatorial purged cross-validation: not one history of out-of-sample results but many, and how they are spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coinswarm import errors, stats
from coinswarm.metrics import returns
from coinswarm.types import FloatArray
from coinswarm.validate import names
from coinswarm.validate.bench import Bench, different, stacked
from coinswarm.validate.card import Chart, Section
from coinswarm.validate.walkforward import longest_hold

N_FOLDS, N_TEST = 10, 3
"""120 choices of test folds make 36 paths."""
_LEADERS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Paths:
    """Annual Sharpe ratios: (n_paths,) of the paths, (n_splits,) of the first variant over the test folds of each split."""

    paths: FloatArray
    own: FloatArray


def section(bench: Bench) -> Section:
    """The best of the leaderboard on the rest, on each choice of test folds; and the variant itself."""
    whole = bench.case.splits.whole
    leaders = stacked(bench.case.genome, bench.case.trials.leaderboard, _LEADERS)
    matrix, _, bars = bench.matrix(whole, leaders)
    kept = different(matrix)
    if not kept.size or kept[0] != 0:
        raise errors.InvalidArgument("the variant's returns must vary", found="no trade in train and validation")
    year = bench.portfolio(whole).periods_per_year / bars
    purge = -(-longest_hold(bench) // bars)
    found = combine(matrix[:, kept], year=year, purge=purge)
    figures = {
        "n_paths": float(found.paths.size), "n_splits": float(found.own.size),
        "sharpe_mean": float(found.paths.mean()), "sharpe_median": float(np.median(found.paths)),
        "sharpe_p05": float(np.quantile(found.paths, 0.05)), "sharpe_worst": float(found.paths.min()),
        "positive_share": float((found.paths > 0).mean()),
        "own_sharpe_median": float(np.median(found.own)), "own_sharpe_p05": float(np.quantile(found.own, 0.05)),
        "own_positive_share": float((found.own > 0).mean()),
    }  # fmt: skip
    charts = (
        Chart(kind="histogram", title="Annual Sharpe of the paths", series={"paths": tuple(found.paths.tolist())}, mark=0.0),
        Chart(
            kind="histogram", title="Annual Sharpe of the variant over test sets", series={"test sets": tuple(found.own.tolist())}, mark=0.0
        ),
    )
    note = (
        f"{N_FOLDS} folds of periods of {bars} bars, {N_TEST} of them a test, {purge} periods purged around each test fold; "
        f"picked from {kept.size} different variants. The leaderboard was bred on the training span, so paths are kinder than the future."
    )
    return Section(name="cpcv", title=names.TITLES["cpcv"], figures=figures, charts=charts, notes=(note,))


def combine(matrix: FloatArray, *, year: float, purge: int = 0, n_folds: int = N_FOLDS, n_test: int = N_TEST) -> Paths:
    """Paths of picking the best Sharpe ratio on the purged rest for each choice of test folds.

    Args:
        matrix: (n_periods, n_variants) returns; finite; the first variant is the one judged.
        year: periods a year.
        purge: periods left out around each test fold.
        n_folds: parts that time is cut into.
        n_test: of them, in each test set.

    Raises:
        InvalidArgument, SpanTooShort: as `stats.combinatorial_purged_splits`.
    """
    if not np.isfinite(matrix).all():
        raise errors.InvalidArgument("returns must be finite", found=f"{int((~np.isfinite(matrix)).sum())} missing or infinite")
    splits = stats.combinatorial_purged_splits(len(matrix), n_folds, n_test, purge)
    best = []
    for split in splits:
        train = matrix[split.train]
        spread = train.std(axis=0)
        best.append(int(np.where(spread > 0, train.mean(axis=0) / np.where(spread > 0, spread, 1.0), -np.inf).argmax()))
    folds = {fold: test for split in splits for fold, test in zip(split.folds, split.tests, strict=True)}
    chained = [
        np.concatenate([matrix[folds[fold], best[int(number)]] for fold, number in enumerate(path)])
        for path in stats.combinatorial_paths(n_folds, n_test)
    ]
    own = [returns.sharpe(np.concatenate([matrix[test, 0] for test in split.tests]), year) for split in splits]
    return Paths(paths=np.array([returns.sharpe(path, year) for path in chained]), own=np.array(own))
