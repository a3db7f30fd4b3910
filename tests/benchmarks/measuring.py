"""What is measured, in which order."""

from __future__ import annotations

import cProfile
import os
import pstats
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.benchmarks import agreement, clock, growth, rivals, workloads
from tests.benchmarks.workloads import Workload

SAMPLE = {"compared": 6, "vectorbt": 64, "raptorbt": 24, "backtesting": 1}
"""Variants that are compared with the peers, and that the peers are timed on; rates are per variant-bar."""


@dataclass(kw_only=True)
class Row:
    """One engine on one workload."""

    workload: str
    engine: str
    n_variants: int
    variant_bars: int
    time: clock.Timing

    @property
    def rate(self) -> float:
        """Variant-bars a CPU second."""
        return self.variant_bars / self.time.cpu_s


@dataclass(kw_only=True)
class Findings:
    """Everything a page needs."""

    workloads: dict[str, Workload]
    rows: list[Row] = field(default_factory=list)
    trades: dict[str, float] = field(default_factory=dict)
    compared: dict[str, list[str]] = field(default_factory=dict)
    profiles: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    sizes: list[growth.Size] = field(default_factory=list)
    starts: tuple[dict[str, float], dict[str, float]] = ({}, {})
    took_s: float = 0.0
    load: tuple[float, ...] = ()

    def row(self, workload: str, engine: str) -> Row:
        """One of the rows."""
        return next(row for row in self.rows if (row.workload, row.engine) == (workload, engine))


def everything(repeats: int, say: Callable[[str], None]) -> Findings:
    """Compare, then time."""
    began = time.perf_counter()
    found = Findings(workloads={name: workloads.load(name) for name in ("W1", "W2", "W3", "W4", "W5")}, load=os.getloadavg())
    for name, workload in found.workloads.items():
        found.compared[name] = compared(name, workload)
        say(f"{name}: {'; '.join(found.compared[name])}")
    for name, workload in found.workloads.items():
        found.rows += timed(name, workload, repeats)
        found.trades[name] = float(workload.fresh().score(workload.genomes)["n_trades"].mean())
        for row in found.rows[-7:]:
            if row.workload == name:
                say(f"{name} {row.engine}: {row.rate / 1e6:,.1f} million variant-bars/s")
    found.profiles = {name: profile(found.workloads[name]) for name in ("W1", "W3", "W4")}
    found.sizes = growth.sizes(found.workloads["W1"], repeats)
    found.starts = growth.starts()
    found.took_s = time.perf_counter() - began
    return found


def compared(name: str, workload: Workload) -> list[str]:
    """What was found equal before timing; a difference stops the run."""
    n = SAMPLE["compared"]
    lines = [f"reference: {agreement.with_reference(workload, n)}"]
    if name in ("W1", "W3", "W4"):
        lines.append(f"vectorbt: {agreement.with_vectorbt(workload, n)}")
        lines.append(f"raptorbt: {agreement.with_raptorbt(workload, n)}")
        lines.append(f"backtesting.py: {agreement.with_backtesting(workload, 1)}")
    if name == "W1":
        rivals.same_signals(workload.of(n_variants=4 * n))
    if name == "W2":
        same, total = rivals.w2_agreement(workload.of(n_variants=4 * n))
        lines.append(f"vectorbt: {same:,} of {total:,} trades of {4 * n} variants, each up to its first one left in the entry bar")
    return lines


def timed(name: str, workload: Workload, repeats: int) -> list[Row]:
    """Ours and theirs in turn."""
    scorer = workload.fresh()
    scorer.score(workload.genomes)
    pieces = {"coinswarm, cold": (workload, workload.cold), "coinswarm, warm": (workload, lambda: lambda: scorer.score(workload.genomes))}
    pieces |= _by_peers(name, workload)
    times = clock.in_turn({engine: prepare for engine, (_, prepare) in pieces.items()}, repeats)
    return [
        Row(workload=name, engine=engine, n_variants=len(part.genomes), variant_bars=part.variant_bars, time=times[engine])
        for engine, (part, _) in pieces.items()
    ]


def _by_peers(name: str, workload: Workload) -> dict[str, tuple[Workload, rivals.Prepared]]:
    pieces: dict[str, tuple[Workload, rivals.Prepared]] = {}
    if name == "W5":
        return pieces
    part = workload.of(n_variants=rivals.CHUNK)
    signals = rivals.ready_made(part)
    if name == "W1":
        signalled = workload.of(n_variants=SAMPLE["vectorbt"])
        pieces["vectorbt, signals by NumPy"] = (signalled, rivals.w1_by_vectorbt(signalled, rivals.w1_arrays))
        pieces["vectorbt, signals by its indicators"] = (signalled, rivals.w1_by_vectorbt(signalled, rivals.w1_indicators))
        pieces["vectorbt, ready-made signals, no figures"] = (part, rivals.vectorbt_alone(part, signals))
    pieces["vectorbt, ready-made signals"] = (part, rivals.by_vectorbt(part, signals))
    if name != "W2":
        few, one = workload.of(n_variants=SAMPLE["raptorbt"]), workload.of(n_variants=SAMPLE["backtesting"])
        pieces["raptorbt, ready-made signals"] = (few, rivals.by_raptorbt(few))
        pieces["backtesting.py, ready-made signals"] = (one, rivals.by_backtesting(one))
    return pieces


def profile(workload: Workload) -> list[tuple[str, float]]:
    """Functions by share of a cold batch; compiled loops count where they are called."""
    watched = cProfile.Profile()
    work = workload.cold()
    watched.enable()
    work()
    watched.disable()
    stats = pstats.Stats(watched).stats
    total = sum(entry[2] for entry in stats.values())
    shares = [(_named(where), entry[2] / total) for where, entry in stats.items()]
    return sorted(shares, key=lambda share: -share[1])[:6]


def _named(where: tuple[str, int, str]) -> str:
    file, _, function = where
    return function if file == "~" else f"{'/'.join(file.split('/')[-2:]).removesuffix('.py')}.{function}"
