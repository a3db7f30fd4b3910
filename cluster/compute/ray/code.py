"""Which code workers run: the driver's, wherever the user stands, and no other release of it."""

from __future__ import annotations

import site
import sys
from pathlib import Path

import ray
from ray.job_config import JobConfig

from cluster import version
from coinswarm import errors

_ROOT = Path(__file__).resolve().parents[3]
"""The folder that this program is imported from."""


class RayJob(JobConfig):
    """A Ray job whose workers import what the driver imports.

    Ray puts the driver's working directory before everything else that workers import from, so a file `random.py` there would be taken
    for Python's own. There is no public way to have it left out (Ray 2.60).
    """

    def _serialize(self) -> bytes:
        self._py_driver_sys_path = folders()
        serialized: bytes = super()._serialize()
        return serialized


def folders() -> list[str]:
    """Where workers look before they look into their interpreter's packages: at the driver's program, if it is none of those."""
    packages = {Path(name).resolve() for name in (*site.getsitepackages(), site.getusersitepackages())}
    looked_at = {Path(name).resolve() for name in sys.path if name}
    return [str(_ROOT)] if _ROOT in looked_at - packages else []


def refuse_other(code: str) -> None:
    """Raise `Unavailable` when this process runs other code than the driver, whose `code_version` is `code`."""
    if (here := version.code_version()) != code:
        raise errors.Unavailable(
            "every node of the cluster must run the code of the driver",
            found=f"{here} on {ray.util.get_node_ip_address()} instead of {code}",
            hint="`coinswarm doctor --cluster` shows what each node has; install the same release on all of them",
        )
