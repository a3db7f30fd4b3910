"""The dump in a backup of the first format, made by `pg_dump` of the whole database: its rows of our tables, and what else was in it.

`pg_restore` turns it into SQL without a server. Of that only the rows are read: tables are made by the migrations, as for every backup.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import IO, cast

from cluster.store import embedded, inventory
from cluster.store.dumping import CHUNK_BYTES, Rows
from coinswarm import errors

_HOME, _PARTS = "public", "chaos_parts"
_NAME = r'("(?:[^"]|"")*"|[^\s".(]+)'
_COPY = re.compile(rf"COPY {_NAME}\.{_NAME} \((.*)\) FROM stdin;\n")
_END = b"\\.\n"


def rows(pieces: Iterable[bytes], *, skipped: Callable[[str], object]) -> Iterator[Rows]:
    """Rows of our tables in a dump, each to be read before the next.

    Args:
        pieces: of the dump.
        skipped: called with the name of each table that is not ours.

    Raises:
        BadInput: it is damaged.
    """
    program = str(embedded.installations()[max(embedded.installations())] / "bin" / "pg_restore")
    command = [program, "--data-only", "--no-owner", "--no-privileges", "--file=-"]
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said) as process:
            feeder = threading.Thread(target=_feed, args=(process.stdin, pieces), daemon=True)
            feeder.start()
            try:
                yield from _tables(cast("IO[bytes]", process.stdout), skipped)
                process.wait()
            finally:
                process.kill()  # one that was left because something went wrong
                feeder.join()
        if process.returncode != 0:
            said.seek(0)
            words = said.read().decode(errors="replace").strip().splitlines() or ["no word"]
            raise errors.BadInput("the dump in a backup must be as it was written", found=words[0][:500], hint="use another backup")


def _tables(script: IO[bytes], skipped: Callable[[str], object]) -> Iterator[Rows]:
    while line := script.readline():
        found = _COPY.fullmatch(line.decode(errors="replace"))
        if found is None:
            continue
        schema, table = _plain(found[1]), _plain(found[2])
        lines = _lines(script)
        columns = tuple(_plain(name) for name in re.findall(_NAME, found[3].replace(",", " ")))
        if schema == _PARTS:
            yield Rows(table=inventory.CHAOS_TRADES, columns=columns, form="text", pieces=lines)
        elif schema == _HOME and table in inventory.RELATIONS:
            yield Rows(table=table, columns=columns, form="text", pieces=lines)
        elif (schema, table) != (_HOME, "alembic_version"):
            skipped(f"{schema}.{table}")
        for _ in lines:
            pass


def _lines(script: IO[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    while (line := script.readline()) not in (_END, b""):
        waiting.append(line)
        size += len(line)
        if size > CHUNK_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _feed(into: IO[bytes], pieces: Iterable[bytes]) -> None:
    # when the program stops reading it has said why, and its exit code is looked at
    with suppress(BrokenPipeError), into:
        for piece in pieces:
            into.write(piece)
