"""`coinswarm doctor` on a home that is sound, and on the same home with one defect after the other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import psycopg
import pytest

from cluster import bootstrap, machine
from cluster.cli import doctor_checks
from cluster.cli.doctor_checks import Check, Probes
from cluster.machine import MachineSettings
from cluster.store import embedded, schema
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from cluster.store.queue import PostgresQueue
from coinswarm.ledger.queue import Submission
from coinswarm.market import synthetic
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from tests.laws.ledger_world import generation, queued, running, trials

SERVES = "import sys; print('ready', flush=True); sys.stdin.read()"


@dataclass(frozen=True, kw_only=True)
class Home:
    settings: MachineSettings
    url: str
    job: str

    @property
    def path(self) -> Path:
        return self.settings.home

    def sql(self, text: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(text)


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with tempfile.TemporaryDirectory(prefix="coinswarm-test-") as name:
        settings = MachineSettings(home=Path(name) / "home")
        machine.ensure_logs(settings)
        settings.numba_folder.mkdir(mode=0o700)
        (settings.numba_folder / "kernel.nbi").write_bytes(b"index")
        with Catalog.open(settings.bars_file) as catalog:
            catalog.put(synthetic.market("BTC/USDT", Timeframe.parse("1h"), 100, seed=1), source="made")
        settings.bars_file.chmod(0o600)
        url = embedded.ensure(settings.postgres_folder)
        try:
            with Database(url) as database:
                store = PostgresStore(database)
                job, lease = running(store)
                store.commit_generation(lease, [generation(job)], [trials(job, ["a", "b", "c"])])
                store.finish(lease, "done", result={"distinct": 3})
            yield Home(settings=settings, url=url, job=job.id)
        finally:
            embedded.stop(settings.postgres_folder, force=True)


@contextmanager
def changed(home: Home, there: str, back: str) -> Iterator[Probes]:
    home.sql(there)
    yield Probes()
    home.sql(back)


def older_schema(home: Home) -> AbstractContextManager[Probes]:
    return changed(home, "UPDATE coinswarm_version SET version_num = '0001'", f"UPDATE coinswarm_version SET version_num = '{schema.HEAD}'")


def newer_schema(home: Home) -> AbstractContextManager[Probes]:
    return changed(home, "UPDATE coinswarm_version SET version_num = '9999'", f"UPDATE coinswarm_version SET version_num = '{schema.HEAD}'")


def lost_trials(home: Home) -> AbstractContextManager[Probes]:
    there = f"UPDATE trials SET job = 'nowhere' WHERE job = '{home.job}' AND variant = 'b'"
    return changed(home, there, f"UPDATE trials SET job = '{home.job}' WHERE job = 'nowhere'")


@contextmanager
def lease_ran_out(home: Home) -> Iterator[Probes]:
    with Database(home.url) as database:
        job, lease = running(PostgresStore(database))
        home.sql(f"UPDATE jobs SET lease_expires = now() - interval '1 hour' WHERE id = '{job.id}'")
        yield Probes()
        PostgresStore(database).finish(lease, "failed")


@contextmanager
def queue_without_a_service(home: Home) -> Iterator[Probes]:
    with Database(home.url) as database:
        job = queued(PostgresStore(database))
        PostgresQueue(database).submit(Submission(job=job))
        home.sql(f"UPDATE queue SET submitted = now() - interval '1 hour', not_before = now() - interval '1 hour' WHERE job = '{job.id}'")
        yield Probes()
        PostgresQueue(database).cancel(job.id, by="")


@contextmanager
def dead_database(home: Home) -> Iterator[Probes]:
    running = embedded.status(home.settings.postgres_folder)
    assert running is not None
    server = psutil.Process(running.pid)
    server.send_signal(signal.SIGQUIT)
    server.wait(30)
    yield Probes()
    assert embedded.ensure(home.settings.postgres_folder) == home.url


@contextmanager
def server_without_its_driver(home: Home) -> Iterator[Probes]:
    environment = {**os.environ, "COINSWARM_HOME": str(home.path)}
    command = [sys.executable, "-c", SERVES, "coinswarm", "serve"]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield Probes()
        process.kill()


@contextmanager
def home_open_to_others(home: Home) -> Iterator[Probes]:
    home.settings.logs_folder.chmod(0o755)
    yield Probes()
    home.settings.logs_folder.chmod(0o700)


@contextmanager
def damaged(path: Path, content: bytes) -> Iterator[Probes]:
    before = path.read_bytes()
    path.write_bytes(content)
    yield Probes()
    path.write_bytes(before)


@contextmanager
def log_folder_is_a_file(home: Home) -> Iterator[Probes]:
    logs = home.settings.logs_folder
    logs.rename(home.path / "reports")
    logs.touch(mode=0o600)
    yield Probes()
    logs.unlink()
    (home.path / "reports").rename(logs)


@contextmanager
def told(probes: Probes) -> Iterator[Probes]:
    yield probes


def old(name: str) -> Callable[[str], str]:
    return lambda package: "0.0.1" if package == name else "9999"


DEFECTS: dict[str, tuple[str, Callable[[Home], AbstractContextManager[Probes]], str]] = {
    "a schema of before": ("schema", older_schema, "brings it up"),
    "a schema of a later program": ("schema", newer_schema, "update this program"),
    "trials that are missing": ("ledger", lost_trials, "jobs verify"),
    "a lease that ran out": ("leases", lease_ran_out, "jobs resume"),
    "a queue without a service": ("queue", queue_without_a_service, "coinswarm serve"),
    "a database that died": ("database", dead_database, "the next command starts it"),
    "a server without its driver": ("driver service", server_without_its_driver, "coinswarm serve"),
    "a home open to others": ("rights", home_open_to_others, "chmod"),
    "bars that cannot be read": ("bars", lambda home: damaged(home.settings.bars_file, b"no bars" * 1000), "restore"),
    "kernels that are empty": ("compiled kernels", lambda home: damaged(home.settings.numba_folder / "kernel.nbi", b""), "--warm"),
    "logs that are a file": ("logs", log_folder_is_a_file, "mv"),
    "a full disk": ("disk", lambda _: told(Probes(free_bytes=lambda _: 2**30)), "free some space"),
    "a clock that is wrong": ("clock", lambda _: told(Probes(now=lambda: datetime.now(UTC) + timedelta(minutes=2))), "NTP"),
    "an old Ray": ("versions", lambda _: told(Probes(installed=old("ray"))), "pip install"),
    "an old Python": ("versions", lambda _: told(Probes(python=lambda: "3.9.1")), "pip install"),
}


def wrong(home: Home, probes: Probes) -> list[Check]:
    return [check for check in doctor_checks.all_checks(home.settings, probes) if check.ok is False]


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_is_found_by_name_with_what_to_do(home: Home, defect: str) -> None:
    name, plant, advice = DEFECTS[defect]
    with ExitStack() as stack:
        found = wrong(home, stack.enter_context(plant(home)))
    assert [check.what for check in found] == [name]
    assert advice in found[0].hint


def test_a_sound_home_has_no_defect(home: Home) -> None:
    assert wrong(home, Probes()) == []


def answer(home: Home) -> tuple[int, dict[str, object]]:
    environment = {**machine.inherited(home.settings)}
    done = subprocess.run([*bootstrap.COMMAND, "doctor", "--json"], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def test_the_command_ends_with_1_where_something_is_wrong_and_changes_nothing(home: Home) -> None:
    assert answer(home)[0] == 0
    with newer_schema(home):
        code, found = answer(home)
    assert (code, found["ok"]) == (1, False)
    with home_open_to_others(home):
        answer(home)
        assert home.settings.logs_folder.stat().st_mode & 0o777 == 0o755
