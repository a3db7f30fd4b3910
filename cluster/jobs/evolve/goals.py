"""Objectives and constraints as a person types them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import get_args

from pydantic import ValidationError

from coinswarm import errors
from coinswarm.evolve.settings import Constraint, LimitScope, Objective

_CONSTRAINT = re.compile(r"\s*(?P<figure>\w+)\s*(?P<operator>>=|<=)\s*(?P<threshold>[-+\d.eE]+)\s*(?::\s*(?P<scope>\w+))?\s*")


def objective(text: str) -> Objective:
    """`sharpe`, `sharpe:worst`, `max_drawdown:min:mean`: a figure, then how it is better and over which markets, in any order."""
    name, *words = [word.strip() for word in text.split(":")]
    given: dict[str, str] = {"name": name}
    scopes = [word for word in words if word in ("mean", "worst")]
    directions = [word for word in words if word in ("min", "max")]
    if len(scopes) > 1 or len(directions) > 1 or len(scopes) + len(directions) < len(words):
        raise errors.InvalidArgument("an objective reads FIGURE[:max|min][:mean|worst]", found=repr(text), hint="such as sharpe:worst")
    given |= {"direction": directions[0]} if directions else {}
    given |= {"scope": scopes[0]} if scopes else {}
    return Objective.model_validate(given)


def constraint(text: str) -> Constraint:
    """`n_trades>=30`, `max_drawdown<=0.2:mean`, `n_trades>=100:sum`: a limit that every market keeps, unless another scope is named."""
    match = _CONSTRAINT.fullmatch(text)
    if match is None or match["scope"] not in (None, *get_args(LimitScope)):
        raise errors.InvalidArgument("a constraint reads FIGURE>=NUMBER or FIGURE<=NUMBER", found=repr(text), hint="such as 'n_trades>=30'")
    try:
        return Constraint.model_validate({name: value for name, value in match.groupdict().items() if value is not None})
    except ValidationError as error:
        raise errors.InvalidArgument("a constraint's threshold must be a number", found=repr(text)) from error


def limits(constraints: Sequence[Constraint]) -> str:
    """Constraints as they are typed: `n_trades>=100:sum`; `none` for none."""
    return ", ".join(typed(each) for each in constraints) or "none"


def typed(limit: Constraint) -> str:
    """A constraint as it is typed."""
    scope = "" if limit.scope == "worst" else f":{limit.scope}"
    return f"{limit.figure}{limit.operator}{limit.threshold:g}{scope}"
