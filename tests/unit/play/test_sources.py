"""Features that are computed of other features: what a play may say, and what each mistake is answered."""

from __future__ import annotations

import numpy as np
import pytest

from coinswarm import errors, play
from coinswarm.play import describe, warmth
from coinswarm.play.expressions import Output

ENTRY = "\nactions: { entry_long: [[a, '>', 0]], exit_long: [[a, '<', 0]] }\n"


def read(features: str, head: str = "tf: 5m\n") -> play.Play:
    return play.loads(f"{head}features:\n{features}{ENTRY}")


def refused(features: str, head: str = "tf: 5m\n") -> str:
    with pytest.raises(errors.BadPlay) as caught:
        read(features, head)
    return str(caught.value)


def test_a_source_may_stand_later_in_the_file_and_gives_its_bars() -> None:
    inner = "  b: { indicator: ema, source: c.histogram }\n  c: { indicator: macd, tf: 1h, market: ETHUSDT }"
    found = read(f"  a: {{ indicator: sma, source: b }}\n{inner}")
    assert [found.features[name].source for name in "abc"] == [Output("b", "value"), Output("c", "histogram"), "close"]
    assert {(each.timeframe_ms, each.market) for each in found.features.values()} == {(3_600_000, "ETH/USDT")}


def test_the_same_bars_may_be_named_again() -> None:
    found = read("  a: { indicator: sma, source: b, tf: 1h, market: ETH/USDT }\n  b: { indicator: rsi, tf: 60m, market: ETHUSDT }")
    assert found.features["a"].source == Output("b", "value")


def test_a_run_on_the_bars_of_both_leaves_them_on_its_own() -> None:
    found = read("  a: { indicator: sma, source: b }\n  b: { indicator: rsi, tf: 1h }", head="")
    assert {each.timeframe_ms for each in play.with_run(found, timeframe="1h").features.values()} == {None}
    assert {each.timeframe_ms for each in play.with_run(found, timeframe="5m").features.values()} == {3_600_000}


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ("  a: { indicator: sma, source: b, tf: 1h }\n  b: { indicator: rsi }", "on the bars of its source, and b is on 5m"),
        ("  a: { indicator: sma, source: b, tf: exec }\n  b: { indicator: rsi, tf: 1h }", "on the bars of its source, and b is on 1h"),
        ("  a: { indicator: sma, source: b, market: ETHUSDT }\n  b: { indicator: rsi }", "of its source, and b is of the traded market"),
        ("  a: { indicator: sma, source: b }\n  b: { indicator: ema, source: a }", "in a circle, got a -> b -> a"),
        ("  a: { indicator: sma, source: a }", "in a circle, got a -> a"),
        ("  a: { indicator: sma, source: dc }\n  dc: { indicator: donchian }", "did you mean dc."),
        ("  a: { indicator: sma, source: dc.uper }\n  dc: { indicator: donchian }", "did you mean dc.upper"),
        ("  a: { indicator: sma, source: funding_rate }", "funding_rate is an indicator: declare it first"),
        ("  a: { indicator: sma, source: funding_rate }\n  fund: { indicator: funding_rate }", "did you mean fund?"),
        ("  a: { indicator: sma, source: fnd }\n  fund: { indicator: funding_rate }", "did you mean fund?"),
        ("  a: { indicator: sma, source: 'b[1]' }\n  b: { indicator: rsi }", "an offset stands in a condition"),
        ("  a: { indicator: sma, source: [close, b] }\n  b: { indicator: rsi }", "another feature as source stands alone"),
    ],
)  # fmt: skip
def test_what_a_source_cannot_be(features: str, message: str) -> None:
    assert message in refused(features)


def test_structures_and_states_are_no_sources() -> None:
    structures = "tf: 5m\nstructures: { exec: [{ type: swing, key: s }] }\n"
    assert "a feature, not a structure" in refused("  a: { indicator: sma, source: s.high_level }", structures)


def test_a_source_that_has_a_mistake_is_reported_once() -> None:
    assert refused("  a: { indicator: sma, source: b }\n  b: { indicator: rsy }").count("features.") == 1


def test_names_of_sources_are_no_part_of_identity_and_their_parameters_are() -> None:
    one = read("  a: { indicator: sma, source: b }\n  b: { indicator: rsi, params: { length: 7 } }")
    renamed = read("  other: { indicator: rsi, params: { length: 7 } }\n  a: { indicator: sma, source: other }")
    longer = read("  a: { indicator: sma, source: b }\n  b: { indicator: rsi, params: { length: 8 } }")
    assert play.identity(one) == play.identity(renamed)
    assert len({play.identity(each) for each in (one, longer, read("  a: { indicator: sma }"))}) == 3


def test_a_source_that_varies_is_part_of_the_space() -> None:
    found = read("  a: { indicator: sma, params: { length: [2, 3] }, source: b }\n  b: { indicator: rsi, params: { length: [4, 5] } }")
    assert [dimension.path for dimension in found.space.dimensions] == ["a.length", "b.length"]
    genomes = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    fixed = [play.identity(play.fix(found, genome)) for genome in genomes]
    assert fixed == play.identities(found, genomes)
    assert len(set(fixed)) == 4


def test_warm_up_is_that_of_the_whole_chain() -> None:
    found = read("  a: { indicator: sma, params: { length: [8, 24] }, source: b }\n  b: { indicator: sma, params: { length: [5, 11] } }")
    least, most = warmth.spread(found, 300_000)
    assert (least.bars, most.bars) == (7 + 4, 23 + 10)
    assert most.feature == "a: sma(b, 24)"
    slow = read("  a: { indicator: sma, params: { length: 3 }, source: b }\n  b: { indicator: sma, params: { length: 5 }, tf: 1h }")
    assert warmth.of(slow, 300_000).bars == (2 + 4 + 2) * 12


def test_a_play_in_words_names_its_sources() -> None:
    text = describe.play(read("  a: { indicator: sma, params: { length: 3 }, source: m.signal }\n  m: { indicator: macd, source: hlc3 }"))
    assert "a = sma(m.signal, length 3)" in text
    assert "m = macd(hlc3, fast 12, " in text


@pytest.mark.parametrize("forward", [True, False])
def test_a_long_row_of_sources_is_refused(forward: bool) -> None:
    row = [f"  f{k}: {{ indicator: sma, source: f{k + 1} }}" for k in range(3_000)] + ["  f3000: { indicator: rsi }"]
    text = "\n".join(row if forward else row[::-1])
    assert "at most 20 others in a row" in refused(f"  a: {{ indicator: sma }}\n{text}")
