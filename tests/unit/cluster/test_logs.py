"""Structured logs: one line of JSON an event, about something, and without secrets."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster import logs


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """Where events of this test go."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    for handler in before:
        root.removeHandler(handler)
    logs.begin("driver", tmp_path, level="info")
    yield tmp_path / "driver.jsonl"
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    for handler in before:
        root.addHandler(handler)
    root.setLevel(level)
    for name in ("cluster", "coinswarm"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_event_names_its_job_and_batch(log_file: Path) -> None:
    with logs.about(job="evolve-1"):
        logging.getLogger("cluster.run.service").info("a batch died", extra={"batch": 7})
    logging.getLogger("cluster.run.service").info("later")
    first, later = lines(log_file)
    said = [first[name] for name in ("job", "batch", "message", "level", "program")]
    assert said == ["evolve-1", 7, "a batch died", "info", "driver"]
    assert "job" not in later


def test_the_job_of_a_process_is_on_every_line_until_it_is_taken_away(log_file: Path) -> None:
    logs.of_process(job="evolve-2")
    logging.getLogger("coinswarm.anything").warning("one")
    logs.of_process(job=None)
    logging.getLogger("coinswarm.anything").warning("two")
    assert [line.get("job") for line in lines(log_file)] == ["evolve-2", None]


def test_details_of_ours_and_chatter_of_others_stay_out(log_file: Path) -> None:
    logging.getLogger("cluster.store").debug("a detail")
    logging.getLogger("sqlalchemy.engine").info("chatter")
    logging.getLogger("sqlalchemy.engine").warning("said")
    assert [line["message"] for line in lines(log_file)] == ["said"]


def test_an_event_is_one_line_whatever_it_says(log_file: Path) -> None:
    try:
        int("two\nlines of postgresql://me:hunter2@host/db")
    except ValueError:
        logging.getLogger("cluster").exception("it\r\nbroke\u2028here")
    line = log_file.read_text()
    assert line.count("\n") == 1
    assert "hunter2" not in line
    assert "ValueError" in str(lines(log_file)[0]["error"])


@given(secret=st.text(alphabet=st.characters(min_codepoint=48, max_codepoint=122, categories=["L", "N"]), min_size=4, max_size=40))
def test_no_secret_is_logged(secret: str) -> None:
    secret = f"X{secret}X"
    for text in (f"at postgresql://me:{secret}@host:5432/db", f"Authorization: Bearer {secret}", f"password={secret}", f"TOKEN: {secret}"):
        assert secret not in logs.without_secrets(text)
    assert logs.without_secrets(f"swarm_{'0f' * 20} was sent") == "swarm_*** was sent"
    assert logs.without_secrets("http://host:8321/ready answers") == "http://host:8321/ready answers"


DAY_S = 86_400.0


def log_of(folder: Path, name: str, size: int, *, days_old: float) -> Path:
    path = folder / name
    path.write_bytes(b"x" * 99 + b"\n" if size < 100 else (b"x" * 99 + b"\n") * (size // 100))
    os.utime(path, (100 * DAY_S - days_old * DAY_S,) * 2)
    return path


def test_logs_of_a_month_ago_go(tmp_path: Path) -> None:
    old, new = log_of(tmp_path, "evolve-1.log", 100, days_old=31), log_of(tmp_path, "worker-7-1.log", 100, days_old=29)
    logs.prune(tmp_path, now=100 * DAY_S)
    assert (old.exists(), new.exists()) == (False, True)


def test_the_oldest_logs_go_where_all_of_them_are_too_large(tmp_path: Path) -> None:
    made = [log_of(tmp_path, f"{days}.log", 1000, days_old=days) for days in range(5)]
    logs.prune(tmp_path, now=100 * DAY_S, most_bytes=3000)
    assert [path.exists() for path in made] == [True, True, True, False, False]


def test_a_log_that_is_still_written_keeps_its_end(tmp_path: Path) -> None:
    path = log_of(tmp_path, "worker-7-1.log", 5000, days_old=0)
    with path.open("ab") as stream:
        stream.write(b"the last line\n")
        stream.flush()
        logs.prune(tmp_path, now=100 * DAY_S, largest=1000)
        stream.write(b"another\n")
    left = path.read_text().splitlines()
    assert path.stat().st_size < 1100
    assert left[-2:] == ["the last line", "another"]
    assert set(left[:-2]) == {"x" * 99}


def test_folders_and_files_that_just_went_stop_nothing(tmp_path: Path) -> None:
    (tmp_path / "kept.d").mkdir()
    logs.prune(tmp_path, now=100 * DAY_S)
    assert (tmp_path / "kept.d").exists()
