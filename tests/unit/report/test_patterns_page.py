"""The page of a search for patterns says what was tried, what survived, and what was wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest

from coinswarm import patterns
from coinswarm.patterns import DiscoverSettings, results
from coinswarm.report import patterns as page
from tests.unit.patterns.made_trades import drawn, rising, with_edge


@cache
def found() -> patterns.Discovery:
    trades = drawn(1)
    return patterns.discover(with_edge(trades, rising(trades), 0.35), DiscoverSettings(flips=199, depth=1))


def rendered(*, synthetic: bool = False, **changes: object) -> str:
    records = results.records(found(), job="discover-1", synthetic=synthetic, found_at=datetime(2025, 1, 1, tzinfo=UTC), made_of={})
    return page.render(results.summary(found()) | changes, [] if "leaks" in changes else records, job="discover-1", synthetic=synthetic)


def test_a_pattern_that_survived_stands_with_its_figures_beside_what_usual_tests_would_promote() -> None:
    html = rendered()
    assert "momentum(5) &gt;=" in html
    assert f"{found().tested:,}" in html
    assert "Benjamini-Hochberg" in html
    assert html.count("<svg") >= 3


def test_a_search_that_found_nothing_says_so() -> None:
    html = page.render(results.summary(found()) | {"findings": []}, [], job="discover-1")
    assert "most searches on real bars" in html
    assert "Look-ahead" not in html


def test_a_leak_is_on_top_of_the_page_and_nothing_is_said_of_noise() -> None:
    leak = {"feature": "volume_ratio(20)", "market": "<x>:BTC/USDT:5m", "hold": 1, "correlation": 0.46, "z": 39.9}
    html = rendered(leaks=[leak])
    assert html.index("Look-ahead") < html.index("Patterns tested")
    assert "volume_ratio(20) of &lt;x&gt;:BTC/USDT:5m" in html
    assert "most searches on real bars" not in html


@pytest.mark.parametrize("synthetic", [True, False])
def test_made_prices_are_said_to_be_made(synthetic: bool) -> None:
    assert ("SYNTHETIC" in rendered(synthetic=synthetic)) is synthetic
