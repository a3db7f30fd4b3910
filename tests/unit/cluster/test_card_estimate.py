"""What a report card would take is measured on the variant itself, whether or not bars were held out."""

from __future__ import annotations

from pathlib import Path

from cluster.compute.executor import Call
from cluster.compute.local import LocalExecutor
from cluster.jobs import registry
from tests import jobs_world, kinds_world
from tests.jobs_world import RunWorld

PLAY = """
name: crossing
features: { fast: { indicator: ema, params: { length: 5 } } }
actions: { entry_long: [[close, cross_above, fast]], exit_long: [[close, cross_below, fast]] }
"""


class Recording(LocalExecutor):
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[tuple[str, str]] = []

    def submit(self, call: Call) -> None:
        self.items.append((call.item.name, call.item.key))
        super().submit(call)


def test_a_card_without_a_validation_span_is_timed_on_the_span_that_it_has(tmp_path: Path) -> None:
    # the second section was refused at once there, and the card was said to take nothing
    here, executor = kinds_world.world(tmp_path), Recording()
    asked = jobs_world.request("validate", plays=[{"text": PLAY}], markets=here.markets[:1], out_of_sample=0, all_unseen=False)
    made = jobs_world.planned(asked, here.context)
    found = registry.kind("validate").estimate(made, RunWorld(context=here.context, own_executor=executor))
    names, keys = zip(*executor.items, strict=True)
    assert found.seconds > 0
    assert set(names) == {"in_sample"}
    assert len(set(keys)) == len(keys) == 2  # nothing is remembered from one to the next
