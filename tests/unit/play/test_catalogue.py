"""The plays that come with the project: each loads, cites its source, names itself after its file and can be scored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coinswarm import fitness, play
from coinswarm.market import resample, synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics.figures import Status
from tests import real_bars

FOLDER = Path(__file__).resolve().parents[3] / "plays"
PLAYS = sorted(path for name in ("examples", "technical", "academic") for path in (FOLDER / name).glob("*.yml"))


@pytest.fixture(scope="module")
def market() -> Bars:
    """Half a year of 5-minute bars, enough to warm the longest average up, with busy days and with funding."""
    made = synthetic.market("ETH/USDT", Timeframe.parse("5m"), 60_000, seed=3)
    random = np.random.default_rng(5)
    busy = np.repeat(random.lognormal(0, 1, -(-len(made) // 288)), 288)[: len(made)]
    paid = made.ts[::96]
    return replace(made, volume=made.volume * busy, funding_ts=paid, funding_rate=random.normal(0.0, 4e-4, len(paid)))


@pytest.mark.parametrize("path", PLAYS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_play_of_the_catalogue_is_named_cited_and_scored(path: Path, market: Bars) -> None:
    read = play.load(path)
    genomes = read.space.enumerate(16) if read.space.size <= 16 else read.space.sample(np.random.default_rng(0), 16)
    peer = {"BTC/USDT": synthetic.market("BTC/USDT", Timeframe.parse("5m"), len(market), seed=4)}
    slow = Timeframe(read.timeframe_ms or market.timeframe.ms)
    bars = resample.resample(market, slow) if slow.ms > market.timeframe.ms else market
    scores = fitness.score(read, genomes, bars, markets=peer)
    assert read.name == path.stem
    assert read.provenance["cites"]
    assert set(scores["status"].tolist()) <= {Status.OK, Status.NO_TRADES}
    assert (scores["n_trades"] > 0).any()


@pytest.mark.parametrize("name", ["rsi2_reversion", "donchian_trail", "funding_average"])
def test_what_is_written_from_the_reference_alone_trades_on_real_bars(name: str, data_dir: Path) -> None:
    read = play.load(FOLDER / "examples" / f"{name}.yml")
    scores = fitness.score(read, read.space.enumerate(40), real_bars.for_play(read, data_dir))
    assert read.notes == ()
    assert (scores["n_trades"] > 0).mean() > 0.3
