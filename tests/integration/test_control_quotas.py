"""Quotas over HTTP: set by an admin, shown to whom they bound, and kept before anything is stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from cluster.cli import app
from coinswarm.ledger import access
from tests.integration.control_world import Plane


@pytest.fixture
def bounded(control: Plane) -> httpx.Client:
    """A client whose token may evaluate 20 variants; a job of `control.request` asks for 16."""
    with control.client("admin") as admin:
        made = admin.post("/api/v1/tokens", json={"name": control.secret("read")[-12:], "role": "submit", "quota": {"trials": 20}}).json()
    return httpx.Client(base_url=control.url, headers={"Authorization": f"Bearer {made['secret']}"}, timeout=60)


def test_a_job_beyond_the_quota_of_its_token_is_refused(control: Plane, bounded: httpx.Client) -> None:
    with bounded:
        job = bounded.post("/api/v1/jobs", json=control.request(campaign="quota")).json()["id"]
        before = control.rows()
        refused = bounded.post("/api/v1/jobs", json=control.request(campaign="quota"))
        assert (refused.status_code, control.rows()) == (429, before)
        assert "may have 20 variants, got 16 and 16 more" in refused.json()["detail"]
        known = bounded.get("/api/v1/whoami").json()
        assert (known["quota"]["trials"], known["used"]["trials"]) == (20, 16)
        bounded.post(f"/api/v1/jobs/{job}/cancel")
        assert bounded.get("/api/v1/whoami").json()["used"]["trials"] == 0


def test_an_admin_sets_the_quota_of_a_campaign(control: Plane) -> None:
    place = f"/api/v1/quotas/campaign/bounded at {datetime.now(UTC):%H%M%S%f}"
    with control.client("admin") as admin, control.client("submit") as other:
        assert other.put(place, json={"trials": 1}).status_code == 403
        assert admin.put(place, json={"trials": -1}).status_code == 422
        assert admin.put(place, json={"trials": 10, "run_s": 5}).json()["quota"]["run_s"] == 5
        refused = other.post("/api/v1/jobs", json=control.request(campaign=place.rpartition("/")[2]))
        assert (refused.status_code, "campaign bounded" in refused.json()["detail"]) == (429, True)
        assert admin.get(place).json()["used"]["trials"] == 0
        assert admin.get("/api/v1/audit").json()[0]["action"] == "quota"


def test_a_job_past_its_limit_of_time_fails_and_keeps_what_it_committed(control: Plane) -> None:
    secret = control.secret("submit")
    token = control.context.access.token(secret)
    assert access.may(token, "submit")
    with control.client("admin") as admin:
        admin.put(f"/api/v1/quotas/token/{token.id}", json={"run_s": 3})
    with control.served(), httpx.Client(base_url=control.url, headers={"Authorization": f"Bearer {secret}"}, timeout=60) as client:
        search = {"population": 8, "generations": 5000, "constraints": [], "stagnation": 0}
        job = client.post("/api/v1/jobs", json=control.request(search=search)).json()["id"]
        ended = control.ended(client, job)
    assert (ended["status"], "may run for 3 s" in ended["error"]) == ("failed", True)
    assert control.context.store.generations(job)


def test_commands_set_and_show_quotas(control: Plane, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert control.settings.database_url is not None
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path))
    monkeypatch.setenv("COINSWARM_DATABASE_URL", control.settings.database_url.get_secret_value())

    def types(*words: str) -> Result:
        return CliRunner().invoke(app.app, list(words))

    name = control.secret("read")[-10:]
    assert types("token", "create", name, "--max", "trials=10").exit_code == 0
    shown = json.loads(types("token", "show", name, "--json").stdout)
    assert (shown["quota"], shown["used"]["trials"], shown["name"]) == ({"trials": 10}, 0, name)
    assert "trials" in types("token", "show", name).stdout
    assert json.loads(types("quota", "token", name, "--max", "run_s=5", "--json").stdout)["quota"] == {"run_s": 5}
    assert json.loads(types("quota", "token", name, "--clear", "--json").stdout)["quota"] == {}
    assert json.loads(types("quota", "campaign", f"of {name}", "--max", "chaos_trades=7", "--json").stdout)["quota"] == {"chaos_trades": 7}
    for wrong in ("trails=10", "trials=many", "trials=-1", "trials"):
        refused = types("token", "create", f"{name}-wrong", "--max", wrong)
        assert (refused.exit_code, "a quota reads NAME=NUMBER" in refused.output) == (2, True), refused.output
