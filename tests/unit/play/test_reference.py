"""The reference of the language and of the catalogue: every example is read, and every command that belongs to it runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from cluster.cli.play import app
from coinswarm import errors, play
from coinswarm.indicators import reference
from coinswarm.indicators.catalog import CATALOG
from coinswarm.play import reader, schema
from coinswarm.play.expressions import WindowKind
from coinswarm.play.model import ExitMode, Mode, SizingModel, StopKind, TargetKind
from coinswarm.play.reading import comparisons

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "play-language.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_of_the_page_is_a_play(text: str) -> None:
    read = play.loads(text)
    play.check_runnable(read if play_closes(text) else play.with_run(read, max_hold_bars=10))
    assert not [note for note in read.notes if "nothing uses" in note or "no effect" in note]


def play_closes(text: str) -> bool:
    return "exit" in text or "risk" in text


def test_the_page_names_every_block_operator_and_kind() -> None:
    words = [*reader.KEYS, *comparisons.ALIASES, *WindowKind, *Mode, *ExitMode, *StopKind, *TargetKind, "percent_equity", "risk_based"]
    spoken_of = {"version", "symbol_universe", "execution_tf", "exec_tf", "tf"}  # accepted, and not to be learnt
    assert [word for word in words if word not in PAGE and word not in spoken_of] == []
    assert len(SizingModel) == 3


@pytest.mark.parametrize("entry", reference.entries(), ids=lambda entry: entry.name)
def test_an_entry_of_the_catalogue_has_an_example_that_is_read(entry: reference.CatalogEntry) -> None:
    read = play.loads(entry.example)
    [feature] = read.features.values()
    assert feature.indicator == entry.name
    assert entry.summary
    assert entry.cite
    lines = ", ".join(f"{each.name} > 0" for each in entry.outputs)
    named = play.loads(f"{entry.example.partition('actions')[0]}actions: {{ entry_long: [{lines}] }}")
    assert named.features == read.features


def test_the_catalogue_is_listed_and_shown() -> None:
    listed = json.loads(CliRunner().invoke(app, ["indicators", "--json"]).stdout)
    assert {entry["name"] for entry in listed} == set(CATALOG)
    shown = CliRunner().invoke(app, ["indicators", "rsi"]).stdout
    assert "a column or another feature" in shown
    assert "features: { rsi: { indicator: rsi, params: { length: 14 } } }" in shown
    missing = CliRunner().invoke(app, ["indicators", "rsy"])
    assert isinstance(missing.exception, errors.NotFound)
    assert "rsi" in missing.exception.hint


@pytest.mark.parametrize("template", ["trend", "reversion", "breakout"])
def test_a_new_play_reads_without_a_note_and_is_not_overwritten(template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(app, ["new", "mine", "--template", template])
    assert made.exit_code == 0
    text = (tmp_path / "mine.yml").read_text()
    read = play.loads(text)
    play.check_runnable(read)
    assert (read.name, read.notes) == ("mine", ())
    assert text.startswith("# yaml-language-server: $schema=play.schema.json\n")
    again = CliRunner().invoke(app, ["new", "mine.yml"])
    assert isinstance(again.exception, errors.Conflict)
    assert (tmp_path / "mine.yml").read_text() == text


def test_the_schema_is_printed() -> None:
    assert json.loads(CliRunner().invoke(app, ["schema"]).stdout) == schema.schema()


def test_the_examples_of_the_page_keep_the_schema() -> None:
    import jsonschema

    checker = jsonschema.Draft7Validator(schema.schema())
    texts = [*EXAMPLES, *(entry.example for entry in reference.entries())]
    assert [text for text in texts if not checker.is_valid(yaml.safe_load(text))] == []
