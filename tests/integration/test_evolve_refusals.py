"""Input that cannot be used: one message, exit code 2, and nothing half-written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.cli import app
from coinswarm.market.catalog import Catalog
from tests.integration.evolve_world import PLAY, World

Refused = Callable[..., str]


@pytest.fixture
def refused(
    tmp_path: Path, small_world: World, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Refused:
    """Runs the command, expects exit code 2, and gives what it said on stderr."""
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COINSWARM_BARS_PATH", str(small_world.catalog))
    monkeypatch.setenv("COINSWARM_DATABASE_URL", database_url)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    (tmp_path / "play.yml").write_text(PLAY)

    def run(*words: str, **variables: str) -> str:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ending:
            app.main([word.replace("PLAY", str(tmp_path / "play.yml")) for word in words])
        said = capsys.readouterr()
        assert (ending.value.code, said.out) == (2, "")
        return " ".join(said.err.split())

    return run


def test_a_database_that_answers_no_one(refused: Refused) -> None:
    nobody = "postgresql://nobody:x@127.0.0.1:1/nothing"
    said = refused("evolve", "PLAY", "--symbol", "BTC/USDT", COINSWARM_DATABASE_URL=nobody)
    assert "127.0.0.1" in said


def test_a_market_that_is_not_stored(refused: Refused) -> None:
    assert "did you mean binance:BTC/USDT:5m" in refused("evolve", "PLAY", "--symbol", "BTCC/USDT")


def test_a_search_without_a_market(refused: Refused) -> None:
    assert "a search needs a market" in refused("evolve", "PLAY")


def test_more_islands_than_the_population_can_fill(refused: Refused) -> None:
    said = refused("evolve", "PLAY", "--symbol", "BTC/USDT", "--islands", "30", "--population", "40")
    assert "each island needs at least 2 variants" in said


def test_an_objective_that_does_not_exist(refused: Refused) -> None:
    assert "did you mean sharpe" in refused("evolve", "PLAY", "--symbol", "BTC/USDT", "--objective", "sharp")


def test_a_constraint_on_a_figure_that_does_not_exist(refused: Refused) -> None:
    assert "did you mean n_trades" in refused("evolve", "PLAY", "--symbol", "BTC/USDT", "--constraint", "n_trade>=3")


def test_an_archive_of_a_job_that_does_not_exist(refused: Refused) -> None:
    assert "no-such-job" in refused("archive", "no-such-job")


def test_a_constraint_nobody_can_read(refused: Refused) -> None:
    assert "FIGURE>=NUMBER" in refused("evolve", "PLAY", "--symbol", "BTC/USDT", "--constraint", "n_trades>30")


def test_an_import_while_another_process_writes_bars(refused: Refused, small_world: World, data_dir: Path) -> None:
    import subprocess
    import sys

    holder = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(small_world.catalog)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        said = refused("evolve", "PLAY", "--bars", str(data_dir / "spot5m_2024" / "binance_SOL-USDT_5m.parquet"))
        process.stdin.close()
    assert f"process {process.pid}" in said.lower() or str(process.pid) in said


@pytest.mark.parametrize(
    "words",
    [
        ("--objective", "sharp"),
        ("--from", "yesterday"),
        ("--from", "2024-02-01", "--to", "2024-01-01"),
        ("--islands", "300"),
        ("--fee-bps", "-900"),
    ],
)
def test_a_refused_search_imports_nothing(refused: Refused, small_world: World, data_dir: Path, words: tuple[str, ...]) -> None:
    refused("evolve", "PLAY", "--bars", str(data_dir / "spot5m_2024" / "binance_SOL-USDT_5m.parquet"), *words)
    with Catalog.open(small_world.catalog, read_only=True) as catalog:
        assert [entry.key for entry in catalog.list()] == list(small_world.markets)


def test_refused_files_leave_the_catalog_as_it_was(refused: Refused, small_world: World, data_dir: Path) -> None:
    broken = next((data_dir / "raw_csv").glob("*.csv"))
    good = data_dir / "spot5m_2024" / "binance_SOL-USDT_5m.parquet"
    refused("evolve", "PLAY", "--bars", str(good), "--bars", str(broken.with_name("missing.csv")))
    with Catalog.open(small_world.catalog, read_only=True) as catalog:
        assert [entry.key for entry in catalog.list()] == list(small_world.markets)
