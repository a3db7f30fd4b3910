"""Every kind of job that can be asked for over the network: one entry here, its model beside its planner's settings."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from cluster.driver.requests import ChaosRequest, EvolveRequest
from cluster.driver.studies import DiscoverRequest, FetchRequest, HonestyRequest, ValidateRequest

JobRequest: TypeAlias = Annotated[
    EvolveRequest | ChaosRequest | DiscoverRequest | ValidateRequest | HonestyRequest | FetchRequest, Field(discriminator="kind")
]
"""Any request, told apart by `kind`. A class has `kind`, `plays`, `trials`, and `planned(texts, supplies)`."""

KINDS = ("evolve", "chaos", "discover", "validate", "honesty", "fetch")
"""What can be asked for."""
