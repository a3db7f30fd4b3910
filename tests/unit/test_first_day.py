"""The page of the first day shows the commands that are run for it, twelve at most, in lines of 80 columns."""

from __future__ import annotations

import re

from tests.first_day import run

PAGE = (run.ROOT / "docs" / "first-day.md").read_text()


def test_the_page_shows_each_command_in_turn() -> None:
    typed = [line.removeprefix("$ ") for line in PAGE.splitlines() if line.startswith("$ ")]
    patterns = [r"\S+".join(map(re.escape, re.split(r"{\w+}", step.shown or step.words))) for step in run.DAY]
    assert len(run.DAY) <= 12
    assert [line for line, pattern in zip(typed, patterns, strict=True) if not re.fullmatch(pattern, line)] == []


def test_what_is_shown_fits_the_terminal() -> None:
    blocks = re.findall(r"^```text\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert [line for block in blocks for line in block.splitlines() if len(line) > run.COLUMNS] == []


def test_most_of_the_progress_is_cut() -> None:
    lines = ["begins", *(f"generation {number}/20  best 1" for number in range(1, 21)), "done"]
    assert run.shown("\n".join(lines), run.ROOT, 0).splitlines() == [*lines[:4], "…", lines[-2], "done"]
