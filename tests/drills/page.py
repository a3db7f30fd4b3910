"""docs/drills.md and its picture, from what a drill and an hour of small jobs have found.

python -m tests.drills.page [--drill drills.json] [--steady steady.json] --out docs/drills.md
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coinswarm.report import svg
from tests.drills import run, steady
from tests.drills.steady import Trend

_COLOURS = {"blue": "#1a5fb4", "red": "#b3541e", "green": "#2c6e2c", "violet": "#7a3e9d", "brown": "#8a6d00", "grey": "#555555"}
_LINES = "".join(f".line-{place}{{stroke:{colour}}}" for place, colour in enumerate(_COLOURS.values()))
_STYLE = f"text{{font:12px sans-serif;fill:#222}}.grid{{stroke:#ddd}}path{{fill:none;stroke-width:2}}{_LINES}"
_EXPECTED = """## What is promised

- **A process of `serve`** that is killed is started again by what uses it: the driver service by the API server, worker processes and
  the cluster by the driver service, computing processes by the API server, PostgreSQL by whichever process looks first. The API server
  itself is started again from outside, by systemd or Docker; the drill does it a second after it ended. No job needs a human.
- **A process of a command's cluster, or its PostgreSQL**, is started again by the command, in the same run; its exit code is 0.
- **The command itself**, killed: its user gives `coinswarm jobs resume JOB` once, at once, and the job continues from its last commit. A
  driver service does not take up what it was never given.
- **What is stopped** and goes on later finds its job where it was, or given to another: no job ends otherwise for it.
- **What is started twice** is refused where there can be one only (a port, a job that is driven, a data folder of PostgreSQL), and shares
  the work where there can be two (driver services of one queue).

A job that ends must have the result hash of one that nothing happened to. In the end `coinswarm jobs verify --all` recounts every job:
trials, different variants and sums of generations must be equal. No job may be under a lease, and no process may be left when everything
was stopped."""


def main(arguments: list[str]) -> int:
    """Write the page; the answer is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.drills.page")
    parser.add_argument("--drill", type=Path, nargs="+", help="what `make drills` has written; several files are parts of one plan")
    parser.add_argument("--steady", type=Path, help="what `make steady` has written")
    parser.add_argument("--remark", default="", help="what became of what was wrong")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    drill = joined([json.loads(path.read_text()) for path in asked.drill]) if asked.drill else None
    hour = json.loads(asked.steady.read_text()) if asked.steady else None
    picture = asked.out.with_suffix(".svg")
    asked.out.write_text(written(drill, hour, picture.name, asked.remark))
    if hour:
        picture.write_text(drawn(hour["samples"]))
    return 0


def joined(parts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Drills that did parts of one plan, as one."""
    verdicts = [part["verdict"] for part in parts]
    counted = ("jobs", "trials", "not_done", "differing", "leased", "left")
    totals = {name: sum((verdict[name] for verdict in verdicts[1:]), verdicts[0][name]) for name in counted}
    rows = [row for part in parts for row in part["faults"]]
    wrong = [each for part in parts for each in part["wrong"]]
    return {**parts[0], "took_s": sum(part["took_s"] for part in parts), "verdict": totals, "faults": rows, "wrong": wrong}


def written(drill: Mapping[str, Any] | None, hour: Mapping[str, Any] | None, picture: str, remark: str = "") -> str:
    """The whole page; what was not run is said to be missing, and `remark` says what became of what was wrong."""
    faults = _faults(drill, remark) if drill else "## Faults at random\n\nNo whole run is written down yet: `make drills`."
    jobs = _hour(hour, picture) if hour else "## An hour of small jobs\n\nNo whole run is written down yet: `make steady`."
    return "\n\n".join(["# Drills\n\nWritten by `python -m tests.drills.page`; do not edit.", _EXPECTED, faults, jobs]) + "\n"


def _faults(drill: Mapping[str, Any], remark: str) -> str:
    rows, verdict = drill["faults"], drill["verdict"]
    tried, healed = (sum(row[name] for row in rows) for name in ("tried", "healed"))
    counts = {name: len(verdict[name]) for name in ("not_done", "differing", "leased", "left")}
    said = (
        f"`make drills`: {tried} faults in {drill['took_s'] / 60:.0f} minutes on {drill['cores']} cores, seed {drill['seed']}, "
        f"{drill['started'][:10]}. A stop lasts {drill['stop_s']:g} s. {healed} healed; {len(rows) - tried} more found no such process "
        f"and do not count. {verdict['jobs']} jobs with "
        f"{verdict['trials']:,} trials: {counts['not_done']} are not done, {counts['differing']} differ from their recount, "
        f"{counts['leased']} are under a lease; {counts['left']} processes were left. *Jobs done* is the time from the fault until every "
        "job under way had ended, the rest of its work and the stop included."
    )
    wrong = "\n".join(f"- {each}" for each in drill["wrong"])
    undisturbed = ", ".join(f"{name} {each['seconds']:.0f} s" for name, each in drill["undisturbed"].items())
    below = [f"What was wrong:\n\n{wrong}"] if wrong else []
    below += [_wrapped(remark)] if remark else []
    return "\n\n".join(["## Faults at random", _wrapped(said), run.table(rows), *below, _wrapped(f"Undisturbed jobs take: {undisturbed}.")])


def _hour(hour: Mapping[str, Any], picture: str) -> str:
    idle = sum(hour["idle"]["pss"].values()) / 1e6
    found = [Trend(**{name: value for name, value in each.items() if name not in ("is_flat", "holds")}) for each in hour["trends"]]
    text = (
        f"`python -m tests.drills.steady`: {steady.CLIENTS} clients, {sum(hour['jobs'].values()):,} jobs of {len(hour['jobs'])} kinds over "
        f"HTTP, {hour['started'][:10]}. Without jobs `serve` and its PostgreSQL take {idle:.0f} MB (shared pages divided; at most "
        f"{steady.IDLE_BYTES / 1e6:.0f}). The first seventh is warm-up. Something is flat when the mean of the last third of the rest is "
        f"above that of the first by no more than {steady.SHARE:.0%} or {steady.NOISE:g} standard errors; what is not is a fault."
    )
    colours = ", ".join(f"{colour}: {kind}" for colour, kind in zip(_COLOURS, _largest(hour["samples"]), strict=False))
    parts = [
        f"## {hour['minutes']:g} minutes of small jobs",
        _wrapped(text),
        steady.table(found),
        f"![Memory by kind of process]({picture})",
    ]
    return "\n\n".join([*parts, _wrapped(f"Megabytes over time. {colours}.")])


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 140, break_long_words=False, break_on_hyphens=False)


def _largest(samples: Sequence[Mapping[str, Any]]) -> list[str]:
    """The kinds of processes that take most, the largest first."""
    kinds = {kind for each in samples for kind in each["pss"]}
    return sorted(kinds, key=lambda kind: -max(each["pss"].get(kind, 0) for each in samples))[: len(_COLOURS)]


def drawn(samples: Sequence[Mapping[str, Any]]) -> str:
    """Memory of the largest kinds of processes over time, as SVG."""
    series = {kind: [each["pss"].get(kind, 0) / 1e6 for each in samples] for kind in _largest(samples)}
    labels = [f"{each['at_s'] / 60:.0f} min" for each in samples]
    picture = str(svg.lines(series, labels=labels, title="Memory by kind of process"))
    start = picture.index("<svg ")
    inner = picture[start : picture.index("</svg>") + len("</svg>")]
    framed = inner.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    first = framed.index(">") + 1
    return f'{framed[:first]}<style>{_STYLE}</style><rect width="100%" height="100%" fill="#ffffff"/>{framed[first:]}\n'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
