"""A pattern: conditions that all hold when a trade is decided. It is data: it can be stored, compared, described and applied to trades."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from coinswarm import codec, errors
from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.types import BoolArray

SIDES = {"long": 1, "short": -1}


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """`low <= value < high` of a feature's state at the decision; a missing value fulfils nothing."""

    feature: str
    low: float = -math.inf
    high: float = math.inf

    def holds(self, trades: ChaosTrades) -> BoolArray:
        """(n_trades,) which trades fulfil it."""
        if self.feature not in trades.features:
            raise errors.not_found("feature of these trades", self.feature, trades.features)
        value = trades.state[:, trades.features.index(self.feature)]
        return np.asarray((value >= self.low) & (value < self.high))

    def __str__(self) -> str:
        if math.isinf(self.low):
            return f"{self.feature} < {self.high:.4g}"
        return f"{self.feature} >= {self.low:.4g}" if math.isinf(self.high) else f"{self.low:.4g} <= {self.feature} < {self.high:.4g}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """Held for `low` to `high` bars, both included."""

    low: int
    high: int

    def holds(self, trades: ChaosTrades) -> BoolArray:
        """(n_trades,) which trades fulfil it."""
        return np.asarray((trades.hold >= self.low) & (trades.hold <= self.high))

    def __str__(self) -> str:
        return f"held {self.low} to {self.high} bars" if self.low < self.high else f"held {self.low} bars"


@dataclass(frozen=True, kw_only=True, slots=True)
class Market:
    """Traded in one market, named by the key of its data set."""

    key: str

    def holds(self, trades: ChaosTrades) -> BoolArray:
        """(n_trades,) which trades fulfil it."""
        number = trades.markets.index(self.key) if self.key in trades.markets else -1
        return np.asarray(trades.market == number)

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """Traded long (+1) or short (-1)."""

    sign: int

    def holds(self, trades: ChaosTrades) -> BoolArray:
        """(n_trades,) which trades fulfil it."""
        return np.asarray(trades.side == self.sign)

    def __str__(self) -> str:
        return "long" if self.sign > 0 else "short"


Condition = Band | Hold | Market | Side


@dataclass(frozen=True, slots=True)
class Pattern:
    """Conditions on different things, all of which hold."""

    conditions: tuple[Condition, ...]

    def mask(self, trades: ChaosTrades) -> BoolArray:
        """(n_trades,) which trades fulfil every condition.

        Raises:
            NotFound: the trades do not have a feature of it.
        """
        chosen = np.ones(len(trades), dtype=np.bool_)
        for condition in self.conditions:
            chosen &= condition.holds(trades)
        return chosen

    def __str__(self) -> str:
        return " and ".join(map(str, self.conditions)) or "every trade"

    @property
    def stratum(self) -> Pattern:
        """Its conditions on hold, market and side alone: the trades that it is fair to compare it with."""
        return Pattern(tuple(condition for condition in self.conditions if not isinstance(condition, Band)))

    @property
    def features(self) -> tuple[str, ...]:
        """The features it looks at."""
        return tuple(condition.feature for condition in self.conditions if isinstance(condition, Band))


def to_json(pattern: Pattern) -> list[dict[str, Any]]:
    """The conditions as JSON, in one order whatever order they were found in; an open end is null."""
    return sorted((_plain(condition) for condition in pattern.conditions), key=lambda entry: json.dumps(entry, sort_keys=True))


def from_json(stored: Iterable[Mapping[str, Any]]) -> Pattern:
    """The pattern that `to_json` wrote.

    Raises:
        InvalidArgument: a condition is of no kind that is known, or misses a part.
    """
    try:
        return Pattern(tuple(_read(entry) for entry in stored))
    except (KeyError, TypeError, ValueError) as error:
        raise errors.InvalidArgument("conditions must be of kind state, hold, market or side and complete", found=str(error)) from error


def identity(pattern: Pattern) -> str:
    """SHA-256 over the conditions: the same conditions in any order give the same."""
    return codec.canonical_hash(to_json(pattern))


def _plain(condition: Condition) -> dict[str, Any]:
    match condition:
        case Band(feature=feature, low=low, high=high):
            return {"kind": "state", "feature": feature, "low": _open(low), "high": _open(high)}
        case Hold(low=least, high=most):
            return {"kind": "hold", "low": least, "high": most}
        case Market(key=key):
            return {"kind": "market", "is": key}
        case Side(sign=sign):
            return {"kind": "side", "is": "long" if sign > 0 else "short"}


def _open(edge: float) -> float | None:
    return edge if math.isfinite(edge) else None


def _read(entry: Mapping[str, Any]) -> Condition:
    match entry["kind"]:
        case "state":
            low, high = entry["low"], entry["high"]
            return Band(feature=entry["feature"], low=-math.inf if low is None else low, high=math.inf if high is None else high)
        case "hold":
            return Hold(low=int(entry["low"]), high=int(entry["high"]))
        case "market":
            return Market(key=str(entry["is"]))
        case "side":
            return Side(sign=SIDES[entry["is"]])
        case kind:
            raise ValueError(f"kind {kind}")
