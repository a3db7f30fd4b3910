"""A stored job was changed and went on as if nothing had happened, so that half of its result was another job's; first seen in honesty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from cluster import version
from cluster.cli.app import main
from cluster.jobs import registry, spec
from cluster.run import worker
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm import errors
from coinswarm.ledger.records import Job
from coinswarm.ledger.store import Store
from tests import jobs_world
from tests.integration import control_world
from tests.integration.control_world import Plane
from tests.integration.evolve_world import World
from tests.laws.ledger_world import data_set, fresh

CHANGES = {
    "config": """UPDATE jobs SET config = '{"made_of": 2}' WHERE id = %s""",
    "data": "UPDATE jobs SET data_hash = 'ffff' WHERE id = %s",
    "bars": "UPDATE jobs SET data_hashes = '{ffff}' WHERE id = %s",
    "code": "UPDATE jobs SET code_version = '0.0.1+old' WHERE id = %s",
}
BARE = {"evolve": {"plays": [], "overrides": {}, "timeframe": None, "search": {}, "markets": [], "others": [], "split_ts": None}}
"""What a kind compares with its plays of today: here there are none."""
Route = Callable[[Plane, str], str]


@pytest.fixture(scope="module")
def plane(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    folder, name = tmp_path_factory.mktemp("changed"), fresh("changed").replace("-", "_")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = f"{database_url.rsplit('/', 1)[0]}/{name}"
    with control_world.plane(url, folder, World(catalog=folder / "bars.duckdb", markets=())) as running:
        yield running


def stored(plane: Plane, kind: str) -> str:
    """A job of a kind that failed, as it was made."""
    bars, config = data_set(), {**BARE.get(kind, {}), "made_of": 1}
    job = Job(
        id=fresh(kind), kind=kind, campaign="changed", plays=(), data_hashes=(bars.content_hash,),
        data_hash=spec.data_hash((bars.content_hash,)), config=config, config_hash=spec.config_hash(config),
        code_version=version.code_version(), seed=1, synthetic=True, created=datetime.now(UTC),
    )  # fmt: skip
    store = plane.context.store
    store.save_data_sets([bars])
    store.create_job(job)
    refuse_changed(store, job.id)  # nothing has changed yet
    return job.id


def refuse_changed(store: Store, job: str) -> str:
    """The job, where it may go on."""
    made = spec.stored(store, job)
    spec.refuse_changed(registry.of(made.job), made)
    return made.job.id


def changed(plane: Plane, job: str, change: str) -> str:
    assert plane.settings.database_url is not None
    with psycopg.connect(plane.settings.database_url.get_secret_value(), autocommit=True) as connection:
        connection.execute(CHANGES[change], [job])
    return job


def failed(plane: Plane, job: str) -> str:
    store = plane.context.store
    store.finish(store.claim(job, "driver"), "failed")
    return job


def by_http(plane: Plane, job: str) -> str:
    with plane.client("admin") as client:
        answer = client.post(f"/api/v1/jobs/{failed(plane, job)}/resume")
    assert answer.status_code == errors.Refused.http_status
    return answer.text


def by_service(plane: Plane, job: str) -> str:
    store = plane.context.store
    lease = store.claim(job, "a service")
    ending, said = worker.outcome(lambda: worker.run_lent(plane.settings, job=job, owner=lease.owner))
    store.release(lease)
    assert ending == "refused"
    return said


ROUTES = {"http": by_http, "service": by_service}
REFUSED = [(kind, change) for kind in registry.NAMES for change in CHANGES if (kind, change) != ("fetch", "code")]


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
@pytest.mark.parametrize(("kind", "change"), REFUSED)
def test_no_kind_of_job_goes_on_once_it_was_changed(plane: Plane, kind: str, change: str, route: Route) -> None:
    job = changed(plane, stored(plane, kind), change)
    assert "cannot go on as the same job" in route(plane, job)
    assert plane.context.store.status(job) in ("queued", "failed")  # and not half resumed


@pytest.mark.parametrize(("kind", "change"), REFUSED)
def test_the_resume_command_refuses_a_changed_job_of_any_kind(
    plane: Plane, kind: str, change: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plane.settings.database_url is not None
    monkeypatch.setenv("COINSWARM_HOME", str(plane.settings.home))
    monkeypatch.setenv("COINSWARM_DATABASE_URL", plane.settings.database_url.get_secret_value())
    job = failed(plane, changed(plane, stored(plane, kind), change))
    with pytest.raises(SystemExit) as ended:
        main(["jobs", "resume", job])
    assert ended.value.code == errors.Refused.exit_code
    assert "cannot go on as the same job" in " ".join(capsys.readouterr().err.split())
    assert plane.context.store.status(job) == "failed"


def test_what_an_exchange_answers_does_not_depend_on_our_code(plane: Plane) -> None:
    job = changed(plane, stored(plane, "fetch"), "code")
    assert refuse_changed(plane.context.store, job) == job


def test_a_job_that_was_stored_under_the_former_name_of_its_kind_goes_on_as_that_kind(plane: Plane) -> None:
    made = spec.stored(plane.context.store, stored(plane, "rules"))
    assert registry.of(replace(made.job, kind="test")) is registry.of(made.job) is registry.kind("rules")


def test_a_honesty_run_with_fewer_worlds_than_it_was_begun_with_is_refused(database_url: str) -> None:
    asked = jobs_world.request("honesty", settings={"cells": [{"family": "N0"}], "worlds": 2}, n_bars=6000, markets=1)
    made = jobs_world.planned(asked, jobs_world.plan_context(Path("no catalog")))
    store = PostgresStore(Database(database_url))
    spec.submit(store, made)
    as_begun = store.job(made.job.id)
    refuse_changed(store, as_begun.id)  # what was stored reads back as what was hashed
    with psycopg.connect(database_url, autocommit=True) as connection:
        fewer = "jsonb_set(config::jsonb, '{honesty,worlds}', '1')::json"
        connection.execute(f"UPDATE jobs SET config = {fewer} WHERE id = %s", [as_begun.id])
    with pytest.raises(errors.Refused, match="config hash"):
        refuse_changed(store, as_begun.id)
    store.database.close()
