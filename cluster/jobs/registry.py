"""Every kind of job, by name: one line each. A kind is imported when it is needed, so that the help of the command waits for none."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Field, TypeAdapter

from coinswarm import errors

if TYPE_CHECKING:
    from cluster.jobs.kind import JobKind
    from cluster.jobs.settings import JobSettings
    from coinswarm.ledger.records import Job

NAMES = (
    "evolve",
    "chaos",
    "discover",
    "rules",
    "validate",
    "honesty",
    "fetch",
)
"""Each is a folder beside this file."""


@cache
def kind(name: str) -> JobKind[Any]:
    """The kind of this name, or of a name it had before.

    Raises:
        NotFound: there is none.
    """
    current = _formerly().get(name, name)
    if current not in NAMES:
        raise errors.not_found("kind of job", name, list(NAMES))
    definition: JobKind[Any] = import_module(f"cluster.jobs.{current}.definition").KIND
    return definition


def asked(settings: JobSettings) -> JobKind[Any]:
    """The kind of a request."""
    return kind(str(getattr(settings, "kind")))  # noqa: B009 - a literal that each kind declares


def of(job: Job) -> JobKind[Any]:
    """The kind of a stored job.

    Raises:
        Refused: this program does not know it.
    """
    try:
        return kind(job.kind)
    except errors.NotFound:
        raise errors.Refused(f"job {job.id} must be of a kind that this program knows", found=job.kind, hint=", ".join(NAMES)) from None


def columns(job: Job) -> Mapping[str, Any]:
    """What its kind says of a job in lists and details, beside what is said of every job; nothing of an unknown kind.

    It stands in the folder's `__init__`, as lists of jobs load no kind.
    """
    name = _formerly().get(job.kind, job.kind)
    found: Mapping[str, Any] = {}
    if name in NAMES:
        with suppress(KeyError, TypeError):  # a config that this program cannot read hides no job
            found = import_module(f"cluster.jobs.{name}").columns(job)
    return found


def kinds() -> tuple[JobKind[Any], ...]:
    """All of them."""
    return tuple(map(kind, NAMES))


def commands() -> dict[tuple[str, ...], tuple[str, str]]:
    """The words of the command of each kind, with its name and its summary; nothing heavy is imported for it."""
    light = {name: import_module(f"cluster.jobs.{name}") for name in NAMES}
    return {tuple(module.COMMAND): (name, module.SUMMARY) for name, module in light.items()}


@cache
def requests() -> Any:
    """The union of all requests, told apart by `kind`, as an annotation of Pydantic."""
    return Annotated[Union[tuple(each.settings for each in kinds())], Field(discriminator="kind")]  # noqa: UP007 - made at run time


@cache
def reader() -> TypeAdapter[Any]:
    """Reads a request of any kind."""
    return TypeAdapter(requests())


def defaults() -> dict[str, dict[str, Any]]:
    """What a request of each kind asks for where it says nothing: its fields that may be left out, as JSON."""
    return {each.name: _defaults(each.settings) for each in kinds()}


def _defaults(model: Any) -> dict[str, Any]:
    needed = {name for name, field in model.model_fields.items() if field.is_required() or name == "kind"}
    bare = model.model_construct()
    dumped: dict[str, Any] = bare.model_dump(mode="json", exclude=needed)
    return dumped


@cache
def _formerly() -> dict[str, str]:
    """Names that kinds had in databases of earlier releases."""
    return {former: name for name in NAMES for former in getattr(import_module(f"cluster.jobs.{name}"), "FORMERLY", ())}
