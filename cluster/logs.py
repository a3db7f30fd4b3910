"""Structured logs: one line of JSON an event, with the job and the batch it is about, and without secrets.

Modules log with the standard library: `_log.info("a batch died", extra={"batch": 7})`. A process that runs a job says so once, with
`about(job=…)`, and every event in that block carries it.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cluster import private

FIELDS = ("job", "batch", "worker", "token", "request")
"""Names that an event may carry besides its text; `token` is the id of one and never its secret."""
_SECRETS = (
    (re.compile(r"(://[^\s:/@]*):[^\s/@]+@"), r"\1:***@"),
    (re.compile(r"(?i)\b(bearer\s+)\S+"), r"\1***"),
    (re.compile(r"(?i)\b((?:password|passwd|secret|api_?key|token)\s*[=:]\s*)[^\s,;&]+"), r"\1***"),
    (re.compile(r"\bswarm_[0-9a-f]{8,}\b"), "swarm_***"),
)
_LIMIT_BYTES, _KEPT = 20_000_000, 3
_TAIL_BYTES = 1_000_000
_OLDEST_S, _MOST_BYTES = 30 * 86_400.0, 500_000_000
"""How long a log is kept after its last line, and how large all of them may be."""
_about: ContextVar[dict[str, Any] | None] = ContextVar("about", default=None)
_process: dict[str, Any] = {}


@contextmanager
def about(**fields: Any) -> Iterator[None]:
    """Say what all events in the block are about.

    Args:
        fields: of `FIELDS`.
    """
    before = _about.set({**(_about.get() or {}), **fields})
    try:
        yield
    finally:
        _about.reset(before)


def of_process(**fields: Any) -> None:
    """Say what all events of this process and its threads are about from now on; None takes a field away.

    Args:
        fields: of `FIELDS`.
    """
    _process.update(fields)


class JsonLines(logging.Formatter):
    """An event as one line of JSON: when, how grave, who says it, what, and what it is about."""

    def __init__(self, program: str) -> None:
        super().__init__()
        self._program = program

    def format(self, record: logging.LogRecord) -> str:
        """See the class."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"), "level": record.levelname.lower(),
            "program": self._program, "pid": record.process, "logger": record.name, "message": without_secrets(record.getMessage()),
        }  # fmt: skip
        line |= {name: value for name, value in _process.items() if value is not None} | (_about.get() or {})
        line |= {name: getattr(record, name) for name in FIELDS if getattr(record, name, None) is not None}
        if record.exc_info:
            line["error"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(line, default=str)


def without_secrets(text: str) -> str:
    """The text with passwords in addresses, bearer tokens and the like struck out."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def prune(folder: Path, *, now: float, oldest_s: float = _OLDEST_S, most_bytes: int = _MOST_BYTES, largest: int = _LIMIT_BYTES) -> None:
    """Remove logs that are old, the oldest where all of them are too large, and of one that is too large all but its last megabyte.

    A process may still write to any of them: it appends to what is left.

    Args:
        folder: `logs` of the home folder.
        now: seconds since 1970.
        oldest_s: age of the last line of a log that is kept.
        most_bytes: of all logs.
        largest: of one log.
    """
    kept = 0
    for _, file in sorted(((_changed(file), file) for file in folder.glob("*.*") if file.is_file()), reverse=True):
        with suppress(FileNotFoundError):  # another process prunes, too
            _shorten(file, largest)
            kept += file.stat().st_size
            if now - file.stat().st_mtime > oldest_s or kept > most_bytes:
                file.unlink()


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _shorten(file: Path, largest: int) -> None:
    if file.suffix != ".log" or file.stat().st_size <= largest:
        return
    with file.open("r+b") as stream:
        stream.seek(-min(_TAIL_BYTES, largest), os.SEEK_END)
        tail = stream.read()
        stream.seek(0)
        stream.write(tail[tail.find(b"\n") + 1 :])
        stream.truncate()


def begin(program: str, folder: Path | None, *, level: str) -> None:
    """Log to `PROGRAM.jsonl` in a folder, which is rotated when it grows, and to stderr where that is no terminal.

    Args:
        program: who logs: serve, driver, worker.
        folder: made when it is missing; None: stderr alone.
        level: the least grave event of ours that is logged: debug, info, warning, error; of others it is warning.
    """
    handlers: list[logging.Handler] = []
    if folder is not None:
        private.folder(folder)
        file = folder / f"{program}.jsonl"
        handlers.append(logging.handlers.RotatingFileHandler(file, maxBytes=_LIMIT_BYTES, backupCount=_KEPT, delay=True))
    if sys.stderr is not None and not sys.stderr.isatty():
        handlers.append(logging.StreamHandler(sys.stderr))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.setFormatter(JsonLines(program))
        root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for ours in ("cluster", "coinswarm"):
        logging.getLogger(ours).setLevel(level.upper())
