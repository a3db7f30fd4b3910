"""Backups of the database and the bars: what comes back is what was there, and what is damaged or would overwrite is refused."""

from __future__ import annotations

import signal
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from cluster import bootstrap, machine
from cluster.machine import MachineSettings
from cluster.queries import replay as revisit
from cluster.store import backup, dumping, schema
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm import errors
from coinswarm.market.catalog import Catalog
from tests.integration.evolve_world import World, driven
from tests.laws.ledger_world import fresh


def told(text: str) -> None:
    assert text


@contextmanager
def database(server: str) -> Iterator[str]:
    """An empty database."""
    name = fresh("backup").replace("-", "_")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{server.rsplit('/', 1)[0]}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A backup of a finished search."""

    path: Path
    url: str
    bars: Path
    job: str
    result_hash: str


@pytest.fixture(scope="module")
def kept(database_url: str, small_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """A search, and a backup of it."""
    settings = MachineSettings(home=tmp_path_factory.mktemp("backup"))
    with database(database_url) as url:
        with Database(url) as opened, bootstrap.local_evaluator(settings) as evaluator:
            store = PostgresStore(opened)
            ending = driven(store, evaluator, small_world.plan(islands=1, generations=2, population=12, baselines=False))
        path = settings.home / "kept.zip"
        backup.write(url, small_world.catalog, path, tell=told)
        yield Kept(path=path, url=url, bars=small_world.catalog, job=ending.job, result_hash=ending.result_hash)


def rows(url: str) -> dict[str, int]:
    with dumping.snapshot(url) as moment:
        return moment.rows


def test_a_restored_job_replays_to_the_last_digit(kept: Kept, database_url: str, tmp_path: Path) -> None:
    bars, settings = tmp_path / "there" / "bars.duckdb", MachineSettings(home=tmp_path)
    with database(database_url) as url:
        backup.restore(kept.path, url, bars, replace=False, tell=told)
        assert rows(url) == rows(kept.url)
        with Database(url) as opened, bootstrap.local_evaluator(settings) as evaluator:
            store = PostgresStore(opened)
            assert store.job(kept.job).result_hash == kept.result_hash
            best = store.leaderboard(kept.job, limit=1)[0].evaluation
            result = revisit.replay(revisit.visit(store, best, bars), evaluator, reference=False)
    assert (result.differences, result.compared > 20) == ((), True)


def test_a_restored_database_refuses_what_the_first_one_refused(kept: Kept, database_url: str, tmp_path: Path) -> None:
    with database(database_url) as url:
        backup.restore(kept.path, url, tmp_path / "bars.duckdb", replace=False, tell=told)
        with psycopg.connect(url) as connection, pytest.raises(psycopg.Error, match="never changed or taken back"):
            connection.execute("DELETE FROM lifecycle_arrows")
        with Database(url) as opened, pytest.raises(errors.Conflict):
            PostgresStore(opened).claim(kept.job, "another driver")


def test_what_is_there_is_replaced_only_when_asked_to(kept: Kept, database_url: str, tmp_path: Path, small_world: World) -> None:
    bars = tmp_path / "bars.duckdb"
    with database(database_url) as url:
        backup.restore(kept.path, url, bars, replace=False, tell=told)
        with psycopg.connect(url) as connection:
            connection.execute("DELETE FROM trials")
        with pytest.raises(errors.Refused, match="has nothing in the database"):
            backup.restore(kept.path, url, bars, replace=False, tell=told)
        assert rows(url)["trials"] == 0
        backup.restore(kept.path, url, bars, replace=True, tell=told)
        assert rows(url) == rows(kept.url)
    with Catalog.open(bars, read_only=True) as restored, Catalog.open(small_world.catalog, read_only=True) as first:
        assert restored.list() == first.list()


def test_a_database_somebody_uses_is_not_replaced(kept: Kept, database_url: str, tmp_path: Path) -> None:
    with database(database_url) as url, Database(url), pytest.raises(errors.Conflict, match="no other connection"):
        backup.restore(kept.path, url, tmp_path / "bars.duckdb", replace=True, tell=told)
    assert not (tmp_path / "bars.duckdb").exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_backup_that_was_cut_off_is_refused(kept: Kept, tmp_path: Path, share: float) -> None:
    whole = kept.path.read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(errors.BadInput):
        backup.verify(cut, tell=told)


@pytest.mark.parametrize("name", ["database/trials.csv", backup.BARS])
def test_a_flipped_bit_is_found_before_anything_changes(kept: Kept, database_url: str, tmp_path: Path, name: str) -> None:
    damaged, content = tmp_path / "damaged.zip", bytearray(kept.path.read_bytes())
    with zipfile.ZipFile(kept.path) as archive:
        entry = archive.getinfo(name)
    content[entry.header_offset + 100 + entry.compress_size // 2] ^= 1
    damaged.write_bytes(content)
    with database(database_url) as url:
        with pytest.raises(errors.BadInput, match="as it was written"):
            backup.restore(damaged, url, tmp_path / "bars.duckdb", replace=True, tell=told)
        assert dumping.contents(url).empty


@pytest.mark.parametrize(("old", "new"), [(f'"schema": "{schema.HEAD}"', '"schema": "9999"'), ('"format": 2', '"format": 3')])
def test_a_backup_of_a_later_program_is_refused(kept: Kept, tmp_path: Path, old: str, new: str) -> None:
    later = tmp_path / "later.zip"
    with zipfile.ZipFile(kept.path) as archive, zipfile.ZipFile(later, "w") as changed:
        for name in archive.namelist():
            content = archive.read(name)
            changed.writestr(name, content.replace(old.encode(), new.encode()) if name == backup.MANIFEST else content)
    with pytest.raises(errors.Refused, match="this program knows"):
        backup.read(later)


def test_a_dump_that_lies_about_its_rows_changes_nothing(kept: Kept, database_url: str) -> None:
    play = dumping.Rows(table="plays", columns=("sha256", "name", "text"), form="csv", pieces=[b"aa11,mine,play: mine\n"])
    cut = replace(play, pieces=[b"aa11,mine\n"])
    with database(database_url) as url:
        Database(url).close()
        with pytest.raises(errors.Refused, match="must have its 7 rows; the database is as it was, got 0"):
            dumping.restore(url, [play], version=schema.HEAD, rows={"jobs": 7})
        with pytest.raises(errors.InvalidArgument, match='missing data for column "text"'):
            dumping.restore(url, [play, cut], version=schema.HEAD, rows={})
        assert dumping.contents(url).empty
        assert rows(url)["jobs"] == 0


def test_a_backup_that_is_killed_leaves_nothing_under_its_name(kept: Kept, tmp_path: Path) -> None:
    settings = MachineSettings(home=tmp_path, bars_path=kept.bars, database_url=SecretStr(kept.url))
    target = tmp_path / "kept.zip"
    command = [*bootstrap.COMMAND, "db", "backup", str(target)]
    with subprocess.Popen(command, env=machine.inherited(settings), stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (tmp_path / ".kept.zip.partial").exists():
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    assert not target.exists()
    backup.write(kept.url, kept.bars, target, tell=told)
    assert [path.name for path in tmp_path.glob("*kept*")] == ["kept.zip"]
    assert backup.verify(target, tell=told).rows == rows(kept.url)


def test_a_full_disk_leaves_no_half_backup(kept: Kept, tmp_path: Path) -> None:
    script = f"ulimit -f 40; exec {bootstrap.COMMAND[0]} -c 'from cluster.cli.app import main; main()' db backup {tmp_path / 'kept.zip'}"
    settings = MachineSettings(home=tmp_path / "home", bars_path=kept.bars, database_url=SecretStr(kept.url))
    done = subprocess.run(["bash", "-c", script], env=machine.inherited(settings), capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert list(tmp_path.glob("*kept*")) == []


def test_a_backup_waits_for_bars_that_are_being_imported(kept: Kept, tmp_path: Path) -> None:
    hold = f"held = Catalog.open({str(kept.bars)!r}); print(1, flush=True); time.sleep(1)"
    script = f"import time; from coinswarm.market.catalog import Catalog; {hold}"
    command = [*bootstrap.COMMAND[:-1], script]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        backup.write(kept.url, kept.bars, tmp_path / "kept.zip", tell=told)
    assert backup.verify(tmp_path / "kept.zip", tell=told).data_sets == backup.verify(kept.path, tell=told).data_sets
