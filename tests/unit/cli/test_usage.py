"""Help fits a screen of 80 columns, is spelled one way, and takes the names that options had before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cluster.cli import app, usage
from cluster.jobs import registry


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit):
        app.main(list(words))
    return capsys.readouterr().out


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of a command and of all below it."""
    yield words
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(app.load(name) if not words else inner, (*words, name))


def test_every_help_fits_80_columns_and_shows_no_types(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    every = list(commands(typer.main.get_command(app.app)))
    assert len(every) > 60
    for words in every:
        shown = said(capsys, *words, "--help")
        assert max(map(len, shown.splitlines())) <= 80, words
        assert re.search(r"<\w+(\[\w+\])?>|\{\w+…?\}|PydanticUndefined| range>", shown) is None, words
        assert ("--install-completion" in shown) == (words == ()), words


def test_the_help_of_the_program_lists_commands_by_what_they_are_for(capsys):
    shown = said(capsys, "--help")
    panels = [shown.index(f"─ {title} ") for title in (app.START, app.SEARCH, app.PATTERNS, app.VALIDATE, app.SERVER)]
    assert panels == sorted(panels)
    assert "Evolve crypto trading strategies" in shown


EXAMPLES = {
    **{tuple(name.split()): lines for name, lines in app.EXAMPLES.items()},
    **{words: list(registry.examples(kind)) for words, kind in registry.commands().items()},
}


@pytest.mark.parametrize("words", sorted(EXAMPLES), ids=" ".join)
def test_main_commands_show_two_examples(words, capsys):
    assert len(EXAMPLES[words]) == 2
    shown = said(capsys, *words, "--help")
    for example in EXAMPLES[words]:
        assert example in shown


def test_options_of_a_search_are_in_panels(capsys):
    shown = said(capsys, "evolve", "--help")
    places = [shown.index(f"─ {title} ") for title in ("Data", "Search", "Judging", "Where it runs", "Output")]
    assert places == sorted(places)


def test_a_missing_argument_is_called_as_in_the_help(capsys):
    with pytest.raises(SystemExit) as left:
        app.main(["jobs", "watch"])
    assert left.value.code == 2
    assert "Missing argument 'JOB'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "known", "taken"),
    [
        (["--start", "2024-01-01", "--end=2024-02-01"], {"--from", "--to"}, ["--from", "2024-01-01", "--to=2024-02-01"]),
        (["--since", "2024-01-01"], {"--from"}, ["--from", "2024-01-01"]),
        (["-n", "5"], {"-n", "--limit"}, ["-n", "5"]),
        (["-n", "5"], {"--trades"}, ["--trades", "5"]),
        (["--market", "binance:BTC/USDT:5m"], {"--market", "--bars"}, ["--market", "binance:BTC/USDT:5m"]),
        (["--market", "eth.csv"], {"--bars"}, ["--bars", "eth.csv"]),
        (["--end", "x"], {"--json"}, ["--end", "x"]),
    ],
)
def test_names_that_options_had_are_taken(given, known, taken):
    assert usage._renamed(given, known) == taken


def unexplained(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Arguments and options of a command, and of all below it, of which the help says nothing."""
    yield from ((*words, each.name) for each in command.params if not each.hidden and len(usage._words(each)) < 8)
    for name, inner in getattr(command, "commands", {}).items():
        yield from unexplained(inner, (*words, name))


def test_every_argument_and_option_says_what_it_is():
    assert [found for name in app.summaries() for found in unexplained(app.load(name), (name,))] == []
