"""Random markets, plays, costs and accounts for the law that the two simulators are one."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from coinswarm.config import Account, Costs
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.play import expressions, model
from coinswarm.play.space import Space

TF = Timeframe.parse("5m")
FEATURES = {
    "fast": model.Feature(id="fast", indicator="sma", params=(("length", 3.0),)),
    "slow": model.Feature(id="slow", indicator="sma", params=(("length", 8.0),)),
    "rsi": model.Feature(id="rsi", indicator="rsi", params=(("length", 2.0),)),
    "atr": model.Feature(id="atr", indicator="atr", params=(("length", 2.0),)),
    "wide": model.Feature(id="wide", indicator="sma", params=(("length", 2.0),), timeframe_ms=3 * TF.ms),
}
FAST, SLOW, RSI, ATR, WIDE = (expressions.Output(name, "value") for name in FEATURES)
CLOSE = expressions.Column("close")
PRICES = [
    CLOSE,
    FAST,
    SLOW,
    WIDE,
    expressions.Column("open"),
    expressions.Column("hl2"),
    expressions.Shift(CLOSE, 2.0),
    expressions.Arithmetic("*", FAST, expressions.Literal(1.001)),
]


@st.composite
def markets(draw: st.DrawFn, max_bars: int = 300) -> Bars:
    """A random walk with jumps, holes, flat stretches and dead volume, on the grid of slower bars or off it; with funding, sometimes."""
    n = draw(st.integers(1, max_bars))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    sigma = draw(st.sampled_from([0.0, 1e-4, 2e-3, 2e-2, 0.2]))
    steps = rng.normal(0, sigma, n) + np.where(rng.random(n) < 0.02, rng.normal(0, 5 * sigma, n), 0.0)
    close = draw(st.sampled_from([1e-6, 1.0, 30_000.0])) * np.exp(np.cumsum(steps))
    gap = np.exp(rng.normal(0, draw(st.sampled_from([0.0, 0.3])) * sigma, n))
    opening = np.concatenate([close[:1], close[:-1]]) * gap
    high = np.maximum(opening, close) * np.exp(np.abs(rng.normal(0, sigma, n)) * (rng.random(n) < 0.9))
    low = np.minimum(opening, close) * np.exp(-np.abs(rng.normal(0, sigma, n)) * (rng.random(n) < 0.9))
    volume = rng.lognormal(3, 1, n) * (rng.random(n) > 0.05)
    skip = np.where(rng.random(n) < 0.02, rng.integers(1, 40, n), 0)
    ts = (np.arange(n) + np.cumsum(skip)) * TF.ms + draw(st.sampled_from([0, 0, TF.ms // 2, 47_000]))
    funding = np.arange(0, int(ts[-1]) + 1, 6 * TF.ms) if draw(st.booleans()) else np.empty(0, dtype=np.int64)
    jitter = rng.integers(-20, 20, funding.size)
    rates = rng.normal(1e-4, 5e-4, funding.size)
    return Bars(
        symbol="AAA/USDT", timeframe=TF, ts=ts.astype(np.int64), open=opening, high=high, low=low, close=close, volume=volume,
        funding_ts=(funding + jitter).astype(np.int64), funding_rate=rates,
    )  # fmt: skip


def _leaves() -> st.SearchStrategy[expressions.Condition]:
    price = st.sampled_from(PRICES)
    level = st.sampled_from([20.0, 40.0, 60.0, 80.0]).map(expressions.Literal)
    return st.one_of(
        st.builds(expressions.Compare, st.sampled_from([">", "<", ">=", "<="]), price, price),
        st.builds(expressions.Compare, st.sampled_from([">", "<"]), st.just(RSI), level),
        st.builds(expressions.Cross, price, price, st.booleans()),
        st.builds(expressions.Between, st.just(RSI), st.just(expressions.Literal(30.0)), level),
        st.builds(expressions.Near, price, price, st.just(expressions.Literal(0.2)), st.just(True)),  # noqa: FBT003
    )


def _grown(inner: st.SearchStrategy[expressions.Condition]) -> st.SearchStrategy[expressions.Condition]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    window = st.builds(
        expressions.Window,
        kind=st.sampled_from(list(expressions.WindowKind)),
        bars=st.sampled_from([1.0, 2.0, 5.0]),
        condition=inner,
        min_true=st.sampled_from([1.0, 2.0]),
        bar_ms=st.sampled_from([None, 3 * TF.ms]),
    )
    return st.one_of(st.builds(expressions.All, several), st.builds(expressions.AnyOf, several), st.builds(expressions.Not, inner), window)


CONDITIONS = st.recursive(_leaves(), _grown, max_leaves=4)
MAYBE = st.none() | CONDITIONS


def _stops() -> st.SearchStrategy[model.Stop]:
    percent = st.sampled_from([0.1, 1.0, 5.0, 150.0])
    kinds = model.StopKind
    return st.one_of(
        st.builds(model.Stop, kind=st.just(kinds.PERCENT), value=percent),
        st.builds(model.Stop, kind=st.just(kinds.ATR), value=st.sampled_from([0.5, 2.0]), level=st.just(ATR)),
        st.builds(model.Stop, kind=st.just(kinds.POINTS), value=st.sampled_from([0.01, 1.0, 300.0])),
        st.builds(
            model.Stop, kind=st.just(kinds.STRUCTURE), value=st.sampled_from([0.0, 1.0]), level=st.just(SLOW), level_short=st.just(FAST)
        ),
        st.builds(model.Stop, kind=st.just(kinds.TRAILING_PERCENT), value=percent, activation_pct=st.sampled_from([None, 0.5, 2.0])),
        st.builds(
            model.Stop, kind=st.just(kinds.TRAILING_ATR), value=st.sampled_from([1.0, 3.0]), level=st.just(ATR),
            activation_pct=st.sampled_from([None, 1.0]),
        ),
    )  # fmt: skip


def _targets() -> st.SearchStrategy[model.Target]:
    kinds = model.TargetKind
    return st.one_of(
        st.builds(model.Target, kind=st.just(kinds.PERCENT), value=st.sampled_from([0.1, 2.0, 10.0])),
        st.builds(model.Target, kind=st.just(kinds.ATR), value=st.sampled_from([0.5, 3.0]), level=st.just(ATR)),
        st.builds(model.Target, kind=st.just(kinds.POINTS), value=st.sampled_from([0.02, 500.0])),
        st.builds(model.Target, kind=st.just(kinds.R_MULTIPLE), value=st.sampled_from([1.0, 2.5])),
    )


@st.composite
def risks(draw: st.DrawFn) -> model.Risk:
    """Any risk model whose parts go together."""
    stop = draw(st.none() | _stops())
    models = [model.SizingModel.PERCENT_EQUITY, model.SizingModel.FIXED_NOTIONAL]
    target = draw(st.none() | _targets())
    if stop is None and target is not None and target.kind is model.TargetKind.R_MULTIPLE:
        target = None
    sizing = draw(st.sampled_from(models if stop is None else [*models, model.SizingModel.RISK_BASED]))
    value = draw(st.sampled_from([5.0, 100.0] if sizing is not model.SizingModel.FIXED_NOTIONAL else [50.0, 20_000.0]))
    return model.Risk(
        stop=stop,
        target=target,
        break_even=draw(
            st.none() | st.builds(model.BreakEven, activation_pct=st.sampled_from([0.2, 2.0]), offset_pct=st.sampled_from([0.0, 0.1]))
        ),
        sizing=model.Sizing(model=sizing, value=value, max_leverage=draw(st.sampled_from([None, 1.0, 3.0]))),
        limit=draw(
            st.none()
            | st.builds(
                model.Limit,
                offset_pct=st.sampled_from([0.0, 0.1, 1.0]),
                time_in_force=st.sampled_from(list(model.TimeInForce)),
                expire_after_bars=st.sampled_from([0.0, 1.0, 4.0]),
            )
        ),
        max_hold_bars=draw(st.sampled_from([None, 1.0, 7.0, 50.0])),
    )


@st.composite
def plays(draw: st.DrawFn) -> model.Play:
    """A fixed play that uses whatever the language has."""
    return model.Play(
        name="random",
        features=FEATURES,
        entry_long=draw(MAYBE),
        exit_long=draw(MAYBE),
        entry_short=draw(MAYBE),
        exit_short=draw(MAYBE),
        risk=draw(risks()),
        policy=model.Policy(
            mode=draw(st.sampled_from(list(model.Mode))),
            exit_mode=draw(st.sampled_from(list(model.ExitMode))),
            reverse=draw(st.booleans()),
            max_gap_ms=draw(st.sampled_from([None, 2 * TF.ms])),
        ),
        space=Space((), ()),
    )


ACCOUNTS = st.builds(
    Account,
    starting_equity=st.sampled_from([100.0, 10_000.0]),
    max_leverage=st.sampled_from([1.0, 5.0, 50.0]),
    max_drawdown_pct=st.sampled_from([100.0, 20.0, 1.0]),
    maintenance_margin_rate=st.sampled_from([0.0, 0.005, 0.05]),
    min_notional=st.sampled_from([0.0, 10.0]),
)
COSTS = st.builds(
    Costs,
    taker_bps=st.sampled_from([0.0, 5.5, 100.0]),
    maker_bps=st.sampled_from([0.0, 2.0]),
    slippage_bps=st.sampled_from([0.0, 2.0, 300.0]),
    slippage_volatility=st.sampled_from([0.0, 0.5]),
    slippage_participation=st.sampled_from([0.0, 0.0, 0.1]),
    max_participation=st.sampled_from([None, None, 0.1]),
    lot_step=st.sampled_from([0.0, 0.0, 0.001]),
)
