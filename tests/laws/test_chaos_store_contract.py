"""What every store of chaos trades promises, in memory and in PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cluster.store.chaos import PostgresChaosStore
from cluster.store.database import Database
from coinswarm import errors
from coinswarm.chaos import drawing, pricing
from coinswarm.chaos.settings import make
from coinswarm.ledger.chaos import COLUMNS, ChaosStore, ChaosTrades, figures
from coinswarm.ledger.memory import MemoryChaosStore, MemoryStore
from coinswarm.ledger.records import WHOLE_JOB, GenerationRecord, Job, Lease
from coinswarm.ledger.store import Store
from tests.laws.ledger_world import fresh, generation, queued, running
from tests.unit.chaos.worlds import market, with_funding

MARKETS = [market(900), with_funding(market(600, "BBB/USDT"))]
SPOT = replace(MARKETS[0], volume=np.where(np.arange(900) < 300, 0.0, MARKETS[0].volume))
SAMPLER = drawing.sampler([SPOT, MARKETS[1]], make(hold="5m..4h", features=["rsi(7)", "bbands(20).upper"], seed=5))
BARE = drawing.sampler([SPOT], make(hold="5m..4h"))


@pytest.fixture(scope="session")
def postgres_chaos(database: Database) -> PostgresChaosStore:
    return PostgresChaosStore(database)


@pytest.fixture
def kept(store: Store, request: pytest.FixtureRequest) -> ChaosStore:
    return MemoryChaosStore(store) if isinstance(store, MemoryStore) else request.getfixturevalue("postgres_chaos")


def started(store: Store, kept: ChaosStore, sampler: drawing.TradeSampler = SAMPLER, **changes: object) -> tuple[Job, Lease]:
    job, lease = running(store, kind="chaos", **changes)
    kept.prepare(job.id, sampler.frame)
    return job, lease


def step(job: Job, number: int, trades: ChaosTrades) -> GenerationRecord:
    return generation(job, number, WHOLE_JOB, evaluations=len(trades), figures=figures(trades), state=b"")


def commit(kept: ChaosStore, lease: Lease, job: Job, number: int, sampler: drawing.TradeSampler = SAMPLER, size: int = 100) -> bool:
    trades = pricing.trades(sampler, number * size, (number + 1) * size)
    return kept.commit(lease, step(job, number, trades), trades)


def same(first: ChaosTrades, second: ChaosTrades) -> bool:
    columns = [(getattr(first, name), getattr(second, name)) for name in ("number", *COLUMNS)]
    return first.frame == second.frame and all(
        a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in columns
    )


@pytest.mark.parametrize("sampler", [SAMPLER, BARE], ids=["named features", "base features"])
def test_trades_read_back_to_the_last_bit_in_order_of_number(store: Store, kept: ChaosStore, sampler: drawing.TradeSampler) -> None:
    job, lease = started(store, kept, sampler)
    assert [commit(kept, lease, job, number, sampler) for number in (0, 1, 2)] == [True] * 3
    assert same(kept.trades(job.id), pricing.trades(sampler, 0, 300))
    assert kept.frame(job.id) == sampler.frame
    assert np.isnan(kept.trades(job.id).state).any()


def test_a_step_that_is_committed_again_changes_nothing(store: Store, kept: ChaosStore) -> None:
    job, lease = started(store, kept)
    assert [commit(kept, lease, job, 0), commit(kept, lease, job, 0)] == [True, False]
    assert len(kept.trades(job.id)) == 100
    assert [record.generation for record in store.generations(job.id)] == [0]


def test_a_driver_that_lost_its_lease_stores_neither_trades_nor_record(store: Store, kept: ChaosStore) -> None:
    job, lease = started(store, kept)
    store.release(lease)
    store.claim(job.id, fresh("driver"))
    with pytest.raises(errors.Conflict):
        commit(kept, lease, job, 0)
    assert len(kept.trades(job.id)) == 0
    assert store.generations(job.id) == ()


def test_trades_of_another_frame_are_refused(store: Store, kept: ChaosStore) -> None:
    job, lease = started(store, kept)
    with pytest.raises(errors.Conflict, match="share markets, features and bars"):
        commit(kept, lease, job, 0, BARE)
    with pytest.raises(errors.Conflict, match="share markets, features and bars"):
        kept.prepare(job.id, BARE.frame)
    kept.prepare(job.id, SAMPLER.frame)
    assert kept.frame(job.id) == SAMPLER.frame


def test_a_job_that_was_not_prepared_has_no_trades(store: Store, kept: ChaosStore) -> None:
    job, lease = running(store)
    for call in (lambda: kept.trades(job.id), lambda: kept.frame(job.id), lambda: commit(kept, lease, job, 0)):
        with pytest.raises(errors.NotFound, match="no chaos trades"):
            call()
    with pytest.raises(errors.NotFound):
        kept.prepare(fresh("nobody"), SAMPLER.frame)
    assert store.generations(job.id) == ()


def test_summaries_add_up_the_steps_of_a_campaigns_jobs(store: Store, kept: ChaosStore) -> None:
    campaign = fresh("campaign")
    job, lease = started(store, kept, campaign=campaign)
    commit(kept, lease, job, 0)
    commit(kept, lease, job, 1)
    bare = queued(store, kind="chaos", campaign=campaign)
    kept.prepare(bare.id, BARE.frame)
    found = {summary.job: summary for summary in kept.summaries(campaign=campaign)}
    trades = pricing.trades(SAMPLER, 0, 200)
    assert (found[job.id].trades, found[job.id].markets, found[bare.id].trades) == (200, 2, 0)
    assert found[job.id].net == pytest.approx(trades.net.mean())
    assert found[job.id].win_rate == pytest.approx((trades.net > 0).mean())
    assert np.isnan(found[bare.id].net)
    assert len(kept.summaries(campaign=campaign, limit=1)) == 1


def test_dropped_trades_are_gone_and_the_job_stays(store: Store, kept: ChaosStore) -> None:
    job, lease = started(store, kept)
    commit(kept, lease, job, 0)
    with pytest.raises(errors.Conflict, match="not ended"):
        kept.drop(job.id)
    store.finish(lease, "done", result={})
    kept.drop(job.id)
    kept.drop(job.id)
    assert store.job(job.id).status == "done"
    with pytest.raises(errors.NotFound, match="no chaos trades"):
        kept.trades(job.id)


def test_stored_trades_are_counted(store: Store, kept: ChaosStore) -> None:
    job, lease = started(store, kept)
    assert kept.count(job.id) == 0
    commit(kept, lease, job, 0)
    assert kept.count(job.id) == 100
    with pytest.raises(errors.NotFound, match="no chaos trades"):
        kept.count(queued(store).id)
