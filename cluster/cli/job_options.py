"""Options of a command, made of the settings of a kind of job; and requests, made of what was typed."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from cluster.jobs import registry
from cluster.jobs.options import Machine, Option, Options
from cluster.jobs.settings import JobSettings
from coinswarm import errors

_PLACEHOLDER = "FILE"
_SCALARS = (bool, int, float, str)


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """A setting that is no group of settings: its dotted path and its field."""

    path: str
    field: FieldInfo

    @property
    def type(self) -> Any:
        """What typer reads for it; None when it cannot be typed as it is."""
        return _typed(self.field.annotation)

    @property
    def description(self) -> str:
        """What the setting is; also of one that may be missing, `Annotated[…] | None`."""
        inner = (each for part in get_args(self.field.annotation) for each in get_args(part)[1:] if isinstance(each, FieldInfo))
        return self.field.description or next((each.description for each in inner if each.description), "")

    @property
    def default(self) -> str:
        """The default as it would be typed; "" where there is none."""
        value = self.field.get_default(call_default_factory=True, validated_data={})
        if self.field.is_required() or value is None or value == () or isinstance(value, (BaseModel, dict)):
            return ""
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"{value:g}" if isinstance(value, float) else str(value)


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[Leaf]:
    """Every setting of a model, groups opened."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        group = _group(field.annotation)
        if path == "kind":
            continue
        if group is not None:
            yield from leaves(group, f"{path}.")
        else:
            yield Leaf(path=path, field=field)


def options(asked: Options[Any]) -> tuple[Option, ...]:
    """All options of a kind: those it names, then one for each setting that none of them fills.

    Raises:
        TypeError: a setting has no option, and the kind does not say why.
    """
    named = asked.options
    filled = {path for option in named for path in option.fills}
    left_out = tuple(asked.left_out)
    rest = [leaf for leaf in leaves(asked.settings) if not _covered(leaf.path, filled) and not _covered(leaf.path, left_out)]
    taken = {name for option in named for name in option.names[0].split("/")}
    return (*named, *(_own_option(leaf, taken) for leaf in rest))


def annotation(option: Option, asked: Options[Any], *, optional: bool = False) -> Any:
    """An option as typer has it; `optional`: even where the kind requires it."""
    required = option.required and not optional
    leaf = next((leaf for leaf in leaves(asked.settings) if leaf.path in option.fills), None)
    wanted = option.type if option.type is not None else leaf.type if leaf is not None else str
    help_ = option.help or _sentence(leaf.description if leaf else "")
    usual = option.default or (leaf.default if leaf is not None and len(option.fills) == 1 else "")
    shown = f"{help_} Default: {usual}." if usual and not required and wanted is not bool else help_
    if not option.names[0].startswith("-"):
        return Annotated[wanted if required else wanted | None, typer.Argument(metavar=option.metavar, help=shown, show_default=False)]
    panel = option.panel or _panel(option, asked, named=option in asked.options)
    return Annotated[
        wanted if required else wanted | None,
        typer.Option(*option.names, metavar=option.metavar, help=shown, show_default=False, rich_help_panel=panel),
    ]


def requests(asked: Options[Any], given: Mapping[str, Any], machine: Machine) -> list[JobSettings]:
    """The requests that were typed.

    Raises:
        BadSetting, InvalidArgument: a value lies outside its domain, or is missing; every such value is named.
        CoinswarmError: the kind or a limit of this machine refuses the request; files are imported after that.
    """
    typed = {option: given[option.key] for option in options(asked) if given.get(option.key) not in (None, [], ())}
    if any(option.late for option in typed):
        check = registry.kind(asked.kind).check
        early: dict[Option, Any] = {option: value for option, value in typed.items() if not option.late}
        for each in _validated(asked, early, machine, placeholder=[path for option in typed if option.late for path in option.fills]):
            check(each)
            machine.refuse_larger(each)
    return _validated(asked, typed, machine)


def _validated(asked: Options[Any], typed: Mapping[Option, Any], machine: Machine, placeholder: Sequence[str] = ()) -> list[JobSettings]:
    values: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for option, value in typed.items():
        read = option.read(value, machine) if option.read is not None else value
        if not option.fills:
            rest[option.key] = read
        for path in option.fills:
            _fill(values, path, read, extends=option.extends)
    for path in placeholder:
        _fill(values, path, [_PLACEHOLDER], extends=True)
    made = asked.compose(values, rest, machine)
    return [_checked(asked, each) for each in made]


def _checked(asked: Options[Any], values: Mapping[str, Any]) -> JobSettings:
    try:
        checked: JobSettings = asked.settings.model_validate({"kind": asked.kind, **values})
    except ValidationError as error:
        raise _explained(asked, error) from None
    return checked


def _explained(asked: Options[Any], error: ValidationError) -> errors.CoinswarmError:
    """What is wrong with the values that are there; where nothing is, which options give the one that is missing."""
    wrong = [problem for problem in error.errors() if not _is_missing(problem)]
    if wrong:
        found = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in wrong)
        return errors.BadSetting("a setting cannot be used", found=found)
    path = ".".join(map(str, error.errors()[0]["loc"]))
    given = " or ".join(option.names[0] for option in options(asked) if path in option.fills) or path
    return errors.InvalidArgument(f"a job of kind {asked.kind} needs {path}", found="none", hint=f"say {given}")


def _is_missing(problem: Any) -> bool:
    return problem["type"] == "missing" or (problem["type"] == "too_short" and not problem.get("input"))


def _fill(values: dict[str, Any], path: str, value: Any, *, extends: bool) -> None:
    *groups, name = path.split(".")
    for group in groups:
        values = values.setdefault(group, {})
    if extends and isinstance(value, Mapping):
        values[name] = {**values.get(name, {}), **value}
    elif extends:
        values[name] = [*values.get(name, []), *value]
    else:
        values[name] = value


def _covered(path: str, by: Sequence[str] | set[str]) -> bool:
    return any(path == each or path.startswith(f"{each}.") for each in by)


def _own_option(leaf: Leaf, taken: set[str]) -> Option:
    if leaf.type is None:
        raise TypeError(f"{leaf.path} has no option; name one, or say in `left_out` why there is none")
    parts = leaf.path.split(".")
    name = f"--{parts[-1].replace('_', '-')}"
    if name in taken:
        name = f"--{'-'.join(parts[-2:]).replace('_', '-')}"
    taken.add(name)
    spelled = f"{name}/--no-{name[2:]}" if leaf.type is bool else name
    return Option(names=(spelled,), fills=(leaf.path,))


_PANELS = {
    "Data": ("markets", "timeframe", "start_ts", "end_ts", "like", "n_bars", "jobs"),
    "Judging": ("search.objectives", "search.constraints", "out_of_sample", "winners", "baselines"),
    "Costs and account": ("overrides", "settings.costs"),
}
"""Settings that are listed together in the help of every kind."""


def _panel(option: Option, asked: Options[Any], *, named: bool) -> str:
    """Where an option is listed: with those of other kinds, with the kind's own, or among the details that no one names."""
    for title, paths in _PANELS.items():
        if any(_covered(path, paths) for path in option.fills):
            return title
    return asked.panel if named or all("." not in path for path in option.fills) else f"{asked.panel}, in detail"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') or not text else '.'}"


def _group(annotation_: Any) -> type[BaseModel] | None:
    """The model of a group of settings; None for a setting, and for a group that may be missing."""
    return annotation_ if isinstance(annotation_, type) and issubclass(annotation_, BaseModel) else None


def _typed(annotation_: Any) -> Any:
    """A type that typer knows, for a type of Pydantic."""
    origin = get_origin(annotation_)
    if origin is Annotated:
        return _typed(get_args(annotation_)[0])
    if origin in (Union, types.UnionType):
        known = [each for each in get_args(annotation_) if each is not type(None)]
        return _typed(known[0]) if len(known) == 1 else None
    if origin is Literal:
        return str
    if origin is tuple:
        first, *others = get_args(annotation_)
        inner = _typed(first)
        return types.GenericAlias(list, (inner,)) if inner in _SCALARS and others in ([...], []) else None
    return annotation_ if annotation_ in _SCALARS else None
