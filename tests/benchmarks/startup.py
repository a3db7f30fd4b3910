"""What commands cost before they compute anything, beside another checkout of the project: start-up, a first search, an estimate, a server.

    python -m tests.benchmarks.startup --before TREE [--repeats 9] [--bars FILE]

Both trees run each command in turns, with this interpreter, in a home of their own that is warm: kernels are compiled, bars are imported,
the database runs. Prints medians of wall and processor seconds as a table.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-P", "-c", "from cluster.cli.app import main; main()")
PLAY = "plays/examples/trend_pullback.yml"
SMALL = ("-p", "54", "-g", "2", "-c", "none", "--from", "2024-03-01", "--to", "2024-03-25")
"""A search of about a hundred variants on 6,912 bars."""
_PAGE_S = 180.0


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A checkout, and a home in which it runs."""

    name: str
    root: Path
    home: Path
    taken: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        """What its processes see."""
        return {
            **os.environ,
            "PYTHONPATH": str(self.root),
            "COINSWARM_HOME": str(self.home),
            "RAY_USAGE_STATS_ENABLED": "0",
            "COLUMNS": "80",
        }

    def run(self, *words: str) -> tuple[float, float]:
        """Wall and processor seconds of a command."""
        before, began = _used(), time.perf_counter()
        done = subprocess.run([*COMMAND, *words], env=self.environment, cwd=self.root, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(words)}: {done.stderr[-800:]}")
        return time.perf_counter() - began, _used() - before

    def serve(self) -> tuple[float, float]:
        """Wall and processor seconds until a server has shown its first page, its other processes included."""
        began = time.perf_counter()
        words = [*COMMAND, "serve", "--port", "0"]
        with subprocess.Popen(
            words, env=self.environment, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            try:
                address = process.stdout.readline().strip() if process.stdout is not None else ""
                with urllib.request.urlopen(f"{address}/", timeout=_PAGE_S) as page:
                    page.read()
                return time.perf_counter() - began, _tree_used(process.pid)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _tree_used(pid: int) -> float:
    """Processor seconds of a process and those below it."""
    total = 0.0
    for each in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        with suppress(psutil.Error):
            times = each.cpu_times()
            total += times.user + times.system
    return total


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.startup")
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--bars", type=Path, required=True, help="candles of 5 minutes, such as binance_BTC-USDT_5m.parquet")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="coinswarm-startup-") as folder:
        trees = [
            Tree(name="before", root=asked.before.resolve(), home=Path(folder) / "before"),
            Tree(name="after", root=ROOT, home=Path(folder) / "after"),
        ]
        try:
            _measured(trees, asked.bars.resolve(), asked.repeats)
        finally:
            for tree in trees:
                with suppress(RuntimeError):
                    tree.run("db", "stop", "--force")
    print(_table(trees))  # noqa: T201


def _measured(trees: Sequence[Tree], bars: Path, repeats: int) -> None:
    for tree in trees:
        tree.run("bars", "import", str(bars))
        tree.run("evolve", PLAY, "--symbol", "BTC/USDT", *SMALL, "--seed", "99")
    for turn in range(repeats):
        search = ("evolve", PLAY, "--symbol", "BTC/USDT", "--seed", str(turn))
        commands: dict[str, tuple[str, ...]] = {
            "coinswarm --help": ("--help",), "coinswarm evolve --help": ("evolve", "--help"), "coinswarm jobs list": ("jobs", "list"),
            f"coinswarm play check {PLAY}": ("play", "check", PLAY), "a search of 108 variants on 6,912 bars": (*search, *SMALL),
            "a search of 4,000 variants on 71,769 bars": search, "its estimate": (*search, "--estimate"),
        }  # fmt: skip
        for tree in trees if turn % 2 == 0 else trees[::-1]:
            for name, words in commands.items():
                tree.taken.setdefault(name, []).append(tree.run(*words))
            tree.taken.setdefault("coinswarm serve, to the first page", []).append(tree.serve())
        print(f"turn {turn + 1} of {repeats}", file=sys.stderr)  # noqa: T201


def _table(trees: Sequence[Tree]) -> str:
    rows = ["| what | before: wall | processor | after: wall | processor |", "|---|---|---|---|---|"]
    for name in trees[0].taken:
        cells = [f"{statistics.median(column):.2f} s" for tree in trees for column in zip(*tree.taken[name], strict=True)]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
