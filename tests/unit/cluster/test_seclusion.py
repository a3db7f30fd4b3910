"""Where a local Ray cluster keeps its sockets."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.compute.ray import seclusion


@pytest.fixture
def short() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="c", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def deep(short: Path) -> Iterator[Path]:
    """A home so deep that no socket in it can have a path of 107 bytes."""
    home = short / ("d" * 40)
    home.mkdir()
    yield home
    shutil.rmtree(seclusion.place(home).parent)


def test_sockets_are_in_the_home_folder_where_only_its_owner_enters(short: Path) -> None:
    assert seclusion.place(short) == short / "ray" / "t"
    assert stat.S_IMODE((short / "ray").stat().st_mode) == 0o700


def test_a_home_too_deep_for_sockets_has_a_folder_of_its_own_elsewhere(deep: Path) -> None:
    place = seclusion.place(deep)
    assert not place.is_relative_to(deep)
    assert place == seclusion.place(deep)
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    # 1 + 42 of the session, 9 of /sockets/, 16 of the longest name: 107 - 68 = 39
    assert len(os.fsencode(place)) <= 39


@pytest.mark.parametrize("planted", ["folder", "link"])
def test_a_folder_that_was_put_where_ours_would_be_is_not_used(deep: Path, short: Path, planted: str) -> None:
    expected = seclusion.place(deep).parent
    expected.rmdir()
    if planted == "link":
        expected.symlink_to(short)
    else:
        expected.mkdir()
        expected.chmod(0o777)
    found = seclusion.place(deep).parent
    if planted == "link":
        expected.unlink()
    else:
        expected.rmdir()
    assert found != expected
    assert stat.S_IMODE(found.stat().st_mode) == 0o700
    found.rmdir()


def test_what_a_killed_driver_left_is_removed_and_what_a_living_one_has_stays(short: Path) -> None:
    living, dead = (short / f"session_2026-01-31_23-59-59_999999_{pid}" for pid in (os.getpid(), 2**22 + 1))
    for folder in (living, dead):
        (folder / "logs").mkdir(parents=True)
    seclusion._sweep(short)
    assert [path.name for path in short.iterdir()] == [living.name]
