"""Raylets on the loopback address of which one has another coinswarm, as a machine that was forgotten in an update; run as a program.

    python -m tests.integration.differing_nodes FOLDER

The folder holds another copy of the packages for the second raylet; "": both have the same.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from ray.cluster_utils import Cluster

from cluster import bootstrap, machine
from cluster.cli import app
from tests.integration.raylets import COMMON


def main(folder: str) -> None:
    """Start them, and examine them with the command."""
    here = str(Path(__file__).resolve().parents[2])
    sys.path[:] = [path for path in sys.path if path not in ("", here)]
    os.chdir("/")  # Ray shows a driver's own folder to its workers, where it would hide what a node has installed
    bootstrap.prepare(machine.load())
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, **COMMON})
    cluster.add_node(num_cpus=1, env_vars={"PYTHONPATH": folder} if folder else {}, **COMMON)
    cluster.wait_for_nodes()
    sys.stderr.write(json.dumps({"address": cluster.address}) + "\n")
    try:
        app.main(["doctor", "--cluster", "--address", cluster.address, "--json"])
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
