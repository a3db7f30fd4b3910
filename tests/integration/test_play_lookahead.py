"""`coinswarm play lookahead` and `coinswarm play features` as a person types them, on real candles and made ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cluster.cli import app
from cluster.cli.play_lookahead import Ticker
from coinswarm import play
from coinswarm.market import files, synthetic
from coinswarm.market.timeframe import Timeframe
from coinswarm.validate import lookahead
from tests import real_bars
from tests.unit.validate import cheats

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "plays" / "examples").glob("*.yml"))
CHEAT = """
symbol: BTCUSDT
timeframes: { exec: 5m }
features: { time: { indicator: sma, params: { length: [5, 10] } }, seen: { indicator: cheat } }
actions:
  entry_long: [[close, "<", seen], [time, ">", 0]]
  exit_long: [[close, ">", seen]]
risk: { stop_loss_pct: 2.0 }
"""
PERPETUAL = """
symbol: BTC-USDT-PERP
timeframes: { exec: 1m }
account: { max_leverage: 5, slippage_bps: 1.0 }
features:
  paid: { indicator: funding_rate }
  other: { indicator: momentum, params: { bars: 5 }, market: ETH-USDT-PERP }
  slow: { indicator: rsi, params: { length: 14 }, tf: 15m }
  atr: { indicator: atr, params: { length: 14 } }
structures:
  exec: [{ type: swing, key: swing, params: { left: 5, right: 5 } }]
actions:
  entry_long: [[paid, "<", 1], { occurred_within: { bars: 2, anchor_tf: 15m, expr: [slow, "<", 35] } }, [other, ">", 0]]
  entry_short: [[slow, ">", 60], [close, "<", swing.high_level]]
risk_model:
  stop_loss: { type: trailing_atr, value: 3, atr_feature_id: atr }
  take_profit: { type: percent, value: 2 }
  max_hold_bars: 600
entry: { order_type: LIMIT, limit_offset_pct: 0.02, expire_after_bars: 5 }
position_policy: { mode: long_short, exit_mode: first_hit, reverse: true }
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a play and 1,500 made five-minute bars."""
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    bars = synthetic.market("BTC/USDT", Timeframe.parse("5m"), 1_500, seed=5)
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    pl.DataFrame({"timestamp": bars.ts, **columns}).write_parquet(tmp_path / "test_BTC-USDT_5m.parquet")
    (tmp_path / "play.yml").write_text(CHEAT)
    return tmp_path


def call(folder, command, *arguments):
    """Exit code of a subcommand of `coinswarm play`."""
    with pytest.raises(SystemExit) as left:
        app.main(["play", command, str(folder / "play.yml"), "--bars", str(folder / "test_BTC-USDT_5m.parquet"), *map(str, arguments)])
    return left.value.code or 0


def test_a_cheat_ends_with_1_and_a_table_that_says_where(folder, capsys):
    with cheats.registered(cheats.centred_mean):
        code = call(folder, "lookahead", "--variants", 1, "--cuts", 3)
    shown = capsys.readouterr().out
    assert code == 1
    assert shown.count("FAILED") >= 2
    assert "truncation: feature seen, bar" in shown


def test_json_has_a_verdict_each_and_is_the_same_for_the_same_seed(folder, capsys):
    texts = []
    with cheats.registered(lambda bars: bars.open.copy()):
        for _ in range(2):
            assert call(folder, "lookahead", "--variants", 1, "--cuts", 3, "--seed", 4, "--json") == 0
            texts.append(capsys.readouterr().out)
    found = json.loads(texts[0])
    assert texts[0] == texts[1]
    assert (found["passed"], found["seed"], len(found["variants"])) == (True, 4, 1)
    assert {name: verdict["passed"] for name, verdict in found["verdicts"].items()} == dict.fromkeys(lookahead.NAMES, True)


def test_features_and_conditions_are_written_with_their_warm_up(folder, capsys):
    out = folder / "out" / "features.parquet"
    with cheats.registered(lambda bars: bars.open.copy()):
        assert call(folder, "features", "--set", "time.length=10", "--out", out, "--json") == 0
    found, table = json.loads(capsys.readouterr().out), pl.read_parquet(out)
    assert table.columns == ["time", "seen", "feature.time", "entry_long", "exit_long"]
    assert (table.height, table["entry_long"].dtype) == (1_500, pl.Boolean)
    assert [row["warm_from"] for row in found["columns"]] == [0, 9, 9, 0]
    assert table["entry_long"].is_null().sum() == 9 + 1
    close = files.read(folder / "test_BTC-USDT_5m.parquet").close
    np.testing.assert_allclose(table["feature.time"][100], close[91:101].mean())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "x.xlsx"], ".parquet or .csv"),
        (["--out", "x.csv"], "time.length"),
        (["--out", "x.csv", "--set", "tme.length=5"], "time.length"),
    ],
)
def test_features_that_cannot_be_written_are_said_in_a_sentence(folder, capsys, arguments, said):
    with cheats.registered(lambda bars: bars.open.copy()):
        assert call(folder, "features", *arguments) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_progress_of_a_long_run_says_how_long_it_still_takes(capsys):
    tell = Ticker(every_s=0.0)
    for done in (1, 2, 4):
        tell(done, 4)
    assert "look-ahead 2/4  ETA" in capsys.readouterr().err


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_examples_are_honest_on_real_candles(file: Path, data_dir: Path):
    read = play.load(file)
    bars = real_bars.for_play(read, data_dir)
    report = lookahead.check(play.with_run(read, symbol=bars.symbol), bars, variants=2, cuts=4)
    assert [verdict.offences for verdict in report.verdicts] == [(), (), ()]
    assert report.passed
    assert report.trades > 0


def test_funding_another_market_slow_bars_windows_and_limits_are_honest_on_real_perpetuals(data_dir: Path, tmp_path: Path):
    folder = data_dir / "perp1m_2025"
    bars, other = (files.read(folder / f"binance_{coin}-USDT-PERP_1m.parquet")[:9_000] for coin in ("BTC", "ETH"))
    report = lookahead.check(play.loads(PERPETUAL), bars, markets={other.symbol: other}, cuts=6)
    assert [verdict.offences for verdict in report.verdicts] == [(), (), ()]
    assert report.passed
    assert (bars.funding_ts.size > 0, report.trades > 0) == (True, True)
