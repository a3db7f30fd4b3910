"""The one cluster on which the larger jobs of a service run."""

from __future__ import annotations

from collections.abc import Mapping

from cluster import machine
from cluster.machine import MachineSettings
from coinswarm import errors


class SharedCluster:
    """The cluster of a service's larger jobs: the configured one, or one on this machine, started for the first job and again when it died.

    Args:
        settings: of this machine.
        variables: what its workers need set.
    """

    def __init__(self, settings: MachineSettings, variables: Mapping[str, str]) -> None:
        self._settings, self._variables = settings, variables
        self._started = ""

    def address(self) -> str:
        """Where it answers.

        Raises:
            Unavailable: it cannot be started.
        """
        if self._settings.ray_address:
            return self._settings.ray_address
        if self._started and not self.answers(self._started):
            self.close()
        self._started = self._started or self.start()
        return self._started

    def close(self) -> None:
        """End the one that was started, if there is one."""
        if self._started:
            self._started = ""
            self.end()

    def start(self) -> str:
        """Start one; the answer is its address."""
        home = machine.ensure_home(self._settings)
        from cluster.compute.ray import session

        return session.connect(None, workers=self._settings.workers, variables=self._variables, home=home).address

    def answers(self, address: str) -> bool:
        """Whether a cluster answers at an address."""
        from cluster.compute.ray import joining

        try:
            joining.require(address)
        except errors.Unavailable:
            return False
        return True

    def end(self) -> None:
        """End the cluster that this process has started."""
        from cluster.compute.ray import session

        session.disconnect()
        machine.dashboard_file(self._settings).unlink(missing_ok=True)
