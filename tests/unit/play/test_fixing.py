"""Variants written out as plays of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import errors, play
from coinswarm.config import Account, Costs
from coinswarm.play import fixing

EVERYTHING = """
name: everything
variables: { slow: 50 }
timeframes: { low_tf: 5m, exec: low_tf }
features:
  fast: { indicator: ema, params: &length { length: { min: 3, max: 20 } } }
  slow: { indicator: ema, params: { length: "{{ slow }}" } }
  third: { indicator: ema, params: { <<: *length } }
  bands: { indicator: bbands, params: { length: [20, 30], std: { min: 1.5, max: 2.5 } }, source: third }
setups: { calm: [[bands.lower, "<", [1, 2.5, 1e3]]] }
actions:
  entry_long:
    all:
      - setup: calm
      - { occurred_within: { expr: [close, ">", fast], bars: [3, 5] } }
      - [third, ">", { min: 0.5, max: 0.9, step: 0.1 }]
  entry_short: { all: [{ setup: calm }, [close, "<", slow]] }
  exit_long: [[close, "<", bands.middle]]
risk: { stop_loss_pct: [1, 2.5], max_hold_bars: { min: 5, max: 50 } }
"""
TEXTS = [
    *((Path(__file__).parents[3] / "plays" / "examples" / f"{name}.yml").read_text() for name in ("trend_pullback", "band_reversion")),
    EVERYTHING,
]


@settings(max_examples=30)
@given(st.sampled_from(TEXTS), st.integers(0, 2**32 - 1))
def test_a_variant_written_out_reads_back_as_itself(text: str, seed: int) -> None:
    family = play.loads(text)
    genome = family.space.sample(np.random.default_rng(seed), 1)[0]
    fixed = play.fix(family, genome)
    back = play.loads(fixing.text(text, fixed, family.space.decode(genome)))
    assert play.identity(back) == play.identity(fixed)
    assert (len(back.space), back.name, back.symbols, back.costs) == (0, family.name, family.symbols, family.costs)


@pytest.mark.parametrize("said", ["timeframe: 1h", "timeframes: { low_tf: 1h, exec: low_tf }", "timeframes: { low_tf: 1h, high_tf: 4h }"])
def test_the_timeframe_of_the_run_is_written_down(said: str) -> None:
    text = f"{said}\nname: p\nfeatures: {{ a: {{ indicator: ema, params: {{ length: [3, 5] }} }} }}\nactions: {{ entry_long: close > a }}\n"
    family = play.with_run(play.loads(text), timeframe="15m", max_hold_bars=5)
    genome = family.space.sample(np.random.default_rng(0), 1)[0]
    fixed = play.fix(family, genome)
    back = play.loads(fixing.text(text, fixed, family.space.decode(genome)))
    assert back.timeframe_ms == fixed.timeframe_ms == 900_000


def test_what_the_run_said_is_written_down() -> None:
    family = play.with_run(
        play.loads(EVERYTHING), costs=Costs(taker_bps=9, max_participation=0.1), account=Account(starting_equity=123),
        max_hold_bars=7, stop_loss_pct=3, take_profit_pct=4,
    )  # fmt: skip
    genome = family.space.sample(np.random.default_rng(0), 1)[0]
    text = fixing.text(
        EVERYTHING, play.fix(family, genome), family.space.decode(genome), symbols=("ETH/USDT",), tags={"regime": "trending"}
    )
    back = play.loads(text)
    assert (back.costs, back.account, back.symbols) == (family.costs, family.account, ("ETH/USDT",))
    assert (back.risk.max_hold_bars, back.risk.stop, back.risk.target) == (7.0, family.risk.stop, family.risk.target)
    assert "regime: trending" in text


def test_a_variant_of_another_play_is_refused() -> None:
    family = play.loads(EVERYTHING)
    genome = family.space.sample(np.random.default_rng(0), 1)[0]
    with pytest.raises(errors.Refused, match="meaning"):
        fixing.text(TEXTS[0], play.fix(family, genome), family.space.decode(genome))
