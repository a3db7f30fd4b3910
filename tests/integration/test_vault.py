"""Trying to reach the bars of a vault, from everywhere: directly, by a worker, by a play, by the API, by a resumed job."""

from __future__ import annotations

import dataclasses
import pickle
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from cluster import bootstrap
from cluster.compute.batching import BatchEvaluator
from cluster.compute.evaluator import ScoreRequest, TimeSegment
from cluster.compute.local import LocalExecutor
from cluster.compute.sources import CatalogSource
from cluster.jobs import spec
from cluster.jobs.chaos.settings import ChaosRequest
from cluster.jobs.chaos.stages import Draw
from cluster.jobs.evolve.plan import SearchPlan, planned_search
from cluster.jobs.evolve.settings import EvolveRequest
from cluster.jobs.kind import PlanContext, Planned
from cluster.queries import vaults
from cluster.store.campaigns import PostgresCampaigns
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from cluster.version import code_version
from coinswarm import errors
from coinswarm.chaos.settings import make
from coinswarm.evolve.settings import SearchSettings
from coinswarm.ledger.campaigns import CampaignSplit
from coinswarm.ledger.memory import MemoryCampaigns, MemoryStore
from coinswarm.market import resample, synthetic, vault
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from coinswarm.market.vault import Fence, VaultPass
from coinswarm.validate import card as cards
from tests import jobs_world
from tests.integration import evolve_world
from tests.integration.evolve_world import PLAY, driven
from tests.laws.ledger_world import fresh
from tests.unit.validate.test_gates import graded

BAR_MS = 300_000
N = 4000
MORE = """  slower: { indicator: ema, params: { length: 5 }, tf: 1h }
  other: { indicator: ema, market: ETH/USDT, params: { length: 9 } }
actions:"""
LOOKING_AROUND = PLAY.replace("actions:", MORE).replace(
    "[fast, cross_above, slow]", "[fast, cross_above, slow], [close, '>', slower], [other, '>', 1]"
)


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """A catalog, and a campaign whose newest fifth is closed."""

    path: Path
    split: CampaignSplit
    kept: MemoryCampaigns
    store: MemoryStore

    @property
    def fence(self) -> Fence:
        return self.split.fence

    @property
    def context(self) -> PlanContext:
        return jobs_world.plan_context(self.path, store=self.store, campaigns=self.kept)

    def planned(self, text: str = PLAY, *, context: PlanContext | None = None, **changes: object) -> Planned:
        """The job of a small search in the campaign."""
        search = SearchSettings(population=8, generations=2, constraints=())
        values = {
            "plays": (jobs_world.play(text),), "markets": ("BTC/USDT",), "timeframe": "5m", "search": search, "winners": 2,
            "baselines": False, "campaign": self.split.campaign,
        }  # fmt: skip
        return jobs_world.planned(EvolveRequest(**{**values, **changes}), context or self.context)

    def plan(self, text: str = PLAY, **changes: object) -> SearchPlan:
        return planned_search(self.planned(text, **changes), self.path)

    def source(self, **changes: object) -> CatalogSource:
        made = CatalogSource(path=self.path, key="synthetic:BTC/USDT:5m", content_hash="", end_ts=self.fence.ts, fence=self.fence)
        return dataclasses.replace(made, **changes)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vault") / "bars.duckdb"
    with Catalog.open(path) as opened:
        for symbol in ("BTC/USDT", "ETH/USDT"):
            bars = synthetic.market(symbol, Timeframe(BAR_MS), N, seed=3)
            opened.put(bars, source="made")
            opened.put(resample.resample(bars, Timeframe.parse("1h")), source="made")
    return path


@pytest.fixture
def guarded(catalog: Path) -> Guarded:
    store = MemoryStore()
    kept = MemoryCampaigns(store)
    return Guarded(path=catalog, split=declared(kept, catalog), kept=kept, store=store)


def declared(kept: object, path: Path, **changes: object) -> CampaignSplit:
    wanted = vaults.VaultQuery(campaign=fresh("campaign"), markets=("BTC/USDT",), timeframe="5m", hold=12)
    return vaults.declare(kept, dataclasses.replace(wanted, **changes), path, who="ann@desk")  # type: ignore[arg-type]


def last_close(bars: object) -> int:
    return int(bars.close_ts[-1])  # type: ignore[attr-defined]


# --- where bars are loaded -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [None, 1, 10**9, 2**61])
def test_a_source_with_a_later_end_loads_nothing(guarded: Guarded, end: int | None) -> None:
    source = guarded.source(end_ts=None if end is None else guarded.fence.ts + end)
    with pytest.raises(errors.Refused, match="vault of campaign"):
        source.load()


@pytest.mark.parametrize("key", ["synthetic:BTC/USDT:5m", "synthetic:ETH/USDT:5m", "synthetic:BTC/USDT:1h", "synthetic:ETH/USDT:1h"])
def test_every_market_and_timeframe_ends_at_the_fence(guarded: Guarded, key: str) -> None:
    bars = guarded.source(key=key).load()
    assert guarded.fence.ts - bars.timeframe.ms < last_close(bars) <= guarded.fence.ts
    assert last_close(resample.resample(bars, Timeframe.parse("4h"))) <= guarded.fence.ts


def test_no_pass_is_made_up_borrowed_or_sent(guarded: Guarded) -> None:
    with pytest.raises(errors.Refused, match="written down"):
        VaultPass(guarded.fence.campaign, "opening")
    other = vault.issue("another campaign", "vault-1")
    with pytest.raises(errors.Refused, match="own passes only"):
        guarded.source(end_ts=None, leave=other).load()
    with pytest.raises(errors.Refused, match="own passes only"):
        guarded.source(end_ts=None, leave=True).load()
    for thing in (other, guarded.source(leave=other)):
        with pytest.raises(errors.Refused, match="stays in the process"):
            pickle.dumps(thing)


def test_only_the_stores_give_passes_out() -> None:
    root = Path(__file__).resolve().parents[2]
    callers = {
        str(file.relative_to(root))
        for folder in ("coinswarm", "cluster")
        for file in (root / folder).rglob("*.py")
        if "vault.issue(" in file.read_text() or "_WRITTEN_DOWN" in file.read_text()
    }
    assert callers == {"coinswarm/market/vault.py", "coinswarm/ledger/memory/campaigns.py", "cluster/store/campaigns.py"}


def test_a_worker_on_a_cluster_is_refused(guarded: Guarded, ray_cluster: bootstrap.RaySession) -> None:
    import ray

    from cluster.compute.ray import tasks

    assert ray_cluster.cpus >= 1
    late = guarded.source(end_ts=guarded.fence.ts + 1)
    with pytest.raises(errors.Refused, match="vault of campaign"):
        ray.get(tasks.load_bars.remote(code_version(), late, TimeSegment(name="in_sample"))[1])


# --- jobs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [PLAY, LOOKING_AROUND])
def test_a_job_inherits_the_split_and_its_bars_end_at_the_fence(guarded: Guarded, text: str) -> None:
    made = guarded.plan(text)
    split = guarded.split
    assert (made.task.split_ts, made.task.search_end_ts) == (split.validation.start_ts, split.train.end_ts)
    assert made.task.split_ts - made.task.search_end_ts == (split.purge_bars + split.embargo_bars) * BAR_MS
    for source in (*made.task.sources, *made.task.others.values()):
        assert last_close(source.load()) <= guarded.fence.ts
    assert len(made.task.others) == (0 if text == PLAY else 1)
    assert driven(guarded.store, BatchEvaluator(LocalExecutor()), made).status == "done"


def test_a_job_that_asks_for_more_is_refused_and_one_that_asks_for_less_is_not(guarded: Guarded) -> None:
    with pytest.raises(errors.Refused, match="vault of campaign"):
        guarded.plan(end_ts=guarded.fence.ts + 1)
    with pytest.raises(errors.SpanTooShort, match="validation part"):
        guarded.plan(end_ts=guarded.split.validation.start_ts)
    sooner = guarded.plan(end_ts=guarded.fence.ts - BAR_MS)
    assert last_close(sooner.task.sources[0].load()) == guarded.fence.ts - BAR_MS


def test_chaos_trades_end_before_the_vault_with_all_the_markets_they_look_at(guarded: Guarded) -> None:
    drawn = make(hold="1h", features=["ETH/USDT:roc(5)"])
    request = ChaosRequest(markets=("BTC/USDT",), trades=100, settings=drawn, timeframe="5m", campaign=guarded.split.campaign)
    draw = Draw.of(jobs_world.planned(request, guarded.context).job, guarded.path)
    assert [last_close(source.load()) <= guarded.fence.ts for source in draw.sources] == [True, True]
    with pytest.raises(errors.Refused, match="vault of campaign"):
        jobs_world.planned(request.model_copy(update={"end_ts": guarded.fence.ts + 1}), guarded.context)


def test_the_search_of_a_job_never_sees_its_validation_part(guarded: Guarded) -> None:
    made = guarded.plan()
    seen = made.task.segment("in_sample").load(made.task.sources[0])
    assert last_close(seen) == guarded.split.train.end_ts


@pytest.mark.parametrize("tampered", [{"to": None}, {"fence": None}, {"to": 2**61, "fence": None}, {"train_end_ts": None}])
def test_a_resumed_job_that_was_tampered_with_goes_no_further(guarded: Guarded, tampered: dict[str, object]) -> None:
    made = guarded.planned()
    changed = dataclasses.replace(made.job, config={**made.job.config, **tampered})
    spec.submit(guarded.store, dataclasses.replace(made, job=changed))
    with pytest.raises(errors.Refused, match="cannot go on"):
        evolve_world.resumed(guarded.store, changed.id, guarded.path)


def test_a_job_with_forged_hashes_still_finds_other_bars_than_it_was_made_for(guarded: Guarded) -> None:
    forged = jobs_world.resettled(guarded.planned(), to=2**61, fence=None)
    spec.submit(guarded.store, forged)
    again = evolve_world.resumed(guarded.store, forged.job.id, guarded.path)
    with pytest.raises(errors.Conflict, match="changed since"):
        BatchEvaluator(LocalExecutor()).open(again.task)


def test_a_request_over_the_network_ends_at_the_fence_and_a_job_made_without_it_is_never_stored(
    catalog: Path, store: PostgresStore, database: Database
) -> None:
    kept = PostgresCampaigns(database)
    split = declared(kept, catalog)
    asked = EvolveRequest(plays=(jobs_world.play(PLAY),), markets=("synthetic:BTC/USDT:5m",), campaign=split.campaign)
    made = jobs_world.planned(asked, jobs_world.plan_context(catalog, store=store, campaigns=kept))
    assert made.job.config["markets"][0]["last_ts"] + BAR_MS == split.fence.ts
    careless = jobs_world.planned(asked, jobs_world.plan_context(catalog))
    with pytest.raises(errors.Refused, match="must not see bars"):
        spec.submit(store, careless)
    assert store.jobs(campaign=split.campaign) == ()


# --- opening it ------------------------------------------------------------------------------------------------------


def looked(guarded: Guarded, why: str = "the last look") -> tuple[str, object]:
    made = guarded.plan()
    driven(guarded.store, BatchEvaluator(LocalExecutor()), made)
    best = guarded.store.leaderboard(made.job.id, limit=1)[0].evaluation
    evaluator = BatchEvaluator(LocalExecutor())
    return best, vaults.look(guarded.store, guarded.kept, evaluator, best, guarded.path, who="ann", why=why, anyway=True)


def judged(guarded: Guarded, best: str, **figures: float) -> None:
    """A report card of a variant as a finished job leaves it, at every threshold but for some figures."""
    record = guarded.store.evaluation(best)
    card = dataclasses.replace(graded(**figures), evaluation=best, variant=record.variant, campaign=record.campaign)
    made = guarded.store.job(record.job)
    later = made.created + timedelta(hours=len(guarded.store.jobs(campaign=made.campaign)))
    job = dataclasses.replace(
        made, id=fresh("validate"), kind="validate", created=later, config={"evaluation": best}, status="queued", result=None,
        result_hash="", started=None, finished=None,
    )  # fmt: skip
    guarded.store.create_job(job)
    guarded.store.finish(guarded.store.claim(job.id, "ann"), "done", result={"card": cards.to_json(card)})


def test_a_vault_is_opened_for_what_passed_its_gates_and_for_others_only_when_told(guarded: Guarded) -> None:
    made = guarded.plan()
    driven(guarded.store, BatchEvaluator(LocalExecutor()), made)
    best = guarded.store.leaderboard(made.job.id, limit=1)[0].evaluation

    def look(**more: bool) -> bool | None:
        evaluator = BatchEvaluator(LocalExecutor())
        return vaults.look(guarded.store, guarded.kept, evaluator, best, guarded.path, who="ann", why="w", **more).passed

    with pytest.raises(errors.Refused, match=r"has no report card.*coinswarm validate"):
        look()
    assert look(anyway=True) is None
    judged(guarded, best, plateau__score=0.1)
    with pytest.raises(errors.Refused, match=r"failed 1 of 16 rules, got plateau.*coinswarm gates check.*--anyway"):
        look()
    assert look(anyway=True) is False
    judged(guarded, best)
    assert look() is True
    assert [each.passed for each in guarded.kept.openings()] == [None, False, True]


def test_an_opening_scores_the_variant_behind_the_fence_and_is_charged(guarded: Guarded) -> None:
    best, opening = looked(guarded)
    counts = guarded.store.count_trials(guarded.split.campaign)
    assert (counts.openings, counts.trials) == (1, counts.evaluations + 1)
    assert guarded.kept.openings(guarded.split.campaign) == (opening,)
    figures = opening.figures["synthetic:BTC/USDT:5m"]  # type: ignore[attr-defined]
    span = guarded.split.vault
    assert figures["n_obs"] == pytest.approx((span.end_ts - span.start_ts) / BAR_MS, abs=2)
    assert figures == pytest.approx(plainly(guarded, best), nan_ok=True)


def plainly(guarded: Guarded, best: str) -> dict[str, float]:
    """The same figures by a plan that was never fenced."""
    record = guarded.store.evaluation(best)
    open_plan = guarded.plan(campaign="open", out_of_sample=0.2)
    task = dataclasses.replace(open_plan.task, split_ts=guarded.split.vault.start_ts)
    evaluator = BatchEvaluator(LocalExecutor())
    evaluator.open(task)
    evaluator.submit(ScoreRequest(token=0, setup=0, segment="out_of_sample", genomes=np.array([record.genome])))
    row = evaluator.collect(60.0).figures[0, 0]
    return {name: float(row[name]) for name in row.dtype.names if name != "status"}


def test_bars_of_the_vault_that_changed_are_not_judged_on_but_the_look_counts(guarded: Guarded, tmp_path: Path) -> None:
    made = guarded.plan()
    driven(guarded.store, BatchEvaluator(LocalExecutor()), made)
    best = guarded.store.leaderboard(made.job.id, limit=1)[0].evaluation
    other = tmp_path / "other.duckdb"
    with Catalog.open(guarded.path, read_only=True) as before, Catalog.open(other) as after:
        bars = before.read("synthetic:BTC/USDT:5m")
        close = bars.close.copy()
        close[-1] = (bars.low[-1] + bars.high[-1]) / 2 + 1e-9
        after.put(dataclasses.replace(bars, close=close), source="edited")
    with pytest.raises(errors.Conflict, match="changed since"):
        vaults.look(guarded.store, guarded.kept, BatchEvaluator(LocalExecutor()), best, other, who="ann", why="once more", anyway=True)
    assert guarded.store.count_trials(guarded.split.campaign).openings == 1


# --- declaring it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "kind", "rule"),
    [
        ({"vault": 0.0}, errors.InvalidArgument, "vault must be a share"),
        ({"vault": 1.0}, errors.InvalidArgument, "vault must be a share"),
        ({"validation": float("nan")}, errors.InvalidArgument, "validation must be a share"),
        ({"validation": 0.5, "vault": 0.5}, errors.InvalidArgument, "leave bars to train"),
        ({"hold": 0}, errors.InvalidArgument, "hold must be at least 1"),
        ({"embargo": -1}, errors.InvalidArgument, "embargo"),
        ({"hold": 40}, errors.SpanTooShort, "70 blocks"),
        ({"vault": 0.006}, errors.SpanTooShort, "vault must have a block"),
        ({"markets": ()}, errors.InvalidArgument, "its markets"),
        ({"markets": ("BTC/USDT", "BTCUSDT")}, errors.InvalidArgument, "named once"),
        ({"markets": ("DOGE/USDT",)}, errors.NotFound, "DOGE"),
        ({"timeframe": None}, errors.InvalidArgument, "must name one data set"),
        ({"campaign": " "}, errors.InvalidArgument, "for a campaign"),
    ],
)
def test_a_split_that_cannot_hold_is_refused(
    catalog: Path, changes: dict[str, object], kind: type[errors.CoinswarmError], rule: str
) -> None:
    kept = MemoryCampaigns(MemoryStore())
    with pytest.raises(kind, match=rule):
        declared(kept, catalog, **changes)
    assert kept.splits() == ()


def test_spans_of_a_split_hold_their_shares_and_keep_apart(guarded: Guarded) -> None:
    split = guarded.split
    lengths = [(span.end_ts - span.start_ts) / BAR_MS / N for span in (split.train, split.validation, split.vault)]
    assert lengths == pytest.approx([0.6, 0.2, 0.2], abs=0.01)
    assert split.vault.start_ts - split.validation.end_ts == 24 * BAR_MS
