"""Speed of mining: every conjunction to depth 3 of 20 features x 5 bins over 100,000 trades, against pysubgroup on the same trades.

    python -m tests.benchmarks.bench_mining [--peer PYTHON] [--depth 3]

`--peer`: an interpreter that has pysubgroup, which needs an older NumPy than this project
(`python -m venv peer; peer/bin/pip install pysubgroup`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from coinswarm.patterns import evidence, mining, table
from coinswarm.patterns.mining import Conjunctions
from coinswarm.patterns.table import CodedTrades

N_TRADES, N_FEATURES, N_BINS, N_BLOCKS, MIN_TRADES, TOP = 100_000, 20, 5, 300, 100, 20


def made(seed: int = 0) -> CodedTrades:
    """Trades without an edge."""
    random = np.random.default_rng(seed)
    codes = random.integers(0, N_BINS, (N_FEATURES, N_TRADES)).astype(np.uint8)
    blocks = np.sort(random.integers(0, N_BLOCKS, N_TRADES))
    return table.build(codes, (N_BINS,) * N_FEATURES, (False,) * N_FEATURES, random.standard_t(4, N_TRADES), blocks, N_BLOCKS)


def best(found: Conjunctions, trades: CodedTrades) -> list[tuple[float, list[list[int]]]]:
    """The best by pysubgroup's quality: root of the trades times the mean beyond that of all."""
    quality = found.total / np.sqrt(found.trades)
    places = np.argsort(-quality)[:TOP]
    picks = [[pick for pick in found.picks[place].tolist() if pick >= 0] for place in places]
    return [
        (float(quality[place]), sorted([pick // N_BINS, pick % N_BINS] for pick in row)) for place, row in zip(places, picks, strict=True)
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, help="an interpreter that has pysubgroup")
    parser.add_argument("--depth", type=int, default=3)
    asked = parser.parse_args()
    trades = made()
    mining.exhaust(trades, asked.depth, MIN_TRADES, 30)
    seconds = []
    for _ in range(3):
        began = time.process_time()
        found = mining.exhaust(trades, asked.depth, MIN_TRADES, 30)
        seconds.append(time.process_time() - began)
    rate = found.counted / min(seconds)
    say(f"ours: {found.counted:,} conjunctions, {len(found):,} tested, {min(seconds):.3f} s of one core, {rate:,.0f} a second")
    began = time.process_time()
    evidence.family_wise([(found, trades)], n_flips=999, alpha=0.05, rng=np.random.default_rng(0))
    say(f"999 flips over {len(found):,} patterns x {N_BLOCKS} blocks: {time.process_time() - began:.1f} s")
    if asked.peer:
        against(asked.peer, asked.depth, trades, found, rate)


def against(python: Path, depth: int, trades: CodedTrades, found: Conjunctions, rate: float) -> None:
    """Let pysubgroup search the same trades and compare."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trades.npz"
        np.savez(path, codes=trades.coded.codes, y=trades.coded.y, min_trades=MIN_TRADES)
        program = Path(__file__).with_name("mining_peer.py")
        answer = subprocess.run([str(python), str(program), str(path), str(depth), str(TOP)], capture_output=True, text=True, check=True)
    peer = json.loads(answer.stdout)
    peer_rate = peer["evaluated"] / peer["seconds"]
    same = all(
        abs(ours[0] - theirs[0]) < 1e-9 and ours[1] == sorted(theirs[1])
        for ours, theirs in zip(best(found, trades), peer["best"], strict=True)
    )
    say(f"pysubgroup: {peer['evaluated']:,} evaluated in {peer['seconds']:.1f} s, {peer_rate:,.0f} a second")
    say(f"ours is {rate / peer_rate:,.0f} times faster; the best {TOP} patterns are {'the same' if same else 'NOT THE SAME'}")


def say(text: str) -> None:
    """One line on stdout."""
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
