"""A machine that others use too: what is somebody's stays so, whether he runs coinswarm as root or as a user, with default settings."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

import cluster
from cluster.store import accounts, embedded
from tests.strangers import first_account, second_account
from tests.strangers.second_account import Target

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account; what one sees was not looked at")
STRANGER, NOBODY = 61_002, 65_534
REPOSITORY = Path(cluster.__file__).parents[1]
PACKAGES = sysconfig.get_path("purelib")


@dataclass(frozen=True, kw_only=True)
class World:
    """What an account has running: its folders, the modes of those above them before it began, its processes and its secrets."""

    uid: int
    base: Path
    home: Path
    before: Mapping[Path, int]
    dashboard: str | None
    server: psutil.Process
    processes: list[psutil.Process]
    secrets: list[str]
    port: int


def modes(path: Path) -> dict[Path, int]:
    """The modes of a folder and of all above it."""
    return {folder: stat.S_IMODE(folder.stat().st_mode) for folder in (path, *path.parents)}


def entered_by_all(path: Path) -> bool:
    """Whether every account reaches a folder."""
    return all(mode & stat.S_IXOTH for mode in modes(path).values())


def python_for_all() -> str:
    """A Python of this version that every account may run."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for program in (Path(sys.executable), *(Path(folder) / name for folder in os.defpath.split(":"))):
        if program.exists() and entered_by_all(program.resolve().parent):
            return str(program)
    pytest.skip(f"no {name} that another account may run; coinswarm as an ordinary user was not looked at")


def user() -> tuple[int, str]:
    """An account with a name that runs nothing, and a Python for it."""
    if not entered_by_all(REPOSITORY) or not entered_by_all(Path(PACKAGES)):
        pytest.skip("this installation is in a folder of root's; coinswarm as an ordinary user was not looked at")
    return accounts.for_initdb().uid or 0, python_for_all()


@pytest.fixture(scope="module", params=["root", "user"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Coinswarm at work with default settings in a folder that everyone enters."""
    uid, python = (0, sys.executable) if request.param == "root" else user()
    base = Path(tempfile.mkdtemp(prefix="cs-"))
    base.chmod(0o755)
    own, shared = base / "h", base / "t"
    own.mkdir(mode=0o755)
    os.chown(own, uid, uid)
    shared.mkdir()
    shared.chmod(0o1777)
    environment = {"PATH": os.environ["PATH"], "HOME": str(own), "TMPDIR": str(shared), "PYTHONPATH": f"{REPOSITORY}:{PACKAGES}"}
    before = modes(own) | modes(Path(PACKAGES)) | modes(REPOSITORY)
    working = subprocess.Popen(
        [python, "-m", first_account.__name__], cwd=own, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        user=uid, group=uid, extra_groups=[], umask=0o022,
    )  # fmt: skip
    try:
        yield described(working, uid, base, before)
    finally:
        working.communicate(timeout=120)
        shutil.rmtree(base)


def described(working: subprocess.Popen[str], uid: int, base: Path, before: Mapping[Path, int]) -> World:
    """What an account says that it has running, and what root finds of it."""
    line = next((line for line in working.stdout or () if line.startswith("{")), None)
    assert line is not None, "coinswarm did not start; standard error says why"
    said = json.loads(line)
    home, url = Path(said["home"]), psycopg.conninfo.conninfo_to_dict(said["url"])
    server = psutil.Process(int((home / "pg" / "data" / "postmaster.pid").read_text().split()[0]))
    kept = ["ray.token", "pg/password", "pg/reader.password"]
    return World(
        uid=uid, base=base, home=home, before=before, dashboard=said["dashboard"], port=int(url["port"]), server=server,
        processes=[tree for root in (psutil.Process(working.pid), server) for tree in (root, *root.children(recursive=True))],
        secrets=[(home / name).read_text().strip() for name in kept],
    )  # fmt: skip


def listened(process: psutil.Process) -> list[Any]:
    """Where a process listens; nowhere when it has ended."""
    try:
        return [line for line in process.net_connections() if line.status == "LISTEN"]
    except psutil.NoSuchProcess:
        return []


def target(world: World, uid: int) -> Target:
    """The world as another account looks for it."""
    ports = {line.laddr.port for process in world.processes for line in listened(process)}
    page = Path(PACKAGES, "ray", "dashboard", "client", "build", "index.html")
    return Target(
        uid=uid,
        paths=[str(path) for top in (world.home, *(world.base / "t").iterdir()) for path in (top, *top.rglob("*"))],
        pids=[process.pid for process in world.processes],
        ports=sorted(ports - {world.port}),
        secrets=world.secrets,
        # Ray's page, which is the same everywhere and asks for the token, and that a node is alive
        public=["success", *([page.read_text()] if page.exists() else [])],
        tokens=["0" * 64],
        database=world.port,
    )


@needs_root
@pytest.mark.parametrize("stranger", [STRANGER, NOBODY])
def test_another_account_gets_nothing(world: World, stranger: int) -> None:
    got = second_account.look(target(world, stranger))
    assert got.pop("refused"), "Ray asked nobody for a token: the calls did not reach it"
    assert got == {kind: [] for kind in got}


@needs_root
def test_the_account_itself_gets_all_of_it(world: World) -> None:
    # the same questions, asked by the owner with the token: the looking works
    got = second_account.look(replace(target(world, world.uid), tokens=[world.secrets[0]]))
    assert any(line.endswith("bars.duckdb") for line in got["paths"])
    assert any("report.html" in line for line in got["paths"])
    assert any("/sockets/" in line for line in got["paths"])
    assert got["calls"]
    assert got["processes"]


@needs_root
def test_folders_that_are_not_ours_keep_their_modes(world: World) -> None:
    assert {folder: stat.S_IMODE(folder.stat().st_mode) for folder in world.before} == world.before


@needs_root
def test_the_server_of_the_database_runs_as_no_account_that_others_have(world: World) -> None:
    assert world.server.uids().real in ({world.uid} if world.uid else accounts._UIDS)


@needs_root
def test_whoever_has_the_token_may_use_the_job_api(world: World) -> None:
    if world.dashboard is None:
        pytest.skip("Ray's dashboard, which has the job API, did not come up in the time that Ray gives it; it was not looked at")
    asked = urllib.request.Request(f"{world.dashboard}/api/jobs/", headers={"Authorization": f"Bearer {world.secrets[0]}"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert answer.status == 200


@needs_root
def test_root_keeps_its_database_in_a_folder_that_only_root_enters(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = modes(closed)
    try:
        with psycopg.connect(embedded.ensure(closed / "home" / "pg")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert modes(closed) == before
    finally:
        embedded.stop(closed / "home" / "pg", force=True)


@needs_root
def test_a_database_that_an_earlier_release_gave_to_nobody_is_taken_from_it_with_all_that_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    try:
        with psycopg.connect(embedded.ensure(folder)) as connection:
            connection.execute("CREATE TABLE trials AS SELECT 7 AS n")
        embedded.stop(folder, force=True)
        for path in (folder / "data", *(folder / "data").rglob("*")):
            os.lchown(path, NOBODY, NOBODY)
        folder.chmod(0o711)
        with psycopg.connect(embedded.ensure(folder)) as connection:
            assert connection.execute("SELECT n FROM trials").fetchone() == (7,)
        assert {path.stat().st_uid for path in (folder / "data").rglob("*")} <= set(accounts._UIDS)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        embedded.stop(folder, force=True)


@needs_root
def test_root_may_keep_the_programs_of_postgresql_where_only_root_enters(tmp_path: Path) -> None:
    # a virtual environment under /root: its programs are copied, and it stays closed
    install = tmp_path / "install"
    shutil.copytree(next(iter(embedded.installations().values())), install, symlinks=True)
    tmp_path.chmod(0o700)
    copy = accounts.SystemAccount(uid=65_520, gid=65_520).programs(install)
    try:
        assert subprocess.run([copy / "bin" / "postgres", "--version"], user=65_520, group=65_520, cwd="/", check=False).returncode == 0
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(copy)
