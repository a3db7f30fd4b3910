"""Features, decisions and trades of a variant in one world."""

from __future__ import annotations

from dataclasses import dataclass

from coinswarm import errors
from coinswarm.backtest.decisions import Decisions
from coinswarm.config import Account, Costs
from coinswarm.play.model import Feature, Play
from coinswarm.types import FloatArray
from coinswarm.validate.lookahead.engine import Engine, Simulator, Trading
from coinswarm.validate.lookahead.worlds import World

SIGNALS = ("entry_long", "exit_long", "entry_short", "exit_short")
LEVELS = ("stop_long", "stop_short", "target")


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class RunHistory:
    """One run.

    Attributes:
        features: (n_bars,) values by feature, or `feature.output` where there are several.
        warm: first warm bar of every feature.
        wanted: signals and levels.
        trades: by simulator, `fast` or `reference`.
    """

    features: dict[str, FloatArray]
    warm: dict[str, int]
    wanted: Decisions
    trades: dict[str, Trading]


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Witness:
    """Runs one fixed variant on an engine, again and again."""

    engine: Engine
    play: Play
    costs: Costs
    account: Account

    def history(self, world: World) -> RunHistory:
        """Features and decisions on a world; no trades yet."""
        values: dict[str, FloatArray] = {}
        warm: dict[str, int] = {}
        for feature in self.play.features.values():
            found = self._compute(feature, world)
            for output, array in found[0].items():
                values[feature.id if output == "value" else f"{feature.id}.{output}"] = array
            warm[feature.id] = found[1]
        return RunHistory(features=values, warm=warm, wanted=self.engine.decide(self.play, world.bars, world.markets), trades={})

    def _compute(self, feature: Feature, world: World) -> tuple[dict[str, FloatArray], int]:
        params = {name: value if isinstance(value, str | bool) else _number(value) for name, value in feature.params}
        market = None
        if feature.market is not None:
            market = world.markets.get(feature.market)
            if market is None:
                raise errors.not_found("market given with the bars", feature.market, world.markets)
        found = self.engine.compute(
            feature.indicator, params, world.bars, source=str(feature.source), timeframe_ms=feature.timeframe_ms, market=market,
            warmup_tolerance=self.play.warmup_tolerance,
        )  # fmt: skip
        return found.outputs, found.first

    def trades(self, simulator: str, world: World, start_ts: int | None = None) -> Trading:
        """What one of the simulators does in a world."""
        run: Simulator = getattr(self.engine, simulator)
        return run(self.play, world.bars, costs=self.costs, account=self.account, markets=world.markets, start_ts=start_ts)


def _number(value: object) -> float:
    if not isinstance(value, float | int):
        raise errors.InvalidArgument("a variant must be fixed before it is checked", found=repr(value))
    return float(value)
