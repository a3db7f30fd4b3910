"""From figures on several markets to what a search compares: objectives, violated constraints, failures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coinswarm import errors
from coinswarm.evolve.settings import Constraint, Objective, SearchSettings
from coinswarm.evolve.state import Results
from coinswarm.metrics import figures
from coinswarm.metrics.figures import FIGURES, Status, refuse_threshold
from coinswarm.types import BoolArray, FloatArray


def check_names(settings: SearchSettings) -> None:
    """Raise `BadSetting` unless every objective and constraint names a figure."""
    for name in (*(goal.name for goal in settings.objectives), *(limit.figure for limit in settings.constraints)):
        if name not in FIGURES:
            hint = errors.near_hint(name, FIGURES, listed=figures.COMMON)
            raise errors.BadSetting("objectives and constraints name figures", found=repr(name), hint=hint)


def check(settings: SearchSettings) -> None:
    """Raise `BadSetting` unless every objective and constraint names a figure, and every constraint can be meant."""
    check_names(settings)
    for limit in settings.constraints:
        refuse_threshold(limit.figure, limit.threshold, f"{limit.figure}{limit.operator}{limit.threshold:g}")


def results(table: npt.NDArray[np.void], settings: SearchSettings) -> Results:
    """Results of variants, as the search takes them.

    Args:
        table: (n_variants, n_markets) `SCORE_DTYPE`.
        settings: which figures count, and how values over markets become one.

    Returns:
        Objectives in their declared direction, NaN where a figure is missing on some market or infinite, which is to say divided by
        nothing; the sum of relative violations; a variant that failed on one market failed, one without trades did not.

    Raises:
        BadSetting: an objective or constraint names no figure.
        ShapeMismatch: the table is not two-dimensional, or has no market.
    """
    check_names(settings)
    if table.ndim != 2 or table.shape[1] == 0:
        raise errors.ShapeMismatch("scores must have one row a variant and one column a market", found=f"shape {table.shape}")
    violation = np.zeros(len(table))
    for limit in settings.constraints:
        violation += _violation(table, limit)
    failed: BoolArray = np.asarray((table["status"] > Status.NO_TRADES).any(axis=1), dtype=np.bool_)
    objectives = np.stack([_objective(table, goal) for goal in settings.objectives], axis=1)
    return Results(objectives=objectives, violation=np.where(failed, 0.0, violation), failed=failed)


def fitness(outcome: Results, settings: SearchSettings) -> FloatArray:
    """(n_variants,) the first objective, larger for better; NaN for variants that failed, violate a constraint, or have no value of it."""
    sign = 1.0 if settings.objectives[0].direction == "max" else -1.0
    fit = ~outcome.failed & (outcome.violation <= 0)
    return np.where(fit, sign * outcome.objectives[:, 0], np.nan)


def _objective(table: npt.NDArray[np.void], goal: Objective) -> FloatArray:
    worst = np.min if goal.direction == "max" else np.max
    values = _over_markets(table[goal.name], goal.scope, worst)
    return np.where(np.isfinite(values), values, np.nan)


def without_value(table: npt.NDArray[np.void], settings: SearchSettings) -> dict[int, str]:
    """Why variants that were scored have no value of an objective, by row: a ratio whose denominator is 0 has none.

    Args:
        table: (n_variants, n_markets) `SCORE_DTYPE`.
        settings: which figures count.
    """
    found: dict[int, str] = {}
    for goal in settings.objectives:
        for row in np.flatnonzero(np.isinf(table[goal.name]).any(axis=1)).tolist():
            trades = int(table["n_trades"][row].sum())
            found.setdefault(row, f"{goal.name} has no value: it divides by 0 ({trades:,} closed trade{'' if trades == 1 else 's'})")
    return found


def _violation(table: npt.NDArray[np.void], limit: Constraint) -> FloatArray:
    """How far beyond its threshold a figure is, in thresholds (in units where that is 0); missing is infinitely far."""
    value = _over_markets(table[limit.figure], limit.scope, np.min if limit.operator == ">=" else np.max)
    excess = limit.threshold - value if limit.operator == ">=" else value - limit.threshold
    return np.asarray(np.maximum(np.nan_to_num(excess, nan=np.inf, posinf=np.inf, neginf=-np.inf), 0.0) / (abs(limit.threshold) or 1.0))


def _over_markets(values: FloatArray, scope: str, worst: np.ufunc | object) -> FloatArray:
    reduce = {"mean": np.mean, "min": np.min, "max": np.max, "sum": np.sum, "worst": worst}[scope]
    with np.errstate(invalid="ignore"):
        return np.asarray(reduce(values, axis=1), dtype=np.float64)  # type: ignore[operator]
