"""Inverse and quanto contracts, expiring futures and options: refused by name, never simulated as if they were linear."""

from __future__ import annotations

import pytest

from coinswarm import errors
from coinswarm.market import files, providers, symbols
from coinswarm.market.catalog import Catalog
from coinswarm.market.fetch import fetch
from coinswarm.market.timeframe import Timeframe
from coinswarm.play import loads
from tests import jobs_world
from tests.exchanges import RecordedBinance
from tests.unit.market.tapes import START, rebuilt, tape

OUTSIDE = {
    "BTCUSD_PERP": "an inverse contract",
    "BTC-USD-SWAP": "an inverse contract",
    "BTC-PERPETUAL": "an inverse contract",
    "PI_XBTUSD": "an inverse contract",
    "BTC/USD:BTC": "an inverse contract",
    "BTC/USD:ETH": "a quanto contract",
    "BTCUSDT_250627": "a future that expires",
    "BTC/USDT:USDT-250627": "a future that expires",
    "BTC-27JUN25": "a future that expires",
    "XBTM25": "a future that expires",
    "BTC-27JUN25-50000-C": "an option",
    "BTC/USD:BTC-250627-50000-P": "an option",
}
INSIDE = {
    "BTC-USDT-SWAP": "BTC/USDT:USDT",
    "BTC/USD:USDC": "BTC/USD:USDC",
    "BTC-USD-PERP": "BTC/USD:USD",
    "BTC_USDC-PERPETUAL": "BTC/USDC:USDC",
    "PF_XBTUSD": "BTC/USD:USD",
    "1000PEPEUSDT": "1000PEPE/USDT",
}


@pytest.mark.parametrize(("name", "kind"), OUTSIDE.items())
def test_a_market_that_is_not_linear_is_refused_by_name(name, kind):
    with pytest.raises(errors.OutsideModel, match=kind):
        symbols.canonical(name)


@pytest.mark.parametrize(("name", "market"), INSIDE.items())
def test_a_linear_market_is_not_mistaken_for_one(name, market):
    assert symbols.canonical(name) == market


@pytest.mark.parametrize(("name", "market"), {"BNBUSD": "BNB/USD", "APTUSD": "APT/USD", "XBTUSD": "BTC/USD", "BTCTUSD": "BTC/TUSD"}.items())
def test_a_name_without_a_sign_is_cut_where_the_coin_ends(name, market):
    assert symbols.canonical(name) == market  # not BN/BUSD, AP/TUSD, XB/TUSD


@pytest.mark.parametrize("name", ["BTCUSD_PERP-5m-2024-02.csv", "BTCUSDT_250627-5m-2025-01.csv", "okx_BTC-USD-SWAP_5m.csv"])
def test_a_file_of_such_a_market_is_refused_by_its_name(tmp_path, name):
    path = tmp_path / name
    path.write_text(f"ts,open,high,low,close,volume\n{START},1,1,1,1,1\n{START + 300_000},1,1,1,1,1\n")
    with pytest.raises(errors.OutsideModel, match=r"BTCUSD_PERP|BTCUSDT_250627|BTC-USD-SWAP"):
        files.read(path)


def test_a_file_whose_column_names_such_a_market_is_refused(tmp_path):
    path = tmp_path / "candles.csv"
    path.write_text(f"ts,symbol,open,high,low,close,volume\n{START},BTCUSD_PERP,1,1,1,1,1\n{START + 300_000},BTCUSD_PERP,1,1,1,1,1\n")
    with pytest.raises(errors.OutsideModel, match="inverse"):
        files.read(path, symbol="BTC/USD")


def test_such_a_market_is_not_stored_and_not_looked_up(tmp_path):
    with Catalog.open(tmp_path / "bars.duckdb") as catalog:
        with pytest.raises(errors.OutsideModel):
            catalog.put(rebuilt(tape(), symbol="BTC/USD:BTC"), source="a test")
        with pytest.raises(errors.OutsideModel):
            catalog.read("BTCUSD_PERP")
        assert catalog.list() == ()


def test_a_play_cannot_name_such_a_market():
    with pytest.raises(errors.BadPlay, match="BTCUSD_PERP is an inverse contract"):
        loads("name: x\nsymbol: BTCUSD_PERP\ntimeframe: 5m\nlong: {enter: close > open, exit: close < open}\n")


def contract(exchange, **changes):
    market = {**exchange.markets["BTC/USDT:USDT"], **changes}
    exchange.markets[market["symbol"]] = market
    return providers.CcxtProvider(exchange), market["symbol"]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"symbol": "BTC/USD:BTC", "linear": False, "inverse": True}, "inverse"),
        ({"symbol": "BTC/USD:ETH", "linear": False, "quanto": True}, "quanto"),
        ({"symbol": "BTC/USDT:USDT-250627", "swap": False, "future": True, "expiry": 1_750_982_400_000}, "expires"),
        ({"symbol": "BTC/USDT:USDT-250627-50000-C", "swap": False, "option": True}, "option"),
    ],
)
def test_an_exchange_is_not_asked_for_the_candles_of_such_a_market(tmp_path, changes, kind):
    provider, symbol = contract(RecordedBinance({"time": {"serverTime": START}}), **changes)
    with pytest.raises(errors.OutsideModel, match=kind):
        fetch(provider, tmp_path / "bars.duckdb", symbol, Timeframe.parse("1m"), since_ms=START - 600_000)


def test_a_fetch_job_of_such_a_market_is_refused_before_it_is_stored(tmp_path):
    asked = jobs_world.request("fetch", exchange="binance", markets=["BTCUSD_PERP"], since_ts=START, until_ts=START + 1)
    with pytest.raises(errors.OutsideModel, match="BTCUSD_PERP"):
        jobs_world.planned(asked, jobs_world.plan_context(tmp_path / "bars.duckdb"))


KLINE = [START, "100", "103", "98", "101", "5000", START + 59_999, "5050", 9, "1", "1", "0"]


@pytest.mark.parametrize(
    ("exchange", "coins"),
    [("okx", 5000), ("kucoinfutures", 50), ("mexc", 50)],  # 5000 contracts of 0.01 coins, where contracts are counted
)
def test_volume_in_contracts_becomes_coins_by_the_contract_size(exchange, coins):
    recorded = RecordedBinance({"klines": [KLINE]})
    recorded.id = exchange
    provider, symbol = contract(recorded, contractSize=0.01)
    assert provider.candles(symbol, Timeframe.parse("1m"), START, 10)[0][5] == coins


def test_an_exchange_that_does_not_say_what_its_volume_counts_is_refused():
    recorded = RecordedBinance({})
    recorded.id = "unheardof"
    provider, symbol = contract(recorded, contractSize=0.01)
    with pytest.raises(errors.Refused, match="counts coins or contracts"):
        provider.require(symbol, Timeframe.parse("1m"))
