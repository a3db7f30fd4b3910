"""The last lines of a search: what its best is worth, in sample and out, and the next sensible step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster.jobs import registry
from cluster.jobs.kind import PlanContext
from cluster.run.runner import Runner
from coinswarm import errors
from coinswarm.evolve.settings import ENOUGH_TRADES
from coinswarm.ledger.memory import MemoryAccess, MemoryCampaigns, MemoryQueue, MemoryStore
from coinswarm.ledger.records import Job, LeaderboardRow
from coinswarm.validate import gates
from tests import jobs_world, kinds_world
from tests.kinds_world import KindsWorld
from tests.unit.cluster.test_where_a_job_is_computed import Counted

BEATEN = {
    "random": {"best": 1.0, "margin": 1.0, "evaluations": 4},
    "lottery": {"best": 0.5, "margin": 1.5, "evaluations": 4, "evolved_best": 2.0},
}
LONG = 12_000
"""Bars that are enough for a vault."""
LOST = {**BEATEN, "beaten": False}
WON = {**BEATEN, "beaten": True}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> KindsWorld:
    return kinds_world.world(tmp_path_factory.mktemp("says"), LONG)


@pytest.fixture(scope="module")
def done(here: KindsWorld) -> Job:
    search = {"population": 8, "generations": 1, "constraints": []}
    name = here.finished("evolve", plays=[{"text": kinds_world.PLAY}], markets=here.markets, search=search, baselines=False)
    return here.context.store.job(name)


class Told(MemoryStore):
    """A store whose only search found one variant."""

    def __init__(self, row: LeaderboardRow | None) -> None:
        super().__init__()
        self._rows = () if row is None else (row,)

    def leaderboard(self, job: str, *, by: str = "fitness", limit: int = 20) -> tuple[LeaderboardRow, ...]:
        return self._rows


def said(here: KindsWorld, done: Job, inside: Mapping[str, float], outside: Mapping[str, float], compared: Any, *, vault: bool) -> str:
    """The last sentence of a report of a variant with these figures."""
    row = here.context.store.leaderboard(done.id)[0]
    store = Told(replace(row, fitness=2.0, in_sample={"sharpe": 2.0, **inside}, out_of_sample=outside))
    campaigns = MemoryCampaigns(store)
    if vault:
        Runner(
            context=replace(here.context, store=store, campaigns=campaigns), queue=MemoryQueue(store, MemoryAccess()), compute=Counted(1),
            fetch_timeout_s=1.0,
        ).hold_out(asked(here, "default"), 0.2, who="me")  # fmt: skip
    context = replace(here.context, store=store, campaigns=campaigns)
    return str(registry.report(replace(done, result={"baselines": compared, "distinct": 4}), context).parts[-1])


def asked(here: KindsWorld, campaign: str) -> Any:
    return jobs_world.request("evolve", plays=[{"text": kinds_world.PLAY}], markets=here.markets, campaign=campaign)


@pytest.mark.parametrize(
    ("inside", "outside", "compared", "vault", "says"),
    [
        # trades of two markets are added up, as the gates do
        ({"n_trades": 8.5}, {"sharpe": 1.0, "n_trades": 9}, WON, True, "17 trades; promotion asks 100: search more bars or markets"),
        ({"n_trades": 50}, {"sharpe": 1.0, "n_trades": 9}, WON, False, "search again in a campaign with a final hold-out"),
        ({"n_trades": 50}, {"sharpe": 1.0, "n_trades": 9}, WON, True, "18 trades out of sample; promotion asks 30"),
        ({"n_trades": 50}, {"sharpe": 1.0, "n_trades": 20}, WON, True, "tests whether it is luck"),
        ({"n_trades": 50}, {"sharpe": -5.16, "n_trades": 20}, WON, True, "try other markets, other ranges or another play"),
    ],
)
def test_the_next_step_is_the_first_that_promotion_lacks(
    here: KindsWorld, done: Job, inside: Mapping[str, float], outside: Mapping[str, float], compared: Any, vault: bool, says: str
) -> None:
    assert says in said(here, done, inside, outside, compared, vault=vault)


@pytest.mark.parametrize(
    ("sharpe", "compared", "says"),
    [
        (-5.16, WON, "Better than random search, but a Sharpe of -5.16 out of sample: the best did not hold up."),
        (-5.16, LOST, "No better than random search, and a Sharpe of -5.16 out of sample: the best did not hold up."),
        (0.5, WON, "Better than random search, and a Sharpe of 0.50 out of sample."),
        (0.5, LOST, "No better than random search, but a Sharpe of 0.50 out of sample."),
        (0.5, None, "A Sharpe of 0.50 out of sample."),
    ],
)
def test_in_and_out_of_sample_stand_in_one_sentence(here: KindsWorld, done: Job, sharpe: float, compared: Any, says: str) -> None:
    assert said(here, done, {"n_trades": 50}, {"sharpe": sharpe, "n_trades": 20}, compared, vault=True).startswith(says)


def test_a_search_that_found_nothing_says_which_constraint_nothing_kept(here: KindsWorld, done: Job) -> None:
    context: PlanContext = replace(here.context, store=Told(None))
    job = replace(done, config={**done.config, "search": {**done.config["search"], "constraints": [ENOUGH_TRADES.model_dump()]}})
    assert "No variant keeps n_trades>=100:sum" in str(registry.report(job, context).parts[-1])


def test_the_gates_ask_for_what_a_search_asks_for() -> None:
    rules = {rule.figure: rule.threshold for rule in gates.load().rules}
    from cluster.jobs.evolve.report import ENOUGH_UNSEEN_TRADES

    assert rules["in_sample.n_trades"] == ENOUGH_TRADES.threshold
    assert rules["validation.n_trades"] == ENOUGH_UNSEEN_TRADES


def test_a_vault_is_declared_once_and_with_one_share(here: KindsWorld) -> None:
    store, notes = MemoryStore(), list[str]()
    context = replace(here.context, store=store, campaigns=MemoryCampaigns(store))
    runner = Runner(
        context=context, queue=MemoryQueue(store, MemoryAccess()), compute=Counted(1), fetch_timeout_s=1.0, note=notes.append
    )  # fmt: skip
    runner.hold_out(asked(here, "spring"), 0.2, who="me")
    runner.hold_out(asked(here, "spring"), 0.2, who="another")
    split = context.campaigns.split("spring")
    assert split is not None
    assert (split.vault_share, split.who, [each.key for each in split.markets]) == (0.2, "me", here.markets)
    assert "is declared" in notes[0]
    assert "was declared on" in notes[1]
    with pytest.raises(errors.Refused, match="say that, or name another campaign"):
        runner.hold_out(asked(here, "spring"), 0.3, who="me")


def test_a_vault_that_comes_too_late_says_how_to_start_again(here: KindsWorld, tmp_path: Path) -> None:
    late = kinds_world.world(tmp_path, LONG)
    late.finished(
        "evolve", plays=[{"text": kinds_world.PLAY}], markets=late.markets, search={"population": 8, "generations": 1, "constraints": []}
    )  # fmt: skip
    runner = Runner(context=late.context, queue=MemoryQueue(MemoryStore(), MemoryAccess()), compute=Counted(1), fetch_timeout_s=1.0)
    with pytest.raises(errors.Refused, match="--campaign NAME"):
        runner.hold_out(asked(late, "default"), 0.2, who="me")
