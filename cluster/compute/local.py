"""An evaluator without machines: everything in this process."""

from __future__ import annotations

from cluster.compute.batching import BatchEvaluator
from cluster.compute.local_executor import LocalCrew


class LocalEvaluator(BatchEvaluator):
    """Scores in this process: for tests, notebooks and small jobs."""

    def __init__(self) -> None:
        super().__init__(LocalCrew())
