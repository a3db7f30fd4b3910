"""`coinswarm play` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from cluster.cli.play import app


def run(*args: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    return result.exit_code, result.stdout, result.stderr


def test_check_passes_the_examples_and_describes_them(examples: list[Path]) -> None:
    code, out, err = run("check", *examples)
    assert (code, err) == (0, "")
    assert out.count(": ok") == len(examples) == 6
    assert "ema_fast crosses below ema_slow" in out


def test_check_reports_every_file_and_ends_with_2(examples: list[Path], tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text("features: { a: { indicator: emma } }\nactions: { entry_long: [[b, '>', 1]] }\n")
    code, out, err = run("check", examples[0], bad, tmp_path / "gone.yml")
    assert code == 2
    assert "2 problems" in err
    assert "bad.yml:2: actions.entry_long[0][0]" in err
    assert "gone.yml" in err
    assert "ok" in out


def test_check_in_json_says_what_the_run_must_supply(tmp_path: Path) -> None:
    file = tmp_path / "play.yml"
    file.write_text("actions: { entry_long: [[close, '>', { min: 1.0, max: 2.0 }]] }\n")
    code, out, _ = run("check", file, "--json")
    [report] = json.loads(out)
    assert (code, report["ok"], report["size"]) == (0, True, None)
    assert report["needs"][:2] == ["symbol", "timeframe"]


def test_variants_are_drawn_by_seed_with_the_size_of_the_space(examples: list[Path]) -> None:
    first, again, other = (json.loads(run("variants", examples[0], "--n", 3, "--seed", seed, "--json")[1]) for seed in (1, 1, 2))
    assert first == again != other
    assert first["size"] == 419_904
    assert len(first["variants"]) == 3
    text = run("variants", examples[0], "--n", 1)[1]
    assert "419,904 variants" in text
    assert "bands.length: 20..100 step 10" in text
