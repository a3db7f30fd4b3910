"""The schema of plays: every shipped play keeps it, and one with a misspelt key does not."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
import yaml

from coinswarm.play import schema

ROOT = Path(__file__).resolve().parents[3]
PLAYS = sorted(path for path in (ROOT / "plays").glob("*/*.yml") if path.parent.name != "gates")


@pytest.fixture(scope="module")
def checker() -> jsonschema.Draft7Validator:
    made = schema.schema()
    jsonschema.Draft7Validator.check_schema(made)
    return jsonschema.Draft7Validator(made)


def mistakes(checker: jsonschema.Draft7Validator, play: Any) -> list[str]:
    return [error.message for error in checker.iter_errors(play)]


@pytest.mark.parametrize("path", PLAYS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_shipped_plays_keep_the_schema(path: Path, checker: jsonschema.Draft7Validator) -> None:
    assert mistakes(checker, yaml.safe_load(path.read_text())) == []


def test_other_peoples_plays_keep_the_schema(dialect: ModuleType, checker: jsonschema.Draft7Validator) -> None:
    wrong = {name: found for name, text in dialect.ALL.items() if (found := mistakes(checker, yaml.safe_load(text)))}
    assert wrong == {}


def every_key(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(tree, dict):
        return [found for key, inner in tree.items() for found in ((*path, key), *every_key(inner, (*path, key)))]
    return [found for k, item in enumerate(tree) for found in every_key(item, (*path, k))] if isinstance(tree, list) else []


def misspelt(tree: Any, path: tuple[Any, ...]) -> Any:
    if isinstance(tree, list):
        return [misspelt(item, path[1:]) if k == path[0] else item for k, item in enumerate(tree)]
    if len(path) == 1:
        return {f"{key}q" if key == path[0] else key: inner for key, inner in tree.items()}
    return {key: misspelt(inner, path[1:]) if key == path[0] else inner for key, inner in tree.items()}


@pytest.mark.parametrize("name", ["trend_pullback", "band_reversion", "channel_breakout"])
def test_any_misspelt_key_breaks_it(name: str, checker: jsonschema.Draft7Validator) -> None:
    play = yaml.safe_load((ROOT / "plays" / "examples" / f"{name}.yml").read_text())
    free = {("features",), ("setups",), ("provenance",)}
    keys = [path for path in every_key(play) if path[:-1] not in free]
    unseen = [path for path in keys if not mistakes(checker, misspelt(play, path))]
    assert unseen == []
    assert len(keys) > 20


@pytest.mark.parametrize(
    "wrong",
    [
        {"features": {"e": {"indicator": "emma"}}},
        {"features": {"e": {"indicator": "ema", "params": {"length": 1}}}},
        {"features": {"e": {"indicator": "ema", "length": 9}}},
        {"risk": {"stop_loss": {"type": "percents", "value": 1}}},
        {"position_policy": {"mode": "long"}},
        {"entry_long": ["close > 1"]},
    ],
    ids=str,
)
def test_a_wrong_word_breaks_it(wrong: dict[str, Any], checker: jsonschema.Draft7Validator) -> None:
    assert mistakes(checker, {"actions": {"entry_long": ["close > 1"]}}) == []
    assert mistakes(checker, {"actions": {"entry_long": ["close > 1"]}, **wrong})
