"""A million chaos trades from bars to a table one can query: `python -m tests.benchmarks.bench_chaos`.

The markets are made and stored first, outside the clock. Nothing here belongs to the tests: numbers depend on the machine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from cluster import bootstrap
from cluster.jobs.chaos.settings import ChaosRequest
from cluster.jobs.progress import Silent
from cluster.machine import MachineSettings
from cluster.store import embedded
from coinswarm.chaos.settings import make
from coinswarm.market import synthetic
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe


def main() -> None:
    """Measure and say what each stage took."""
    arguments = argparse.ArgumentParser(description=__doc__)
    for name, default in (("trades", 1_000_000), ("markets", 20), ("bars", 105_120), ("workers", 2)):
        arguments.add_argument(f"--{name}", type=int, default=default)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="coinswarm-bench-") as home:
        settings = MachineSettings(home=Path(home))
        try:
            _measure(settings, _stored(settings, asked.markets, asked.bars), asked.trades, asked.workers)
        finally:
            embedded.stop(settings.postgres_folder, force=True)


def _stored(settings: MachineSettings, markets: int, bars: int) -> tuple[str, ...]:
    made = [synthetic.market(f"M{number:02d}/USDT", Timeframe.parse("5m"), bars, seed=3) for number in range(markets)]
    with Catalog.open(settings.bars_file) as catalog:
        for market in made:
            catalog.put(market, source="bench")
    return tuple(market.key for market in made)


def _measure(settings: MachineSettings, keys: tuple[str, ...], trades: int, workers: int) -> None:
    bootstrap.warm(settings)
    began = time.perf_counter()
    with bootstrap.open_runner(settings, workers=workers, note=lambda text: _say(text, began), alone=False) as runner:
        made = runner.plan(ChaosRequest(markets=keys, trades=trades, settings=make()))
        _say("planned", began)
        runner.run(made, new=True, watcher=Silent(), stopped=lambda: False)
        kept = runner.context.chaos
        _say(f"... and {kept.summaries()[0].trades:,} trades queryable", began)
        read = time.perf_counter()
        _say(f"{len(kept.trades(made.job.id)):,} trades read back", read)


def _say(what: str, began: float) -> None:
    sys.stdout.write(f"{time.perf_counter() - began:8.2f} s  {what}\n")


if __name__ == "__main__":
    main()
