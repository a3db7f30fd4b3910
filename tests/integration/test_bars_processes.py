"""The file of bars among several processes, and on a disk that fills up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from coinswarm import errors
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.retry import RetryPolicy
from tests.unit.market.tapes import tape

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.retry import RetryPolicy
with Catalog.open(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""
DIE_HALF_WAY = """
import os, signal, sys
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.retry import RetryPolicy
from tests.unit.market.tapes import tape
catalog = Catalog.open(sys.argv[1])
with catalog.transaction():
    catalog.put(tape(30_000, symbol="ETH/USDT"), source="half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
FILL_THE_DISK = """
import resource, sys
from cluster.cli.app import main
resource.setrlimit(resource.RLIMIT_FSIZE, (800_000, 800_000))
main(["bars", "synthetic", "BTC/USDT", "ETH/USDT", "SOL/USDT", "--days", "120"])
"""

STUCK = """
import time
from cluster.cli.app import main
from coinswarm.market import providers
class Stuck:
    name, page_size = "stuck", 1000
    def require(self, symbol, timeframe):
        print("asked", flush=True)
        time.sleep(600)
providers.CONNECTORS["stuck"] = lambda *_: Stuck()
main(["bars", "fetch", "stuck", "BTC/USDT"])
"""

FETCH = """
import resource, sys
from pathlib import Path
from coinswarm import errors
from coinswarm.market.fetch import fetch
from tests.exchanges import ReplayExchange
from tests.integration.test_bars_processes import market
from tests.unit.market.tapes import START
limit = int(sys.argv[4])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit or resource.RLIM_INFINITY, resource.RLIM_INFINITY))
bars = market(sys.argv[2])
try:
    fetch(ReplayExchange(bars, page_size=int(sys.argv[3])), Path(sys.argv[1]), bars.symbol, bars.timeframe, since_ms=START)
except errors.StorageFull as full:
    print(full)
"""


@cache
def market(symbol: str) -> Bars:
    """What the exchange of these tests has of a market."""
    return tape(20_000, symbol=symbol)


def fetching(path: Path, symbol: str = "BTC/USDT", *, page: int = 2_000, limit: int = 0) -> subprocess.Popen[str]:
    """A process that fetches a market page by page; a limit in bytes is a disk that is full beyond it."""
    return python(FETCH, path, symbol, page, limit)


def pages(path: Path, symbol: str = "BTC/USDT", *, page: int = 2_000) -> int:
    """How many pages of a market are stored, each whole and as the exchange has it."""
    try:
        with Catalog.open(path, read_only=True) as catalog:
            stored = catalog.read(symbol)
    except errors.NotFound:
        return 0
    assert stored.content_hash == market(symbol)[: len(stored)].content_hash
    assert len(stored) % page == 0
    return len(stored) // page


def python(code: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, text=True, env={**os.environ, **environment}, **streams)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_second_process_is_told_who_holds_the_file(tmp_path, read_only):
    path = tmp_path / "bars.duckdb"
    with python(HOLD, path) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(errors.Conflict, match=f"in use by process {holder.pid}"):
            Catalog.open(path, read_only=read_only, patience=RetryPolicy(limit_s=0.2, first_s=0.05, longest_s=0.05))
        holder.communicate("")
    Catalog.open(path, read_only=True).close()


def test_a_process_killed_half_way_leaves_nothing_behind(tmp_path):
    path = tmp_path / "bars.duckdb"
    with Catalog.open(path) as catalog:
        catalog.put(tape(100), source="before")
    with python(DIE_HALF_WAY, path) as dying:
        dying.communicate()
    assert dying.returncode == -signal.SIGKILL
    with Catalog.open(path) as catalog:
        assert [entry.symbol for entry in catalog.list()] == ["BTC/USDT"]
        assert catalog.read("BTC/USDT").content_hash == tape(100).content_hash


def test_two_fetches_and_a_reader_go_on_together_and_nothing_half_written_is_seen(tmp_path):
    path = tmp_path / "bars.duckdb"
    seen = set()
    with fetching(path, "BTC/USDT") as one, fetching(path, "ETH/USDT") as other:
        while one.poll() is None or other.poll() is None:
            seen |= {pages(path, "BTC/USDT"), pages(path, "ETH/USDT")}
    assert (one.returncode, other.returncode) == (0, 0)
    assert pages(path, "BTC/USDT") == pages(path, "ETH/USDT") == 10
    assert len(seen) > 2


def test_a_fetch_that_is_killed_again_and_again_loses_a_page_at_most(tmp_path):
    path = tmp_path / "bars.duckdb"
    for stop in (1, 5):
        with fetching(path) as dying:
            while pages(path) < stop:
                assert dying.poll() is None
            dying.kill()
        assert stop <= pages(path) <= 10
    with fetching(path) as last:
        last.wait()
    with Catalog.open(path, read_only=True) as catalog:
        assert catalog.list()[0].content_hash == market("BTC/USDT").content_hash


def test_a_disk_that_fills_up_under_a_fetch_costs_the_page_that_no_longer_fits(tmp_path):
    path = tmp_path / "bars.duckdb"
    with fetching(path, limit=700_000) as full:
        stdout, stderr = full.communicate()
    assert "bars cannot be written" in stdout, stderr
    stored = pages(path)
    assert 0 < stored < 10
    with fetching(path) as again:
        again.wait()
    assert pages(path) == 10


def test_a_disk_that_is_full_is_told_and_nothing_is_stored(tmp_path):
    with python(FILL_THE_DISK, COINSWARM_HOME=str(tmp_path)) as full:
        stdout, stderr = full.communicate()
    assert full.returncode == 2
    assert "cannot be written" in stderr
    assert "Traceback" not in stderr
    assert stdout == ""
    with Catalog.open(tmp_path / "bars.duckdb") as catalog:
        assert catalog.list() == ()


def test_ctrl_c_while_an_exchange_is_silent_ends_with_1_and_one_message(tmp_path):
    with python(STUCK, COINSWARM_HOME=str(tmp_path)) as stuck:
        assert stuck.stdout.readline() == "asked\n"
        stuck.send_signal(signal.SIGINT)
        stdout, stderr = stuck.communicate()
    assert stuck.returncode == 1
    begun, _progress, stopping, ended = stderr.splitlines()
    job = begun.split()[1]
    assert stopping == "stopping: what is done is kept; press again to stop at once"
    assert ended == f"error: job {job} is cancelled, what is done is kept. Hint: `coinswarm jobs resume {job}` resumes it"
    assert stdout == "No market was fetched to its end; what was fetched of one is stored.\n"
