"""Folders that only their owner enters, and those that are left as they are."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cluster import machine, private
from cluster.machine import MachineSettings
from coinswarm import errors


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def opened(path: Path, wide: int) -> Path:
    path.mkdir()
    path.chmod(wide)
    return path


def test_a_home_is_made_for_its_owner_only(tmp_path: Path) -> None:
    assert mode(machine.ensure_home(MachineSettings(home=tmp_path / "home"))) == 0o700


def test_a_home_that_an_earlier_release_opened_is_narrowed_with_all_that_is_ours_in_it(tmp_path: Path) -> None:
    home = opened(tmp_path / "home", 0o711)
    pg = opened(home / "pg", 0o711)
    for name in ("bars.duckdb", "local.token"):
        (home / name).write_text("x")
        (home / name).chmod(0o644)
    machine.ensure_home(MachineSettings(home=home))
    assert [mode(path) for path in (home, pg, home / "bars.duckdb", home / "local.token")] == [0o700, 0o700, 0o600, 0o600]


def test_a_home_that_holds_something_else_keeps_its_mode(tmp_path: Path) -> None:
    home = opened(tmp_path / "home", 0o755)
    logs, site = opened(home / "logs", 0o755), opened(home / "site", 0o755)
    machine.ensure_home(MachineSettings(home=home))
    assert [mode(path) for path in (home, site, logs)] == [0o755, 0o755, 0o700]


def test_a_folder_in_which_everyone_may_write_is_nobodys_home_to_narrow(tmp_path: Path) -> None:
    home = opened(tmp_path / "tmp", 0o1777)
    machine.ensure_home(MachineSettings(home=home))
    assert mode(home) == 0o1777


def test_what_a_name_of_ours_points_to_is_not_narrowed(tmp_path: Path) -> None:
    home, disk = opened(tmp_path / "home", 0o700), opened(tmp_path / "disk", 0o755)
    (home / "logs").symlink_to(disk)
    machine.ensure_home(MachineSettings(home=home))
    assert mode(disk) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder that is another account's")
def test_a_folder_that_another_account_put_in_our_place_is_refused(tmp_path: Path) -> None:
    planted = opened(tmp_path / "pg", 0o777)
    os.chown(planted, 61_002, 61_002)
    with pytest.raises(errors.Unavailable, match="must belong to the account that uses it, got the account 61002"):
        private.folder(planted)


def test_processes_that_draw_a_secret_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        drawn = set(pool.map(private.kept_secret, [tmp_path / "ray.token"] * 32))
    assert len(drawn) == 1
    assert len(drawn.pop()) == 64
    assert [path.name for path in tmp_path.iterdir()] == ["ray.token"]
    assert mode(tmp_path / "ray.token") == 0o600
