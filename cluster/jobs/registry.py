"""Every kind of job that can be asked for over the network: one entry here, its model beside its planner's settings."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias, get_args

from pydantic import Field

from cluster.jobs.requests import ChaosRequest, EvolveRequest
from cluster.jobs.studies import DiscoverRequest, FetchRequest, HonestyRequest, ValidateRequest

JobRequest: TypeAlias = Annotated[
    EvolveRequest | ChaosRequest | DiscoverRequest | ValidateRequest | HonestyRequest | FetchRequest, Field(discriminator="kind")
]
"""Any request, told apart by `kind`. A class has `kind`, `plays`, `trials`, and `planned(texts, supplies)`."""

KINDS = ("evolve", "chaos", "discover", "validate", "honesty", "fetch")
"""What can be asked for."""


def defaults() -> dict[str, dict[str, Any]]:
    """What a request of each kind asks for where it says nothing: its fields that may be left out, as JSON."""
    models = get_args(get_args(JobRequest)[0])
    return {get_args(model.model_fields["kind"].annotation)[0]: _defaults(model) for model in models}


def _defaults(model: Any) -> dict[str, Any]:
    needed = {name for name, field in model.model_fields.items() if field.is_required() or name == "kind"}
    bare = model.model_construct()
    dumped: dict[str, Any] = bare.model_dump(mode="json", exclude=needed)
    return dumped
