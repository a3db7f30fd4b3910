"""What a command sends to a server elsewhere."""

from __future__ import annotations

from typing import Any

from cluster.cli import job_commands
from tests import jobs_world


class Listener:
    """A control plane that remembers what it was sent."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    def post(self, path: str, content: dict[str, Any], **_more: Any) -> dict[str, str]:
        self.bodies.append(content)
        return {"id": f"job at {path}"}


def test_a_request_is_sent_with_no_more_than_was_said_so_that_usual_folds_are_not_demanded() -> None:
    there = Listener()
    asked = jobs_world.request("validate", evaluation="abcdef", effort={"resamples": 99})
    assert job_commands._posted(there, asked, job_commands.RunOptions()) == "job at /api/v1/jobs"  # type: ignore[arg-type]
    assert there.bodies == [{"kind": "validate", "evaluation": "abcdef", "effort": {"resamples": 99}}]
