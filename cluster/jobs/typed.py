"""Options that many kinds share: markets, files of candles, times, plays."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cluster.jobs.options import Machine, Option
from coinswarm import errors


def moment(text: str | None, name: str) -> int | None:
    """A date or time, UTC unless it says otherwise, in milliseconds since 1970; None for none.

    Raises:
        InvalidArgument: it is neither.
    """
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise errors.InvalidArgument(
            f"{name} must be a date or time", found=repr(text), hint="such as 2024-01-31 or 2024-01-31T12:00"
        ) from error
    return round((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)


def _from(text: str, _machine: Machine) -> int | None:
    return moment(text, "--from")


def _to(text: str, _machine: Machine) -> int | None:
    return moment(text, "--to")


def _imported(files: list[Path], machine: Machine) -> list[str]:
    return list(machine.imported(files))


def _plays(files: list[Path], machine: Machine) -> list[Any]:
    return list(machine.plays(files))


MARKETS = Option(names=("--symbol", "-s"), fills=("markets",), help="A stored market; repeat for several.", extends=True)
BARS = Option(
    names=("--bars",), fills=("markets",), type=list[Path], read=_imported, extends=True, late=True,
    help="A file of candles to import and use; repeat for several.",
)  # fmt: skip
TIMEFRAME = Option(names=("--timeframe", "-t"), fills=("timeframe",), help="Bar interval, if more than one is stored.")
FROM = Option(names=("--from",), fills=("start_ts",), type=str, read=_from, metavar="TIME", help="First day or time, UTC.")
TO = Option(names=("--to",), fills=("end_ts",), type=str, read=_to, metavar="TIME", help="Day or time before which bars open, UTC.")
PLAYS = Option(
    names=("plays",), fills=("plays",), type=list[Path], read=_plays, metavar="PLAY…", required=True,
    help="YAML files; each is searched with its own population.",
)  # fmt: skip
