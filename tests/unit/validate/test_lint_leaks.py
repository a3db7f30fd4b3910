"""Bars that know what comes next are found by the report card itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coinswarm.validate import lint, worlds
from coinswarm.validate.bench import Bench
from tests.unit.validate import cards_world


def test_a_card_on_the_canary_has_a_finding_and_one_on_its_template_has_not() -> None:
    plain = cards_world.case()
    told = worlds.make("look-ahead", plain.markets, seed=1)
    clean, leaky = (lint.section(Bench(cards_world.case(markets=markets))) for markets in (plain.markets, told))
    assert clean.figures["knows_next_bar"] == 0
    assert leaky.figures["knows_next_bar"] == len(told)
    assert leaky.figures["n_findings"] > 0
    assert any("knows_next_bar" in note for note in leaky.notes)


def test_another_market_that_is_stamped_a_bar_early_is_found_and_one_in_time_is_not() -> None:
    bars = cards_world.market("BTC/USDT")
    early = replace(bars[1:], ts=bars.ts[:-1], symbol="ETH/USDT")
    late = cards_world.market("ETH/USDT")[500:]
    assert [leak.column for leak in lint.foretold(bars, {"ETH/USDT": early}) if leak.found] == ["ETH/USDT close"]
    assert not any(leak.found for leak in lint.foretold(bars, {"ETH/USDT": late, "BTC/USDT": bars}))


def test_a_market_too_short_or_without_a_bar_in_common_says_nothing() -> None:
    bars = cards_world.market("BTC/USDT")
    assert lint.foretold(bars[:20], {}) == ()
    found = lint.foretold(bars[:1000], {"ETH/USDT": cards_world.market("ETH/USDT")[2000:3000]})
    assert np.isfinite([leak.correlation for leak in found]).all()
