"""Every node must have the same versions: asked of raylets, each in its own processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cluster.version import code_version

ROOT = Path(__file__).parents[2]


def examined(folder: str) -> tuple[int, dict[str, Any]]:
    """Exit code and answer of `doctor --cluster` on two raylets."""
    command = [sys.executable, "-m", "tests.integration.differing_nodes", folder]
    # raylets on the loopback address are found there only
    environment = os.environ | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.slow
def test_nodes_with_the_same_versions_are_fine() -> None:
    code, found = examined("")
    assert (code, found["ok"], found["differs"], len(found["nodes"])) == (0, True, {}, 2)
    assert {node["versions"]["coinswarm"] for node in found["nodes"]} == {code_version()}
    assert all({"python", "ray", "numba"} <= set(node["versions"]) for node in found["nodes"])


def test_a_node_with_other_code_is_named(tmp_path: Path) -> None:
    for package in ("coinswarm", "cluster"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "coinswarm" / "forgotten.py").write_text('"""An old file."""\n')
    code, found = examined(str(tmp_path))
    assert (code, found["ok"], list(found["differs"])) == (1, False, ["coinswarm"])
    assert code_version() in found["differs"]["coinswarm"]
    assert len(found["differs"]["coinswarm"]) == 2
