"""Every error this project raises on purpose, in one tree.

The name is the finding, the docstring the sentence. A message reads *rule, found, hint*; the facts are attributes.

    CoinswarmError
    ├── BadInput                    the input cannot be used                     (exit 2, HTTP 400/422)
    │   ├── InvalidArgument         a number or array outside its domain
    │   │   ├── ShapeMismatch
    │   │   └── OutsideModel        a market that would be simulated wrongly
    │   ├── BadBars                 candles that cannot be trusted
    │   │   ├── UnknownColumns
    │   │   ├── BadTimestamps
    │   │   └── ConflictingBars     an overlap that disagrees with what is stored
    │   ├── BadPlay                 every problem of a play, reported at once
    │   │   └── BadGates            every problem of a file of gates
    │   ├── SpanTooShort            fewer bars than the play's warm-up needs
    │   ├── BadSetting              a configuration value outside its domain
    │   │   └── BadSettings         every problem of a machine's settings
    │   ├── TooLarge                more than is taken in at once                (exit 2, HTTP 413)
    │   └── Refused                 allowed by form, refused by a rule of the project
    ├── NotFound                    no such data set, job or evaluation          (exit 2, HTTP 404)
    ├── Unauthenticated             the caller is not known                      (exit 2, HTTP 401)
    ├── Forbidden                   the caller may not do that                   (exit 2, HTTP 403)
    ├── LimitReached                more than this token may have or ask         (exit 2, HTTP 429)
    ├── TimedOut                    took longer than is waited for               (exit 2, HTTP 408)
    ├── Conflict                    another process holds it, or it changed      (exit 2, HTTP 409)
    ├── Unavailable                 a database, exchange or cluster is not there (exit 2, HTTP 503)
    │   ├── ClusterLost             the cluster died while it was used
    │   └── DatabaseAway            the database does not answer any more
    ├── StorageFull                 nothing more can be written                  (exit 2, HTTP 507)
    ├── WorkerLost                  a call killed its process every time         (exit 1, HTTP 500)
    ├── Cancelled                   stopped on request; what was done is kept    (exit 1, HTTP 409)
    └── ErrorBudgetSpent            too many failed trials                      (exit 1, HTTP 500)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class CoinswarmError(Exception):
    """Something this project found and can explain."""

    exit_code = 1
    http_status = 500

    def __init__(self, rule: str, *, found: object = None, hint: str = "") -> None:
        self.rule = rule
        self.found = found
        self.hint = hint
        super().__init__(self._text())

    def _text(self) -> str:
        text = self.rule if self.found is None else f"{self.rule}, got {self.found}"
        text = text if text.endswith((".", "?", "!")) else f"{text}."
        return f"{text} Hint: {self.hint}" if self.hint else text

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling with all attributes, so that a worker's error reads the same on the driver."""
        return (_rebuild, (type(self), self.__dict__, self.args))


def _rebuild(kind: type[CoinswarmError], state: dict[str, object], args: tuple[object, ...]) -> CoinswarmError:
    error = kind.__new__(kind)
    error.__dict__.update(state)
    error.args = args
    return error


class BadInput(CoinswarmError):
    """The input cannot be used."""

    exit_code = 2
    http_status = 422


class InvalidArgument(BadInput, ValueError):
    """A number or array lies outside its domain."""


class ShapeMismatch(InvalidArgument):
    """An array does not have the shape that is asked for."""


class OutsideModel(InvalidArgument):
    """A market is of a kind that the simulator does not know: inverse, quanto, expiring or an option."""


class BadBars(BadInput):
    """Candles that cannot be trusted."""


class UnknownColumns(BadBars):
    """A file's columns cannot be matched to time, open, high, low, close and volume."""


class BadTimestamps(BadBars):
    """Times are out of order, repeated, or in mixed units."""


class ConflictingBars(BadBars):
    """New bars disagree with stored bars of the same time."""

    http_status = 409


@dataclass(frozen=True, kw_only=True, slots=True)
class PlayProblem:
    """One mistake in a play: where it is, which rule it breaks, what was found and what may have been meant."""

    path: str
    rule: str
    found: str = ""
    line: int | None = None
    file: str | None = None
    suggestions: tuple[str, ...] = ()
    warning: bool = False

    def __str__(self) -> str:
        place = f"{self.file or 'play'}:{self.line}" if self.line is not None else (self.file or "play")
        text = f"{place}: {self.path}: {self.rule}"
        if self.found:
            text += f", got {self.found}"
        if self.suggestions:
            text += f"; did you mean {' or '.join(self.suggestions)}?"
        return text


class BadPlay(BadInput):
    """A play has mistakes; all of them are listed."""

    def __init__(self, problems: Sequence[PlayProblem], *, name: str = "play") -> None:
        self.problems = tuple(problems)
        self.name = name
        super().__init__(f"{name} has {len(self.problems)} problem{'s' if len(self.problems) != 1 else ''}")

    def _text(self) -> str:
        return "\n".join([f"{self.rule}:", *(f"  {problem}" for problem in self.problems)])


class BadGates(BadPlay):
    """A file of gates has mistakes; all of them are listed."""


class SpanTooShort(BadInput):
    """There are fewer bars than the play's warm-up needs."""


class BadSetting(BadInput):
    """A configuration value lies outside its domain."""


class BadSettings(BadSetting):
    """Settings of a machine have mistakes; all of them are listed."""

    def __init__(self, problems: Sequence[PlayProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("settings that cannot be used")

    def _text(self) -> str:
        return "\n".join([f"{self.rule}:", *(f"  {problem}" for problem in self.problems)])


class TooLarge(BadInput):
    """More than is taken in at once."""

    http_status = 413


class Refused(BadInput):
    """The request is well formed and a rule of the project refuses it."""

    http_status = 409


class NotFound(CoinswarmError):
    """There is no such thing."""

    exit_code = 2
    http_status = 404


class Unauthenticated(CoinswarmError):
    """The caller is not known."""

    exit_code = 2
    http_status = 401


class Forbidden(CoinswarmError):
    """The caller may not do that."""

    exit_code = 2
    http_status = 403


class LimitReached(CoinswarmError):
    """More than this token may have, or may ask in so short a time."""

    exit_code = 2
    http_status = 429


class TimedOut(CoinswarmError):
    """It took longer than is waited for."""

    exit_code = 2
    http_status = 408


class Conflict(CoinswarmError):
    """Another process holds it, or it changed in the meantime."""

    exit_code = 2
    http_status = 409


class Unavailable(CoinswarmError):
    """A database, exchange or cluster does not answer."""

    exit_code = 2
    http_status = 503


class DatabaseAway(Unavailable):
    """The database does not answer, or the connection to it broke; what was committed is kept."""


class ClusterLost(Unavailable):
    """The cluster that computes died; what was committed is kept."""


class StorageFull(CoinswarmError):
    """Nothing more can be written there."""

    exit_code = 2
    http_status = 507


class WorkerLost(CoinswarmError):
    """A call killed the process that ran it, again and again."""


class Cancelled(CoinswarmError):
    """Stopped on request; what was done is kept."""

    http_status = 409


class ErrorBudgetSpent(CoinswarmError):
    """More trials failed than a job may have."""


_NEAR = 0.6
"""Likeness from which a name is suggested, as `difflib` measures it."""
_FEW = 8
"""So many names are all shown where none is near."""


def nearest(name: str, names: Iterable[str], *, n: int = 3) -> tuple[str, ...]:
    """Those of `names` that look most like `name`, best first, at most `n`; empty when none is near."""
    table = {entry.lower(): entry for entry in names}
    return tuple(table[match] for match in difflib.get_close_matches(name.lower(), table, n=n, cutoff=_NEAR))


def near_hint(name: str, names: Iterable[str], *, listed: str = "") -> str:
    """What may have been meant: the nearest names; where none is near, how all are `listed`, or the names if they are few."""
    known = list(names)
    close = nearest(name, known)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return listed or (f"there is {', '.join(known)}" if 0 < len(known) <= _FEW else "")


def not_found(kind: str, name: str, existing: Iterable[str] = (), *, listed: str = "") -> NotFound:
    """A `NotFound` whose hint is `near_hint`; where nothing of the kind exists, it says that."""
    names = list(existing)
    hint = near_hint(name, names, listed=listed) if names or listed else f"there is no {kind} yet"
    return NotFound(f"no {kind} is called {name!r}", hint=hint)


def no_file(path: object, siblings: Iterable[str] = ()) -> NotFound:
    """There is no file at `path`; names in its folder that are near are suggested, and no others."""
    close = nearest(str(path).rpartition("/")[2], siblings)
    return NotFound(f"file not found: {path}", hint=f"did you mean {' or '.join(close)}?" if close else "")
