"""The workloads: plays beside this file, on real candles."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from coinswarm import fitness, market, play
from coinswarm.config import Costs
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray

HERE = Path(__file__).resolve().parent
SPOT, PERPETUAL = "spot5m_2024/binance_BTC-USDT_5m.parquet", "perp1m_2025/binance_BTC-USDT-PERP_1m.parquet"
FEE = 0.00055
SAME_FEES = Costs(taker_bps=5.5, maker_bps=5.5, slippage_bps=0.0)
"""What the peers can do too: one fee, no slippage."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One row of the benchmark: a play with its variants, on bars, at costs."""

    name: str
    text: str
    bars: Bars
    costs: Costs
    genomes: FloatArray

    @property
    def variant_bars(self) -> int:
        """Variants times bars: what there is to do."""
        return len(self.genomes) * len(self.bars)

    def fresh(self) -> fitness.Scorer:
        """A scorer of a play just read: nothing is remembered but the bars."""
        return fitness.Scorer(play.loads(self.text), self.bars, costs=self.costs)

    def cold(self) -> Callable[[], np.ndarray]:
        """Work to time: everything from bars and a play just read to every figure of every variant."""
        read = play.loads(self.text)
        return lambda: fitness.Scorer(read, self.bars, costs=self.costs).score(self.genomes)

    def of(self, *, n_variants: int | None = None, bars: Bars | None = None) -> Workload:
        """The same on the first variants or on other bars."""
        return replace(self, genomes=self.genomes[:n_variants], bars=self.bars if bars is None else bars)


def data_dir() -> Path:
    """The folder of real candles, as the tests find it."""
    named = os.environ.get("COINSWARM_TEST_DATA")
    return Path(named) if named else HERE.parents[2] / "shared" / "data"


def load(name: str) -> Workload:
    """The workload whose play's file begins with `name`, its variants in an order without pattern."""
    text = next((HERE / "plays").glob(f"{name.lower()}_*.yml")).read_text()
    bars = market.read_bars(data_dir() / (PERPETUAL if name == "W5" else SPOT))
    genomes = play.loads(text).space.enumerate(10_000)
    costs = Costs() if name == "W5" else SAME_FEES
    return Workload(name=name, text=text, bars=bars, costs=costs, genomes=np.random.default_rng(1).permutation(genomes))


def repeated(bars: Bars, times: int) -> Bars:
    """The same candles end to end, their times going on."""
    ts = bars.ts[0] + bars.timeframe.ms * np.arange(len(bars) * times)
    return replace(bars, ts=ts, **{name: np.tile(getattr(bars, name), times) for name in ("open", "high", "low", "close", "volume")})
