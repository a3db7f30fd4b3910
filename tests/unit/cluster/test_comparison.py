"""What differs between evaluations, from records as the ledger and a server give them."""

from __future__ import annotations

import math
from typing import Any

from cluster.queries import comparison
from coinswarm import codec
from coinswarm.metrics.figures import FIGURES


def record(name: str, sharpe: float | None, **params: object) -> dict[str, Any]:
    scores = [
        {"data_set": f"binance:{coin}/USDT:1h", "segment": segment, "figures": {**dict.fromkeys(FIGURES, 1.0), "sharpe": sharpe}}
        for coin in ("BTC", "ETH")
        for segment in comparison.SEGMENTS
    ]
    return {"id": name, "job": "evolve-1", "play": "f00", "fitness": sharpe, "params": params, "scores": scores, "synthetic": False}


def job(seed: int, population: int) -> dict[str, Any]:
    play = {"sha256": "f00", "name": "trend", "costs": {"taker_bps": 5.5}, "account": {"starting_equity": 10_000.0}}
    market = {"key": "binance:BTC/USDT:1h", "first_ts": 0, "last_ts": 86_400_000}
    config = {"plays": [play], "markets": [market], "split_ts": 43_200_000, "search": {"population": population, "seed": seed}}
    return {"id": "evolve-1", "campaign": "default", "seed": seed, "code_version": "1", "config": config}


def test_what_is_equal_is_left_out_and_what_one_lacks_is_none():
    assert comparison.differing([{"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}]) == {"b": [2, 3], "c": [None, 4]}
    assert comparison.differing([{"a": 1}, {"a": 1}]) == {}


def test_settings_parameters_and_figures_are_compared():
    one, other = (comparison.compared(record(*given), job(seed, size)) for given, seed, size in ((("a", 1.5), 1, 40), (("b", None), 2, 40)))
    assert one.bar_minutes == 60
    assert one.settings["from"] == "1970-01-01 00:00"
    found = codec.plain(comparison.as_json([one, other]))
    assert found["settings"] == {"seed": [1, 2]}
    assert found["figures"]["out_of_sample"]["sharpe"] == [1.5, None]
    assert found["figures"]["in_sample"]["n_trades"] == [1.0, 1.0]
    assert math.isnan(other.fitness)


def test_parameters_that_differ_are_named():
    found = [comparison.compared(record("a", 1.0, length=length, side="long"), job(1, 40)) for length in (10, 20, 10)]
    assert comparison.as_json(found)["parameters"] == {"length": [10, 20, 10]}
