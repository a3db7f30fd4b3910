"""What exchanges send over ccxt: two answers for one time, and answers with something missing, are refused and not guessed at."""

from __future__ import annotations

import pytest

from coinswarm import errors
from coinswarm.market import providers
from coinswarm.market.fetch import fetch
from coinswarm.market.timeframe import Timeframe
from tests.bars_files import BarsFile
from tests.exchanges import RecordedBinance

START = 1_704_067_200_000  # 2024-01-01 00:00 UTC
MINUTE = 60_000


class Answering(providers.CcxtProvider):
    """An exchange that sends these candles whatever it is asked for."""

    def __init__(self, candles):
        super().__init__(RecordedBinance({"time": {"serverTime": START + 10 * MINUTE}}))
        self.sent = candles

    def candles(self, symbol, timeframe, since_ms, limit):
        return self.sent


@pytest.fixture
def fetched(tmp_path):
    def run(candles):
        path = tmp_path / "bars.duckdb"
        fetch(Answering(candles), path, "BTC/USDT", Timeframe.parse("1m"), since_ms=START, until_ms=START + 2 * MINUTE)
        return BarsFile(path).read("BTC/USDT")

    return run


GOOD = [START, 100, 103, 98, 101, 50]


def test_the_same_candle_twice_is_one_candle(fetched):
    assert fetched([GOOD, GOOD]).volume.tolist() == [50.0]


def test_two_candles_of_one_time_are_refused(fetched):
    with pytest.raises(errors.BadBars, match="two different candles of 2024-01-01 00:00:00"):
        fetched([GOOD, [*GOOD[:5], 51]])


@pytest.mark.parametrize("candle", [GOOD[:5], [None, *GOOD[1:]], [START, "a lot", *GOOD[2:]]])
def test_a_candle_that_is_none_is_refused(fetched, candle):
    with pytest.raises(errors.BadBars, match="must send candles of time, open, high, low, close and volume"):
        fetched([candle])


def test_a_candle_without_a_volume_is_refused(fetched):
    with pytest.raises(errors.BadBars, match="no number as volume"):
        fetched([[*GOOD[:5], None]])


def test_a_funding_payment_without_a_rate_is_refused():
    sent = [{"symbol": "BTCUSDT", "fundingTime": START, "fundingRate": None}]
    with pytest.raises(errors.BadBars, match="must tell the time and rate of each funding payment"):
        providers.CcxtProvider(RecordedBinance({"fundingRate": sent})).funding("BTC/USDT:USDT", 0, 100)
