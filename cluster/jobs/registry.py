"""Every kind of job, by name: one line each. Of a kind, what is not needed is not imported: the help of a command waits for no engine."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Union

from coinswarm import errors

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from cluster.jobs.kind import JobKind, PlanContext
    from cluster.jobs.options import Options
    from cluster.jobs.report import Report
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
    """The kind of this name, or of a name it had before, with all that computes.

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


def report(job: Job, context: PlanContext) -> Report:
    """What a job came to.

    Raises:
        Refused: this program does not know its kind, or cannot read its config.
    """
    try:
        return of(job).report(job, context)
    except (KeyError, TypeError, AttributeError) as problem:
        raise errors.Refused(f"job {job.id} must have a config that this program can read", found=repr(problem)) from problem


def options(name: str) -> Options[Any]:
    """What can be asked of a kind, and how it is typed; nothing that computes is imported for it."""
    found: Options[Any] = import_module(f"cluster.jobs.{name}.settings").OPTIONS
    return found


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
        with suppress(KeyError, TypeError, AttributeError):  # a config that this program cannot read hides no job
            found = _folder(name).columns(job)
    return found


def summary(name: str) -> str:
    """What a kind does: the line in help, OpenAPI and page."""
    return str(_folder(name).SUMMARY)


def panel(name: str) -> str:
    """The panel of the program's help that the command of a kind is listed in; "": the usual one."""
    return str(getattr(_folder(name), "PANEL", ""))


def examples(name: str) -> tuple[str, ...]:
    """How the command of a kind is called, a line each."""
    return tuple(getattr(_folder(name), "EXAMPLES", ()))


def commands() -> dict[tuple[str, ...], str]:
    """The words of the command of each kind, with its name."""
    return {tuple(_folder(name).COMMAND): name for name in NAMES}


@cache
def requests() -> Any:
    """The union of all requests, told apart by `kind`, as an annotation of Pydantic."""
    from pydantic import Field

    return Annotated[Union[tuple(options(name).settings for name in NAMES)], Field(discriminator="kind")]  # noqa: UP007 - made at run time


@cache
def reader() -> TypeAdapter[Any]:
    """Reads a request of any kind."""
    from pydantic import TypeAdapter

    return TypeAdapter(requests())


def defaults() -> dict[str, dict[str, Any]]:
    """What a request of each kind asks for where it says nothing: its fields that may be left out, as JSON."""
    return {name: _defaults(options(name).settings) for name in NAMES}


def _defaults(model: Any) -> dict[str, Any]:
    needed = {name for name, field in model.model_fields.items() if field.is_required() or name == "kind"}
    bare = model.model_construct()
    dumped: dict[str, Any] = bare.model_dump(mode="json", exclude=needed)
    return dumped


@cache
def _formerly() -> dict[str, str]:
    """Names that kinds had in databases of earlier releases."""
    return {former: name for name in NAMES for former in getattr(_folder(name), "FORMERLY", ())}


def _folder(name: str) -> Any:
    return import_module(f"cluster.jobs.{name}")
