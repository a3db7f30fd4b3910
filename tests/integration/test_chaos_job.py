"""Chaos jobs on a real PostgreSQL: the same table however they are driven, stopped, killed or taken up again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import psycopg
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from cluster.cli.app import app
from cluster.compute.executor import Executor
from cluster.compute.ray.executor import RayExecutor
from cluster.jobs import registry, spec
from cluster.jobs.chaos.settings import ChaosRequest
from cluster.jobs.chaos.stages import Draw
from cluster.jobs.kind import PlanContext, Planned
from cluster.jobs.progress import Advance, Silent
from cluster.store.chaos import PostgresChaosStore
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm import chaos, errors
from coinswarm.chaos import drawing, pricing
from coinswarm.chaos.settings import ChaosSettings, make
from coinswarm.ledger.chaos import COLUMNS, ChaosTrades
from coinswarm.ledger.records import Job
from coinswarm.market.catalog import Catalog
from tests import jobs_world
from tests.jobs_world import RunWorld
from tests.laws.ledger_world import fresh
from tests.unit.chaos.worlds import market, with_funding

MARKETS = (with_funding(market(2500)), market(1200, "BBB/USDT", late=1300))
OTHER = market(2600, "ZZZ/USDT")
FEATURES = ("rsi(7)", "ZZZ/USDT:roc(5)")

KILLED = """
import sys, time
from cluster.store.database import Database
from cluster.store.chaos import PostgresChaosStore
from cluster.store.postgres import PostgresStore
from coinswarm.ledger.chaos import ChaosTrades
from tests.integration.test_chaos_job import committed
from dataclasses import fields
class Endless(ChaosTrades):
    def __getattribute__(self, name):
        if name == "exit_state":
            print("half", flush=True)
            time.sleep(600)
        return super().__getattribute__(name)
database = Database(sys.argv[1])
store, kept = PostgresStore(database), PostgresChaosStore(database)
job = store.job(sys.argv[2])
lease = store.claim(job.id, "doomed", lease_s=0.0)
committed(kept, lease, job, 0)
committed(kept, lease, job, 1, lambda trades: Endless(**{field.name: getattr(trades, field.name) for field in fields(trades)}))
"""


@pytest.fixture
def kept(database: Database) -> PostgresChaosStore:
    return PostgresChaosStore(database)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("chaos") / "bars.duckdb"
    with Catalog.open(path) as opened:
        for bars in (*MARKETS, OTHER):
            opened.put(bars, source="synthetic")
    return path


@pytest.fixture
def context(catalog: Path, store: PostgresStore, kept: PostgresChaosStore) -> PlanContext:
    return jobs_world.plan_context(catalog, store=store, chaos=kept)


def planned(context: PlanContext, *, trades: int = 1000, seed: int = 3, campaign: str | None = None) -> Planned:
    """A job of few trades in batches of 300."""
    settings = make(hold="5m..6h", features=FEATURES, seed=seed)
    keys = tuple(bars.key for bars in MARKETS)
    request = ChaosRequest(markets=keys, trades=trades, settings=settings, campaign=campaign or fresh("campaign"))
    return jobs_world.resettled(jobs_world.planned(request, context), batch=300)


def committed(kept: PostgresChaosStore, lease, job: Job, number: int, change=lambda trades: trades) -> bool:
    """Commit one batch of a stored job, by hand."""
    from coinswarm.ledger.chaos import figures
    from tests.laws.ledger_world import generation

    sampler = drawing.sampler(MARKETS, ChaosSettings.model_validate(job.config["chaos"]), {OTHER.symbol: OTHER})
    trades = pricing.trades(sampler, number * 300, (number + 1) * 300)
    record = generation(job, number, -1, evaluations=300, figures=figures(trades), state=b"")
    return kept.commit(lease, record, change(trades))


class StopAfter(Silent):
    """Wishes the job to stop after so many batches."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def on_advance(self, advance: Advance) -> None:
        self.left -= advance.done > 0

    def __call__(self) -> bool:
        return self.left <= 0


def driven(
    context: PlanContext, made: Planned, *, executor: Executor | None = None, stop: StopAfter | None = None, new: bool = True
) -> Job:
    stop = stop or StopAfter(10**6)
    return jobs_world.run(made, RunWorld(context=context, own_executor=executor), new=new, watcher=stop, stopped=stop)


def same(first: ChaosTrades, second: ChaosTrades) -> bool:
    return all(
        np.array_equal(getattr(first, name), getattr(second, name), equal_nan=name.endswith("state")) for name in ("number", *COLUMNS)
    )


def test_a_job_stores_what_a_notebook_draws(context: PlanContext) -> None:
    made = planned(context)
    ended = driven(context, made)
    drawn = chaos(MARKETS, 1000, hold="5m..6h", features=FEATURES, seed=3, others={"ZZZ/USDT": OTHER})
    assert made.notes == ()
    assert same(context.chaos.trades(made.job.id), drawn)
    assert ended.result is not None
    assert ended.result["trades"] == 1000
    assert ended.result["net"] == pytest.approx(drawn.net.mean())


def test_a_job_that_was_stopped_and_resumed_is_the_job_that_never_stopped(context: PlanContext) -> None:
    whole, broken = planned(context), planned(context)
    assert driven(context, broken, stop=StopAfter(2)).status == "cancelled"
    assert len(context.chaos.trades(broken.job.id)) == 600
    again = driven(context, spec.stored(context.store, broken.job.id), new=False)
    assert again.result_hash == driven(context, whole).result_hash
    assert same(context.chaos.trades(broken.job.id), context.chaos.trades(whole.job.id))


def test_a_driver_killed_in_the_middle_of_a_batch_leaves_whole_batches_only(context: PlanContext, database_url: str) -> None:
    made = planned(context)
    spec.submit(context.store, made)
    context.chaos.prepare(made.job.id, Draw.of(made.job, context.bars_file).frame)
    child = subprocess.Popen([sys.executable, "-c", KILLED, database_url, made.job.id], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "half\n"
    child.kill()
    child.wait()
    child.stdout.close()
    assert len(context.chaos.trades(made.job.id)) == 300
    driven(context, made, new=False)
    assert context.chaos.trades(made.job.id).number.tolist() == list(range(1000))


def test_the_table_is_the_same_for_any_number_of_workers(context: PlanContext, ray_executor: RayExecutor) -> None:
    here, there = planned(context), planned(context)
    assert driven(context, here).result_hash == driven(context, there, executor=ray_executor).result_hash
    assert same(context.chaos.trades(here.job.id), context.chaos.trades(there.job.id))


def test_the_same_draw_counts_once_a_campaign_and_another_seed_adds_to_it(context: PlanContext) -> None:
    first = planned(context)
    spec.submit(context.store, first)
    with pytest.raises(errors.Conflict, match=f"has these trades already, in job {first.job.id}"):
        planned(context, trades=2000, campaign=first.job.campaign)
    (note,) = planned(context, seed=4, campaign=first.job.campaign).notes
    assert "has chaos trades of 1 job: these are added to them" in note
    assert planned(context).notes == ()


def test_trades_that_were_dropped_can_be_drawn_again(context: PlanContext) -> None:
    first = planned(context)
    result_hash = driven(context, first).result_hash
    context.chaos.drop(first.job.id)
    second = planned(context, campaign=first.job.campaign)
    assert second.notes == ()
    assert driven(context, second).result_hash == result_hash


def test_an_estimate_says_rows_time_shares_and_growth(context: PlanContext) -> None:
    made = planned(context, trades=50_000)
    found = registry.of(made.job).estimate(made, RunWorld(context=context))
    assert (found.facts["trades"], found.facts["markets"], found.facts["workers"]) == (50_000, 2, 1)
    assert sum(found.facts["shares"].values()) == pytest.approx(1.0)
    assert found.facts["shares"][MARKETS[1].key] < found.facts["shares"][MARKETS[0].key]
    assert 50_000 * 250 < found.facts["database_bytes"] < 50_000 * 500
    assert found.seconds > 0


def test_a_job_that_would_fill_the_disk_is_refused(context: PlanContext) -> None:
    large, small = (planned(context, trades=trades).job for trades in (10**9, 1000))
    with pytest.raises(errors.Refused, match=r"stores about [\d,.]+ GB in the database"):
        spec.refuse_too_large(registry.of(large).stored_bytes(large.config), 2**30)
    spec.refuse_too_large(registry.of(small).stored_bytes(small.config), 2**30)


@pytest.mark.parametrize("trades", [0, 10**12])
def test_a_number_of_trades_beyond_reason_is_refused(trades: int) -> None:
    with pytest.raises(ValidationError, match="trades"):
        ChaosRequest(markets=(MARKETS[0].key,), trades=trades)


def test_the_view_speaks_of_trades_in_words_and_percent(context: PlanContext, database_url: str) -> None:
    made = planned(context)
    driven(context, made)
    trades = context.chaos.trades(made.job.id)
    with psycopg.connect(database_url, row_factory=psycopg.rows.dict_row) as connection:
        rows = connection.execute("SELECT * FROM chaos WHERE job = %s ORDER BY number", [made.job.id]).fetchall()
    row, table = rows[7], trades.to_polars().to_dicts()[7]
    assert len(rows) == 1000
    assert [row["market"], row["side"], row["reason"], row["entered"]] == [table[n] for n in ("market", "side", "reason", "entry_ts")]
    assert row["net_pct"] == pytest.approx(100 * table["net"])
    assert row["net_sigmas"] == pytest.approx(table["net_sigmas"])
    assert row["named"] == pytest.approx({name: table[name] for name in ("rsi(7)", "ZZZ/USDT:roc(5)")})
    assert row["exit_state"]["momentum(5)"] == pytest.approx(table["exit momentum(5)"])
    assert {entry["funding_rate"] is None for entry in rows if entry["market"].count("BBB")} == {True}


def test_a_job_that_is_not_finished_says_how_far_it_is_and_how_to_go_on(context: PlanContext, database_url: str, tmp_path: Path) -> None:
    made = planned(context)
    driven(context, made, stop=StopAfter(1))
    runner = CliRunner(env={"COINSWARM_HOME": str(tmp_path), "COINSWARM_DATABASE_URL": database_url, "COINSWARM_DEBUG": ""})
    said = " ".join(runner.invoke(app, ["chaos", "show", made.job.id]).stderr.split())
    assert f"300 of 1,000 trades are drawn: the job is cancelled, `coinswarm jobs resume {made.job.id}` resumes it" in said
    shown = json.loads(runner.invoke(app, ["chaos", "show", made.job.id, "--json"]).stdout)
    assert (shown["status"], shown["trades"], shown["of"]) == ("cancelled", 300, 1000)


def test_the_command_lists_shows_exports_and_drops(context: PlanContext, database_url: str, tmp_path: Path) -> None:
    made = planned(context)
    driven(context, made)
    runner = CliRunner(env={"COINSWARM_HOME": str(tmp_path), "COINSWARM_DATABASE_URL": database_url, "COINSWARM_DEBUG": ""})
    listed = runner.invoke(app, ["chaos", "list", "--campaign", made.job.campaign, "--json"])
    assert [entry["trades"] for entry in json.loads(listed.stdout)] == [1000]
    shown = json.loads(runner.invoke(app, ["chaos", "show", made.job.id, "--json"]).stdout)
    assert (shown["trades"], len(shown["first"]), shown["synthetic"]) == (1000, 5, True)
    assert "SYNTHETIC" in runner.invoke(app, ["chaos", "show", made.job.id]).stdout
    out = tmp_path / "trades.parquet"
    assert runner.invoke(app, ["chaos", "export", made.job.id, "--out", str(out)]).exit_code == 0
    assert pl.read_parquet(out).equals(context.chaos.trades(made.job.id).to_polars())
    assert runner.invoke(app, ["chaos", "drop", made.job.id]).exit_code == 0
    assert runner.invoke(app, ["chaos", "show", made.job.id]).exit_code == 2
