"""Compiling the kernels before a job waits for them: one small search's worth of scoring on made-up bars.

Processes share a folder of compiled kernels. Those that start together on a new machine would all compile the same, each at a part of its
speed; so the first compiles and the others wait for it.
"""

from __future__ import annotations

import fcntl
import hashlib
import platform
import time
from pathlib import Path

import numba
import numpy as np
from numba.core import config, registry

from cluster.compute import columns, scoring
from cluster.compute.evaluator import Setup, TimeSegment
from coinswarm import errors, fitness, kernels, play
from coinswarm.backtest.run import run
from coinswarm.chaos import running
from coinswarm.ledger.records import IN_SAMPLE
from coinswarm.market import synthetic
from coinswarm.market.timeframe import Timeframe

_PLAY = """
version: "3.0.0"
name: warmup
timeframes: { low_tf: 5m, med_tf: 1h, exec: low_tf }
features:
  fast: { indicator: ema, params: { length: [8, 12] } }
  slow: { indicator: sma, params: { length: [30, 50] } }
  rsi: { indicator: rsi, params: { length: 14 }, tf: med_tf }
  atr: { indicator: atr, params: { length: 14 } }
  bands: { indicator: bbands, params: { length: 20 } }
actions:
  entry_long: { all: [ [fast, cross_above, slow], [rsi, "<", { min: 50, max: 80, step: 10 }] ] }
  exit_long: { any: [ [fast, cross_below, slow] ] }
  entry_short: { all: [ [fast, cross_below, slow], [close, "<", bands.upper] ] }
  exit_short: { any: [ [fast, cross_above, slow] ] }
risk_model:
  stop_loss: { type: atr_multiple, value: [2.0, 3.0], atr_feature_id: atr }
  take_profit: { type: rr_ratio, value: [1.5, 2.0] }
position_policy: { mode: long_short, exit_mode: first_hit }
"""
_BARS = 5000
_VARIANTS = 64


def warm() -> float:
    """Run every kernel that a usual search and a draw of chaos trades run; the answer is how many seconds it took.

    Raises:
        Unavailable: a kernel cannot be compiled here.
    """
    began = time.perf_counter()
    if not compile_once():
        _run()
    return time.perf_counter() - began


def compiled() -> bool:
    """Whether a process has compiled these kernels for this machine."""
    return _mark().exists()


def compile_once() -> bool:
    """Compile the kernels unless another process has, and wait for one that does; the answer is whether this process compiled.

    Raises:
        Unavailable: a kernel cannot be compiled here.
    """
    if compiled():
        return False
    mark = _mark()
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        lock = mark.with_name("compiling.lock").open("a")
    except OSError:  # another account's folder: numba keeps the code elsewhere, and there is no process to wait for
        _run()
        return True
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if mark.exists():
            return False
        _run()
        mark.touch()
    return True


def _mark() -> Path:
    """A file that is there when kernels of these sources are compiled for this processor by this numba, as numba's own index tells them."""
    sources = sorted(Path(kernels.__file__).parent.glob("*.py"))
    stamps = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in sources]
    target = registry.cpu_target.target_context.codegen().magic_tuple()
    kind = repr((stamps, target, numba.__version__, platform.python_version()))
    return Path(config.CACHE_DIR) / f"compiled-{hashlib.sha256(kind.encode()).hexdigest()[:16]}"


def _run() -> None:
    read = play.loads(_PLAY)
    bars = synthetic.market("BTC/USDT", Timeframe.parse("5m"), _BARS, seed=1)
    genomes = read.space.sample(np.random.default_rng(1), _VARIANTS)
    setup = Setup(play=read, costs=read.costs, account=read.account)
    payload = scoring.packed(setup, TimeSegment(name=IN_SAMPLE))
    scored = scoring.score(scoring.Batch(key="warmup", payload=payload, genomes=genomes), columns.rebuilt(columns.columns(bars)))
    if scored.reasons:
        raise errors.Unavailable("the kernels cannot be compiled here", found=next(iter(scored.reasons.values())))
    run(read, bars, genome=genomes[0])
    fitness.Scorer(read, bars).replay(genomes[0])
    running.run(bars, _VARIANTS)
