"""`coinswarm worlds`: what is made can be read back, and by its name alone it is known to be made."""

from __future__ import annotations

from pathlib import Path

from cluster.cli import worlds as command
from coinswarm.market import files, synthetic
from coinswarm.market.timeframe import Timeframe
from coinswarm.validate import worlds


def test_a_written_world_is_read_back_the_same_and_synthetic(tmp_path: Path) -> None:
    like = [synthetic.market(symbol, Timeframe.parse("5m"), 300, seed=1) for symbol in ("BTC/USDT", "ETH/USDT:USDT")]
    for bars in worlds.make("losing-winners", like, seed=3):
        again = files.read(command.write(bars, tmp_path))
        assert again.content_hash == bars.content_hash
        assert again.synthetic
