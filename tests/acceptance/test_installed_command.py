"""The installed command, driven as a user would: the wheel, a fresh virtual environment, an empty home.

Only this project is installed afresh: what its wheel asks for, and nothing else, is linked from the environment that runs the tests.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cluster.store import embedded
from coinswarm.market import files

ROOT = Path(__file__).resolve().parents[2]
N_BARS = 12_000


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with the command installed, a home folder and a file of candles."""

    command: Path
    home: Path

    @property
    def env(self) -> dict[str, str]:
        """Nothing of ours is in the environment."""
        dropped = ("COINSWARM_", "RAY_", "PYTHONPATH", "VIRTUAL_ENV")
        return {name: value for name, value in os.environ.items() if not name.startswith(dropped)} | {"HOME": str(self.home)}

    def types(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command in the home folder."""
        return subprocess.run([self.command, *words], cwd=self.home, env=self.env, capture_output=True, text=True, timeout=900, check=False)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """`coinswarm serve` in another terminal, until Ctrl-C; the answer is its address."""
        command = [self.command, "serve", "--port", "0"]
        process = subprocess.Popen(command, cwd=self.home, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process.stdout:
            try:
                yield process.stdout.readline().strip()
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(120)

    def asks(self, *words: str) -> Any:
        """The JSON that the command answers with."""
        done = self.types(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def person(installed_command: Path, data_dir: Path) -> Iterator[Person]:
    """A person who has just installed the wheel. The home is outside of pytest's folders, which other accounts may not enter."""
    with tempfile.TemporaryDirectory(prefix="coinswarm-home-") as name:
        home = Path(name)
        _candles(data_dir, home / "binance_BTC-USDT_5m.parquet")
        shutil.copy(ROOT / "plays" / "examples" / "trend_pullback.yml", home)
        yield Person(command=installed_command, home=home)
        embedded.stop(home / ".coinswarm" / "pg", force=True)


def _candles(data: Path, path: Path) -> None:
    import polars as pl

    assert len(files.read(data / "spot5m_2024" / path.name)) > N_BARS
    pl.read_parquet(data / "spot5m_2024" / path.name).head(N_BARS).write_parquet(path)


def test_a_person_goes_from_a_file_of_candles_to_a_report(person: Person) -> None:
    imported = person.types("bars", "import", "binance_BTC-USDT_5m.parquet")
    assert imported.returncode == 0, imported.stderr
    words = ("--population", "16", "--generations", "3", "--workers", "2", "--constraint", "none")
    found = person.asks("evolve", "trend_pullback.yml", *words)
    assert (found["status"], found["failures"]) == ("done", 0)
    assert found["distinct"] == found["evaluations"] > 16

    rows = person.asks("top", found["job"])["rows"]
    best = rows[0]["evaluation"]
    assert best == found["best"]["evaluation"]
    assert rows[0]["out_of_sample"]["n_obs"] > 0
    assert person.asks("replay", best)["identical"] is True
    page = Path(person.asks("report", best)["path"]).read_text()
    assert page.startswith("<!doctype html>")
    assert best in page


@pytest.mark.slow
def test_three_lines_go_from_nothing_to_a_job_that_a_service_has_run(person: Person, data_dir: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="coinswarm-home-") as name:
        fresh = Person(command=person.command, home=Path(name))
        _candles(data_dir, fresh.home / "binance_BTC-USDT_5m.parquet")
        shutil.copy(person.home / "trend_pullback.yml", fresh.home)
        try:
            with fresh.serving() as place:
                job = fresh.asks("submit", "trend_pullback.yml", "--bars", "binance_BTC-USDT_5m.parquet")["job"]
                assert fresh.asks("watch", job)["status"] == "done"
                assert httpx.get(f"{place}/ready").json() == {"status": "ready", "queued": 0, "running": 0}
                page = httpx.get(place).text
                files = re.findall(r'(?:src|href)="(/[^"]+)"', page)
                assert len(files) > 2
                assert {httpx.get(f"{place}{path}").status_code for path in files} == {200}
        finally:
            embedded.stop(fresh.home / ".coinswarm" / "pg", force=True)


def test_what_is_wrong_is_said_in_one_message_with_exit_code_2(person: Person) -> None:
    mistakes = {
        "file not found": ("evolve", "trend_pulback.yml"),
        "no job is called": ("top", "evolve-nothing"),
        "no evaluation is called": ("show", "ffff"),
        "did you mean sharpe": ("evolve", "trend_pullback.yml", "--objective", "sharp"),
        "--from must be a date": ("evolve", "trend_pullback.yml", "--from", "soon"),
    }
    for text, words in mistakes.items():
        done = person.types(*words)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert text in done.stderr
        assert "Traceback" not in done.stderr


def test_the_doctor_finds_nothing_missing(person: Person) -> None:
    assert person.asks("doctor")["ok"] is True
