"""A variant has one identity, whatever it is called and however it is written."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from coinswarm import errors, play
from coinswarm.play.expressions import Slot
from coinswarm.play.slots import meaning, slots_in

RANGED = """
name: one
features:
  fast: { indicator: ema, params: { length: [8, 14] } }
  slow: { indicator: ema, params: { length: { min: 20, max: 40, step: 10 } } }
actions: { entry_long: [[fast, ">", slow], [close, ">", { min: 0.1, max: 0.5, step: 0.1 }]] }
risk: { stop_loss_pct: [1, 2.5] }
"""
SETTINGS = {"fast.length": 14, "slow.length": 30, "entry_long[1].close": 0.3, "risk.stop_loss_pct": 2.5}
LITERAL = """
name: other
description: says the same
symbol: ETHUSDT
provenance: { source: elsewhere }
features:
  a: { indicator: EMA, params: { length: 14.0 }, source: close }
  b: { indicator: ema, params: { length: 30 } }
  idle: { indicator: rsi }
actions: { entry_long: { all: [{ lhs: a, op: gt, rhs: { feature_id: b } }, [close, ">", 0.3]] } }
risk_model: { stop_loss: { type: percent, value: 2.5 }, sizing: { model: percent_equity } }
position_policy: { mode: long_only, exit_mode: first_hit }
"""


def test_a_number_from_a_range_and_a_number_written_out_give_one_identity() -> None:
    family, single = play.loads(RANGED), play.loads(LITERAL)
    genome = family.space.encode(SETTINGS)
    assert play.identities(family, genome[None, :]) == [play.identity(single)] == [play.identity(play.fix(family, genome))]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("length: 14.0", "length: 15"),
        ("source: close", "source: open"),
        ("op: gt", "op: gte"),
        ("0.3", "0.4"),
        ("2.5", "2.6"),
        ("first_hit", "signal"),
        ("length: 30 }", "length: 30 }, tf: 1h"),
    ],
)
def test_anything_that_decides_trades_changes_the_identity(old: str, new: str) -> None:
    assert play.identity(play.loads(LITERAL)) != play.identity(play.loads(LITERAL.replace(old, new)))


def test_a_fixed_variant_has_no_slot_and_no_dimension_left() -> None:
    family = play.loads(RANGED)
    single = play.fix(family, family.space.encode(SETTINGS))
    assert slots_in(*meaning(single)) == frozenset()
    assert single.space.size == 1
    assert dict(single.features["slow"].params) == {"length": 30.0}
    assert slots_in(*meaning(family)) == frozenset(range(4))


def test_identities_of_all_variants_differ_and_equal_those_of_the_fixed_plays() -> None:
    family = play.loads(RANGED)
    genomes = family.space.enumerate(1000)
    found = play.identities(family, genomes)
    assert len(set(found)) == family.space.size == len(genomes)
    assert found[::7] == [play.identity(play.fix(family, genome)) for genome in genomes[::7]]


def test_a_play_that_varies_has_no_single_identity_and_a_broken_genome_no_variant() -> None:
    family = play.loads(RANGED + "constraints: [[fast.length, '<', 10]]\n")
    with pytest.raises(errors.InvalidArgument, match="fix the play first"):
        play.identity(family)
    with pytest.raises(errors.InvalidArgument, match="keeps the constraints"):
        play.fix(family, np.array([1.0, 20.0, 0.1, 0.0]))
    with pytest.raises(errors.ShapeMismatch):
        play.identities(family, np.zeros((2, 3)))


def test_a_percent_sign_in_the_text_is_no_slot() -> None:
    text = "features: { e: { indicator: ema, params: { length: [5, 6] } } }\nactions: { entry_long: [[{ '%': [close, 7] }, '>', e]] }"
    family = play.loads(text)
    genome = family.space.encode({"e.length": 5})
    assert (
        play.identities(family, genome[None, :])[0]
        == play.identity(play.fix(family, genome))
        == play.identity(play.loads(text.replace("[5, 6]", "5")))
    )


def test_a_play_survives_the_way_to_a_worker() -> None:
    family = play.loads(RANGED)
    copy = pickle.loads(pickle.dumps(family))
    genomes = family.space.sample(np.random.default_rng(1), 5)
    assert play.identities(copy, genomes) == play.identities(family, genomes)
    assert dict(copy.features["fast"].params) == {"length": Slot(0)}
