"""`coinswarm doctor --cluster`: whether every node has the same Python, Ray, kernels and code, without which results differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from cluster import bootstrap
from cluster.cli import console
from coinswarm.printable import counted

if TYPE_CHECKING:
    from cluster.compute.ray.nodes import ClusterNode
    from cluster.machine import MachineSettings


def examine(settings: MachineSettings, *, as_json: bool) -> None:
    """Print what every node has; exit code 1 when they differ or one does not answer."""
    console.note(f"asking every node of {settings.ray_address or 'a local cluster'}")
    nodes = bootstrap.look_at_nodes(settings)
    differing = differences(nodes)
    silent = [node for node in nodes if node.problem]
    if as_json:
        rows = [{"address": node.address, "node": node.node, "versions": node.versions, "problem": node.problem} for node in nodes]
        console.emit_json({"ok": not differing and not silent, "differs": differing, "nodes": rows})
    else:
        _show(nodes, differing)
    if differing or silent:
        raise typer.Exit(1)


def differences(nodes: Sequence[ClusterNode]) -> dict[str, dict[str, list[str]]]:
    """What is not the same everywhere.

    Returns:
        For each thing that differs, the addresses at which each of its versions is; nodes that did not answer are left out.
    """
    answered = [node for node in nodes if not node.problem]
    things = dict.fromkeys(name for node in answered for name in node.versions)
    found: dict[str, dict[str, list[str]]] = {}
    for name in things:
        places: dict[str, list[str]] = {}
        for node in answered:
            places.setdefault(node.versions.get(name, "missing"), []).append(_called(node))
        if len(places) > 1:
            found[name] = places
    return found


def _called(node: ClusterNode) -> str:
    return f"{node.address} ({node.node[:8]})"


def _show(nodes: Sequence[ClusterNode], differing: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
    things = list(dict.fromkeys(name for node in nodes for name in node.versions))
    rows: list[list[Any]] = [[_called(node), node.problem or "ok", *(node.versions.get(name) for name in things)] for node in nodes]
    console.table(counted(len(nodes), "node"), ["node", "state", *things], rows)
    for name, places in differing.items():
        said = "; ".join(f"{version} on {', '.join(at)}" for version, at in places.items())
        console.text(f"{name} differs: {said}")
    if differing:
        console.text("every node must have the same: use one image for all of them, or install the same release from the same constraints")
    for node in nodes:
        if node.problem:
            console.text(f"{_called(node)} does not answer: {node.problem}; restart it, or see its logs on the dashboard")
