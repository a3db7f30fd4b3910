"""Random families of plays, with everything the language has that may vary, and the markets they name: for laws about whole batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.play import expressions, model
from coinswarm.play.dimension import Dimension
from coinswarm.play.space import Space

TF = Timeframe.parse("5m")
OTHER = "BBB/USDT"
SOURCES = ("open", "high", "low", "close", "hl2", "hlc3", "ohlc4")
PRICE_FEATURES = ("ema", "sma", "sma", "midprice")
TRUTHS = (True, False)
STRUCTURES = (
    ("swing", "low_level", "high_level"),
    ("donchian", "lower", "upper"),
    ("market_structure", "break_level_low", "break_level_high"),
)


def market(rnd: Random, max_bars: int, symbol: str = "AAA/USDT") -> Bars:
    """A walk at any price level, in ticks or not, on any grid, with jumps, holes, flat stretches, dead volume and dear funding."""
    n = rnd.choice([rnd.randint(1, 3), rnd.randint(4, max_bars), *[max_bars] * 8])
    rng = np.random.default_rng(rnd.randrange(2**32))
    sigma = rnd.choice([0.0, 1e-4, 2e-3, 2e-3, 2e-2, 0.2])
    dear = rnd.random() < 0.3
    steps = rng.normal(0, sigma, n) * (rng.random(n) < rnd.choice([0.1, 1.0, 1.0]))
    steps += np.where(rng.random(n) < rnd.choice([0.0, 0.02]), rng.normal(0, rnd.choice([5 * sigma, 5 * sigma if dear else 5.0]), n), 0.0)
    close = rnd.choice([1e-8, 1.0, 100.0, 30_000.0, 1e8]) * np.exp(np.clip(np.cumsum(steps), -14.0, 14.0))
    opening = np.concatenate([close[:1], close[:-1]]) * np.exp(rng.normal(0, rnd.choice([0.0, 0.3]) * sigma, n))
    tick = rnd.choice([0.0, close[0] * 1e-2, close[0] * 1e-3])
    high = np.maximum(opening, close) * np.exp(np.abs(rng.normal(0, sigma, n)) * (rng.random(n) < 0.9))
    low = np.minimum(opening, close) * np.exp(-np.abs(rng.normal(0, sigma, n)) * (rng.random(n) < 0.9))
    columns = [np.maximum(np.rint(column / tick), 1.0) * tick if tick else column for column in (opening, high, low, close)]
    ts = (rnd.choice([0, 0, 0, 7, 100]) + np.arange(n) + np.cumsum(np.where(rng.random(n) < 0.02, rng.integers(1, 40, n), 0))) * TF.ms
    ts += rnd.choice([0, 0, TF.ms // 2, 47_000])
    paid = np.arange(ts[0], ts[-1] + 1, 6 * TF.ms) if rnd.random() < 0.4 else np.empty(0, dtype=np.int64)
    volume = rng.lognormal(3, 1, n) * (rng.random(n) > rnd.choice([0.05, 0.05, 1.0]))
    return Bars(
        symbol=symbol, timeframe=TF, ts=ts.astype(np.int64), volume=volume,
        open=columns[0], high=columns[1], low=columns[2], close=columns[3],
        funding_ts=(paid + rng.integers(-20, 20, paid.size)).astype(np.int64),
        funding_rate=rng.normal(1e-4, 0.05 if dear else 5e-4, paid.size),
    )  # fmt: skip


@dataclass
class Maker:
    """Writes a play out of random choices; what may vary becomes a slot."""

    rnd: Random
    vary: float = 0.35
    dimensions: list[Dimension] = field(default_factory=list)
    features: dict[str, model.Feature] = field(default_factory=dict)

    def number(self, *values: float, whole: bool = False) -> expressions.Number:
        """One of the values, or a dimension over them."""
        if self.rnd.random() > self.vary:
            return float(self.rnd.choice(values))
        path, low, high = f"d{len(self.dimensions)}", float(min(values)), float(max(values))
        kinds = ["choice", "range"] if whole or low <= 0.0 else ["choice", "range", "grid", "log"]
        match self.rnd.choice(kinds if high > low else ["choice"]):
            case "choice":
                return self.slot(Dimension.choice(path, tuple(float(value) for value in dict.fromkeys(values))))
            case "range":
                kind: Any = "int" if whole else "float"
                return self.slot(Dimension(path=path, kind=kind, low=low, high=high, step=1.0 if whole else 0.0))
            case "grid":
                return self.slot(Dimension(path=path, kind="float", low=low, high=high, step=(high - low) / self.rnd.choice([2, 8])))
            case _:
                return self.slot(Dimension(path=path, kind="float", low=low, high=high, step=0.0, log=True))

    def word(self, *words: str | bool) -> Any:
        """One of the words, or a dimension over some of them in any order."""
        if self.rnd.random() > self.vary:
            return self.rnd.choice(words)
        chosen = tuple(self.rnd.sample(words, self.rnd.randint(1, len(words))))
        return self.slot(Dimension.choice(f"d{len(self.dimensions)}", chosen))

    def slot(self, dimension: Dimension) -> expressions.Slot:
        """A new dimension."""
        self.dimensions.append(dimension)
        return expressions.Slot(len(self.dimensions) - 1)

    # --- operands -------------------------------------------------------------------------------------------------------

    def output(
        self,
        indicator: str,
        output: str = "value",
        source: expressions.Setting | expressions.Output = "close",
        **params: expressions.Setting,
    ) -> expressions.Output:
        """An output of a new feature, on a slower timeframe or another market at times, on that of its source where it is another one."""
        name = f"f{len(self.features)}"
        slow = self.rnd.choice([None] * 20 + [TF.ms, 3 * TF.ms, 3 * TF.ms, 24 * TF.ms])
        other = self.rnd.choice([None] * 15 + [OTHER])
        if isinstance(source, expressions.Output):
            slow, other = self.features[source.feature].timeframe_ms, self.features[source.feature].market
        self.features[name] = model.Feature(
            id=name, indicator=indicator, params=tuple(sorted(params.items())), source=source, timeframe_ms=slow, market=other
        )
        return expressions.Output(name, output)

    def source(self) -> expressions.Setting | expressions.Output:
        """A column, or another feature: of one that has values everywhere, here and there, or almost nowhere."""
        match self.rnd.randrange(8):
            case 0:
                return self.output("psar", self.rnd.choice(["long", "short"]), af0=0.02, af=self.number(0.02, 0.1), max_af=0.2)
            case 1:
                return self.output("funding_rate")
            case 2:
                return self.output("volume_ratio", length=self.number(1, 3, whole=True))
            case 3:
                return self.output(self.rnd.choice(("ema", "rsi", "mom")), source=self.source(), length=self.number(2, 4, whole=True))
            case _:
                return self.word(*SOURCES)

    def price(self) -> expressions.Operand:
        """Something measured in the quote currency."""
        match self.rnd.randrange(7):
            case 0 | 1:
                return expressions.Column(self.rnd.choice(SOURCES))
            case 2 | 3:
                indicator = self.rnd.choice(PRICE_FEATURES)
                if indicator == "midprice":
                    return self.output(indicator, length=self.number(2, 5, 12, whole=True))
                return self.output(indicator, source=self.source(), length=self.number(2, 3, 5, whole=True))
            case 4:
                words = {"mode": self.word("max", "min"), "source": self.word("close", "high", "low")}
                return self.output("rolling_window", size=self.number(2, 12, whole=True), **words)
            case 5:
                return expressions.Shift(self.price(), self.number(*self.rnd.choice([(0, 1, 3), (0, 1, 3), (3, 70)]), whole=True))
            case _:
                scale = expressions.Literal(self.number(0.99, 1.0, 1.01))
                return expressions.Arithmetic(self.rnd.choice("+-*/%"), self.price(), self.rnd.choice([scale, self.price()]))

    def condition(self, depth: int = 2) -> expressions.Condition:
        """Any condition."""
        if depth == 0 or self.rnd.random() < 0.3:
            return self.leaf()
        several = tuple(self.condition(depth - 1) for _ in range(self.rnd.choice([0, 1, 1, 2, 2, 2, 3])))
        match self.rnd.randrange(5):
            case 0:
                return expressions.All(several)
            case 1:
                return expressions.AnyOf(several)
            case 2:
                return expressions.Not(self.condition(depth - 1))
            case _:
                spans = self.rnd.choice([(1, 2, 5), (1, 2, 5), (1, 2, 5), (5, 65), (2, 1000)])
                return expressions.Window(
                    kind=self.rnd.choice(list(expressions.WindowKind)), bars=self.number(*spans, whole=True),
                    condition=self.condition(depth - 1), min_true=self.number(1, 2, 3, whole=True),
                    bar_ms=self.rnd.choice([None, None, None, None, 3 * TF.ms, TF.ms // 2, 24 * TF.ms]),
                )  # fmt: skip

    def leaf(self) -> expressions.Condition:
        """A condition on operands."""
        rsi = self.output("rsi", length=self.number(2, 4, whole=True))
        match self.rnd.randrange(8):
            case 0:
                return expressions.Compare(self.rnd.choice(["<", ">", "<", ">", "<=", ">=", "==", "!="]), self.price(), self.price())
            case 1:
                return expressions.Compare(self.rnd.choice(["<", ">"]), rsi, expressions.Literal(self.number(20, 40, 50, 60, 80)))
            case 2:
                return expressions.Cross(self.price(), self.price(), self.rnd.random() < 0.5)
            case 3:
                return expressions.Between(rsi, expressions.Literal(self.number(0, 30)), expressions.Literal(self.number(50, 70, 100)))
            case 4:
                return expressions.Near(
                    self.price(), self.price(), expressions.Literal(self.number(0.1, 0.7, 1.0)), self.rnd.random() < 0.7
                )
            case 5:
                hour = self.output("hour_of_day")
                return expressions.Member(
                    hour, tuple(expressions.Literal(self.number(1, 3, 7, whole=True)) for _ in range(self.rnd.choice([1, 3])))
                )
            case 6:
                params = {"left": self.number(1, 3, whole=True), "right": self.number(1, 2, whole=True)}
                bias = self.output("market_structure", "bias", confirmation_close=self.word(*TRUTHS), **params)
                return expressions.Compare(self.rnd.choice(["==", "!="]), bias, expressions.Literal(self.number(-1, 0, 1)))
            case _:
                state = self.output("trend_ema", "state", ema_length=self.number(2, 4, whole=True), recent_bars=3.0)
                return expressions.Compare("==", state, expressions.Literal(self.number(-1, 0, 1)))

    # --- risk -----------------------------------------------------------------------------------------------------------

    def atr(self) -> expressions.Output:
        """A true range."""
        return self.output("atr", length=self.number(1, 2, 3, whole=True))

    def stop(self) -> model.Stop | None:
        """Any stop or none."""
        kind: model.StopKind | None = self.rnd.choice([None, *model.StopKind])
        percent, multiple = self.number(0.1, 1.0, 2.0, 5.0, 150.0), self.number(0.5, 1.0, 3.0)
        activation = self.rnd.choice([None, self.number(0.5, 2.0)])
        match kind:
            case None:
                return None
            case model.StopKind.PERCENT:
                return model.Stop(kind=kind, value=percent)
            case model.StopKind.TRAILING_PERCENT:
                return model.Stop(kind=kind, value=percent, activation_pct=activation)
            case model.StopKind.POINTS:
                return model.Stop(kind=kind, value=self.number(1e-9, 0.01, 1.0, 300.0))
            case model.StopKind.STRUCTURE:
                return self.structure(kind)
            case model.StopKind.ATR:
                return model.Stop(kind=kind, value=multiple, level=self.atr())
            case _:
                return model.Stop(kind=kind, value=multiple, level=self.atr(), activation_pct=activation)

    def structure(self, kind: model.StopKind) -> model.Stop:
        """A stop at levels that a structure finds."""
        indicator, below, above = self.rnd.choice(STRUCTURES)
        if indicator == "donchian":
            found = self.output(indicator, below, lower_length=self.number(3, 9, whole=True), upper_length=self.number(3, 9, whole=True))
        else:
            found = self.output(indicator, below, left=self.number(1, 3, whole=True), right=self.number(1, 2, whole=True))
        return model.Stop(kind=kind, value=self.number(0.0, 1.0), level=found, level_short=expressions.Output(found.feature, above))

    def target(self, stop: model.Stop | None) -> model.Target | None:
        """Any target that goes with the stop, or none."""
        kinds = [None, *(kind for kind in model.TargetKind if stop or kind is not model.TargetKind.R_MULTIPLE)]
        kind: model.TargetKind | None = self.rnd.choice(kinds)
        if kind is None:
            return None
        value = self.number(1e-9, 0.02, 500.0) if kind is model.TargetKind.POINTS else self.number(0.1, 1.0, 2.0, 10.0)
        return model.Target(kind=kind, value=value, level=self.atr() if kind is model.TargetKind.ATR else None)

    def sizing(self, stop: model.Stop | None) -> model.Sizing:
        """Any size that goes with the stop."""
        chosen = self.rnd.choice([each for each in model.SizingModel if stop or each is not model.SizingModel.RISK_BASED])
        fixed = chosen is model.SizingModel.FIXED_NOTIONAL
        value = self.number(10.0, 50.0, 20_000.0) if fixed else self.number(1.0, 10.0, 100.0)
        return model.Sizing(model=chosen, value=value, max_leverage=self.rnd.choice([None, self.number(1.0, 3.0, 7.0)]))

    def risk(self) -> model.Risk:
        """Any risk model whose parts go together."""
        stop = self.stop()
        return model.Risk(
            stop=stop,
            target=self.target(stop),
            break_even=self.rnd.choice(
                [None, None, model.BreakEven(activation_pct=self.number(0.2, 2.0), offset_pct=self.number(0.0, 0.1))]
            ),
            sizing=self.sizing(stop),
            limit=self.rnd.choice([None, None, self.limit()]),
            max_hold_bars=self.rnd.choice([None, None, self.number(1, 2, 7, 50, whole=True)]),
        )

    def limit(self) -> model.Limit:
        """Any limit order."""
        force = self.rnd.choice(list(model.TimeInForce))
        return model.Limit(offset_pct=self.number(0.0, 0.1, 1.0), time_in_force=force, expire_after_bars=self.number(0, 1, 4, whole=True))


def family(rnd: Random, vary: float = 0.35) -> model.Play:
    """A play that uses whatever the language has, with any number of dimensions."""
    maker = Maker(rnd, vary)
    conditions = {
        name: maker.condition(rnd.randint(0, 2)) if rnd.random() < 0.8 else None
        for name in ("entry_long", "exit_long", "entry_short", "exit_short")
    }
    policy = model.Policy(
        mode=rnd.choice(list(model.Mode)), exit_mode=rnd.choice(list(model.ExitMode)), reverse=rnd.random() < 0.5,
        max_gap_ms=rnd.choice([None, 2 * TF.ms]),
    )  # fmt: skip
    risk = maker.risk()
    space = Space(tuple(maker.dimensions), ())
    return model.Play(name="family", features=maker.features, risk=risk, policy=policy, space=space, **conditions)
