"""Results as a person reads them at 80 columns, and as programs do."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from cluster.cli import jobs, reports, show, subjects
from cluster.jobs import brief
from cluster.jobs.evolve import report
from coinswarm import errors
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.records import Job, LeaderboardRow
from coinswarm.metrics.figures import FIGURES
from tests.laws import ledger_world as world

PARAMS = {f"entry_long.all[{number}].length": number * 10 for number in range(9)}
MARKET = {"key": "binance:BTC/USDT:5m", "n_bars": 9}


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def search(**changes: Any) -> tuple[MemoryStore, Job]:
    """A search with three variants, the last the fittest."""
    store = MemoryStore()
    config = {"plays": [{"name": "trend"}], "markets": [MARKET], "search": {"population": 200, "generations": 20}}
    job, lease = world.running(store, id="evolve-20260101-120000-abcd", config=config, **changes)
    store.commit_generation(lease, [world.generation(job)], [world.trials(job, ["a", "b", "c"])], [world.scored(["a", "b", "c"])])
    return store, store.job(job.id)


def row(rank: int) -> LeaderboardRow:
    inside, outside = dict.fromkeys(FIGURES, 1234.5), dict.fromkeys(FIGURES, -0.0123)
    return LeaderboardRow(
        rank=rank, evaluation=f"{rank:020x}", job="evolve-1", variant="v", play="p", params=PARAMS, fitness=-1.5, objectives=(1.0,),
        in_sample=inside, out_of_sample=outside, synthetic=False,
    )  # fmt: skip


def test_a_leaderboard_is_a_table_of_nine_columns_with_parameters_below(capsys):
    _, job = search()
    reports.show_parts(report.leaderboard(job, [row(1), row(10)], trials=30_423), synthetic=False)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    (first,) = (line for line in lines if "00000000 " in line and line.split()[0] == "1")
    assert len(first.replace(" %", "%").split()) == 9
    assert any("entry_long.all[3].length=30" in line for line in lines)


def test_counts_are_of_the_job_and_of_its_campaign():
    _, job = search()
    (_, running) = report.leaderboard(job, [row(1)], trials=30_423)
    assert "30,423 distinct variants tried in campaign" in str(running)
    (_, ended) = report.leaderboard(replace(job, result={"distinct": 991}), [row(1)], trials=30_423)
    assert str(ended).startswith(f"991 distinct variants tried in this job, 30,423 in campaign {job.campaign}.")


def test_a_search_stands_for_its_best():
    store, job = search()
    best = store.leaderboard(job.id, limit=1)[0].evaluation
    assert subjects.here(store, job.id) == subjects.here(store, job.id[:20]) == best
    assert subjects.here(store, best[:6]) == best[:6]
    other = world.queued(store, kind="chaos", id="chaos-1")
    with pytest.raises(errors.Refused, match="only a search has a leaderboard"):
        subjects.here(store, other.id)
    with pytest.raises(errors.NotFound, match="has found nothing yet"):
        subjects.here(store, world.queued(store, id="evolve-2").id)


def test_jobs_are_listed_with_whole_ids_and_as_json_with_times_and_lists(capsys):
    _, job = search(synthetic=False)
    jobs._list([brief.brief(job)], as_json=False)
    shown = capsys.readouterr().out
    assert "1 job, newest first" in shown
    assert job.id in shown
    assert "200 \N{MULTIPLICATION SIGN} 20" in shown
    assert "SYNTHETIC" not in shown
    jobs._list([brief.brief(job)], as_json=True)
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["plays"], listed["markets"]) == (["trend"], ["binance:BTC/USDT:5m"])
    assert listed["created"].endswith("+00:00")


def test_an_empty_list_says_what_to_do(capsys):
    jobs._list([], as_json=False)
    assert "coinswarm demo" in capsys.readouterr().out


def test_figures_are_a_table_a_market_with_titles_and_units(capsys):
    figures = {**dict.fromkeys(FIGURES, 0.5), "max_stagnation": 3.0}
    scores = [
        {"data_set": f"binance:{coin}/USDT:1d", "segment": segment, "figures": figures}
        for coin in ("BTC", "ETH")
        for segment in ("in_sample", "out_of_sample")
    ]
    show._figures(scores, synthetic=False)
    shown = capsys.readouterr().out
    assert [shown.count(title) for title in ("binance:BTC/USDT:1d", "in sample  out of sample", "Longest stagnation")] == [1, 2, 2]
    assert shown.count("+50.00 %") == 8
    assert "3 d" in shown
