"""Real candles of real exchanges through files, checks and the catalog."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from coinswarm import errors, market
from coinswarm.market import files, quality
from coinswarm.market.catalog import Catalog
from coinswarm.market.resample import resample
from coinswarm.market.timeframe import Timeframe


def test_every_spot_market_is_sound_and_read_as_it_stands(data_dir):
    paths = sorted((data_dir / "spot5m_2024").glob("*.parquet"))
    assert len(paths) == 24
    for path in paths:
        bars, raw = market.read_bars(path), pl.read_parquet(path)
        assert bars.exchange == "binance"
        assert np.array_equal(bars.ts, raw["ts"].dt.epoch("ms").to_numpy())
        assert np.array_equal(bars.close, raw["close"].to_numpy())


def test_perpetuals_come_with_their_funding(data_dir, tmp_path):
    with Catalog.open(tmp_path / "bars.duckdb") as catalog:
        for path in sorted((data_dir / "perp1m_2025").glob("*_1m.parquet")):
            bars = market.read_bars(path)
            assert bars.funding_ts.size > 80
            catalog.put(files.read(path), source=path.name)
            assert catalog.read(bars.key).content_hash == bars.content_hash
        assert len(catalog.list()) == 8


def test_a_thin_market_is_told_to_be_thin(data_dir):
    report = quality.check(market.read_bars(data_dir / "spot5m_2024" / "binance_JUV-USDT_5m.parquet"))
    counts = {finding.kind: finding.count for finding in report.odd}
    assert counts["zero volume"] == 792
    assert counts["zero volume"] + counts["flat"] == 3_069


def test_the_archive_of_gemini_is_refused_with_all_its_problems(data_dir):
    with pytest.raises(errors.BadBars) as caught:
        files.read(data_dir / "raw_csv" / "gemini_BTCUSD_1hr.csv.gz", symbol="BTCUSD")
    assert all(word in str(caught.value) for word in ("3 problems", "mixed units", "zero open", "zero low", "line 31622"))


def test_flipped_volume_units_of_bitstamp_are_put_right(data_dir):
    path, told = data_dir / "raw_csv" / "bitstamp_BTC_USD-Hourly_unitflips_excerpt.csv", []
    bars = files.read(path, symbol="BTCUSD", exchange="bitstamp", tell=told.append)
    assert len(bars) == 214
    assert "changed places in 115 of 214 bars" in told[0]
    # the busiest of these hours is of thousands of coins, not of millions of dollars
    assert 1_000 < bars.volume.max() < 10_000
    assert "volume unit" not in {finding.kind for finding in quality.check(bars).odd}


def test_two_days_of_the_binance_archive_join(data_dir, tmp_path):
    with Catalog.open(tmp_path / "bars.duckdb") as catalog:
        for path in sorted((data_dir / "raw_api").glob("*vision*.csv")):
            catalog.put(files.read(path), source=path.name)
        assert len(catalog.read("binance:ADA/BTC:1m")) == 21


def test_hours_of_real_minutes_equal_a_group_by(data_dir):
    bars = market.read_bars(data_dir / "perp1m_2025" / "binance_BTC-USDT-PERP_1m.parquet")
    hours = resample(bars, Timeframe.parse("1h"))
    frame = pl.DataFrame({"ts": bars.ts // 3_600_000 * 3_600_000, "high": bars.high, "close": bars.close})
    whole = frame.group_by("ts", maintain_order=True).agg(pl.col("high").max(), pl.col("close").last())[1:-1]
    assert hours.ts.tolist() == whole["ts"].to_list()
    assert hours.high.tolist() == whole["high"].to_list()
    assert hours.close.tolist() == whole["close"].to_list()
