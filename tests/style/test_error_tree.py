"""Every error has a sentence, a place in the drawing, an exit code and an HTTP status, and survives a trip between processes."""

from __future__ import annotations

import pickle

import pytest

from coinswarm import errors


def family(kind: type[errors.CoinswarmError]) -> list[type[errors.CoinswarmError]]:
    return [kind, *(grandchild for child in kind.__subclasses__() for grandchild in family(child))]


TREE = [kind for kind in family(errors.CoinswarmError) if kind.__module__ == "coinswarm.errors"]


@pytest.mark.parametrize("kind", TREE)
def test_each_error_is_drawn_and_mapped(kind: type[errors.CoinswarmError]) -> None:
    assert kind.__name__ in (errors.__doc__ or "")
    assert kind.__doc__
    assert kind.exit_code in (1, 2)
    assert 400 <= kind.http_status < 600


def test_the_whole_tree_lives_in_one_module() -> None:
    assert [kind for kind in family(errors.CoinswarmError) if kind.__module__ != "coinswarm.errors"] == []


def test_a_message_reads_rule_found_hint() -> None:
    error = errors.InvalidArgument("fee_bps must be in [0, 1000]", found=-3, hint="rebates go in maker_rebate_bps")
    assert str(error) == "fee_bps must be in [0, 1000], got -3. Hint: rebates go in maker_rebate_bps"


SAMPLES = [errors.NotFound("no such job", hint="try `jobs list`"), errors.BadPlay([errors.PlayProblem(path="risk", rule="x")])]


@pytest.mark.parametrize("error", SAMPLES)
def test_an_error_reads_the_same_in_another_process(error: errors.CoinswarmError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.__dict__) == (type(error), str(error), error.__dict__)
