"""Checks of `coinswarm doctor` that need no database: each defect is found by name, with what to do; a sound home has none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cluster.cli import doctor_checks
from cluster.cli.doctor_checks import Check, Probes
from cluster.machine import MachineSettings
from cluster.store.state import Pulse

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOUND = {"schema": "0042", "newest_schema": "0042", "clock": NOW}


@pytest.fixture
def home(tmp_path: Path) -> MachineSettings:
    settings = MachineSettings(home=tmp_path / "home")
    for folder in (settings.home, settings.logs_folder, settings.numba_folder):
        folder.mkdir(mode=0o700)
    (settings.numba_folder / "kernel.nbi").write_bytes(b"index")
    (settings.numba_folder / "kernel.nbc").write_bytes(b"code")
    return settings


def wrong(settings: MachineSettings, probes: Probes | None = None) -> list[Check]:
    return [check for check in doctor_checks.all_checks(settings, probes or Probes()) if check.ok is False]


def open_logs(settings: MachineSettings) -> None:
    settings.logs_folder.chmod(0o755)


def log_file(settings: MachineSettings) -> None:
    settings.logs_folder.rmdir()
    settings.logs_folder.touch(mode=0o600)


def empty_kernel(settings: MachineSettings) -> None:
    (settings.numba_folder / "kernel.nbc").write_bytes(b"")


def no_bars(settings: MachineSettings) -> None:
    settings.bars_file.touch(mode=0o600)
    settings.bars_file.write_bytes(b"not a database" * 1000)


@pytest.mark.parametrize(
    ("plant", "name", "advice"),
    [(open_logs, "rights", "chmod"), (log_file, "logs", "mv"), (empty_kernel, "compiled kernels", "--warm"), (no_bars, "bars", "restore")],
)
def test_a_defect_of_the_home_is_found(home: MachineSettings, plant: Callable[[MachineSettings], None], name: str, advice: str) -> None:
    assert wrong(home) == []
    plant(home)
    (found,) = wrong(home)
    assert found.what == name
    assert advice in found.hint


def old(name: str) -> Callable[[str], str]:
    return lambda package: "0.0.1" if package == name else "9999"


@pytest.mark.parametrize(
    ("probes", "name", "words"),
    [
        (Probes(free_bytes=lambda _: 2**30), "disk", "1.0 GB free"),
        (Probes(installed=old("ray")), "versions", "ray 0.0.1, needs"),
        (Probes(python=lambda: "3.9.1"), "versions", "Python 3.9.1, needs 3.11"),
    ],
)
def test_a_defect_of_the_machine_is_found(home: MachineSettings, probes: Probes, name: str, words: str) -> None:
    (found,) = wrong(home, probes)
    assert (found.what, bool(found.hint)) == (name, True)
    assert words in found.found


@pytest.mark.parametrize(
    ("changes", "name", "advice"),
    [
        ({"schema": "0041"}, "schema", "brings it up"),
        ({"schema": "0043"}, "schema", "update this program"),
        ({"clock": NOW + timedelta(minutes=1)}, "clock", "NTP"),
        ({"uneven": ("evolve-1",)}, "ledger", "jobs verify evolve-1"),
        ({"lost": ("evolve-1", "evolve-2")}, "leases", "jobs resume evolve-2"),
        ({"waiting": ("chaos-1",)}, "queue", "coinswarm serve"),
    ],
)
def test_a_defect_of_the_ledger_is_found(changes: dict[str, object], name: str, advice: str) -> None:
    assert [check for check in doctor_checks.ledger_checks(Pulse(**SOUND), NOW) if not check.ok] == []
    (found,) = [check for check in doctor_checks.ledger_checks(Pulse(**(SOUND | changes)), NOW) if not check.ok]
    assert found.what == name
    assert advice in found.hint


def test_nothing_is_made_or_changed(tmp_path: Path) -> None:
    settings = MachineSettings(home=tmp_path / "none")
    assert wrong(settings) == []
    assert not settings.home.exists()


def test_a_home_that_is_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert [check.what for check in wrong(MachineSettings(home=tmp_path / "file"))] == ["home"]


@pytest.mark.parametrize(("found", "least", "older"), [("2.9.1", "2.10", True), ("2.10.0rc1", "2.10", False), ("3", "2.40", False)])
def test_versions_are_compared_by_their_numbers(found: str, least: str, older: bool) -> None:
    assert doctor_checks._older(found, least) is older
