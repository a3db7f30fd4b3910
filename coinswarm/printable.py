"""Words for people: text from outside in a form that is safe to show, and counts with their noun.

No name of a play, market, file or job moves the cursor or turns the direction.
"""

from __future__ import annotations

import re

HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Controls but for tab and line break, marks and overrides of direction, characters without width, lone surrogates, tags."""


def shown(text: str) -> str:
    r"""The text with every hidden character as its escape, such as `\x1b` or `\u202e`: nothing is lost, and nothing acts on a terminal."""
    return HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def shown_json(text: str) -> str:
    """JSON with every hidden character as an escape that JSON has, so that it is read back as it was."""
    return HIDDEN.sub(_units, text)


def _units(found: re.Match[str]) -> str:
    code = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{code[at : at + 2].hex()}" for at in range(0, len(code), 2))


def counted(number: int, noun: str, plural: str = "") -> str:
    """A count with its noun: `1 job`, `2,000 jobs`; a plural that is not made by an s is given."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
