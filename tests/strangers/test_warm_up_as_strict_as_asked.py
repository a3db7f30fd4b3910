"""An EMA of 200 hours took half of the data to forget its start to nine digits; now a run says how many digits it wants.

What was computed before, at 1e-9, stays bit for bit: the figures below were written down with the code that knew nothing else.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import coinswarm as cs
from cluster.cli.app import app
from cluster.compute.batching import BatchEvaluator
from cluster.compute.local import LocalExecutor
from cluster.jobs import registry, spec
from cluster.jobs.evolve.plan import SearchPlan, planned_search
from cluster.jobs.kind import Planned
from coinswarm import backtest, chaos, config, errors, fitness, play
from coinswarm.chaos import drawing
from coinswarm.chaos.settings import ChaosSettings, make
from coinswarm.evolve.settings import Objective, SearchSettings
from coinswarm.indicators import features
from coinswarm.ledger.memory import MemoryStore
from coinswarm.market.bars import Bars
from coinswarm.play import variants, warmth
from coinswarm.validate import judging
from tests import jobs_world
from tests.integration import evolve_world
from tests.integration.evolve_world import World, driven
from tests.oracles import candles
from tests.unit.validate import cards_world

ROOT = Path(__file__).resolve().parents[2]
FORMER = 1e-9
TIMELESS = ("total_return", "max_drawdown", "n_trades", "win_rate", "exposure", "n_obs")
"""Figures that no way of counting years goes into."""
HOUR = 3_600_000
BEFORE = {
    "band_reversion": (
        464, 143,
        "f8c93531a633106fc672f85463454a06c69efea7cba73082affe1f34e3b81f15",
        "0c366e5c5f49d5ed1916680c8fd39283aa8fd998a7c6ecfea8795df01fadf7d9",
    ),
    "channel_breakout": (
        387, 64,
        "b123a5b744e9dabda299f05d44928970ab113411ae151f9df574e95de927036d",
        "7931b18224fdf87d3fa62461caa8aeb68481adac5e52387dcbb6017c17dcc7e5",
    ),
    "trend_pullback": (
        3571, 44,
        "4c87ff32bfcd951b35536d1db2f4080b641b9021401186faa7e5527c8720e210",
        "f0fab2d71fac7b5df719b75a989dad4f69e864c2aea4b2d0f3749d8af1fc54c0",
    ),
}  # fmt: skip
"""First decision bar, trades, hash of the equity and hash of the figures of 64 variants."""
EVOLVED = "85983b1e98e1d4f051596da6bb2eaaf410d982a5598a3f5162cd83d0f28c9035"
DRAWN = "8b5bc489f5c443d7b6fcc18899cfafdf54d626b0ed5eac5253769af2913d2fb4"
CARD = {
    "in_sample.total_return": 0.0297321412767,
    "in_sample.max_drawdown": 0.12508494543,
    "in_sample.n_trades": 142.0,
    "montecarlo.trades_return_p05": -0.107163318211,
}


@pytest.fixture(scope="module")
def btc(data_dir: Path) -> Bars:
    return candles.read(data_dir / "spot5m_2024" / "binance_BTC-USDT_5m.parquet")[10_000:25_000]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> World:
    return evolve_world.world(tmp_path_factory.mktemp("warm"), data_dir)


def _hash(*arrays: np.ndarray) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def _planned(world: World, **overrides: float) -> Planned:
    search = SearchSettings(
        population=24, generations=4, islands=2, migration_every=2, seed=7, objectives=(Objective(name="total_return"),),
        constraints=(),
    )  # fmt: skip
    return world.planned(search=search, baselines=False, overrides=overrides)


def _search(world: World, **overrides: float) -> SearchPlan:
    return planned_search(_planned(world, **overrides), world.catalog)


def _as_stored_before(made: Planned, world: World) -> SearchPlan:
    """The search of a job whose config knows no tolerance, as every job had it."""
    overrides = {name: value for name, value in made.job.config["overrides"].items() if name != "warmup_tolerance"}
    return planned_search(jobs_world.resettled(made, overrides=overrides), world.catalog)


# --- 1e-9 is what it was --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BEFORE)
def test_the_example_plays_at_nine_digits_are_what_they_were(name: str, btc: Bars) -> None:
    loaded = play.load(ROOT / "plays" / "examples" / f"{name}.yml")
    genomes = loaded.space.sample(np.random.default_rng(1), 64)
    one = backtest(loaded, btc, genome=genomes[0], warmup_tolerance=FORMER)
    scores = fitness.score(loaded, genomes, btc, warmup_tolerance=FORMER)
    assert (one.start, one.trades.height, _hash(one.equity), _hash(*(scores[name] for name in TIMELESS))) == BEFORE[name]


def test_a_search_at_nine_digits_has_the_result_hash_it_had(world: World) -> None:
    assert driven(MemoryStore(), BatchEvaluator(LocalExecutor()), _search(world, warmup_tolerance=FORMER)).result_hash == EVOLVED


def test_a_search_stored_before_keeps_its_nine_digits(world: World) -> None:
    before = _as_stored_before(_planned(world), world)
    assert before.task.setups[0].play.warmup_tolerance == FORMER
    assert driven(MemoryStore(), BatchEvaluator(LocalExecutor()), before).result_hash == EVOLVED


def test_random_trades_at_nine_digits_are_what_they_were(btc: Bars) -> None:
    drawn = chaos(btc, 2000, features=("rsi(7)", "ema(50)@1h", "psar.long", "kama(10)"), seed=3, warmup_tolerance=FORMER)
    columns = [getattr(drawn, field.name) for field in fields(drawn)]
    assert _hash(*(column for column in columns if isinstance(column, np.ndarray))) == DRAWN


def test_random_trades_drawn_before_are_known_again(world: World) -> None:
    """A job at 1e-9 draws what a job drew that did not name its tolerance, so the campaign must not count it twice."""
    settings = make(features=("rsi(7)",), warmup_tolerance=FORMER).model_dump(mode="json")
    asked = jobs_world.request("chaos", markets=world.markets, trades=100, settings=settings)
    config_now = jobs_world.planned(asked, jobs_world.plan_context(world.catalog)).job.config
    unnamed = {name: value for name, value in config_now["chaos"].items() if name != "warmup_tolerance"}
    known = {"chaos": unnamed, "markets": config_now["markets"], "others": config_now["others"]}
    assert config_now["draw"] == hashlib.sha256(_json(known)).hexdigest()
    assert config.stored(ChaosSettings, unnamed).warmup_tolerance == FORMER


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def test_a_report_card_at_nine_digits_has_the_figures_it_had() -> None:
    case = cards_world.case(text=cards_world.TEXT.replace("indicator: sma", "indicator: ema"))
    strict = replace(case, play=play.with_tolerance(case.play, FORMER))
    card = judging.card(strict, sections=("in_sample", "montecarlo"))
    assert {name: card.figure(name) for name in CARD} == pytest.approx(CARD, rel=1e-9)


# --- the tolerance is the run's ---------------------------------------------------------------------------------------------


def test_an_ema_of_200_hours_is_warm_in_half_the_bars_it_took() -> None:
    """At 1e-4 an average's start may keep 1e-4 / 1000 * (1e5)^(1/3) = 4.64e-6: 1,229 bars of 0.99 each, after 199 to start from."""
    assert features.warm_up("ema", {"length": 200}, FORMER) == 2963
    assert features.warm_up("ema", {"length": 200}, config.WARMUP_TOLERANCE) == 1428


def test_the_default_decides_sooner_and_a_notebook_can_say_otherwise(btc: Bars) -> None:
    loaded = play.load(ROOT / "plays" / "examples" / "trend_pullback.yml")
    genome = loaded.space.sample(np.random.default_rng(1), 64)[0]
    strict, usual = (cs.backtest(loaded, btc, genome=genome, warmup_tolerance=tolerance) for tolerance in (FORMER, None))
    assert usual.start < strict.start == 3571
    assert strict.play.warmup_tolerance == FORMER


def test_the_tolerance_is_part_of_a_job_and_not_of_a_variant(world: World) -> None:
    strict, usual = _search(world, warmup_tolerance=FORMER), _search(world)
    assert strict.job.config_hash != usual.job.config_hash
    assert usual.job.config["overrides"]["warmup_tolerance"] == 1e-4
    genomes = usual.task.setups[0].play.space.sample(np.random.default_rng(0), 3)
    assert variants.identities(strict.task.setups[0].play, genomes) == variants.identities(usual.task.setups[0].play, genomes)


def test_a_job_whose_tolerance_was_changed_does_not_go_on(world: World) -> None:
    store, made = MemoryStore(), _planned(world)
    changed = {**made.job.config, "overrides": {**made.job.config["overrides"], "warmup_tolerance": 1e-3}}
    spec.submit(store, replace(made, job=replace(made.job, config=changed)))
    with pytest.raises(errors.Refused, match="config hash"):
        spec.unchanged(registry.kind("evolve"), store, store.job(made.job.id))


@pytest.mark.parametrize("tolerance", [0.0, -1e-4, 0.5, float("nan")])
def test_a_tolerance_that_cannot_be_meant_is_refused(tolerance: float, btc: Bars) -> None:
    loaded = play.load(ROOT / "plays" / "examples" / "trend_pullback.yml")
    with pytest.raises(errors.InvalidArgument, match=r"warmup_tolerance must be in \[1e-12, 0.01\]"):
        backtest(loaded, btc, genome=loaded.space.sample(np.random.default_rng(1), 1)[0], warmup_tolerance=tolerance)


def test_one_process_keeps_markets_of_different_tolerances_apart(btc: Bars) -> None:
    """`rsi(14)` waits 14 + ceil(ln(1e12) / -ln(13 / 14)) = 387 bars at 1e-9; what was described before must not be handed out."""
    first = [drawing.sampler([btc], make(features=("rsi(14)",), warmup_tolerance=tolerance)).markets[0].first for tolerance in (1e-9, 1e-3)]
    assert first[0] == 387 > first[1]


# --- it is said -------------------------------------------------------------------------------------------------------------

SLOW = """
version: "3.0.0"
name: slow
timeframes: { exec: 1h }
features: { slow: { indicator: ema, params: { length: [50, 200] } } }
actions: { entry_long: [[close, ">", slow]] }
risk: { max_hold_bars: 5 }
position_policy: { mode: long_only }
"""


def test_the_longest_and_the_shortest_warm_up_name_their_feature() -> None:
    least, most = warmth.spread(play.loads(SLOW), HOUR)
    assert (most.bars, most.feature) == (1428, "slow: ema(200)")
    assert least.feature == "slow: ema(50)"
    assert most.text(5_980) == "1,428 bars, 23.9 % of 5,980 (slow: ema(200))"
    assert most.too_long(5_980)
    assert not least.too_long(5_980)


def test_checking_a_play_says_its_warm_up(tmp_path: Path) -> None:
    file = tmp_path / "slow.yml"
    file.write_text(SLOW)
    said = CliRunner().invoke(app, ["play", "check", str(file), "--warmup-tolerance", "1e-9"])
    assert "warm-up at 1e-09: from 740 to 2,963 bars (slow: ema(200))" in said.stdout


def test_a_warm_up_that_takes_much_of_the_data_is_warned_of(tmp_path: Path) -> None:
    bars, file = tmp_path / "bars.csv", tmp_path / "slow.yml"
    file.write_text(SLOW)
    rows = [f"{1_700_000_000_000 // HOUR * HOUR + i * HOUR},{100 + i % 7},{108 + i % 7},{95 + i % 7},{101 + i % 7},5" for i in range(3000)]
    bars.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows, ""]))
    said = CliRunner().invoke(app, ["backtest", str(file), "--bars", str(bars), "--symbol", "A/USDT", "--set", "slow.length=200"])
    assert "warm-up at 0.0001: 1,428 bars, 47.6 % of 3,000 (slow: ema(200))" in said.stdout, said.output
    assert "warning: warm-up takes up to 48% of the data" in said.stdout
