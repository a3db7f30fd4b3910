"""The first search on a slow machine: its own processes compile for minutes, which is neither an absent nor a full cluster."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest

from cluster.compute import warmup
from cluster.compute.evaluator import ScoreRequest
from cluster.compute.ray.startup import Beginning, Sight
from cluster.jobs.evolve import estimate as estimating
from coinswarm import errors, play
from tests.installed import ROOT

PLAY = ROOT / "plays" / "examples" / "trend_pullback.yml"

WAIT = "from cluster.compute import warmup\nprint('here', flush=True)\nprint(warmup.compile_once(), flush=True)"
MARK = "from cluster.compute import warmup\nprint(warmup._mark())"


class Watched:
    """A driver that looks once every ten seconds of its clock, and what it was told."""

    def __init__(self, sights: Iterable[Sight], *, room_s: float | None = 120.0) -> None:
        self.said: list[str] = []
        self._now, self._sights = 0.0, iter(sights)
        self.beginning = Beginning(self.said.append, room_s=room_s, sight=lambda: next(self._sights), clock=lambda: self._now)

    def look(self, times: int) -> None:
        for _ in range(times):
            self.beginning.look()
            self._now += 10.0


def seen(stage: str, *, free: float = 0.0, processors: float = 2.0) -> Sight:
    return Sight(stage=stage, processors=processors, free=free)  # type: ignore[arg-type]


def test_compiling_for_an_hour_is_no_reason_to_give_up_and_is_told_once() -> None:
    driver = Watched([seen("compiling")] * 360 + [seen("computing")])
    driver.look(times=400)  # sights run out after 361: once something is computed, nobody looks any more
    compiling, compiled = driver.said
    assert compiling.startswith("compiling the kernels, once for this version and machine")
    assert compiled == "the kernels are compiled (3600 s)"


@pytest.mark.parametrize(
    ("sight", "said"),
    [
        (seen("", free=0.0), "must have room for this job within 120 s, got 0 of 2 processors free"),
        (seen("", processors=0.0), "must have a processor for this job within 120 s, got none"),
        (seen("", free=2.0), "a worker process of the cluster must begin within 120 s, got none, with 2 of 2 processors free"),
    ],
)
def test_what_keeps_work_from_beginning_is_said_as_what_it_is(sight: Sight, said: str) -> None:
    driver = Watched([sight] * 100)
    with pytest.raises(errors.Unavailable, match=said) as raised:
        driver.look(times=100)
    assert "JOB" not in str(raised.value)
    assert driver.said == [f"waiting for a worker process to begin, {sight.free:g} of {sight.processors:g} processors free"]


def test_work_without_a_limit_waits_and_says_so() -> None:
    driver = Watched([seen("")] * 1000, room_s=None)
    driver.look(times=1000)
    assert len(driver.said) == 1


def python(code: str, cache: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)


def test_one_process_compiles_and_the_others_wait_for_it(tmp_path: Path) -> None:
    with python(MARK, tmp_path) as asking:
        mark = Path(asking.communicate()[0].strip())
    mark.parent.mkdir(parents=True, exist_ok=True)
    with (mark.parent / "compiling.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # this test is the process that compiles
        with python(WAIT, tmp_path) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "here\n"
            with pytest.raises(subprocess.TimeoutExpired):
                other.wait(3.0)
            mark.touch()
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert other.stdout.readline() == "False\n"  # it compiled nothing
    assert list(tmp_path.rglob("*.nbc")) == []


WHERE = """
import sys
from cluster.cli import app
try:
    sys.argv[1:] = [sys.argv[1], "nothing-of-this-name"]
    app.main()
except SystemExit:
    pass
import cluster.jobs.discover.plan, numba
print(numba.config.CACHE_DIR)
"""


@pytest.mark.parametrize("command", ["play", "backtest", "worlds", "patterns", "evolve"])
def test_every_command_keeps_compiled_kernels_in_the_same_folder(command: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"} | {"COINSWARM_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", WHERE, command], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].startswith(str(tmp_path / "numba"))


class Late:
    """An evaluator whose first processes compile: its answer comes at the hundredth time of asking."""

    def __init__(self) -> None:
        self.asked = 0

    def submit(self, work: ScoreRequest) -> None:
        """Take it on."""

    def collect(self, timeout_s: float) -> str | None:
        self.asked += 1
        return "scored" if self.asked == 100 else None


def test_an_estimate_waits_for_an_answer_however_often_it_has_to_ask() -> None:
    evaluator, setup = Late(), SimpleNamespace(play=play.loads(warmup._PLAY))
    plan = SimpleNamespace(task=SimpleNamespace(setups=[setup]), search=SimpleNamespace(seed=1))
    assert estimating._probe(evaluator, plan, 1) > 0.0  # type: ignore[arg-type]
    assert evaluator.asked == 100


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--estimate",), ("--no-baselines",)])
def test_the_first_search_of_a_new_home_ends_well_beside_a_busy_core(
    words: tuple[str, ...], installed_command: Path, candles: Path, home: Path
) -> None:
    searched = [
        "evolve",
        PLAY,
        "--bars",
        candles,
        "--population",
        "8",
        "--generations",
        "1",
        "--workers",
        "2",
        "--constraint",
        "none",
        *words,
    ]
    dropped = ("COINSWARM_", "RAY_", "NUMBA_", "PYTHON")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(dropped)} | {"HOME": str(home)}
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        done = subprocess.run([installed_command, *searched], env=environment, capture_output=True, text=True, check=False)
        busy.kill()
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("compiling the kernels") == done.stderr.count("the kernels are compiled") == 1
