"""How many bars the features of a play ask for before they may be used, and which of them asks for most."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from coinswarm import errors
from coinswarm.indicators import features
from coinswarm.market.timeframe import Timeframe
from coinswarm.play import describe
from coinswarm.play.dimension import Dimension, Value
from coinswarm.play.expressions import Output, Slot
from coinswarm.play.model import Feature, Play

MUCH = 0.2
"""Share of the data above which a warm-up is worth a warning."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WarmUp:
    """The wait for the slowest feature.

    Attributes:
        bars: exec bars that its declaration asks for; a feature that waits for an event, such as a swing, may take longer.
        feature: its id in the play, and what it is, such as `slow: ema(200) on 1h`; empty when no feature waits.
    """

    bars: int
    feature: str = ""

    def share(self, n_bars: int) -> float:
        """Part of `n_bars` bars of data, in [0, 1]."""
        return min(1.0, self.bars / n_bars) if n_bars else 1.0

    def too_long(self, n_bars: int) -> bool:
        """Whether it takes more of the data than most would expect."""
        return self.share(n_bars) > MUCH

    def text(self, n_bars: int | None = None) -> str:
        """In words: `2,963 bars, 49.5 % of 5,980 (slow: ema(200) on 1h)`."""
        of = "" if n_bars is None else f", {100 * self.share(n_bars):.1f} % of {n_bars:,}"
        return f"{self.bars:,} bar{'' if self.bars == 1 else 's'}{of}{f' ({self.feature})' if self.feature else ''}"

    def needs(self, exec_ms: int, n_bars: int) -> str:
        """Why `n_bars` bars are too few: `slow: ema(200) on 1h needs 2,963 bars of 1h, there are 1,200`."""
        return f"{self.feature or 'a decision'} needs {self.bars:,} bars of {Timeframe(exec_ms)}, there are {n_bars:,}"

    def advice(self, tolerance: float) -> str:
        """What makes it shorter."""
        return f"shorter features, more bars, or a warm-up tolerance above {tolerance:g} make it shorter"


def of(variant: Play, exec_ms: int) -> WarmUp:
    """The warm-up of a fixed play on exec bars of `exec_ms`.

    Raises:
        InvalidArgument: the play has open dimensions.
    """
    if variant.space.dimensions:
        raise errors.InvalidArgument("one variant has a warm-up; fix the play first", found=f"{len(variant.space.dimensions)} dimensions")
    return spread(variant, exec_ms)[1]


def spread(play: Play, exec_ms: int) -> tuple[WarmUp, WarmUp]:
    """The shortest and the longest warm-up of a play's variants, from the ends of its ranges; rules between them are not looked at."""
    least, most = WarmUp(bars=0), WarmUp(bars=0)
    for feature in play.features.values():
        shortest, longest = (_told(feature, asked, exec_ms) for asked in _asked(play, feature))
        least = max(least, shortest, key=_bars)
        most = max(most, longest, key=_bars)
    return least, most


def _bars(one: WarmUp) -> int:
    return one.bars


def of_feature(variant: Play, feature: Feature, exec_ms: int) -> WarmUp:
    """The warm-up of one feature of a fixed play."""
    return _told(feature, _asked(variant, feature)[1], exec_ms)


_Asked = tuple[int, Mapping[str, Value]]
"""Bars of its own that a feature waits for, with the parameters that ask for them."""


def _asked(play: Play, feature: Feature) -> tuple[_Asked, _Asked]:
    """The least and the most that a feature waits for: its own warm-up, after that of the feature it is computed of."""
    asked = [(features.warm_up(feature.indicator, params, play.warmup_tolerance), params) for params in _settings(play, feature)]
    least, most = min(asked, key=operator.itemgetter(0)), max(asked, key=operator.itemgetter(0))
    if not isinstance(feature.source, Output):
        return least, most
    before = _asked(play, play.features[feature.source.feature])
    return (least[0] + before[0][0], least[1]), (most[0] + before[1][0], most[1])


def _told(feature: Feature, asked: _Asked, exec_ms: int) -> WarmUp:
    own, params = asked
    slower = max(1, (feature.timeframe_ms or exec_ms) // exec_ms)
    return WarmUp(bars=own if slower == 1 else (own + 2) * slower, feature=described(feature, params))


def described(feature: Feature, params: Mapping[str, Value]) -> str:
    """A feature with its parameters: `slow: ema(200) on 1h of BTC/USDT`, or `fund_avg: sma(fund, 24)` where another one is its source."""
    named = [describe.operand(feature.source)] if isinstance(feature.source, Output) else []
    values = ", ".join([*named, *(describe.setting(value) for value in params.values())])
    where = f" on {Timeframe(feature.timeframe_ms)}" if feature.timeframe_ms else ""
    market = f" of {feature.market}" if feature.market else ""
    return f"{feature.id}: {feature.indicator}({values}){where}{market}"


def _settings(play: Play, feature: Feature) -> Iterator[dict[str, Value]]:
    """Parameters at the ends of what they may be: of a fixed play, as they are."""
    names = [name for name, _ in feature.params]
    ends = [_ends(play.space.dimensions[value.index]) if isinstance(value, Slot) else (value,) for _, value in feature.params]
    return (dict(zip(names, values, strict=True)) for values in itertools.product(*ends))


def _ends(dimension: Dimension) -> tuple[Value, ...]:
    if any(isinstance(choice, (str, bool)) for choice in dimension.choices):
        return dimension.choices
    if dimension.kind == "choice":
        return min(dimension.choices), max(dimension.choices)
    return dimension.decode(dimension.low), dimension.decode(dimension.high)
