"""The one cluster that the larger jobs of a service share."""

from __future__ import annotations

from pathlib import Path

from cluster.machine import MachineSettings
from cluster.run.shared_cluster import SharedCluster


class Fragile(SharedCluster):
    """Clusters that are numbered, and die when they are told to."""

    def __init__(self, settings: MachineSettings) -> None:
        super().__init__(settings, {})
        self.alive: set[str] = set()
        self.started = self.ended = 0

    def start(self) -> str:
        self.started += 1
        self.alive.add(f"127.0.0.1:{self.started}")
        return f"127.0.0.1:{self.started}"

    def answers(self, address: str) -> bool:
        return address in self.alive

    def end(self) -> None:
        self.ended += 1


def test_a_cluster_is_started_once_and_again_when_it_has_died(tmp_path: Path) -> None:
    shared = Fragile(MachineSettings(home=tmp_path, RAY_ADDRESS=None))
    first = [shared.address(), shared.address()]
    shared.alive.clear()
    assert [*first, shared.address()] == ["127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:2"]
    shared.close()
    shared.close()
    assert (shared.started, shared.ended) == (2, 2)


def test_a_configured_cluster_is_started_and_ended_by_others(tmp_path: Path) -> None:
    shared = Fragile(MachineSettings(home=tmp_path, RAY_ADDRESS="10.0.0.1:6379"))
    assert shared.address() == "10.0.0.1:6379"
    shared.close()
    assert (shared.started, shared.ended) == (0, 0)
