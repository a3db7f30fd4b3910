"""What a notebook shows of an object: a small table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape


def table(title: str, rows: Sequence[Sequence[object]], head: Sequence[str] = ()) -> str:
    """An HTML table with a caption; every cell is text.

    Args:
        title: the caption.
        rows: cells as they are to be read.
        head: names of the columns; none: rows of a name and a value.
    """
    named = f"<thead><tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr></thead>" if head else ""
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><caption>{escape(title)}</caption>{named}<tbody>{body}</tbody></table>"


def moment(ts: int) -> str:
    """A time in milliseconds since 1970 as `2024-01-31 12:00`, UTC."""
    return datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%d %H:%M")
