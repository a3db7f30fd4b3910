"""Our own indicators and structures equal their slow, obvious twins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import coinswarm.indicators  # noqa: F401  fills the catalogue
from coinswarm.indicators import catalog, features
from coinswarm.kernels import indicators_rolling
from coinswarm.market.bars import Bars
from tests.oracles import candles, naive_indicators

QUIET_AT_FIRST = {"supertrend", "swing", "trend", "market_structure"}
TA_LIB = {
    "ema", "sma", "wma", "dema", "tema", "trima", "rsi", "atr", "natr", "cci", "willr", "roc", "mom", "mfi", "obv", "cmo", "linreg",
    "midprice", "uo", "macd", "stoch", "stochrsi", "adx", "aroon", "donchian", "dm", "ppo", "trix",
}  # fmt: skip
some = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
lengths = st.integers(2, 40)

VARIED: dict[str, dict[str, st.SearchStrategy[object]]] = {
    "zlma": {"length": lengths},
    "alma": {"length": lengths, "sigma": st.floats(1.0, 12.0), "offset": st.floats(0.0, 1.0)},
    "kama": {"length": lengths, "fast": st.integers(1, 5), "slow": st.integers(6, 60)},
    "bbands": {"length": lengths, "std": st.floats(0.5, 4.0)},
    "kc": {"length": lengths, "scalar": st.floats(0.5, 4.0)},
    "squeeze": {"bb_length": lengths, "kc_length": lengths, "mom_length": lengths, "mom_smooth": lengths},
    "tsi": {"fast": lengths, "slow": lengths, "signal": lengths},
    "fisher": {"length": lengths, "signal": st.integers(1, 5)},
    "vortex": {"length": lengths},
    "supertrend": {"length": st.integers(1, 20), "multiplier": st.floats(0.1, 4.0)},
    "psar": {"af0": st.floats(0.005, 0.1), "af": st.floats(0.005, 0.1), "max_af": st.floats(0.05, 0.5)},
    "cmf": {"length": lengths},
    "volume_ratio": {"length": lengths},
    "kvo": {"fast": lengths, "slow": lengths, "signal": lengths},
    "momentum": {"bars": lengths},
    "volatility": {"length": lengths},
    "sma_distance": {"length": lengths},
    "trend_ema": {"ema_length": lengths, "recent_bars": st.integers(1, 10)},
    "rolling_window": {"size": lengths, "mode": st.sampled_from(["max", "min"])},
    "market_structure": {"left": st.integers(1, 8), "right": st.integers(1, 8), "confirmation_close": st.booleans()},
    **{name: {"left": st.integers(1, 8), "right": st.integers(1, 8)} for name in ("swing", "trend", "anchored_vwap")},
    **{name: {} for name in ("vwap", "hour_of_day", "day_of_week", "funding_rate")},
}


@pytest.fixture(scope="module")
def real(data_dir: Path) -> Bars:
    return candles.read(data_dir / "spot5m_2024" / "binance_BTC-USDT_5m.parquet")[:1_500]


@pytest.fixture(scope="module")
def idle(data_dir: Path) -> Bars:
    return candles.read(data_dir / "spot5m_2024" / "binance_JUV-USDT_5m.parquet")[:1_500]


def _assert_equal(name: str, params: dict[str, object], bars: Bars) -> None:
    entry = catalog.CATALOG[name]
    complete = features.complete(entry, params)  # type: ignore[arg-type]
    ours = features.compute(name, complete, bars)
    for output, twin in zip(entry.outputs, naive_indicators.TWINS[name](bars, complete), strict=True):
        expected = np.array(twin, dtype=np.float64)
        if name in QUIET_AT_FIRST:
            assert np.isnan(ours.outputs[output][: ours.first]).all()
            expected[: ours.first] = np.nan
        scale = float(np.nanmedian(np.abs(expected))) if np.isfinite(expected).any() else 0.0
        np.testing.assert_allclose(ours.outputs[output], expected, rtol=1e-9, atol=1e-9 * scale, err_msg=f"{name}.{output}")


@pytest.mark.parametrize("name", sorted(VARIED))
@some
@given(data=st.data())
def test_own_indicator_equals_its_twin_on_real_bars(name: str, real: Bars, data: st.DataObject) -> None:
    _assert_equal(name, data.draw(st.fixed_dictionaries(VARIED[name])), real)


@pytest.mark.parametrize("name", sorted(VARIED))
def test_own_indicator_equals_its_twin_where_little_is_traded(name: str, idle: Bars) -> None:
    _assert_equal(name, {"mode": "max"} if name == "rolling_window" else {}, idle)


@pytest.mark.parametrize("name", sorted(VARIED))
def test_own_indicator_equals_its_twin_on_made_up_bars_with_funding(name: str) -> None:
    _assert_equal(name, {"mode": "min"} if name == "rolling_window" else {}, candles.walk(np.random.default_rng(3), 1_200))


def test_every_indicator_has_a_twin_or_is_ta_libs() -> None:
    assert set(catalog.CATALOG) == set(naive_indicators.TWINS) | TA_LIB | {"price", "ohlc4"}


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=60), st.integers(1, 12))
def test_a_rolling_sum_of_what_is_not_negative_keeps_every_digit(values: list[float], length: int) -> None:
    ours = indicators_rolling.rolling_sum(np.array(values), length)
    np.testing.assert_allclose(ours, naive_indicators.rolling_sum(values, length), rtol=1e-14)


@given(st.lists(st.sampled_from([1.0, 1.0 + 1e-9, 7.0, 1e9]), min_size=1, max_size=60), st.integers(1, 12))
def test_a_rolling_spread_keeps_its_digits_after_jumps(values: list[float], length: int) -> None:
    ours = indicators_rolling.rolling_moments(np.array(values), length)
    distance, spread = naive_indicators.rolling_moments(np.array(values), length)
    np.testing.assert_allclose(ours[1], spread, rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(ours[0], distance, rtol=1e-6, atol=1e-15 * max(values))
