"""Files named like modules lie in the folder in which the user stands: nothing that we start imports them.

Python puts the working directory first for `-c` and for spawned processes, and Ray before everything that its workers import.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ray.core.generated.common_pb2 import JobConfig

from cluster import bootstrap
from cluster.compute.ray import code
from coinswarm import errors

NAMES = """
    cluster coinswarm random data ray typing numpy settings utils time json queue copy types struct re enum logging statistics
    multiprocessing concurrent sitecustomize alembic migrations env plays numba polars pydantic scipy duckdb psycopg sqlalchemy yaml
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose files say so when they are imported."""
    made = tmp_path_factory.mktemp("folder")
    for name in NAMES.split():
        (made / f"{name}.py").write_text(f"raise RuntimeError('{name} of the working directory was imported')\n")
    return made


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COINSWARM_", "PYTHON", "RAY_"))} | variables
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False)


def test_the_folder_does_win_where_nothing_is_done_against_it(folder: Path) -> None:
    done = run(folder, sys.executable, "-c", "import random")
    assert "random of the working directory was imported" in done.stderr


@pytest.mark.parametrize("words", [(*bootstrap.COMMAND, "--version"), (*bootstrap.WORKER, "--help"), (*bootstrap.DRIVER, "--help")])
def test_a_process_of_our_own_does_not_see_the_folder(folder: Path, words: tuple[str, ...]) -> None:
    done = run(folder, *words)
    assert (done.returncode, done.stderr) == (0, "")


SPAWNING = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from cluster.cli import app

if __name__ == "__main__":
    sys.argv[1:] = ["jobs"]
    try:
        app.main()
    except SystemExit:
        pass
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        print(pool.submit(sys.getrecursionlimit).result())
"""


def test_processes_that_a_command_spawns_do_not_see_the_folder(folder: Path, tmp_path: Path) -> None:
    """As an installed command starts: by a script of its own, from the folder."""
    script = tmp_path / "script"
    script.write_text(SPAWNING)
    done = run(folder, sys.executable, str(script))
    assert (done.returncode, done.stdout.split()[-1]) == (0, "1000"), done.stderr


def test_workers_look_into_the_program_that_the_driver_runs_and_not_into_the_folder(folder: Path) -> None:
    job = code.RayJob()
    job._py_driver_sys_path.extend([str(folder)])  # as Ray does before it hands the job over
    sent = JobConfig.FromString(job._serialize())
    assert list(sent.py_driver_sys_path) == [str(Path(code.__file__).parents[3])]


def test_a_worker_with_another_release_is_refused() -> None:
    with pytest.raises(errors.Unavailable, match=r"every node of the cluster must run the code of the driver, got .* instead of 0.0.9"):
        code.refuse_other("0.0.9+123456789abc")


def test_an_installed_search_does_not_see_the_folder(installed_command: Path, folder: Path, candles: Path, home: Path) -> None:
    play = Path(__file__).parents[2] / "plays" / "examples" / "trend_pullback.yml"
    words = ("--bars", str(candles), "--population", "6", "--generations", "1", "--workers", "1", "--constraint", "none", "--no-baselines")
    done = run(folder, str(installed_command), "evolve", str(play), *words, HOME=str(home))
    assert done.returncode == 0, done.stderr
