"""The warm-up of plays in words: how many bars, what part of the data, for which feature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coinswarm.play import warmth
from coinswarm.play.model import Play


def told(play: Play, exec_ms: int, n_bars: int | None = None) -> str:
    """The warm-up of a play's variants in words: the longest, and the shortest where they differ."""
    least, most = warmth.spread(play, exec_ms)
    from_ = f"from {least.bars:,} to " if least.bars != most.bars else ""
    return f"warm-up at {play.warmup_tolerance:g}: {from_}{most.text(n_bars)}"


def warning(play: Play, exec_ms: int, n_bars: int) -> str:
    """What to say where the longest warm-up takes much of the data; empty where it does not."""
    most = warmth.spread(play, exec_ms)[1]
    if not most.too_long(n_bars):
        return ""
    return f"warning: warm-up takes up to {most.share(n_bars):.0%} of the data; {most.advice(play.warmup_tolerance)}"


def facts(play: Play, exec_ms: int, n_bars: int | None = None) -> dict[str, Any]:
    """The same for JSON."""
    least, most = warmth.spread(play, exec_ms)
    share = None if n_bars is None else most.share(n_bars)
    return {
        "tolerance": play.warmup_tolerance, "bars": most.bars, "least_bars": least.bars, "feature": most.feature, "of": n_bars,
        "share": share,
    }  # fmt: skip


def rows(plays: Sequence[Play], exec_ms: int, n_bars: int) -> list[list[Any]]:
    """Lines of a table: the warm-up of each play, and a warning where it is much."""
    found: list[list[Any]] = []
    for play in plays:
        label = "warm-up" if len(plays) == 1 else f"warm-up of {play.name}"
        found.append([label, told(play, exec_ms, n_bars).removeprefix("warm-up ")])
        if line := warning(play, exec_ms, n_bars):
            found.append(["", line])
    return found


def notes(plays: Sequence[Play], exec_ms: int, n_bars: int) -> list[str]:
    """Sentences: how long each play warms up, and a warning where that is much of the data."""
    lines: list[str] = []
    for play in plays:
        lines.append(f"{play.name}: {told(play, exec_ms, n_bars)}")
        if line := warning(play, exec_ms, n_bars):
            lines.append(line)
    return lines
