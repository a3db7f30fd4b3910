"""docs/benchmarks.md from what was measured."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import itertools
import os
import platform
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.benchmarks import growth
from tests.benchmarks.measuring import Findings, Row

WHAT = {
    "W1": "EMA cross, RSI filter, stop and target",
    "W2": "eight conditions a side, windows, a slower timeframe, long/short, ATR stops",
    "W3": "dense",
    "W4": "sparse",
    "W5": "1 m perpetual, funding, 5x leverage, long/short",
}
PACKAGES = ("numpy", "numba", "TA-Lib", "vectorbt", "vectorbt-rust", "raptorbt", "backtesting", "pandas")


def written(found: Findings) -> str:
    """The whole page."""
    parts = [
        "# Benchmarks\n\nWritten by `python -m tests.benchmarks.run` (extras group `peers`); do not edit.",
        _machine(found),
        _how(),
        "## Targets\n\n" + _table(("target", "measured", "reached"), targets(found)) + "\n\n" + _reasons(found),
        "## Every engine\n\n"
        + _table(("", "engine", "variants", "CPU s", "wall s", "million variant-bars/s", "ours, cold, is faster by"), _rows(found)),
        "## What was compared before timing\n\n" + _compared(found),
        "## Where the time goes\n\n" + _profiles(found),
        "## W6: growth\n\n" + _growth(found.sizes),
        "## Starting\n\n" + _starts(found),
    ]
    return "\n\n".join(parts) + "\n"


def _machine(found: Findings) -> str:
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    today = dt.datetime.now(dt.UTC).date()
    return (
        f"{today}, {os.cpu_count()} cores ({cpu.group(1) if cpu else platform.processor()}), of which one was used; load average when it\n"
        f"began {found.load[0]:.1f}; Python {platform.python_version()}, {versions}. The run took {found.took_s:.0f} s."
    )


def _how() -> str:
    return (
        "One process on one core, one thread for every library. All engines take turns, several times; the best CPU time of each counts,\n"
        "and wall time stands beside it, because the machine is shared. Peers are timed on a few of the same variants and compared per\n"
        "variant-bar: their time for a variant does not depend on how many there are. *Cold* is from the bars and a play just read to all\n"
        "22 figures of every variant; *warm* is the same batch asked again of the same scorer, as a later generation of a search would,\n"
        "with features and conditions remembered. vectorbt runs on its Rust engine and computes nine figures; on W1 its signals are timed\n"
        "too, made in two ways, and everywhere else peers get theirs ready-made for nothing. W2 and W5 lack the peers that cannot express\n"
        "them: raptorbt's array runner and the case for backtesting.py have no longs beside shorts, and none of the three has funding\n"
        "with liquidation."
    )


def _reasons(found: Findings) -> str:
    """A sentence for each target that a run can miss."""
    d, s = found.trades["W3"], found.trades["W4"]
    return (
        f"What bounds them: the ratios to the peers, the cost of a trade times {found.trades['W1']:.0f} trades a variant (*Where the\n"
        f"time goes*); W3 beside W4, their {d / s:,.0f} times as many trades, each added to its variant one by one; growth with bars,\n"
        "that more bars bring as many more trades, of which fewer are reused (W6 below); memory, in small batches, buffers that do\n"
        "not depend on the batch."
    )


def targets(found: Findings) -> list[tuple[str, str, str]]:
    """The issue's numbers beside ours."""
    ours, warm = found.row("W1", "coinswarm, cold").rate, found.row("W1", "coinswarm, warm").rate
    vectorbt = max(row.rate for row in found.rows if row.workload == "W1" and row.engine.startswith("vectorbt, signals"))
    raptorbt = found.row("W1", "raptorbt, ready-made signals").rate
    dense, sparse = found.row("W3", "coinswarm, cold"), found.row("W4", "coinswarm, cold")
    slower = dense.time.cpu_s / sparse.time.cpu_s
    growing = [b.time.cpu_s / a.time.cpu_s for a, b in _doublings(found.sizes)]
    share = max(size.peak_bytes / size.allowed_bytes for size in found.sizes)
    warm_start = found.starts[1]["wall_s"]
    return [
        ("W1 cold, at least 1,000 times vectorbt, signals on both sides", f"{ours / vectorbt:,.0f} times", _yes(ours >= 1000 * vectorbt)),
        ("W1 cold, at least 100 times raptorbt", f"{ours / raptorbt:,.0f} times", _yes(ours >= 100 * raptorbt)),
        ("W1 warm, at least 1,000 million variant-bars/s", f"{warm / 1e6:,.0f} million", _yes(warm >= 1e9)),
        ("W3 within 10 times W4", f"{slower:.1f} times", _yes(slower <= 10)),
        ("W6, doubling the bars less than doubles the time", ", ".join(f"{g:.2f}" for g in growing), _yes(max(growing) < 2)),
        ("W6, memory below 4 times the bars and 100 bytes a variant-trade", f"at most {share:.0%} of that", _yes(share < 1)),
        ("warm start, import to first score, below 2 s", f"{warm_start:.2f} s", _yes(warm_start < 2)),
    ]


def _yes(reached: bool) -> str:
    return "yes" if reached else "**no**"


def _rows(found: Findings) -> Iterable[Sequence[str]]:
    for row in found.rows:
        first = row.engine == "coinswarm, cold"
        what = f"**{row.workload}** {WHAT[row.workload]} ({found.trades[row.workload]:,.0f} trades a variant)" if first else ""
        yield what, row.engine, f"{row.n_variants:,}", f"{row.time.cpu_s:.3f}", f"{row.time.wall_s:.3f}", _rate(row), _faster(found, row)


def _rate(row: Row) -> str:
    millions = row.rate / 1e6
    return f"{millions:,.0f}" if millions >= 100 else f"{millions:.3g}"


def _faster(found: Findings, row: Row) -> str:
    if row.engine.startswith("coinswarm"):
        return ""
    return f"{found.row(row.workload, 'coinswarm, cold').rate / row.rate:,.0f}"


def _compared(found: Findings) -> str:
    lines = [f"- **{name}** {'; '.join(lines)}" for name, lines in found.compared.items()]
    why = (
        "Bars exactly, prices and returns to 1e-9; against the reference every figure too. *Left out* are entries after which the rules\n"
        "differ; which these are stands in `tests/oracles/test_peer_*.py`."
    )
    return "\n".join(lines) + "\n\n" + why


def _profiles(found: Findings) -> str:
    rows = [(name, f"`{where}`", f"{share:.0%}") for name, shares in found.profiles.items() for where, share in shares if share >= 0.02]
    costs = [f"{name} {_ns_a_trade(found, name):,.0f} ns" for name in ("W1", "W2", "W3", "W4", "W5")]
    table = _table(("cold", "function", "share of the time"), rows)
    return (
        f"{table}\n\nCompiled loops count where they are called. CPU time over variant-trades: {', '.join(costs)}.\n"
        "What bounds the rates is the walk from trade to trade, whose work is per trade and not per bar: a trade no other variant had is\n"
        "searched for its exit and summed over the bars it is held; one that another variant had is only added up. So a play that trades\n"
        "every few bars has few bars a trade to be fast over, and one that hardly trades is bounded by features and conditions."
    )


def _ns_a_trade(found: Findings, name: str) -> float:
    row = found.row(name, "coinswarm, cold")
    return 1e9 * row.time.cpu_s / max(1.0, found.trades[name] * row.n_variants)


def _doublings(sizes: list[growth.Size]) -> list[tuple[growth.Size, growth.Size]]:
    bars = [size for size in sizes if size.variants == growth.VARIANTS[-1]][: len(growth.BARS)]
    return list(itertools.pairwise(bars))


def _growth(sizes: list[growth.Size]) -> str:
    rows = [
        (
            f"{size.bars:,}", f"{size.variants:,}", f"{size.variant_trades:,}", f"{size.time.cpu_s:.3f}", f"{size.time.wall_s:.3f}",
            f"{1e9 * size.time.cpu_s / size.variant_trades:.0f}", f"{size.reused:.0%}",
            f"{size.peak_bytes / 1e6:,.1f}", f"{size.allowed_bytes / 1e6:,.1f}",
        )
        for size in sizes
    ]  # fmt: skip
    head = ("bars", "variants", "variant-trades", "CPU s", "wall s", "ns a variant-trade", "outcomes reused", "peak MB", "allowed MB")
    note = (
        "W1, cold; more bars are the same candles end to end. The peak is resident memory in a process of its own, above what it held\n"
        "with its bars and compiled code; allowed are four times the bars (48 bytes each) and 100 bytes a variant-trade."
    )
    return _table(head, rows) + "\n\n" + note


def _starts(found: Findings) -> str:
    first, later = found.starts
    return (
        f"Import to first score (W1, one variant): {first['wall_s']:.1f} s wall ({first['cpu_s']:.1f} s CPU) in the first process on a\n"
        f"machine, which compiles; {later['wall_s']:.2f} s wall ({later['cpu_s']:.2f} s CPU) in every later one."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
