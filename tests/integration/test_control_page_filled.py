"""Views of the page that have something to show only once a variant was judged, patterns were found and a vault was opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from cluster import bootstrap
from cluster.queries import vaults, vetting
from coinswarm.validate import gates
from tests.integration import control_world
from tests.integration.chromium import Browser, Tab
from tests.integration.control_world import Plane
from tests.integration.evolve_world import PLAY, World
from tests.integration.test_control_kinds import ALPHA, QUICK, made
from tests.integration.test_control_page import FAINT, NAMELESS, opened

pytestmark = pytest.mark.slow
WHO = "ann@desk"
STANDING = "[...document.querySelectorAll('.gates tbody .badge')].map(badge => badge.innerText)"
WRONGLY_OPEN = """[...document.querySelectorAll('.report-card > details')]
  .filter(each => each.open !== /\\d failed/.test(each.querySelector('.badge')?.innerText ?? '')).map(each => each.innerText)"""
DATED = """(() => {
  const part = [...document.querySelectorAll('.report-card > details')].find(each => /^In sample/.test(each.innerText));
  part.open = true;
  const dated = done => () => done(/\\d{4}-\\d\\d-\\d\\d/.test(part.querySelector('.chart').textContent));
  return new Promise(done => setTimeout(dated(done), 500));
})()"""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A control plane with a job that judged a variant, and the variant."""

    plane: Plane
    card: dict[str, Any]
    evaluation: str
    opening: dict[str, Any]


@pytest.fixture(scope="module")
def filled(database_url: str, tmp_path_factory: pytest.TempPathFactory, small_world: World) -> Iterator[Filled]:
    """A plane of its own, for others are looked at while they are empty."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE filled")
    url, home = f"{database_url.rsplit('/', 1)[0]}/filled", tmp_path_factory.mktemp("filled")
    with control_world.plane(url, home, small_world) as plane:
        yield filled_with(plane)


def filled_with(plane: Plane) -> Filled:
    kept, settings = plane.context.campaigns, plane.settings
    vaults.declare(kept, vaults.VaultQuery(campaign="spring", markets=(plane.world.markets[0],), hold=6), settings.bars_file, who=WHO)
    with plane.client("submit") as client, plane.served():
        bred = plane.ended(client, client.post("/api/v1/jobs", json=plane.request(campaign="spring")).json()["id"])
        assert bred["status"] == "done", bred["error"]
        asked = {"kind": "validate", "job": bred["id"], "effort": QUICK, "all_unseen": False}
        judged = plane.ended(client, client.post("/api/v1/jobs", json=asked).json()["id"])
    assert judged["status"] == "done", judged["error"]
    best = judged["result"]["evaluation"]
    with plane.client("admin") as client:
        wanted = {"why": "last look before the decision", "anyway": True}
        opening = client.post(f"/api/v1/evaluations/{best}/opening", json=wanted)
    assert opening.status_code == 201, opening.text
    with bootstrap.open_store(settings) as store:
        vetting.vet(store, kept, best, gates.load(None), settings.bars_file, who=WHO, why="quarterly", tags={})
    plane.context.library.add([made(judged["id"], number) for number in range(3)], **ALPHA)
    return Filled(plane=plane, card=judged, evaluation=best, opening=opening.json())


def visited(tab: Tab, address: str, there: str) -> None:
    tab.see(f"void (location.hash = '#{address}')")
    tab.wait(f"document.querySelector({there!r})")
    assert tab.see("document.documentElement.scrollWidth <= innerWidth"), address
    assert tab.see(NAMELESS) == [], address
    assert tab.see(FAINT) == [], address


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_what_was_judged_found_and_decided_is_there_to_be_read(browser: Browser, filled: Filled, width: int, scheme: str) -> None:
    tab = opened(browser, filled.plane, "submit")
    tab.size(width, scheme=scheme)
    headline = filled.card["result"]["verdict"]["headline"]
    assert "rules failed" in headline
    visited(tab, f"/jobs/{filled.card['id']}", ".gates.failed tbody tr")
    assert headline in tab.text(".gates")
    assert tab.see(STANDING) == sorted(tab.see(STANDING))  # failed before passed
    assert tab.see("document.querySelectorAll('.gates tbody tr').length") == 16
    assert tab.see(WRONGLY_OPEN) == []
    assert "Fitness over generations" not in tab.text("main")
    assert all(section["title"] in tab.text(".report-card") for section in filled.card["result"]["card"]["sections"])
    visited(tab, f"/evaluations/{filled.evaluation}", ".gates.failed tbody tr")
    assert headline in tab.text(".gates")
    tab.wait("document.querySelector('.rules pre')")
    assert "entry_long: " in tab.text(".rules")
    assert tab.see(
        "document.querySelector('.gates').getBoundingClientRect().top < document.querySelector('.report-card').getBoundingClientRect().top"
    )
    assert tab.see(DATED)
    tab.wait("document.querySelector(\"section[aria-label='Gates and standing']\")")
    assert "did not pass the gates" in tab.text("section[aria-label='Gates and standing']")
    visited(tab, "/patterns", "tbody tr")
    assert tab.see("document.querySelectorAll('tbody tr').length") == 3
    assert {"confirmed", "rejected"} <= set(tab.text("main tbody").split())
    visited(tab, "/campaigns", "details tbody tr")
    assert filled.opening["why"] in tab.text("main")
    assert tab.complaints == []


def test_a_vault_is_opened_over_http_by_an_admin_for_what_passed_unless_told(filled: Filled) -> None:
    place = f"/api/v1/evaluations/{filled.evaluation}/opening"
    with filled.plane.client("submit") as client:
        assert client.post(place, json={"why": "curious"}).status_code == 403
    with filled.plane.client("admin") as client:
        refused = client.post(place, json={"why": "curious"})
        logged = client.get("/api/v1/campaigns/spring/openings").json()
        rules = client.get(f"/api/v1/evaluations/{filled.evaluation}/rules").json()["text"]
    assert (refused.status_code, "passed their gates" in refused.json()["rule"]) == (409, True)
    assert "`anyway`" in refused.json()["hint"]
    assert [(each["why"], each["passed"]) for each in logged] == [(filled.opening["why"], False)]
    assert logged[0]["figures"][""]["n_obs"] > 0
    assert "1 variant" in rules


def test_a_report_card_is_opened_as_a_page_of_its_own(browser: Browser, filled: Filled) -> None:
    tab = opened(browser, filled.plane, "read", f"/jobs/{filled.card['id']}")
    tab.click("a.button.primary")
    tab.wait("parseFloat(document.querySelector('iframe')?.style.height) > 1000")
    assert tab.complaints == []


def test_a_cancelled_job_goes_on_at_the_press_of_a_button_to_the_result_it_would_have_had(browser: Browser, filled: Filled) -> None:
    search = {"population": 300, "generations": 150, "seed": 5, "constraints": []}
    wanted = filled.plane.request(plays=[{"text": PLAY}], search=search)
    with filled.plane.client("admin") as client, filled.plane.served():
        job = client.post("/api/v1/jobs", json=wanted).json()["id"]
        tab = opened(browser, filled.plane, "admin", f"/jobs/{job}")
        tab.wait("document.querySelector('.badge.running') && /[1-9] %/.test(document.querySelector('.progress').innerText)")
        tab.click(".standing button")
        tab.wait("document.querySelector('.badge.cancelled')")
        before = len(client.get(f"/api/v1/jobs/{job}/generations").json())
        tab.click(".standing button")
        tab.wait("document.querySelector('.badge.done')")
        found = client.get(f"/api/v1/jobs/{job}").json()
        again = filled.plane.ended(client, client.post("/api/v1/jobs", json=wanted).json()["id"])
    assert 0 < before < 150
    assert (found["status"], found["result_hash"]) == ("done", again["result_hash"])
    assert tab.complaints == []
