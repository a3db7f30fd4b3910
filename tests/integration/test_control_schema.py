"""Schemathesis against the running API, with real PostgreSQL and every check on: no 5xx, and nothing that the description does not say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.integration.control_world import Plane

QUIET = list(HealthCheck)
PATIENCE_S = 120.0
TOO_LARGE = 413


@pytest.fixture(autouse=True)
def nothing_left_queued(control: Plane) -> Iterator[None]:
    """What was submitted here is cancelled: no driver is to run it."""
    yield
    with control.client("admin") as client:
        for job in client.get("/api/v1/jobs?status=queued&limit=1000").json()["rows"]:
            client.post(f"/api/v1/jobs/{job['id']}/cancel")


def described(control: Plane) -> list[schemathesis.APIOperation]:
    """Every operation but the event stream, which a job that does not end never closes."""
    headers = {"Authorization": f"Bearer {control.secret('admin')}"}
    schema = schemathesis.openapi.from_url(f"{control.url}/api/v1/openapi.json", headers=headers, timeout=PATIENCE_S)
    return [found.ok() for found in schema.get_all_operations() if not found.ok().path.endswith("/events")]


def fuzz(control: Plane, examples: int) -> int:
    """Ask every operation with cases that fit its description and cases that do not; the answer is how many were asked."""
    headers = {"Authorization": f"Bearer {control.secret('admin')}"}
    return sum(ask(operation, mode, examples, headers) for operation in described(control) for mode in schemathesis.GenerationMode)


def is_about_meaning(answer: schemathesis.Response) -> bool:
    """Whether what was sent has the right form and is refused for its meaning or its size: no schema can tell a play from other text."""
    return answer.status_code == TOO_LARGE or (answer.status_code == 422 and answer.json()["type"] != "urn:coinswarm:error:BadInput")


def is_about_the_token(case: schemathesis.Case) -> bool:
    """Whether the only thing wrong with a case is a missing token, which we send none the less to reach what is behind the gate."""
    return case.meta is not None and case.meta.generation.mode.is_negative and "Authorization" not in (case.headers or {})


def ask(operation: schemathesis.APIOperation, mode: schemathesis.GenerationMode, examples: int, headers: dict[str, str]) -> int:
    """Ask one operation; the answer is how often. Some have no case that does not fit."""
    asked = 0

    @settings(max_examples=examples, deadline=None, suppress_health_check=QUIET, phases=[Phase.generate], database=None, derandomize=True)
    @given(data=st.data())
    def once(data: st.DataObject) -> None:
        nonlocal asked
        case = data.draw(operation.as_strategy(generation_mode=mode))
        answer = case.call(headers=headers, timeout=PATIENCE_S)
        excluded = [positive_data_acceptance] if is_about_meaning(answer) else []
        if answer.status_code == TOO_LARGE:  # a refusal as good as those that the check knows
            excluded.append(negative_data_rejection)
        if is_about_the_token(case):
            assert case.call(timeout=PATIENCE_S).status_code == 401
            excluded.append(negative_data_rejection)
        case.validate_response(answer, headers=headers, excluded_checks=excluded)
        asked += 1

    try:
        once()
    except Unsatisfiable:
        return asked
    return asked


def test_the_api_is_as_it_is_described(control: Plane) -> None:
    assert fuzz(control, 3) > 50


@pytest.mark.slow
def test_the_api_is_as_it_is_described_in_depth(control: Plane) -> None:
    assert fuzz(control, 100) > 2000
