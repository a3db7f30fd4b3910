"""Why a variant never decides on some bars: which feature it waits for, what that needs, and what there is."""

from __future__ import annotations

import numpy as np

from coinswarm.fitness.conditions import Evaluation
from coinswarm.play import slots, warmth
from coinswarm.play.expressions import Slot
from coinswarm.play.model import Feature, Play
from coinswarm.types import FloatArray


def reasons(evaluation: Evaluation, start: int) -> tuple[str, ...]:
    """One sentence a variant of a batch, all of which never decide.

    Args:
        evaluation: the variants on their bars.
        start: first bar on which a decision is allowed at all.
    """
    play, n = evaluation.play, evaluation.n
    names = list(play.features)
    firsts = np.array([evaluation.feature_firsts(name) for name in names]).reshape(len(names), evaluation.n_variants)
    slowest = firsts.argmax(axis=0) if names else np.zeros(evaluation.n_variants, dtype=np.int64)
    reasons = []
    for row, place in enumerate(slowest.tolist()):
        if names and firsts[place, row] >= n - 1:
            reasons.append(_cold(_fixed(play, evaluation.values[row]), names[place], evaluation))
        elif start >= n - 1:
            reasons.append(f"decisions may begin at bar {start:,}, there are {n:,}")
        else:
            reasons.append(f"its conditions look further back than the {n:,} bars that there are")
    return tuple(reasons)


def _cold(fixed: Play, name: str, evaluation: Evaluation) -> str:
    """The sentence of a feature that is never warm: it needs more bars, or waits for something that did not happen."""
    n, exec_ms = evaluation.n, evaluation.bars.timeframe.ms
    asked = warmth.of_feature(fixed, fixed.features[name], exec_ms)
    if asked.bars >= n - 1:
        return asked.needs(exec_ms, n)
    return f"{asked.feature} has no value on these {n:,} bars{_elsewhere(fixed.features[name])}"


def _elsewhere(feature: Feature) -> str:
    return f": look at the bars of {feature.market}" if feature.market else ""


def _fixed(play: Play, values: FloatArray) -> Play:
    """The play with every slot replaced by what the (n_dims,) values of a variant stand for."""

    def value(slot: Slot) -> object:
        choices = play.space.dimensions[slot.index].choices
        return choices[int(values[slot.index])] if any(isinstance(one, (str, bool)) for one in choices) else float(values[slot.index])

    return slots.put(play, value)
