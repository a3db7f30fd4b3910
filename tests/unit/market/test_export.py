"""A data set that is written as files and imported again is the same to the last digit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.market import export, files, synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from tests.unit.market.tapes import START, rebuilt, tape

ODD = st.floats(1e-8, 1e8, allow_nan=False, allow_infinity=False)


def again(bars: Bars, folder: Path, form: export.Form) -> Bars:
    """The bars as an import reads them from the files of an export."""
    path, funding = folder / export.file_name(bars, form), folder / export.file_name(bars, form, "funding")
    path.write_bytes(export.content(bars, form))
    if bars.funding_ts.size:
        funding.write_bytes(export.content(bars, form, "funding"))
    return files.read(path, funding=funding if bars.funding_ts.size else None)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(prices=st.lists(ODD, min_size=2, max_size=6), volume=ODD, form=st.sampled_from(["parquet", "csv"]))
def test_every_digit_comes_back(tmp_path: Path, prices: list[float], volume: float, form: export.Form) -> None:
    columns = {name: np.array(prices) for name in ("open", "high", "low", "close")}
    bars = rebuilt(tape(len(prices)), **columns, volume=np.full(len(prices), volume))
    assert again(bars, tmp_path, form).content_hash == bars.content_hash


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_funding_comes_back_with_its_bars(tmp_path: Path, form: export.Form) -> None:
    paid = {"funding_ts": START + 28_800_000 * np.arange(1, 3), "funding_rate": np.array([1e-4, -3.3e-5])}
    bars = tape(300, symbol="BTC/USDT:USDT", exchange="binance", **paid)
    assert export.file_name(bars, form) == f"binance_BTC-USDT-PERP_5m.{form}"
    assert again(bars, tmp_path, form).content_hash == bars.content_hash


def test_synthetic_bars_come_back_as_synthetic(tmp_path: Path) -> None:
    bars = synthetic.market("BTC/USDT", Timeframe.parse("5m"), 50, seed=1)
    assert again(bars, tmp_path, "parquet").synthetic
    assert again(bars, tmp_path, "csv").content_hash == bars.content_hash


def test_other_files_are_refused() -> None:
    with pytest.raises(errors.InvalidArgument, match=r"\.parquet or \.csv"):
        export.form_of(Path("bars.xlsx"))
