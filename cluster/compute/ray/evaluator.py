"""An evaluator on Ray."""

from __future__ import annotations

from collections.abc import Callable

from cluster.compute.batching import TIMEOUT_S, BatchEvaluator
from cluster.compute.ray import startup
from cluster.compute.ray.executor import RayCrew


class RayEvaluator(BatchEvaluator):
    """Scores on a Ray cluster that is already connected; see `RayCrew` and `BatchEvaluator`."""

    def __init__(
        self, *, timeout_s: float = TIMEOUT_S, max_workers: int | None = None, room_s: float = startup.ROOM_S,
        tell: Callable[[str], None] = startup.silent,
    ) -> None:  # fmt: skip
        super().__init__(RayCrew(max_workers=max_workers, room_s=room_s, tell=tell), timeout_s=timeout_s)
