"""A trial was "invalid on these bars", a gate asked for a drawdown of 20, and a range never tried its own end: now each says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cluster.cli.app import app
from cluster.compute import scoring
from cluster.compute.batching import BatchEvaluator
from cluster.compute.evaluator import Setup, TimeSegment
from cluster.compute.local import LocalExecutor
from coinswarm import backtest, errors, fitness, play
from coinswarm.ledger.memory import MemoryStore
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.validate import gates
from tests.integration import evolve_world
from tests.integration.evolve_world import driven
from tests.oracles import candles

SLOW = """
version: "3.0.0"
name: slow
timeframes: { low_tf: 5m, med_tf: 1h, exec: low_tf }
features:
  quick: { indicator: ema, params: { length: [5, 9] } }
  slow: { indicator: ema, params: { length: [20, 200] }, tf: med_tf }
  legs: { indicator: swing, params: { left: 5, right: 5 } }
actions: { entry_long: [[quick, ">", slow], [close, ">", ENTRY]] }
risk: { max_hold_bars: 5 }
position_policy: { mode: long_only }
"""
PLAIN = SLOW.replace("ENTRY", "0")
GATES = """
version: 1
name: mine
rules:
  - { name: falls little, figure: validation.max_drawdown, at_most: LIMIT, reason: as asked }
"""


def _reasons(text: str, bars: Bars) -> tuple[str, ...]:
    loaded = play.loads(text)
    genomes = np.array([loaded.space.encode({"quick.length": 5, "slow.length": length}) for length in (20, 200)])
    return fitness.Scorer(loaded, bars, warmup_tolerance=1e-4).reasons(genomes)


def test_an_invalid_trial_names_the_feature_what_it_needs_and_what_there_is() -> None:
    """EMA(200) waits 1,428 bars of an hour and two hours more that may be cut at the ends: 1,430 * 12 = 17,160 bars of 5 m."""
    bars = candles.walk(np.random.default_rng(3), 1_000)
    assert _reasons(PLAIN, bars)[1] == "slow: ema(200) on 1h needs 17,160 bars of 5m, there are 1,000"


def test_a_feature_that_waits_for_an_event_says_so() -> None:
    """Prices that only rise have no swing."""
    rising = candles.of(np.arange(1.0, 20_001.0))
    text = PLAIN.replace('[close, ">", 0]', '[close, ">", legs.low_level]')
    assert _reasons(text, rising)[0] == "legs: swing(5, 5) has no value on these 20,000 bars"


def test_a_worker_hands_the_reason_on_with_each_trial() -> None:
    loaded = play.loads(PLAIN)
    bars = candles.walk(np.random.default_rng(3), 1_000)
    setup = Setup(play=loaded, costs=loaded.costs, account=loaded.account)
    batch = scoring.Batch(
        key="k", payload=scoring.packed(setup, TimeSegment(name="in_sample")),
        genomes=loaded.space.sample(np.random.default_rng(0), 4), lottery=None, blocks=None, of=None,
    )  # fmt: skip
    answer = scoring.score(batch, bars)
    assert sorted(answer.reasons) == [0, 1, 2, 3]
    assert all(text.startswith("slow: ema(") and "there are 1,000" in text for text in answer.reasons.values())


def test_a_backtest_on_too_few_bars_names_the_feature() -> None:
    loaded = play.loads(PLAIN)
    with pytest.raises(errors.SpanTooShort, match=r"17160 bars of warm-up of slow: ema\(200\) on 1h"):
        backtest(loaded, candles.walk(np.random.default_rng(3), 1_000), params={"quick.length": 5, "slow.length": 200})


# --- ranges and limits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spread", "said"),
    [
        ("{ min: 50, max: 199, step: 10 }", "steps of 10 from 50 end at 190, so 199 is never tried; max: 200 says what is meant"),
        ("{ min: 0.5, max: 1.05, step: 0.2 }", "steps of 0.2 from 0.5 end at 0.9, so 1.05 is never tried; max: 1.1 says what is meant"),
    ],
)
def test_a_range_whose_steps_miss_its_end_is_noted(spread: str, said: str) -> None:
    text = PLAIN.replace("[20, 200]", spread) if "50" in spread else PLAIN.replace('"ENTRY"', "0").replace(", 0]]", f", {spread}]]")
    assert any(said in note for note in play.loads(text).notes), play.loads(text).notes


def test_a_range_whose_steps_meet_its_end_is_not_noted() -> None:
    text = PLAIN.replace("[20, 200]", "{ min: 20, max: 200, step: 30 }").replace(", 0]]", ", { min: 0.1, max: 0.7, step: 0.1 }]]")
    assert not [note for note in play.loads(text).notes if "never tried" in note]


def test_a_gate_that_asks_for_a_drawdown_of_20_is_refused_and_one_of_a_fifth_is_not() -> None:
    with pytest.raises(errors.BadGates, match=r"20 % is 0\.2"):
        gates.loads(GATES.replace("LIMIT", "20"))
    assert gates.loads(GATES.replace("LIMIT", "0.2")).rules[0].threshold == 0.2


def test_the_command_refuses_such_a_limit_before_it_starts_anything(tmp_path: Path) -> None:
    file = tmp_path / "slow.yml"
    file.write_text(PLAIN)
    said = CliRunner().invoke(
        app, ["evolve", str(file), "--symbol", "A/USDT", "-c", "max_drawdown<=20"], env={"COINSWARM_HOME": str(tmp_path)}
    )
    assert said.exit_code == 2
    assert isinstance(said.exception, errors.BadSetting) or "20 % is 0.2" in said.output


def test_a_search_counts_why_its_trials_failed(tmp_path: Path, data_dir: Path) -> None:
    """EMA(135) waits 963 bars at 1e-4, more than the 900 in sample, and so do all that are longer."""
    world, store = evolve_world.world(tmp_path, data_dir), MemoryStore()
    planned = world.plan(generations=2, population=16, islands=1, baselines=False, end_ts=_after(world, 1_200))
    ending = driven(store, BatchEvaluator(LocalExecutor()), planned)
    counted = ending.result["failed_for"]
    assert sum(counted.values()) > 0
    assert all(": slow: ema(" in reason and "bars of 5m, there are 900" in reason for reason in counted)
    failed = [reason for batch in store.evaluations(ending.job) for reason in batch.reasons if reason]
    assert set(counted) <= set(failed)


def _after(world: evolve_world.World, n: int) -> int:
    with Catalog.open(world.catalog, read_only=True) as catalog:
        return int(catalog.read(world.markets[0]).ts[n])
