"""What went wrong for strangers elsewhere, kept as files: the smallest input that shows it, each with made-up numbers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.store import embedded


@pytest.fixture(scope="session")
def cases(data_dir: Path) -> Path:
    """The folder of those files; tests skip where it is missing."""
    folder = data_dir / "cases"
    if not folder.is_dir():
        pytest.skip(f"the strangers' files are not here: {folder} (set COINSWARM_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def candles(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """A file of 12,000 real candles of 5 minutes."""
    import polars as pl

    name = "binance_BTC-USDT_5m.parquet"
    path = tmp_path_factory.mktemp("candles") / name
    pl.read_parquet(data_dir / "spot5m_2024" / name).head(12_000).write_parquet(path)
    return path


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home outside of pytest's folders, which other accounts may not enter; its database is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="coinswarm-home-") as name:
        yield Path(name)
        for folder in (Path(name) / "pg", Path(name) / ".coinswarm" / "pg"):
            if folder.is_dir():
                embedded.stop(folder, force=True)
