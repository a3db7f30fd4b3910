"""Real candles that a shipped play can trade on."""

from __future__ import annotations

from pathlib import Path

from coinswarm.market import files, resample
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.play.model import Play

FIVE_MINUTES = Timeframe.parse("5m")


def for_play(read: Play, data_dir: Path) -> Bars:
    """Two months of 5-minute bars, or all there are on the slower bars of the play; of a perpetual, with funding, where it names one."""
    perpetual = any(":" in symbol for symbol in read.symbols)
    name = "perp1m_2025/binance_BTC-USDT-PERP_1m" if perpetual else "spot5m_2024/binance_BTC-USDT_5m"
    bars = files.read(data_dir / f"{name}.parquet")
    length = Timeframe(read.timeframe_ms or FIVE_MINUTES.ms)
    return resample.resample(bars, length) if length.ms > FIVE_MINUTES.ms else bars[20_000:36_000]
