"""Features by name: what is understood, under which one name, and what cannot be said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.chaos import naming
from coinswarm.indicators import catalog, features

SAME = {
    "rsi": "rsi(14)",
    " rsi( length = 14 ) ": "rsi(14)",
    "RSI(14)@60m": "rsi(14)@1h",
    "bbands(20).bandwidth": "bbands(20,2).bandwidth",
    "bbands(20)@4h.upper": "bbands(20,2).upper@4h",
    "ema(20,source=hl2)": "ema(20,source=hl2)",
    "BTCUSDT:roc(5)": "BTC/USDT:roc(5)",
    "BTC/USDT:USDT:funding_rate": "BTC/USDT:USDT:funding_rate",
}
INEXPRESSIBLE = (
    "close[+1]",
    "momentum(-1)",
    "shift(close,-1)",
    "future(3)",
    "rsi(14)@-1h",
    "",
    "rsi(14",
    "rsi(14,15)",
    "rsi(14,length=14)",
)


def every_output() -> list[str]:
    return [
        f"{name}({','.join(f'{p.name}={p.words[0] if p.words else 5}' for p in entry.parameters if p.default is None)})"
        + (f".{output}" if len(entry.outputs) > 1 else "")
        for name, entry in catalog.CATALOG.items()
        for output in entry.outputs
    ]


@pytest.mark.parametrize(("typed", "canonical"), SAME.items())
def test_a_feature_has_one_name_however_it_is_typed(typed: str, canonical: str) -> None:
    assert str(naming.read(typed)) == canonical


@given(st.sampled_from(every_output()), st.sampled_from(["", "@1h", "@1d"]), st.sampled_from(["", "BTC/USDT:", "BTC/USDT:USDT:"]))
def test_a_canonical_name_reads_back_as_the_same_feature(name: str, timeframe: str, market: str) -> None:
    read = naming.read(f"{market}{name}{timeframe}")
    assert naming.read(str(read)) == read


@pytest.mark.parametrize("text", INEXPRESSIBLE)
def test_what_looks_ahead_or_makes_no_sense_cannot_be_named(text: str) -> None:
    with pytest.raises((errors.InvalidArgument, errors.NotFound)) as found:
        naming.read(text)
    assert isinstance(found.value, errors.CoinswarmError)


@pytest.mark.parametrize("text", ["close[+1]", "momentum(-1)", "future(3)"])
def test_the_refusal_says_why_no_feature_looks_ahead(text: str) -> None:
    with pytest.raises(errors.CoinswarmError, match="no way to name one that looks ahead"):
        naming.read(text)


def test_a_near_miss_of_an_output_is_told() -> None:
    with pytest.raises(errors.InvalidArgument, match="did you mean bandwidth"):
        naming.read("bbands(20).width")


def test_a_feature_named_twice_or_described_by_anyway_stands_once() -> None:
    names = [str(name) for name in naming.described_by(["rsi", "momentum(5)", "rsi(14)"])]
    assert names == [*naming.BASE, "rsi(14)"]


def test_every_base_feature_is_one_a_play_can_declare() -> None:
    declared = [naming.read(name).feature("x") for name in naming.BASE]
    assert [features.find(feature.indicator).outputs for feature in declared] == [("value",)] * len(naming.BASE)
