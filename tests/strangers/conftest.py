"""What went wrong for strangers elsewhere, kept as files: the smallest input that shows it, each with made-up numbers."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cases(data_dir: Path) -> Path:
    """The folder of those files; tests skip where it is missing."""
    folder = data_dir / "cases"
    if not folder.is_dir():
        pytest.skip(f"the strangers' files are not here: {folder} (set COINSWARM_TEST_DATA)")
    return folder
