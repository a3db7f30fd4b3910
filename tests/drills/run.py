"""The drill: processes of `coinswarm serve` and of commands are killed, stopped and started twice at random, while jobs of every kind run.

    python -m tests.drills.run [--faults 100] [--skip 0] [--seed 0] [--stop-s 60] [--only KIND …] [--out FILE]

Says a line a fault, a table and a verdict; exit code 1 when something did not heal. Ctrl-C ends it, with all that it started.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from cluster.version import code_version
from coinswarm import errors
from tests.drills import faults, jobs, judge, processes, world
from tests.drills.drill import Drill, Outcome
from tests.drills.judge import Verdict
from tests.drills.processes import Home
from tests.drills.world import Unit, World

_ACTIONS = {"kill": "killed", "stop": "stopped", "twice": "started twice"}


def main(arguments: list[str]) -> int:
    """Run the drill; the answer is the exit code."""
    asked = _asked(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _drilled(asked)
    except KeyboardInterrupt:
        _say("ended before its time")
        return 130


def _drilled(asked: argparse.Namespace) -> int:
    began, started = time.monotonic(), datetime.now(UTC)
    kinds = [kind for kind in processes.KINDS if not asked.only or kind.name in asked.only]
    plan = islice(faults.plan(asked.seed, kinds=kinds), asked.skip, None)
    with world.world() as there:
        home = Home(there.home)
        try:
            with world.served(there) as unit:
                drill = _prepared(there, unit, home, asked.stop_s)
                outcomes = _inflicted(drill, plan, asked)
                verdict = judge.judged(there, unit, home)
        except BaseException:
            _keep_logs(there, asked.out)
            raise
        wrong = _wrong(outcomes, verdict, drill.unknown) + _missing(outcomes, asked)
        if wrong:
            _keep_logs(there, asked.out)
    found = _found(asked, drill, outcomes) | {
        "started": started.isoformat(timespec="seconds"), "took_s": round(time.monotonic() - began),
        "verdict": dataclasses.asdict(verdict), "wrong": wrong,
    }  # fmt: skip
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1))
    _say("\n" + table(found["faults"]))
    _say(
        f"\n{_tried(outcomes)} faults, {verdict.jobs} jobs, {verdict.trials:,} trials: " + ("all healed" if not wrong else "NOT all healed")
    )
    for each in wrong:
        _say(f"  {each}")
    return 1 if wrong else 0


def _found(asked: argparse.Namespace, drill: Drill, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "seed": asked.seed, "stop_s": asked.stop_s, "cores": os.cpu_count(), "code": code_version(),
        "undisturbed": {name: dataclasses.asdict(each) for name, each in drill.expected.items()},
        "faults": [_row(each) for each in outcomes],
    }  # fmt: skip


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.drills.run", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--faults", type=int, default=100, help="how many; one that finds no process to do it to does not count")
    parser.add_argument("--skip", type=int, default=0, help="begin behind so many faults of the plan, where an earlier run ended")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stop-s", type=float, default=60.0, help="how long a process is stopped")
    parser.add_argument(
        "--only", action="append", choices=[kind.name for kind in processes.KINDS], help="kinds of processes; all unless given"
    )
    parser.add_argument("--out", type=Path, help="a JSON file of everything that was found")
    return parser.parse_args(arguments)


def _prepared(there: World, unit: Unit, home: Home, stop_s: float) -> Drill:
    """Run every job once with nothing done to it."""
    _say(f"a server at {there.url}; every job is run once undisturbed")
    given = jobs.sources(there)
    expected = {}
    for example, undisturbed in jobs.undisturbed(there, given):
        expected[example.name] = undisturbed
        _say(f"  {example.name}: {undisturbed.seconds:.1f} s, {undisturbed.result_hash[:12]}")
    return Drill(there=there, unit=unit, home=home, sources=given, expected=expected, stop_s=stop_s)


def _inflicted(drill: Drill, plan: Iterator[faults.Fault], asked: argparse.Namespace) -> list[Outcome]:
    """What became of each fault; a file of it is kept up to date, for a drill may be ended before its time."""
    began, outcomes = time.monotonic(), list[Outcome]()
    for number, fault in enumerate(islice(plan, 2 * asked.faults), start=asked.skip + 1):
        try:
            outcome = drill.inflict(number, fault)
        except (ValueError, RuntimeError, errors.CoinswarmError) as problem:
            outcome = Outcome(number=number, fault=fault, at=datetime.now(UTC).isoformat(timespec="seconds"), wrong=(str(problem),))
        outcomes.append(outcome)
        tried = _tried(outcomes)
        left_s = (time.monotonic() - began) / len(outcomes) * (asked.faults - tried)
        _say(f"{line(outcome)}  [{tried}/{asked.faults}, {left_s / 60:.0f} min to go]")
        if asked.out:
            asked.out.write_text(json.dumps(_found(asked, drill, outcomes), indent=1))
        if tried == asked.faults:
            break
    return outcomes


def _tried(outcomes: Sequence[Outcome]) -> int:
    return sum(each.tried for each in outcomes)


def _missing(outcomes: Sequence[Outcome], asked: argparse.Namespace) -> list[str]:
    """A kind whose processes are seldom there is no fault of theirs; one that is never there is one of the drill."""
    tried = {each.fault.kind for each in outcomes if each.tried}
    found = [f"no {kind} was found in any of its turns" for kind in sorted({each.fault.kind for each in outcomes} - tried)]
    return found + [f"{_tried(outcomes)} of {asked.faults} faults were tried"] * (_tried(outcomes) < asked.faults)


def _wrong(outcomes: Sequence[Outcome], verdict: Verdict, unknown: set[str]) -> list[str]:
    found = [
        f"fault {each.number}, {each.fault.kind} {_ACTIONS[each.fault.action]}: {'; '.join(each.wrong)}" for each in outcomes if each.wrong
    ]
    return found + verdict.wrong + [f"no kind names the process `{words[:200]}`" for words in sorted(unknown)]


def line(outcome: Outcome) -> str:
    """What became of a fault, in a line."""
    fault = outcome.fault
    whose = "" if fault.side == "serve" else ", of a command"
    what = f"{outcome.at[11:19]}  {fault.kind}{whose}, {_ACTIONS[fault.action]}, during {fault.example.name}"
    if fault.beside:
        what += f" beside {fault.beside.name}"
    if not outcome.tried and not outcome.wrong:
        return f"{what}: NOT TRIED, no such process was there while a job ran"
    times = " and ".join(
        f"{name} after {value:.0f} s" for name, value in (("ready", outcome.ready_s), ("done", outcome.healed_s)) if value is not None
    )
    return f"{what}: {times or 'not in time'}{''.join(f'; WRONG: {each}' for each in outcome.wrong)}"


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Kinds of processes by what was done to them: how often, how often it healed, and the most seconds until all was done."""
    cells: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        cells.setdefault((row["kind"], row["side"], row["action"]), []).append(row)
    lines = ["| process | of | what | tried | healed | ready again, at most s | jobs done, at most s |", "|---|---|---|---|---|---|---|"]
    for (kind, side, action), found in sorted(cells.items()):
        tried, healed = sum(row["tried"] for row in found), sum(row["healed"] for row in found)
        lines.append(
            f"| {kind} | {side} | {_ACTIONS[action]} | {tried} | {healed} | {_most(found, 'ready_s')} | {_most(found, 'healed_s')} |"
        )
    return "\n".join(lines)


def _most(rows: Sequence[dict[str, Any]], name: str) -> str:
    known = [row[name] for row in rows if row[name] is not None]
    return f"{max(known):.0f}" if known else "-"


def _row(outcome: Outcome) -> dict[str, Any]:
    fault = outcome.fault
    return {
        "number": outcome.number, "at": outcome.at, "kind": fault.kind, "side": fault.side, "action": fault.action,
        "example": fault.example.name, "beside": fault.beside.name if fault.beside else None, "moment": round(fault.moment, 3),
        "job": outcome.job, "pid": outcome.pid, "ready_s": outcome.ready_s, "healed_s": outcome.healed_s, "tried": outcome.tried,
        "healed": outcome.healed, "wrong": list(outcome.wrong),
    }  # fmt: skip


def _keep_logs(there: World, out: Path | None) -> None:
    """Keep what was logged beside the JSON, for whoever looks into it."""
    if out is None:
        return
    import shutil

    folder = out.with_suffix(".logs")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for file in (*there.home.glob("*.log"), there.home / "pg" / "log"):
        if file.exists():
            shutil.copy(file, folder / file.name.replace("log", "pg.log") if file.name == "log" else folder / file.name)
    shutil.copytree(there.home / "logs", folder / "logs", dirs_exist_ok=True)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
