"""One dimension of a play's space: a list of choices or a range, and the genes that stand for its values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from coinswarm import errors
from coinswarm.types import BoolArray, FloatArray

Value = float | str | bool
_MAX_DIGITS = 15


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """What one parameter may be. Its gene is the index of a choice, the whole number itself, or the real number itself.

    Attributes:
        path: the parameter's name, such as `ema_fast.length` or `risk.stop_loss_pct`.
        kind: `choice`, `int` or `float`.
        choices: the values of a choice, in the order of the play; empty otherwise.
        low, high: bounds of the gene, both allowed.
        step: distance of neighbouring values from `low` on; 0.0: any real number.
        log: drawn evenly on a logarithmic scale.
    """

    path: str
    kind: Literal["choice", "int", "float"]
    choices: tuple[Value, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float = 1.0
    log: bool = False

    @classmethod
    def choice(cls, path: str, choices: tuple[Value, ...]) -> Dimension:
        """A dimension of listed values."""
        return cls(path=path, kind="choice", choices=choices, high=float(len(choices) - 1))

    @property
    def size(self) -> float:
        """How many values there are; infinite for real numbers without a step."""
        return math.inf if self.step == 0.0 else self.steps + 1

    @cached_property
    def steps(self) -> int:
        """How many steps lie between the lowest and the highest value; 0 without a step."""
        return math.floor((self.high - self.low) / self.step + 1e-9) if self.step else 0

    @cached_property
    def numbers(self) -> FloatArray:
        """(size,) what each index of a choice counts as: the number itself, or the index where words are chosen from."""
        if all(isinstance(choice, (int, float)) and not isinstance(choice, bool) for choice in self.choices):
            return np.array(self.choices, dtype=np.float64)
        return np.arange(len(self.choices), dtype=np.float64)

    @cached_property
    def _whole(self) -> bool:
        """Whether a choice is among whole numbers only."""
        return all(isinstance(choice, float) and choice.is_integer() for choice in self.choices)

    @cached_property
    def _digits(self) -> int:
        return max(_decimals(self.low), _decimals(self.step))

    def snap(self, genes: FloatArray) -> FloatArray:
        """The nearest allowed gene of each; (n,) in and out. NaN becomes `low`."""
        clean = np.clip(np.nan_to_num(genes, nan=self.low, posinf=self.high, neginf=self.low), self.low, self.high)
        if not self.step:
            return clean
        index = np.clip(np.rint((clean - self.low) / self.step), 0, self.steps)
        return self.grid(index)

    def grid(self, index: FloatArray) -> FloatArray:
        """The gene at each step from `low`, rounded as its decimals are written, so that 1 + 3 * 0.1 is 1.3."""
        raw = self.low + index * self.step
        rounded = raw if self._digits > _MAX_DIGITS else np.round(raw, self._digits)
        return np.minimum(rounded, self.high)

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        """(n,) genes drawn evenly (on a logarithmic scale with `log`)."""
        if self.log:
            return self.snap(np.exp(rng.uniform(math.log(self.low), math.log(self.high), n)))
        if self.step:
            return self.grid(rng.integers(0, self.steps + 1, n).astype(np.float64))
        return rng.uniform(self.low, self.high, n)

    def contains(self, genes: FloatArray) -> BoolArray:
        """(n,) whether each gene is allowed; tolerance 1e-9 of a step."""
        with np.errstate(invalid="ignore"):
            inside = (genes >= self.low) & (genes <= self.high)
        if not self.step:
            return inside
        return inside & (np.abs(self.snap(genes) - genes) <= 1e-9 * max(1.0, abs(self.high)))

    def decode(self, gene: float) -> Value:
        """The value a gene stands for: a word, a truth, an `int` for whole numbers, or a `float`."""
        if self.kind == "choice":
            choice = self.choices[round(gene)]
            return int(choice) if self._whole else choice
        return int(gene) if self.kind == "int" else float(gene)

    def encode(self, value: Value) -> float:
        """The gene of a value.

        Raises:
            InvalidArgument: the value is not one of this dimension's.
        """
        if self.kind == "choice":
            matches = [
                i for i, choice in enumerate(self.choices) if choice == value and isinstance(choice, bool) == isinstance(value, bool)
            ]
            if matches:
                return float(matches[0])
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and bool(self.contains(np.array([float(value)]))[0]):
            return float(self.snap(np.array([float(value)]))[0])
        raise errors.InvalidArgument(f"{self.path} must be {self.text()}", found=repr(value))

    def text(self) -> str:
        """How a play writes it, in short."""
        if self.kind == "choice":
            return f"one of {', '.join(_plain(choice) for choice in self.choices)}"
        step = f" step {_plain(self.step)}" if self.step and (self.kind == "float" or self.step != 1) else ""
        return f"{_plain(self.low)}..{_plain(self.high)}{step}{' log' if self.log else ''}"


def _plain(value: Value) -> str:
    if isinstance(value, (bool, str)):
        return str(value)
    return f"{value:.12g}"


def _decimals(value: float) -> int:
    mantissa, _, exponent = repr(float(value)).partition("e")
    _, _, fraction = mantissa.partition(".")
    return max(0, len(fraction.rstrip("0")) - int(exponent or 0))
