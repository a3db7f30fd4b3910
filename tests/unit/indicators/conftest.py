"""Bars to try indicators on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from coinswarm.market.bars import Bars
from tests.oracles import candles


@pytest.fixture(scope="session")
def btc(data_dir: Path) -> Bars:
    """A hundred days of five-minute bars of BTC/USDT."""
    return candles.read(data_dir / "spot5m_2024" / "binance_BTC-USDT_5m.parquet")[10_000:38_800]


@pytest.fixture(scope="session")
def thin(data_dir: Path) -> Bars:
    """A market with bars without volume and without any move."""
    return candles.read(data_dir / "spot5m_2024" / "binance_JUV-USDT_5m.parquet")[:8_000]


@pytest.fixture(scope="session")
def walk() -> Bars:
    """Six thousand made-up bars, with funding every eight hours."""
    return candles.walk(np.random.default_rng(7), 6_000)
