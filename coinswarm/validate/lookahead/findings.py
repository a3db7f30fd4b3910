"""Comparing two runs value by value, and keeping what does not agree."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coinswarm.types import BoolArray, FloatArray, IntArray

KEPT = 50
"""Most offences, and most ties, that are kept word for word; all are counted."""

Value = float | bool | str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Offence:
    """A value that bars it could not know of have changed.

    Attributes:
        kind: feature, warm-up, decision, level, fill, trade or equity.
        name: which one; for trades and equity the simulator.
        bar, ts: where in the given data, and the open time of that bar in milliseconds.
        cut: first bar that was cut off or replaced; for the warm-up the bar at which the shorter data began.
        whole, part: the value on all bars, and on the tampered ones; NaN is None.
        variant: parameters of the variant, in one line.
        note: what else is known.
    """

    kind: str
    name: str
    bar: int
    ts: int
    cut: int
    whole: Value
    part: Value
    variant: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tie:
    """A decision that differs because two operands are equal to 1e-9: either truth is right, and neither sees the future."""

    name: str
    bar: int
    ts: int
    left: float
    right: float
    variant: str = ""


@dataclass
class Findings:
    """What one kind of tampering has shown so far.

    Attributes:
        compared: values that were compared.
        n_offences: values that did not agree; `offences` holds the first ones, at most one for a name and cut.
        n_ties: decisions excused; `ties` holds the first ones.
        notes: what a reader should know about the verdict.
    """

    compared: int = 0
    n_offences: int = 0
    offences: list[Offence] = field(default_factory=list)
    n_ties: int = 0
    ties: list[Tie] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)

    def add(self, offence: Offence, count: int = 1) -> None:
        """Keep an offence that stands for `count` of them."""
        self.n_offences += count
        if len(self.offences) < KEPT:
            self.offences.append(offence)

    def excuse(self, tie: Tie) -> None:
        """Keep a tie."""
        self.n_ties += 1
        if len(self.ties) < KEPT:
            self.ties.append(tie)


def differing(whole: FloatArray, part: FloatArray, tolerance: float, scale: FloatArray | float) -> IntArray:
    """Places at which two columns do not agree.

    Args:
        whole: (n,) values.
        part: (n,) values; missing agrees with missing only.
        tolerance: allowed difference, relative to the larger of both and of `scale`.
        scale: the usual size of such values, at least 0; one for all, or (n,).

    Returns:
        (n_differing,) indices, rising.
    """
    with np.errstate(invalid="ignore"):
        near = np.abs(whole - part) <= tolerance * np.maximum(np.maximum(np.abs(whole), np.abs(part)), scale)
    agree: BoolArray = near | (whole == part) | (np.isnan(whole) & np.isnan(part))
    return np.flatnonzero(~agree)


def usual(values: FloatArray) -> float:
    """The median absolute value of the finite ones among (n,) values; 0 when none is."""
    finite = values[np.isfinite(values)]
    return float(np.median(np.abs(finite))) if finite.size else 0.0


def plain(value: float) -> Value:
    """A number as a report keeps it: missing is None."""
    return None if np.isnan(value) else float(value)
