from __future__ import annotations

import json

import ccxt
import pytest

from coinswarm import errors
from coinswarm.market import providers
from coinswarm.market.fetch import fetch
from coinswarm.market.timeframe import Timeframe
from tests.bars_files import BarsFile
from tests.exchanges import RecordedBinance

MINUTE = Timeframe.parse("1m")


@pytest.fixture
def payload(data_dir):
    return lambda name: json.loads((data_dir / "raw_api" / f"nautilus_binance_{name}.json").read_text())


def binance(**answers):
    return providers.CcxtProvider(RecordedBinance({part.replace("_", "/"): answer for part, answer in answers.items()}))


def test_recorded_candles_of_binance_are_stored_as_they_were_sent(payload, tmp_path):
    klines = payload("spot_klines_1m")
    provider = binance(klines=klines, time={"serverTime": klines[-1][0] + 60_000})
    path = tmp_path / "bars.duckdb"
    fetch(provider, path, "BTC/USDT", MINUTE, since_ms=klines[0][0])
    bars = BarsFile(path).read("binance:BTC/USDT:1m")
    assert bars.ts.tolist() == [row[0] for row in klines]
    assert bars.close.tolist() == [float(row[4]) for row in klines]
    assert bars.volume.tolist() == [float(row[5]) for row in klines]


def test_recorded_funding_of_binance_is_read(payload):
    sent = payload("futures_funding_rate")
    found = binance(fundingRate=sent).funding("BTC/USDT:USDT", 0, 100)
    assert found == [(entry["fundingTime"], float(entry["fundingRate"])) for entry in sent]


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (ccxt.RequestTimeout("slow"), errors.Unavailable),
        (ccxt.RateLimitExceeded("429"), errors.Unavailable),
        (ccxt.BadSymbol("who?"), errors.NotFound),
        (ccxt.PermissionDenied("not from here"), errors.Refused),
        (ccxt.BadRequest("what?"), errors.Refused),
    ],
)
def test_what_ccxt_raises_is_told_apart_by_whether_another_try_may_help(raised, kind):
    with pytest.raises(kind, match="binance"):
        binance(klines=raised).candles("BTC/USDT", MINUTE, 0, 10)


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(errors.NotFound, match="binance"):
        providers.connect("binanse")
    with pytest.raises(errors.NotFound, match="BTC/USDT"):
        binance().require("BTC/USDX", MINUTE)
    with pytest.raises(errors.InvalidArgument, match="no candles of 7m"):
        binance().require("BTC/USDT", Timeframe.parse("7m"))
