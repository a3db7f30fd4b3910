"""The entrypoint of the image with stand-ins for the programs it starts: backups by the clock, kernels where they can be written."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

NODE = Path(__file__).resolve().parents[3] / "cluster" / "launch" / "node.sh"


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """A machine whose `coinswarm` writes files of one line, whose `ray` does nothing, and whose `sleep` ends what sleeps.

    Attributes:
        home: of its user; programs are in `bin`, backups in `backups`.
    """

    home: Path

    def node(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """What the entrypoint does."""
        environment = {"PATH": f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(self.home)}
        environment |= {"COINSWARM_BACKUP_FOLDER": str(self.home / "backups")}
        return subprocess.run(["sh", NODE, *words], env=environment | variables, check=False, capture_output=True, text=True, timeout=60)

    def backups(self) -> list[str]:
        """Names in the folder of backups."""
        return sorted(path.name for path in (self.home / "backups").iterdir())

    def add(self, name: str) -> None:
        """A backup of that name, made now."""
        (self.home / "backups" / name).touch()


@pytest.fixture
def computer(tmp_path: Path) -> Machine:
    programs = {
        "coinswarm": """case "$2" in
            backup) [ -z "${NO_BACKUP:-}" ] && echo zip > "$3" ;;
            restore) [ -z "${NO_RESTORE:-}" ] && [ "$3" = --check ] && grep -q zip "$4" ;;
            esac""",
        "ray": ":",
        "sleep": "kill $PPID",  # the end of the first round
    }
    for folder in ("bin", "backups"):
        (tmp_path / folder).mkdir()
    for name, script in programs.items():
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    return Machine(home=tmp_path)


def test_the_newest_backups_stay(computer: Machine) -> None:
    for day in range(1, 10):
        computer.add(f"coinswarm-2024010{day}-030000.zip")
    computer.add("notes.txt")
    assert computer.node("backup", "--once", COINSWARM_BACKUP_KEEP="3").returncode == 0
    *older, newest, notes = computer.backups()
    assert older == ["coinswarm-20240108-030000.zip", "coinswarm-20240109-030000.zip"]
    assert (newest > "coinswarm-2026", notes) == (True, "notes.txt")


@pytest.mark.parametrize("failing", ["NO_BACKUP", "NO_RESTORE"])
def test_a_backup_that_fails_or_is_not_whole_takes_no_older_one_away(computer: Machine, failing: str) -> None:
    there = ["coinswarm-20240101-030000.zip", "coinswarm-20240102-030000.zip"]
    for name in there:
        computer.add(name)
    assert computer.node("backup", "--once", COINSWARM_BACKUP_KEEP="1", **{failing: "1"}).returncode != 0
    assert computer.backups() == there


def test_what_a_killed_backup_left_is_removed(computer: Machine) -> None:
    computer.add(".coinswarm-20240101-030000.zip.partial")
    assert computer.node("backup", "--once").returncode == 0
    assert len(computer.backups()) == 1


def test_a_backup_is_written_when_the_newest_is_old_and_not_at_every_start(computer: Machine) -> None:
    computer.add("coinswarm-20240101-030000.zip")
    computer.node("backup")
    assert computer.backups() == ["coinswarm-20240101-030000.zip"]
    two_days_ago = time.time() - 48 * 3600
    os.utime(computer.home / "backups" / "coinswarm-20240101-030000.zip", (two_days_ago, two_days_ago))
    computer.node("backup")
    assert len(computer.backups()) == 2


def test_a_backup_that_fails_is_said_and_tried_again(computer: Machine) -> None:
    assert "the next try is in five minutes" in computer.node("backup", NO_BACKUP="1").stderr


@pytest.mark.parametrize("role", ["worker", "control"])
def test_a_node_that_cannot_write_to_its_image_starts_with_its_kernels(computer: Machine, role: str) -> None:
    (computer.home / ".numba").mkdir()
    (computer.home / ".numba" / "kernel").touch()
    folder = computer.home / "tmp" / "numba"
    folder.parent.mkdir()
    computer.node(role, NUMBA_CACHE_DIR=str(folder), COINSWARM_HOME=str(computer.home))
    assert [path.name for path in folder.iterdir()] == ["kernel"]
    (folder / "kernel").rename(folder / "newer")
    computer.node(role, NUMBA_CACHE_DIR=str(folder), COINSWARM_HOME=str(computer.home))
    assert [path.name for path in folder.iterdir()] == ["newer"]
