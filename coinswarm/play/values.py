"""Values of a fixed play's features on bars, each feature computed once and after the one that it is computed of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from coinswarm import errors
from coinswarm.indicators import features
from coinswarm.indicators.features import Computed, Series
from coinswarm.market.bars import Bars
from coinswarm.play.expressions import Output, Setting, Slot
from coinswarm.play.model import Play


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class FeatureValues:
    """The features of one play on one set of bars.

    Attributes:
        play: one variant; every slot replaced.
        bars: (n_bars,) candles it trades on.
        markets: candles of the other markets that features name, by canonical symbol.
        compute: `coinswarm.indicators.features.compute`, or what stands in for it.
    """

    play: Play
    bars: Bars
    markets: Mapping[str, Bars]
    compute: Callable[..., Computed] = features.compute
    computed: dict[str, Computed] = field(default_factory=dict)

    def of(self, name: str) -> Computed:
        """One feature, by its id: (n_bars,) values an output, each known at the close of its bar, and the first that may be used.

        Raises:
            InvalidArgument: one of its parameters is still open.
            NotFound: it names a market that is not among `markets`.
        """
        if name not in self.computed:
            self.computed[name] = self._made(name)
        return self.computed[name]

    def _made(self, name: str) -> Computed:
        feature = self.play.features[name]
        market = None
        if feature.market is not None and feature.market != self.bars.symbol:
            market = self.markets.get(feature.market)
            if market is None:
                raise errors.not_found("market given with the bars", feature.market, self.markets)
        return self.compute(
            feature.indicator, {key: _fixed(value) for key, value in feature.params}, self.bars, source=self._source(feature.source),
            timeframe_ms=feature.timeframe_ms, market=market, warmup_tolerance=self.play.warmup_tolerance,
        )  # fmt: skip

    def _source(self, source: Setting | Output) -> str | Series:
        return self.of(source.feature).series[source.output] if isinstance(source, Output) else str(_fixed(source))


def _fixed(value: Setting) -> float | str | bool:
    if isinstance(value, Slot):
        raise errors.InvalidArgument(
            "a play must be fixed before its features are computed", found=f"open dimension {value.index}", hint="fix it with a genome"
        )
    return value
