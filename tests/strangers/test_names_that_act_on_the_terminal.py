"""Names that others gave carry escape codes and marks of direction into whatever prints them."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import unicodedata
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.cli import app, console, live
from coinswarm import errors
from coinswarm.printable import HIDDEN, shown
from coinswarm.report import markup

HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202etxt.exe\u2066\x9b1A\r\x08\u200b\U000e0041"
Capture = pytest.CaptureFixture[str]
hostile = st.text(st.one_of(st.characters(), st.sampled_from(HOSTILE)), max_size=40)


def printed(text: str) -> str:
    """All that the ways to print make of one text, on a pipe."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
        console.text(text)
        console.note(text)
        console.error(errors.NotFound("no play is called so", found=text, hint=text))
        console.table(text, [text, "n"], [[text, 1]])
        console.emit_json({text: [text]})
        live.Display().on_note(text)
        console.err().print(text, markup=False)
    return out.getvalue()


@given(hostile)
@hypothesis.settings(max_examples=40)
def test_no_way_to_print_a_text_lets_it_act_on_the_terminal(text: str) -> None:
    assert not HIDDEN.search(printed(text))


@given(hostile)
def test_json_gives_back_the_very_text_it_was_given(text: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        console.emit_json(text)
    assert json.loads(out.getvalue()) == text


@given(hostile)
def test_no_page_lets_a_text_turn_what_stands_beside_it(text: str) -> None:
    assert not HIDDEN.search(markup.tag("p", text, title=text))


def test_what_hides_is_what_unicode_calls_control_or_format_or_half_a_character() -> None:
    # kept on purpose: tab and line break, and signs of Arabic, Syriac, Kaithi and Egyptian that are called formats and are seen
    kept = {0x09, 0x0A, *range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440)}
    kinds = ("Cc", "Cf", "Cs", "Zl", "Zp")
    acting = {code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in kinds} - kept
    assert not {code for code in acting if not HIDDEN.match(chr(code))}


def test_an_escape_is_shown_as_it_is_written() -> None:
    assert shown("a\x1b[31mb\u202ec") == r"a\x1b[31mb\u202ec"


def test_plain_words_of_all_languages_stay_as_they_are() -> None:
    text = "Größe, 価格, цена, 5 µs ± 1, naïve — ▁▂▃█ ┤⠿\n\tnext"
    assert shown(text) == text


def test_a_text_with_colons_stays_a_text() -> None:
    # a terminal library reads :x: as the code of a picture
    assert printed("root:x:0").count("root:x:0") >= 7


@pytest.mark.parametrize(
    "arguments", [["play", "check", "{file}"], ["play", "check", "--{file}"], ["{file}"], ["play", "check", "{file}", "--json"]]
)
def test_a_command_that_is_given_a_hostile_file_prints_nothing_that_acts(tmp_path: Path, arguments: list[str], capsys: Capture) -> None:
    file = tmp_path / f"{HOSTILE}.yml"
    file.write_text(f'name: "{HOSTILE.encode("unicode_escape").decode()}"\nversion: {json.dumps(HOSTILE)}\n')
    with pytest.raises(SystemExit) as ended:
        app.main([part.format(file=file) for part in arguments])
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert not HIDDEN.search(told.out + told.err)
