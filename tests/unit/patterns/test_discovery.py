"""What a search finds, what it refuses, and what it must never promote."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pydantic
import pytest

from coinswarm import errors, patterns
from coinswarm.ledger.chaos import empty
from coinswarm.patterns import results, segments
from coinswarm.patterns.settings import DiscoverSettings
from tests.unit.patterns.made_trades import FREE, drawn, rising, with_edge

QUICK = DiscoverSettings(flips=199, depth=2)


def test_a_planted_edge_is_found_as_it_was_planted_and_confirmed() -> None:
    trades = drawn(1)
    found = patterns.discover(with_edge(trades, rising(trades), 0.35), QUICK)
    best = found.findings[0]
    assert best.status == "confirmed"
    assert best.pattern.features == ("momentum(5)",)
    assert best.pattern.conditions[0].high == np.inf
    # what the whole is lifted by its fifth is expected of every trade
    assert best.discovery.effect == pytest.approx(0.35 * trades.net.std() * 0.8, rel=0.3)
    assert 0 < best.shrunk_effect <= best.discovery.effect
    assert best.discovery.effect_low < best.discovery.effect < best.discovery.effect_high


def test_equal_trades_and_settings_give_equal_results_in_any_hands() -> None:
    trades = drawn(2)
    backwards = lambda function, shares: iter([function(share) for share in list(shares)])  # noqa: E731
    first, again = (results.summary(patterns.discover(trades, QUICK, spread=spread)) for spread in (map, backwards))
    assert repr(first) == repr(again)


def test_on_noise_something_is_significant_about_as_rarely_as_promised_while_usual_tests_promote() -> None:
    searches = [patterns.discover(drawn(seed, n=9_000, trades=5_000, hold="5m..3h"), QUICK) for seed in range(40)]
    significant = sum(found.significant > 0 for found in searches)
    assert significant <= 7  # at 5 % eight or more of 40 happen once in 1,400 suites
    assert sum(len(found.confirmed) > 0 for found in searches) <= 2
    assert sum(found.naive_promoted["welch bonferroni"] > 0 for found in searches) > significant


def test_an_edge_below_costs_promotes_nothing() -> None:
    trades = drawn(3)
    edged = with_edge(trades, rising(trades), 0.35)
    below = replace(edged, net=edged.net - 0.6 * trades.net.std())
    found = patterns.discover(below, QUICK)
    assert found.significant > 0
    assert (found.profitable, found.findings) == (0, ())


def test_seven_winners_of_ten_that_lose_money_promote_nothing() -> None:
    trades, random = drawn(4), np.random.default_rng(0)
    member, size = rising(trades), trades.net.std()
    lottery = np.where(random.random(len(trades)) < 0.7, 0.5, -1.5) * size
    found = patterns.discover(replace(trades, net=np.where(member, lottery, trades.net)), QUICK)
    assert found.naive_promoted["binomial bonferroni"] > 0
    assert found.findings == ()


def test_a_better_part_of_an_edge_is_not_promoted_beside_it_unless_it_is_better() -> None:
    trades = drawn(5)
    found = patterns.discover(with_edge(trades, rising(trades), 0.5), replace_depth(3))
    assert [len(finding.pattern.conditions) for finding in found.findings][:1] == [1]
    assert found.unproductive + found.redundant > 0
    assert len(found.findings) < found.profitable


def replace_depth(depth: int) -> DiscoverSettings:
    return QUICK.model_copy(update={"depth": depth})


def test_deeper_patterns_are_tested_on_time_that_did_not_choose_them() -> None:
    trades = drawn(6, trades=20_000)
    found = patterns.discover(trades, DiscoverSettings(flips=199, depth=5, beam=20, min_trades=40, min_active=20))
    assert sum(found.tested_by_depth.values()) == found.tested
    assert set(found.tested_by_depth) >= {1, 2, 3, 4}
    assert found.counted > found.tested


def test_confirmation_learns_nothing_and_discovery_sees_nothing_later() -> None:
    trades = drawn(7)
    cut = segments.cut(trades, QUICK)
    later = trades.entry_ts >= cut.confirm_ts
    changed = replace(trades, net=np.where(later, -trades.net, trades.net), state=np.where(later[:, None], 9.0, trades.state))
    first, other = patterns.discover(trades, QUICK), patterns.discover(changed, QUICK)
    assert [one.t for one in first.best] == [one.t for one in other.best]
    assert not set(segments.discovered_on(trades, cut)) & set(segments.confirmed_on(trades, cut))
    assert trades.exit_ts[segments.discovered_on(trades, cut)].max() <= cut.split_ts


def test_what_the_library_spent_before_lowers_the_level() -> None:
    trades = drawn(1)
    edged = with_edge(trades, rising(trades), 0.35)
    fresh, late = (patterns.discover(edged, QUICK, earlier=earlier).findings[0] for earlier in ((), (0.5,) * 50))
    assert fresh.p_confirm == late.p_confirm
    assert fresh.level > 20 * late.level


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_too_few_blocks_are_refused_and_as_many_bars_as_it_says_are_enough() -> None:
    with pytest.raises(errors.Refused, match=r"at least 70 independent blocks .* about ([\d,]+) bars in all") as refusal:
        patterns.discover(drawn(1, n=3_000, trades=3_000), QUICK)
    assert "more history or shorter holds" in str(refusal.value)
    needed = segments.bars_needed(24, QUICK)
    # features warm up first, and the last hold is over before the end
    assert segments.cut(drawn(1, n=needed + 60, trades=9_000), QUICK).discovery_blocks >= 70


def test_no_trades_are_refused() -> None:
    with pytest.raises(errors.InvalidArgument, match="there must be trades"):
        patterns.discover(empty(drawn(1, n=3_000, trades=10).frame), QUICK)


@pytest.mark.parametrize("depth", [0, 6])
def test_a_depth_out_of_bounds_is_refused(depth: int) -> None:
    with pytest.raises(pydantic.ValidationError, match="depth"):
        DiscoverSettings(depth=depth)


def test_a_depth_beyond_what_varies_is_refused() -> None:
    with pytest.raises(errors.InvalidArgument, match="depth must be at most the 3 things that vary"):
        patterns.discover(drawn(1), DiscoverSettings(depth=4, features=("momentum(1)",)))


def test_an_unknown_feature_is_named() -> None:
    with pytest.raises(errors.NotFound, match="momentun"):
        patterns.discover(drawn(1), DiscoverSettings(features=("momentun(1)",)))


def test_a_constant_feature_and_one_that_is_never_known_are_left_out_and_said() -> None:
    trades = drawn(1)
    state = trades.state.copy()
    state[:, 0], state[:, 1] = 3.0, np.nan
    found = patterns.discover(replace(trades, state=state), QUICK)
    assert {"momentum(1)", "momentum(5)", "market", "funding_rate"} <= set(found.left_out)


def test_trades_without_a_value_fulfil_no_condition_on_it() -> None:
    trades = drawn(1)
    state = trades.state.copy()
    state[::2, 1] = np.nan
    found = patterns.discover(with_edge(replace(trades, state=state), rising(trades), 0.5), QUICK)
    holed = replace(trades, state=state)
    assert all(not finding.pattern.mask(holed)[::2].any() for finding in found.findings if "momentum(5)" in finding.pattern.features)
    assert found.tested > 0


def test_nothing_has_trades_enough_and_nothing_is_tested() -> None:
    found = patterns.discover(drawn(1), DiscoverSettings(min_trades=20_000))
    assert (found.tested, found.p_family, found.findings, found.best) == (0, 1.0, (), ())


def test_without_a_later_segment_findings_stay_candidates() -> None:
    trades = drawn(1)
    found = patterns.discover(with_edge(trades, rising(trades), 0.35), QUICK.model_copy(update={"confirm_share": 0.0}))
    assert {finding.status for finding in found.findings} == {"candidate"}
    assert "no later segment" in found.findings[0].reason


def test_costs_are_no_edge() -> None:
    free, dear = drawn(8), drawn(8, costs=FREE.model_copy(update={"taker_bps": 10.0}))
    first, other = patterns.discover(free, QUICK), patterns.discover(dear, QUICK)
    assert first.p_family == pytest.approx(other.p_family, abs=0.02)
