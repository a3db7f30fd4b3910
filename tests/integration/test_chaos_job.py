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
from typer.testing import CliRunner

from cluster import bootstrap
from cluster.cli.app import app
from cluster.compute.local_executor import LocalCrew
from cluster.compute.ray.executor import RayCrew
from cluster.jobs.chaos import plan as driving
from cluster.jobs.evolve.loop import Ending
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
from tests.integration.test_chaos_job import committed, plan_in
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


def plan_in(catalog: Path, *, trades: int = 1000, seed: int = 3, campaign: str | None = None, **drawn: object) -> driving.Plan:
    settings = make(**{"hold": "5m..6h", "features": FEATURES, "seed": seed, **drawn})
    keys = tuple(bars.key for bars in MARKETS)
    return driving.plan(
        driving.Request(markets=keys, trades=trades, settings=settings, campaign=campaign or fresh("campaign"), batch=300), catalog
    )


def committed(kept: PostgresChaosStore, lease, job: Job, number: int, change=lambda trades: trades) -> bool:
    """Commit one batch of a stored job, by hand."""
    from coinswarm.ledger.chaos import figures
    from tests.laws.ledger_world import generation

    urn = drawing.fill(MARKETS, ChaosSettings.model_validate(job.config["chaos"]), {OTHER.symbol: OTHER})
    trades = pricing.trades(urn, number * 300, (number + 1) * 300)
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


def driven(store: PostgresStore, kept: PostgresChaosStore, plan: driving.Plan, crew=None, stop: StopAfter | None = None) -> Ending:
    crew, stop = crew or LocalCrew(), stop or StopAfter(10**6)
    batches = driving.Batches(plan, crew, kept)
    return bootstrap.drive_steps(store, plan.job.id, batches, watcher=stop, stopped=stop, workers=lambda: 1)


def same(first: ChaosTrades, second: ChaosTrades) -> bool:
    return all(
        np.array_equal(getattr(first, name), getattr(second, name), equal_nan=name.endswith("state")) for name in ("number", *COLUMNS)
    )


def test_a_job_stores_what_a_notebook_draws(store: PostgresStore, kept: PostgresChaosStore, catalog: Path) -> None:
    plan = plan_in(catalog)
    assert driving.submit_plan(store, kept, plan) == 0
    ending = driven(store, kept, plan)
    drawn = chaos(MARKETS, 1000, hold="5m..6h", features=FEATURES, seed=3, others={"ZZZ/USDT": OTHER})
    assert same(kept.trades(plan.job.id), drawn)
    assert ending.result["trades"] == 1000
    assert ending.result["net"] == pytest.approx(drawn.net.mean())


def test_a_job_that_was_stopped_and_resumed_is_the_job_that_never_stopped(
    store: PostgresStore, kept: PostgresChaosStore, catalog: Path
) -> None:
    whole, broken = plan_in(catalog), plan_in(catalog)
    for plan in (whole, broken):
        driving.submit_plan(store, kept, plan)
    assert driven(store, kept, broken, stop=StopAfter(2)).status == "cancelled"
    assert len(kept.trades(broken.job.id)) == 600
    store.resume(broken.job.id)
    again = driving.plan_again(store.job(broken.job.id), store.data_sets(broken.job.data_hashes), catalog)
    assert driven(store, kept, again).result_hash == driven(store, kept, whole).result_hash
    assert same(kept.trades(broken.job.id), kept.trades(whole.job.id))


def test_a_driver_killed_in_the_middle_of_a_batch_leaves_whole_batches_only(
    store: PostgresStore, kept: PostgresChaosStore, catalog: Path, database_url: str
) -> None:
    plan = plan_in(catalog)
    driving.submit_plan(store, kept, plan)
    kept.prepare(plan.job.id, plan.frame)
    child = subprocess.Popen([sys.executable, "-c", KILLED, database_url, plan.job.id], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "half\n"
    child.kill()
    child.wait()
    child.stdout.close()
    assert len(kept.trades(plan.job.id)) == 300
    driven(store, kept, plan)
    assert kept.trades(plan.job.id).number.tolist() == list(range(1000))


def test_the_table_is_the_same_for_any_number_of_workers(
    store: PostgresStore, kept: PostgresChaosStore, catalog: Path, ray_crew: RayCrew
) -> None:
    here, there = plan_in(catalog), plan_in(catalog)
    for plan, crew in ((here, LocalCrew()), (there, ray_crew)):
        driving.submit_plan(store, kept, plan)
        driven(store, kept, plan, crew)
    assert store.job(here.job.id).result_hash == store.job(there.job.id).result_hash
    assert same(kept.trades(here.job.id), kept.trades(there.job.id))


def test_the_same_draw_counts_once_a_campaign_and_another_seed_adds_to_it(
    store: PostgresStore, kept: PostgresChaosStore, catalog: Path
) -> None:
    first = plan_in(catalog)
    driving.submit_plan(store, kept, first)
    with pytest.raises(errors.Conflict, match=f"has these trades already, in job {first.job.id}"):
        driving.submit_plan(store, kept, plan_in(catalog, trades=2000, campaign=first.job.campaign))
    assert driving.submit_plan(store, kept, plan_in(catalog, seed=4, campaign=first.job.campaign)) == 1
    assert driving.submit_plan(store, kept, plan_in(catalog)) == 0


def test_trades_that_were_dropped_can_be_drawn_again(store: PostgresStore, kept: PostgresChaosStore, catalog: Path) -> None:
    first = plan_in(catalog)
    driving.submit_plan(store, kept, first)
    driven(store, kept, first)
    kept.drop(first.job.id)
    second = plan_in(catalog, campaign=first.job.campaign)
    assert driving.submit_plan(store, kept, second) == 0
    assert driven(store, kept, second).result_hash == store.job(first.job.id).result_hash


def test_an_estimate_says_rows_time_shares_and_growth(catalog: Path) -> None:
    found = driving.estimate(LocalCrew(), plan_in(catalog, trades=50_000))
    assert (found.trades, found.markets, found.workers) == (50_000, 2, 1)
    assert sum(found.shares.values()) == pytest.approx(1.0)
    assert found.shares[MARKETS[1].key] < found.shares[MARKETS[0].key]
    assert 50_000 * 250 < found.database_bytes < 50_000 * 500
    assert found.seconds > 0


def test_a_job_that_would_fill_the_disk_is_refused_with_what_would_fit(catalog: Path) -> None:
    plan = plan_in(catalog, trades=10**9)
    with pytest.raises(errors.Refused, match=r"1,000,000,000 trades take about .* at most"):
        driving.refuse_too_large(plan, 2**30)
    assert driving.refuse_too_large(plan_in(catalog), 2**30) is None


@pytest.mark.parametrize(("changes", "message"), [({"trades": 0}, "number of trades"), ({"trades": 10**12}, "number of trades")])
def test_a_number_of_trades_beyond_reason_is_refused(catalog: Path, changes: dict[str, int], message: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=message):
        plan_in(catalog, **changes)


def test_the_view_speaks_of_trades_in_words_and_percent(
    store: PostgresStore, kept: PostgresChaosStore, catalog: Path, database_url: str
) -> None:
    plan = plan_in(catalog)
    driving.submit_plan(store, kept, plan)
    driven(store, kept, plan)
    trades = kept.trades(plan.job.id)
    with psycopg.connect(database_url, row_factory=psycopg.rows.dict_row) as connection:
        rows = connection.execute("SELECT * FROM chaos WHERE job = %s ORDER BY number", [plan.job.id]).fetchall()
    row, table = rows[7], trades.to_polars().to_dicts()[7]
    assert len(rows) == 1000
    assert [row["market"], row["side"], row["reason"], row["entered"]] == [table[n] for n in ("market", "side", "reason", "entry_ts")]
    assert row["net_pct"] == pytest.approx(100 * table["net"])
    assert row["net_sigmas"] == pytest.approx(table["net_sigmas"])
    assert row["named"] == pytest.approx({name: table[name] for name in ("rsi(7)", "ZZZ/USDT:roc(5)")})
    assert row["exit_state"]["momentum(5)"] == pytest.approx(table["exit momentum(5)"])
    assert {entry["funding_rate"] is None for entry in rows if entry["market"].count("BBB")} == {True}


def test_a_job_that_is_not_finished_says_how_far_it_is_and_how_to_go_on(
    store: PostgresStore, kept: PostgresChaosStore, catalog: Path, database_url: str, tmp_path: Path
) -> None:
    plan = plan_in(catalog)
    driving.submit_plan(store, kept, plan)
    driven(store, kept, plan, stop=StopAfter(1))
    runner = CliRunner(env={"COINSWARM_HOME": str(tmp_path), "COINSWARM_DATABASE_URL": database_url, "COINSWARM_DEBUG": ""})
    said = " ".join(runner.invoke(app, ["chaos", "show", plan.job.id]).stderr.split())
    assert f"300 of 1,000 trades are drawn: the job is cancelled, `coinswarm jobs resume {plan.job.id}` goes on with it" in said
    shown = json.loads(runner.invoke(app, ["chaos", "show", plan.job.id, "--json"]).stdout)
    assert (shown["status"], shown["trades"], shown["of"]) == ("cancelled", 300, 1000)


def test_the_command_lists_shows_exports_and_drops(
    store: PostgresStore, kept: PostgresChaosStore, catalog: Path, database_url: str, tmp_path: Path
) -> None:
    plan = plan_in(catalog)
    driving.submit_plan(store, kept, plan)
    driven(store, kept, plan)
    runner = CliRunner(env={"COINSWARM_HOME": str(tmp_path), "COINSWARM_DATABASE_URL": database_url, "COINSWARM_DEBUG": ""})
    listed = runner.invoke(app, ["chaos", "list", "--campaign", plan.job.campaign, "--json"])
    assert [entry["trades"] for entry in json.loads(listed.stdout)] == [1000]
    shown = json.loads(runner.invoke(app, ["chaos", "show", plan.job.id, "--json"]).stdout)
    assert (shown["trades"], len(shown["first"]), shown["synthetic"]) == (1000, 5, True)
    assert "SYNTHETIC" in runner.invoke(app, ["chaos", "show", plan.job.id]).stdout
    out = tmp_path / "trades.parquet"
    assert runner.invoke(app, ["chaos", "export", plan.job.id, "--out", str(out)]).exit_code == 0
    assert pl.read_parquet(out).equals(kept.trades(plan.job.id).to_polars())
    assert runner.invoke(app, ["chaos", "drop", plan.job.id]).exit_code == 0
    assert runner.invoke(app, ["chaos", "show", plan.job.id]).exit_code == 2
