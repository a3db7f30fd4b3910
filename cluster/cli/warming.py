"""The warm-up tolerance as an option."""

from __future__ import annotations

from typing import Annotated

import typer

from coinswarm.config import LEAST_WARMUP_TOLERANCE, MOST_WARMUP_TOLERANCE

Tolerance = Annotated[
    float,
    typer.Option(
        "--warmup-tolerance",
        min=LEAST_WARMUP_TOLERANCE,
        max=MOST_WARMUP_TOLERANCE,
        help="How far the bars before the data may move a warm feature, as a part of its own size: looser is warm sooner.",
    ),
]
