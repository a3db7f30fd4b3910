"""What every request shares: a name for its kind, plays as text or by hash, names, moments, bounds.

One model is the options of a command, the body of `POST /jobs` and what a job stores as asked for. A request has no field for a path or
for code: a play that was read from a file carries where from beside it, and that is never sent.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, PrivateAttr, StringConstraints

from coinswarm import config

MAX_PLAY_CHARACTERS = 1_000_000
MAX_PLAYS, MAX_MARKETS, MAX_JOBS = 64, 500, 100
_LATEST = 4_102_444_800_000
"""The year 2100 in ms: times beyond it are mistakes."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
JobName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:+-]{1,200}$")]
Moment = Annotated[int, Field(ge=0, le=_LATEST, description="ms since 1970, UTC")]
Campaign = Annotated[Name, Field(description="jobs whose trials are counted together")]


class PlayGiven(config.Settings):
    """A play: its YAML, or the SHA-256 (or the beginning of it) of one that was uploaded."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_PLAY_CHARACTERS)] | None = None
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{6,64}$")] | None = None
    _path: Path | None = PrivateAttr(default=None)

    @classmethod
    def read_from(cls, path: Path, text: str) -> Self:
        """A play that was read from a file."""
        given = cls(text=text)
        given._path = path
        return given

    @property
    def path(self) -> Path | None:
        """Where it was read from."""
        return self._path

    @property
    def yaml(self) -> str:
        """The text, which is there once the request is resolved."""
        return self.text or ""

    @property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.yaml.encode()).hexdigest()


def require_kind(schema: dict[str, Any]) -> None:
    """Say in the description that `kind` is needed: requests are told apart by it, whatever its default is in Python."""
    schema["required"] = sorted({*schema.get("required", []), "kind"})


class JobSettings(config.Settings):
    """The base of all requests; a kind adds `kind`, a literal of its own name with that as default."""

    model_config = ConfigDict(json_schema_extra=require_kind)

    @property
    def given_plays(self) -> tuple[PlayGiven, ...]:
        """The plays of the request; none where a kind follows no play."""
        plays: tuple[PlayGiven, ...] = getattr(self, "plays", ())
        return plays
