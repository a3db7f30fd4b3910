"""No text, however mangled, is anything but a play or a bad play; and what loads can be drawn, fixed and named."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinswarm import errors, play
from coinswarm.play.model import Play

EXAMPLES = [file.read_text() for file in sorted((Path(__file__).resolve().parents[2] / "plays" / "examples").glob("*.yml"))]
SHREDS = [
    "[", "]", "{", "}", ":", "-", "&a ", "*a", "<<: ", "null", ".nan", ".inf", "1e400", "0", "-1", "true", "'", '"', "|", ">",
    "!!python/object:os.system ", "{{ x }}", "...", "---\n", "\t", "\x00", "\ud800", "é", "min", "max", "step", "all", "not", "setup",
    "close", "rsi", "9" * 30, "  ", "\n", "#", "%", "1:30", "[]", "exec",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, 0, -1, 2.5, 1e9, float("nan"), float("inf"), "x", "", [], {}, [[]], [1, 1], ["a"], {"min": 1}, {"min": 5, "max": 1},
    {"min": 1, "max": 9, "step": 0}, {"min": 0, "max": 9, "log": True}, {"min": 1.0, "max": 2.0}, "close", "rsi",
    {"feature_id": "rsi", "offset": -1}, {"setup": "rising"}, ["close", ">", 5], ["close", "-", 5], 10**40, "exec", "1h", {"all": []},
    {"tolerance": 1}, {"not": {"not": []}},
]  # fmt: skip
SLOW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def loaded(text: str) -> Play | tuple[errors.PlayProblem, ...]:
    try:
        return play.loads(text)
    except errors.BadPlay as error:
        return error.problems


def assert_it_holds_together(text: str) -> None:
    found = loaded(text)
    if isinstance(found, tuple):
        assert found
        assert all(problem.rule for problem in found)
        return
    genomes = found.space.sample(np.random.default_rng(0), 3)
    assert found.space.valid(genomes).all()
    assert play.identities(found, genomes)[0] == play.identity(play.fix(found, genomes[0]))


@SLOW
@given(st.sampled_from(EXAMPLES), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 20), st.sampled_from(SHREDS)), min_size=1, max_size=4))
def test_mangled_text_is_a_play_or_a_bad_play(text: str, wounds: list[tuple[float, int, str]]) -> None:
    for where, cut, shred in wounds:
        place = int(where * len(text))
        text = text[:place] + shred + text[place + cut :]
    assert_it_holds_together(text)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def put(tree: Any, path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        tree = tree[key]
    tree[path[-1]] = copy.deepcopy(value)


@SLOW
@given(st.sampled_from(EXAMPLES), st.data())
def test_a_tree_with_wrong_values_is_a_play_or_a_bad_play(text: str, data: st.DataObject) -> None:
    tree = yaml.safe_load(text)
    for _ in range(data.draw(st.integers(1, 3))):
        put(tree, data.draw(st.sampled_from(places(tree)[1:])), data.draw(st.sampled_from(VALUES)))
    assert_it_holds_together(yaml.safe_dump(tree))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_play_or_a_bad_play(text: str) -> None:
    assert_it_holds_together(text)
