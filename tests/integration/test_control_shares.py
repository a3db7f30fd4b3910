"""A token that asks for hundreds of reports at once, and others who work beside it on the same server."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np

from tests.integration.control_world import Plane
from tests.integration.evolve_world import PLAY

REPORTS, CHECKS, SUBMISSIONS = 240, 60, 8


def test_hundreds_of_reports_of_one_token_hold_up_no_other(control: Plane) -> None:
    with control.client("submit") as other, control.client("read") as reader:
        with control.served():
            job = other.post("/api/v1/jobs", json=control.request()).json()["id"]
            assert control.ended(other, job)["status"] == "done"
        best = other.get(f"/api/v1/jobs/{job}/leaderboard").json()["rows"][0]["evaluation"]
        other.post("/api/v1/plays/check", json={"text": PLAY})
        begun = threading.Semaphore(0)
        statuses: list[int] = []

        def report() -> None:
            with httpx.Client(base_url=control.url, headers=reader.headers, timeout=httpx.Timeout(None)) as client:
                begun.release()
                try:
                    statuses.append(client.get(f"/api/v1/evaluations/{best}/report").status_code)
                except httpx.HTTPError:  # the server of this test ended before its turn came
                    statuses.append(0)

        with ThreadPoolExecutor(REPORTS) as crowd:
            for _ in range(REPORTS):
                crowd.submit(report)
            for _ in range(REPORTS):
                begun.acquire()
            waits, answers = [], []
            for number in range(CHECKS):
                began = time.perf_counter()
                answers.append(other.post("/api/v1/plays/check", json={"text": PLAY}).status_code)
                waits.append(time.perf_counter() - began)
                if number < SUBMISSIONS:
                    submitted = other.post("/api/v1/jobs", json=control.request(campaign=f"beside {number}"))
                    answers.append(submitted.status_code)
                    other.post(f"/api/v1/jobs/{submitted.json()['id']}/cancel")
        assert set(answers) <= {200, 201}
        assert np.quantile(waits, 0.99) < 1.0
        assert set(statuses) <= {200, 429}
        assert statuses.count(200) >= 64
