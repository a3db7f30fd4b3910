"""Features, decisions and trades of a variant in one world."""

from __future__ import annotations

from dataclasses import dataclass

from coinswarm.backtest.decisions import Decisions
from coinswarm.config import Account, Costs
from coinswarm.play.model import Play
from coinswarm.play.values import FeatureValues
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
        features = FeatureValues(play=self.play, bars=world.bars, markets=world.markets, compute=self.engine.compute)
        for name in self.play.features:
            found = features.of(name)
            for output, array in found.outputs.items():
                values[name if output == "value" else f"{name}.{output}"] = array
            warm[name] = found.first
        return RunHistory(features=values, warm=warm, wanted=self.engine.decide(self.play, world.bars, world.markets), trades={})

    def trades(self, simulator: str, world: World, start_ts: int | None = None) -> Trading:
        """What one of the simulators does in a world."""
        run: Simulator = getattr(self.engine, simulator)
        return run(self.play, world.bars, costs=self.costs, account=self.account, markets=world.markets, start_ts=start_ts)
