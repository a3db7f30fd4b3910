"""The first day of a trader, typed into a terminal of 80 columns: from a clone to a play of one's own, its report open. Writes a page.

    python -m tests.first_day.run [--out docs/first-day.md] [--origin .]

Clones the project, sets it up in a folder and a home that are empty, types each command and keeps what it says. Candles are those of a
recording, for no exchange is asked; the browser is a headless one that takes a picture.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.first_day import recording

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = 80
_KEPT = 3
"""Lines of progress that are shown at the begin and the end of many."""
_PROGRESS = re.compile(r"^(generation \d+/|sections \d+/|pages \d+/)")
_PICTURE = "first-day-report.png"
_BROWSER = """#!/bin/sh
chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync \\
  --user-data-dir="$HOME/browser" --hide-scrollbars --window-size=1280,1500 --virtual-time-budget=4000 \\
  --screenshot="$HOME/report.png" "$1" >/dev/null 2>&1
"""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A command, and what a reader is told before it.

    Attributes:
        why: in a sentence.
        words: as typed; `{best}` and `{job}` are found in what earlier steps said.
        shown: how it is printed where it is not typed like that.
        last: lines of what it says that are kept, from the end; 0: all.
    """

    why: str
    words: str
    shown: str = ""
    last: int = 0


DAY = (
    Step(why="Get the project.", words="git clone --quiet {origin} coinswarm", shown="git clone ADDRESS coinswarm"),
    Step(
        why="Build its environment and put the command on the path; Python 3.11 is all it needs.",
        words="make --silent -C coinswarm setup >setup.log 2>&1 && . coinswarm/.venv/bin/activate",
        shown="make -C coinswarm setup && . coinswarm/.venv/bin/activate",
    ),
    Step(why="Get candles.", words="coinswarm bars fetch binance BTC/USDT -t 15m --from 2024-01-01"),
    Step(
        why="Begin a play of your own. It is a small file to be changed in an editor.", words="coinswarm play new dip --template reversion"
    ),
    Step(why="Read it back in words, mistakes included if there were any.", words="coinswarm play check dip.yml"),
    Step(why="What would a search take?", words="coinswarm evolve dip.yml -t 15m --campaign first --vault 0.2 --estimate"),
    Step(
        why="Search, with the newest fifth of the bars locked away for the end.",
        words="coinswarm evolve dip.yml -t 15m --campaign first --vault 0.2",
    ),
    Step(why="Look at the best.", words="coinswarm show {best}"),
    Step(why="Is it luck?", words="coinswarm validate {best}", last=70),
    Step(why="Take it home as a play in which nothing varies.", words="coinswarm play export {best} --out best.yml"),
    Step(
        why="It is a play like any other: here on all bars but those that are locked away.",
        words="coinswarm backtest best.yml --to {vault} --trades trades.csv",
    ),
    Step(why="Open its report.", words="coinswarm report {best} --out best.html --open"),
)
"""The commands of the day, twelve at most."""
_INTRODUCTION = """# The first day

Twelve commands, from a clone to a play of one's own, taken home, its report open. Written by `python -m tests.first_day.run`, which types
them into a terminal of 80 columns, in an empty folder and an empty home, and keeps what they say; progress is cut in the middle. Candles
come from a recording of Binance, for the machine that writes this page asks no exchange.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the day; the answer is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.first_day.run")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "first-day.md")
    parser.add_argument("--origin", type=Path, default=ROOT, help="what is cloned")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="first-day-") as name:
        place = Path(name)
        try:
            page = written(place, asked.origin.resolve())
            picture = place / "home" / "report.png"
        finally:
            subprocess.run(["coinswarm/.venv/bin/coinswarm", "db", "stop", "--force"], cwd=place, env=_environment(place), check=False)
        asked.out.write_text(page)
        (asked.out.parent / "pictures" / _PICTURE).write_bytes(picture.read_bytes())
    return 0


def written(place: Path, origin: Path) -> str:
    """The page: each step with what it said."""
    (place / "home").mkdir()
    browser = place / "browser"
    browser.write_text(_BROWSER)
    browser.chmod(0o755)
    found, parts, began = {"origin": str(origin)}, [_INTRODUCTION], time.monotonic()
    for number, step in enumerate(DAY, start=1):
        said, seconds = typed(step.words.format(**found), place)
        found |= names(said)
        typed_as = (step.shown or step.words).format(**found)
        parts.append(f"**{number}. {step.why}** ({seconds:.0f} s)\n\n```text\n$ {typed_as}\n{shown(said, place, step.last)}```\n")
        sys.stderr.write(f"{number}/{len(DAY)} {typed_as} ({seconds:.0f} s)\n")
    parts.append(f"![The report in a browser](pictures/{_PICTURE})\n\nThe whole day took {(time.monotonic() - began) / 60:.0f} minutes.\n")
    return "\n".join(parts)


def typed(line: str, place: Path) -> tuple[str, float]:
    """What a command line says, and how long it takes.

    Raises:
        RuntimeError: it failed.
    """
    began = time.monotonic()
    activated = ". coinswarm/.venv/bin/activate && " if (place / "coinswarm" / ".venv").exists() else ""
    done = subprocess.run(
        ["sh", "-c", activated + line], cwd=place, env=_environment(place), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{line} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout, time.monotonic() - began


def names(said: str) -> dict[str, str]:
    """The ids that later steps need."""
    wanted = {"best": r"coinswarm validate ([0-9a-f]{20})", "vault": r"no search sees bars from (\S+) on"}
    return {name: found[1] for name, pattern in wanted.items() if (found := re.search(pattern, said))}


def shown(said: str, place: Path, last: int) -> str:
    """What a reader sees: paths of the machine that made it are gone, and most of the progress."""
    text = said.replace(f"{place / 'home'}", "~").replace(str(place), "~")
    lines = [line.rstrip() for given in text.splitlines() for line in (textwrap.wrap(given, COLUMNS) if len(given) > COLUMNS else [given])]
    running = [number for number, line in enumerate(lines) if _PROGRESS.match(line)]
    cut = running[_KEPT:-1]
    kept = ["…" if number == cut[0] else line for number, line in enumerate(lines) if number not in cut[1:]] if cut else lines
    if last and len(kept) > last:
        kept = ["…", *kept[-last:]]
    return "\n".join(kept).strip("\n") + ("\n" if kept else "")


def _environment(place: Path) -> Mapping[str, str]:
    given = {name: os.environ[name] for name in ("PATH", recording.DATA) if name in os.environ}
    data = given.get(recording.DATA) or str(ROOT.parent / "shared" / "data")
    return {
        **given, "HOME": str(place / "home"), "COLUMNS": str(COLUMNS), "BROWSER": str(place / "browser"), recording.DATA: data,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent / "site"), str(place / "coinswarm")]), "LANG": "C.UTF-8",
        "RAY_USAGE_STATS_ENABLED": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
