from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.report import markup


class Reader(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@given(st.text(st.characters(codec="utf-8")))
def test_whatever_a_text_holds_it_stays_one_text_in_one_element(hostile: str) -> None:
    reader = Reader()
    reader.feed(markup.tag("p", hostile, title=hostile))
    reader.close()
    assert reader.tags == ["p"]
    assert [name for name, _ in reader.attributes] == ["title"]


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)))
def test_a_data_block_can_be_read_back_and_never_ends_early(value: object) -> None:
    block = markup.data(value)
    inside = block.removeprefix('<script type="application/json">').removesuffix("</script>")
    assert "<" not in inside
    assert json.loads(inside) == value


def test_a_data_block_refuses_numbers_json_does_not_know() -> None:
    with pytest.raises(ValueError, match="JSON"):
        markup.data(float("nan"))


def test_markup_is_not_escaped_twice() -> None:
    assert markup.tag("b", markup.tag("i", "a & b")) == "<b><i>a &amp; b</i></b>"


def test_attributes_that_are_off_are_left_out() -> None:
    assert markup.tag("button", "x", class_="a", data_i=0, hidden=True, title=None) == '<button class="a" data-i="0" hidden>x</button>'


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\u202e", "\ud800", "\x7f"])
def test_characters_that_hide_or_turn_text_are_replaced(character: str) -> None:
    assert markup.text(f"a{character}b") == "a\ufffdb"
