"""What is known while a play is being read: its timeframes, features, dimensions and every number a constraint may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from coinswarm import errors
from coinswarm.indicators.catalog import Indicator
from coinswarm.market.timeframe import Timeframe
from coinswarm.play.dimension import Dimension
from coinswarm.play.expressions import Condition, Setting, Slot
from coinswarm.play.model import Feature
from coinswarm.play.reading.nodes import Node
from coinswarm.play.reading.problems import Place, Problems

ROLES = ("low_tf", "med_tf", "high_tf")


@dataclass(frozen=True, slots=True)
class Declared:
    """A feature or structure as declared.

    `feature` and `indicator` are None where a problem stands in its place, so that uses of it stay silent.
    """

    feature: Feature | None
    indicator: Indicator | None


@dataclass
class ReadingState:
    """One reading of one play."""

    problems: Problems
    indicators: Mapping[str, Indicator]
    dimensions: list[Dimension] = field(default_factory=list)
    varied: list[tuple[Dimension, Node]] = field(default_factory=list)
    """Every place at which a dimension stands; one with a name may stand at several."""
    places: dict[Dimension, int] = field(default_factory=dict)
    settings: dict[str, Setting] = field(default_factory=dict)
    timeframes: dict[str, Timeframe] = field(default_factory=dict)
    exec_ms: int | None = None
    declared: dict[str, Declared] = field(default_factory=dict)
    sources: dict[str, Place] = field(default_factory=dict)
    """Features that are computed of another one, by id, until that one is known."""
    chained: dict[str, int] = field(default_factory=dict)
    """How many features stand in a row behind one that is computed of another, by id."""
    setups: dict[str, Place] = field(default_factory=dict)
    read_setups: dict[str, tuple[Condition | None, int, int]] = field(default_factory=dict)

    def vary(self, dimension: Dimension, node: Node) -> Slot:
        """Add a dimension, with where it stands, and give the slot that stands for it; one that has been added is not added again."""
        self.varied.append((dimension, node))
        if dimension not in self.places:
            self.places[dimension] = len(self.dimensions)
            self.dimensions.append(dimension)
        return Slot(self.places[dimension])

    def free_name(self, path: str) -> str:
        """The path, or with a number behind it when another parameter has that name."""
        name, count = path, 1
        while name in self.settings:
            count += 1
            name = f"{path}#{count}"
        return name

    def timeframe(self, place: Place) -> Timeframe | None:
        """The timeframe a word names: a role of this play, `exec`, or a length such as 1h. None for a problem, and for exec bars."""
        text = place.word("a timeframe")
        if text is None:
            return None
        if text in self.timeframes:
            return self.timeframes[text]
        if text in ("exec", "exec_tf"):
            return None if self.exec_ms is None else Timeframe(self.exec_ms)
        if text in ROLES:
            place.refuse("a timeframe role must stand under timeframes", text, names=tuple(self.timeframes))
            return None
        return length(place, text)

    def slower(self, place: Place) -> int | None:
        """Milliseconds of a timeframe that is slower than the exec bars, None where it is theirs. Faster ones are refused."""
        timeframe = self.timeframe(place)
        if timeframe is None or timeframe.ms == self.exec_ms:
            return None
        if self.exec_ms is not None and (timeframe.ms < self.exec_ms or timeframe.ms % self.exec_ms):
            place.refuse(f"a timeframe must be a multiple of the exec timeframe, {Timeframe(self.exec_ms)}", str(timeframe))
            return None
        return timeframe.ms


def length(place: Place, text: str) -> Timeframe | None:
    """The bar length a text names, or None and a problem."""
    try:
        return Timeframe.parse(text)
    except errors.InvalidArgument as error:
        place.refuse(error.rule, text)
        return None
