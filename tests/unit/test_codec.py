"""JSON that loses nothing."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm import codec, errors


@given(st.text())
def test_what_is_printable_can_be_stored(text: str) -> None:
    assert codec.storable(codec.printable(text), "text") == codec.printable(text)


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",))))
def test_text_that_can_be_stored_is_printed_as_it_is(text: str) -> None:
    assert codec.printable(text) == text
    assert codec.copy({"a": text}) == {"a": text}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_json_has_no_word_for_are_still_standard_json(number: float) -> None:
    text = codec.dumps({"a": number, "b": [number]})
    assert "NaN" not in text
    assert "Infinity" not in text
    assert repr(codec.loads(text)["b"][0]) == repr(number)
    assert json.loads(text)["a"] == {"$float": repr(number)}


def test_numpy_numbers_and_tuples_become_plain_ones() -> None:
    assert codec.copy({"a": (np.float64(1.5), np.int8(3), np.True_), "b": np.arange(2)}) == {"a": [1.5, 3, True], "b": [0, 1]}


@pytest.mark.parametrize(
    "value", [{1: 2}, {"a": {1, 2}}, {"a": object()}, {"$float": "1"}, {"a": [{"$float": 1}]}, {"a": "\x00"}, {"a": "\udc00"}]
)
def test_what_would_not_come_back_is_refused(value: object) -> None:
    with pytest.raises(errors.InvalidArgument):
        codec.dumps(value)


def test_a_backslash_before_u0000_is_text_and_not_a_nul() -> None:
    assert codec.copy({"a": "\\u0000"}) == {"a": "\\u0000"}
