"""What TA-Lib covers equals TA-Lib on real bars."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import talib

import coinswarm.indicators  # noqa: F401  fills the catalogue
from coinswarm.indicators import features
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray
from tests.oracles import candles

Theirs = Callable[[Bars], tuple[FloatArray, ...]]


@pytest.fixture(scope="module", params=["BTC", "DOGE"])
def real(request: pytest.FixtureRequest, data_dir: Path) -> Bars:
    return candles.read(data_dir / "spot5m_2024" / f"binance_{request.param}-USDT_5m.parquet")


CASES: dict[str, tuple[dict[str, float | str], Theirs]] = {
    "ema": ({"length": 21}, lambda b: (talib.EMA(b.close, 21),)),
    "sma": ({"length": 21}, lambda b: (talib.SMA(b.close, 21),)),
    "wma": ({"length": 21}, lambda b: (talib.WMA(b.close, 21),)),
    "dema": ({"length": 21}, lambda b: (talib.DEMA(b.close, 21),)),
    "tema": ({"length": 21}, lambda b: (talib.TEMA(b.close, 21),)),
    "trima": ({"length": 21}, lambda b: (talib.TRIMA(b.close, 21),)),
    "kama": ({"length": 21}, lambda b: (talib.KAMA(b.close, 21),)),
    "rsi": ({"length": 7}, lambda b: (talib.RSI(b.close, 7),)),
    "atr": ({"length": 7}, lambda b: (talib.ATR(b.high, b.low, b.close, 7),)),
    "natr": ({"length": 7}, lambda b: (talib.NATR(b.high, b.low, b.close, 7),)),
    "cci": ({"length": 7}, lambda b: (talib.CCI(b.high, b.low, b.close, 7),)),
    "willr": ({"length": 7}, lambda b: (talib.WILLR(b.high, b.low, b.close, 7),)),
    "roc": ({"length": 7}, lambda b: (talib.ROC(b.close, 7),)),
    "mom": ({"length": 7}, lambda b: (talib.MOM(b.close, 7),)),
    "mfi": ({"length": 7}, lambda b: (talib.MFI(b.high, b.low, b.close, b.volume, 7),)),
    "obv": ({}, lambda b: (talib.OBV(b.close, b.volume),)),
    "cmo": ({"length": 7}, lambda b: (talib.CMO(b.close, 7),)),
    "linreg": ({"length": 7}, lambda b: (talib.LINEARREG(b.close, 7),)),
    "midprice": ({"length": 7}, lambda b: (talib.MIDPRICE(b.high, b.low, 7),)),
    "uo": ({"fast": 5, "medium": 10, "slow": 20}, lambda b: (talib.ULTOSC(b.high, b.low, b.close, 5, 10, 20),)),
    "macd": ({"fast": 8, "slow": 21, "signal": 5}, lambda b: tuple(talib.MACD(b.close, 8, 21, 5))),
    "stoch": ({"k": 9, "smooth_k": 4, "d": 5}, lambda b: tuple(talib.STOCH(b.high, b.low, b.close, 9, 4, 0, 5, 0))),
    "stochrsi": ({"length": 10, "rsi_length": 14, "k": 3, "d": 1}, lambda b: (talib.STOCHRSI(b.close, 14, 10, 3, 0)[1],)),
    "adx": (
        {"length": 7},
        lambda b: tuple(call(b.high, b.low, b.close, 7) for call in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI, talib.ADXR)),
    ),
    "aroon": ({"length": 7}, lambda b: (*reversed(talib.AROON(b.high, b.low, 7)), talib.AROONOSC(b.high, b.low, 7))),
    "dm": ({"length": 7}, lambda b: (talib.PLUS_DM(b.high, b.low, 7), talib.MINUS_DM(b.high, b.low, 7))),
    "donchian": (
        {"lower_length": 7, "upper_length": 9},
        lambda b: (talib.MIN(b.low, 7), (talib.MIN(b.low, 7) + talib.MAX(b.high, 9)) / 2, talib.MAX(b.high, 9)),
    ),
    "ppo": ({"fast": 8, "slow": 21, "mamode": "ema"}, lambda b: (talib.PPO(b.close, 8, 21, 1),)),
    "trix": ({"length": 7}, lambda b: (talib.TRIX(b.close, 7),)),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_values_are_ta_libs(name: str, real: Bars) -> None:
    params, theirs = CASES[name]
    ours = features.compute(name, params, real).outputs
    for (output, values), expected in zip(ours.items(), theirs(real), strict=False):
        np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9 * float(np.nanmedian(np.abs(expected))), err_msg=output)


def test_bollinger_bands_are_ta_libs(real: Bars) -> None:
    ours = features.compute("bbands", {"length": 20, "std": 2.5}, real).outputs
    for name, theirs in zip(("upper", "middle", "lower"), talib.BBANDS(real.close, 20, 2.5, 2.5), strict=True):
        np.testing.assert_allclose(ours[name], theirs, rtol=1e-9)


@pytest.mark.parametrize(("first", "step", "most"), [(0.02, 0.02, 0.2), (0.05, 0.01, 0.3)])
def test_the_parabolic_stop_is_ta_libs(real: Bars, first: float, step: float, most: float) -> None:
    ours = features.compute("psar", {"af0": first, "af": step, "max_af": most}, real).outputs
    line = np.where(np.isnan(ours["long"]), ours["short"], ours["long"])
    theirs = np.abs(talib.SAREXT(real.high, real.low, 0.0, 0.0, first, step, most, first, step, most))
    np.testing.assert_allclose(line, theirs, rtol=1e-9)
