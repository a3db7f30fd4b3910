"""HOME that cannot be written beside a home folder of ours that can, as in containers with a read-only root: everything works."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cluster import bootstrap
from tests.integration.cancel_world import KERNELS
from tests.integration.evolve_world import PLAY

NOT_A_FOLDER = "/dev/null"
"""Nothing can be written below it, not even by root, who may write where others may not."""


def answer(home: Path, *words: str, compute: str = "process") -> Any:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("COINSWARM_", "RAY_"))},
        "HOME": NOT_A_FOLDER, "COINSWARM_HOME": str(home), "COINSWARM_COMPUTE": compute, "NUMBA_CACHE_DIR": str(KERNELS),
    }  # fmt: skip
    done = subprocess.run(
        [*bootstrap.COMMAND, *words, "--json"], env=environment, cwd=home, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("compute", ["process", "cluster"])
def test_a_search_runs_where_home_cannot_be_written(home: Path, compute: str) -> None:
    home.mkdir(exist_ok=True)
    (home / "play.yml").write_text(PLAY)
    answer(home, "bars", "synthetic", "BTC/USDT", "--timeframe", "5m", "--days", "10")
    words = ("evolve", "play.yml", "--symbol", "synthetic:BTC/USDT:5m", "-p", "8", "-g", "2", "-c", "none", "--no-baselines", "-w", "1")
    found = answer(home, *(words if compute == "cluster" else words[:-2]), compute=compute)
    assert found["status"] == "done"
    assert answer(home, "jobs", "verify", "--all")[0]["ok"]
    assert answer(home, "doctor")["ok"]
