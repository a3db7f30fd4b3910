"""What is proposed next can be typed as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.cli import reports


def test_a_step_names_the_program_where_it_is_not_on_the_search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    program = tmp_path / ".venv" / "bin" / "coinswarm"
    assert reports.as_typed("coinswarm show 1a", str(program)) == ".venv/bin/coinswarm show 1a"
    assert reports.as_typed("judge others:\n  coinswarm x", str(program)) == "judge others:\n  coinswarm x"
    assert reports.as_typed("coinswarm show 1a", "/usr/lib/elsewhere/coinswarm") == "/usr/lib/elsewhere/coinswarm show 1a"
    assert reports.as_typed("coinswarm show 1a", "pytest") == "coinswarm show 1a"
    (tmp_path / "coinswarm").write_text("")
    (tmp_path / "coinswarm").chmod(0o755)
    assert reports.as_typed("coinswarm show 1a", str(program)) == "coinswarm show 1a"
