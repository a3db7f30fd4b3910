"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real candles: `$COINSWARM_TEST_DATA`, or `shared/data` beside the clone."""
    named = os.environ.get("COINSWARM_TEST_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real candles are not here: {folder} (set COINSWARM_TEST_DATA)")
    return folder
