"""What is installed on every node of a cluster, asked of each node itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ray
from ray import exceptions
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

ANSWER_S = 60.0
_PACKAGES = ("ray", "numba", "numpy", "ta-lib", "scipy")


@dataclass(frozen=True, kw_only=True)
class ClusterNode:
    """A node: its address, its id, and the version of each thing there; `problem` says why it did not answer."""

    address: str
    node: str
    versions: Mapping[str, str]
    problem: str = ""


def look(*, timeout_s: float = ANSWER_S) -> tuple[ClusterNode, ...]:
    """Ask every living node of the connected cluster, the driver's own first.

    Args:
        timeout_s: how long a node may take; a first answer needs a process there, which takes seconds.
    """
    here = ray.get_runtime_context().get_node_id()
    alive = sorted((node for node in ray.nodes() if node["Alive"]), key=lambda node: (node["NodeID"] != here, node["NodeManagerAddress"]))
    asked = [(node, _asked(node["NodeID"])) for node in alive]
    ray.wait([reference for _, reference in asked], num_returns=len(asked), timeout=timeout_s)
    return tuple(_answer(node, reference) for node, reference in asked)


def _asked(node: str) -> Any:
    pinned = NodeAffinitySchedulingStrategy(node, soft=False)
    return ray.remote(num_cpus=0, max_retries=1)(_versions_there()).options(scheduling_strategy=pinned).remote()


def _answer(node: Mapping[str, Any], reference: Any) -> ClusterNode:
    address, number = str(node["NodeManagerAddress"]), str(node["NodeID"])
    try:
        return ClusterNode(address=address, node=number, versions=ray.get(reference, timeout=0.1))
    except exceptions.GetTimeoutError:
        return ClusterNode(address=address, node=number, versions={}, problem="no answer in time")
    except exceptions.RayError as problem:
        lines = str(problem).strip().splitlines()
        return ClusterNode(address=address, node=number, versions={}, problem=lines[-1] if lines else type(problem).__name__)


def _versions_there() -> Any:
    """The question as a closure: it travels by value, so that a node without this program can answer, too."""
    packages = _PACKAGES

    def versions() -> dict[str, str]:
        import platform
        from importlib import metadata

        found = {"python": platform.python_version(), "machine": platform.machine()}
        for name in packages:
            try:
                found[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                found[name] = "missing"
        try:
            from cluster.version import code_version

            found["coinswarm"] = code_version()
        except ImportError as problem:
            found["coinswarm"] = f"missing: {problem}"
        return found

    return versions
