"""What is hidden in a planted world."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from coinswarm import config

Shape = Literal["steady", "dying", "winners"]


class Plant(config.Settings):
    """What is hidden in a market."""

    effect: Annotated[
        float, Field(ge=-3, le=3, description="mean gross move after an active bar, in standard deviations of a move over the hold")
    ] = 0.1
    support: Annotated[float, Field(gt=0, lt=0.5, description="part of all bars at which the conjunction holds")] = 0.06
    depth: Annotated[int, Field(ge=1, le=3, description="conditions of the conjunction")] = 2
    hold: Annotated[int, Field(ge=1, le=10_000, description="bars over which the move is spread")] = 12
    shape: Annotated[
        Shape,
        Field(description="steady; dying: gone after half of the bars; winners: all at once in the next bar, and 7 of 10 win"),
    ] = "steady"
    gross: Annotated[float, Field(ge=-1, le=1)] | None = Field(
        default=None, description="mean gross move as a simple return, in place of `effect`"
    )
