"""Markets that an exchange listed at different times: the message says which begins when, and what to type."""

from __future__ import annotations

from dataclasses import replace

import pytest

import coinswarm as cs
from cluster.cli import app
from coinswarm import backtest, chaos, errors, play
from coinswarm.evolve.settings import SearchSettings
from coinswarm.market import overlap
from coinswarm.market.catalog import Catalog
from tests.unit.market.tapes import START, tape

HOUR = 3_600_000
# BTC is listed on 2024-01-01, WIF 40 days later, on 2024-02-10; both end on 2024-03-01 at 12:00
LISTED = START + 40 * 24 * HOUR
BTC = tape(1_452, "1h", exchange="binance")
WIF = tape(492, "1h", start=LISTED, seed=3, symbol="WIF/USDT", exchange="binance")
PLAY = """
version: "3.0.0"
name: averages
timeframes: { low_tf: 1h, exec: low_tf }
features:
  fast: { indicator: sma, params: { length: [3, 5] } }
  slow: { indicator: sma, params: { length: { min: 10, max: 20, step: 5 } } }
actions: { entry_long: [[fast, cross_above, slow]] }
risk: { max_hold_bars: 9 }
"""
SECOND_LOOKS = PLAY.replace("indicator: sma, params: { length: [3, 5] }", "indicator: sma, params: { length: [3, 5] }, market: WIFUSDT")


@pytest.fixture
def refused(tmp_path, database_url, monkeypatch, capsys):
    """What `coinswarm evolve` says on stderr when it refuses both markets, less their line breaks."""
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COINSWARM_DATABASE_URL", database_url)
    monkeypatch.setenv("COINSWARM_BARS_PATH", str(tmp_path / "bars.duckdb"))
    with Catalog.open(tmp_path / "bars.duckdb") as catalog:
        for bars in (BTC, WIF):
            catalog.put(bars, source="test")

    def run(text, *words):
        (tmp_path / "play.yml").write_text(text)
        with pytest.raises(SystemExit) as ending:
            app.main(["evolve", str(tmp_path / "play.yml"), "--symbol", "BTC/USDT", "--symbol", "WIF/USDT", "--estimate", *words])
        assert ending.value.code == 2
        return " ".join(capsys.readouterr().err.split())

    return run


def test_a_search_says_which_market_begins_when_and_what_to_type(refused):
    # half of 1,944 bars are 966 of BTC and the first 6 of WIF: too few for an average of 30
    said = refused(PLAY.replace("min: 10, max: 20, step: 5", "min: 30, max: 40, step: 5"), "--out-of-sample", "0.5")
    assert "binance:BTC/USDT:1h begins 2024-01-01, binance:WIF/USDT:1h begins 2024-02-10" in said
    assert "`--from 2024-02-10`" in said
    assert f"start_ts={LISTED}" in said


def test_it_says_so_when_even_the_common_time_is_too_short(refused):
    said = refused(PLAY.replace("min: 10, max: 20, step: 5", "min: 600, max: 700, step: 50"))
    assert "too few even then: leave it out" in said


def test_a_span_before_a_market_was_listed_is_answered_with_the_span_it_has(refused):
    # 492 hours from 2024-02-10
    assert "binance:WIF/USDT:1h has no bars" in (said := refused(PLAY, "--from", "2024-01-05", "--to", "2024-02-01"))
    assert "it has 2024-02-10 to 2024-03-01T12:00" in said


def test_a_notebook_is_told_and_can_do_it():
    made = play.loads(PLAY)
    settings = SearchSettings(population=8, generations=1)
    late = replace(WIF, ts=WIF.ts + 15 * 24 * HOUR)
    with pytest.raises(errors.SpanTooShort, match=r"binance:WIF/USDT:1h begins 2024-02-25: .*start_ts"):
        cs.evolve(made, [BTC, late[:100]], settings, out_of_sample=0.5)
    assert cs.evolve(made, [BTC, WIF], settings, start_ts=LISTED).trials > 0


def test_markets_without_a_common_time_are_said_to_have_none():
    early, late = BTC[:100], WIF
    assert "binance:BTC/USDT:1h ends 2024-01-05T04:00: there is no time that all of them have" in overlap.of([late, early]).text


def test_a_backtest_says_when_the_market_it_looks_at_begins():
    late = replace(WIF, ts=WIF.ts + 60 * 24 * HOUR)
    rule = play.with_run(play.loads(SECOND_LOOKS), symbol="BTC/USDT")
    with pytest.raises(errors.SpanTooShort, match=r"WIF/USDT:1h begins 2024-04-10, and binance:BTC/USDT:1h ends 2024-03-01T12:00"):
        backtest(rule, BTC, params={"fast.length": 3, "slow.length": 10}, markets={late.symbol: late})


def test_chaos_trades_say_when_the_market_they_are_described_by_begins():
    with pytest.raises(errors.SpanTooShort, match=r"binance:BTC/USDT:1h begins 2024-01-01, binance:WIF/USDT:1h begins 2024-02-10"):
        chaos(BTC[:970], 10, hold="12h", features=["WIF/USDT:roc(5)"], others={WIF.symbol: WIF})
