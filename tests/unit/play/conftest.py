"""Plays that many tests read."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def examples() -> list[Path]:
    """The plays that come with the project."""
    return sorted((ROOT / "plays" / "examples").glob("*.yml"))


@pytest.fixture(scope="session")
def dialect() -> ModuleType:
    """Plays in the 3.0.0 format; `ALL` holds them by name."""
    spec = importlib.util.spec_from_file_location("dialect", Path(__file__).with_name("dialect.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
