"""Views of the page that have something to show only once a variant was judged, patterns were found and a vault was opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from cluster import bootstrap
from cluster.queries import vaults, vetting
from coinswarm.ledger.campaigns import VaultOpening
from coinswarm.validate import gates
from tests.integration import control_world
from tests.integration.chromium import Browser, Tab
from tests.integration.control_world import Plane
from tests.integration.evolve_world import PLAY, World
from tests.integration.test_control_kinds import ALPHA, QUICK, made
from tests.integration.test_control_page import FAINT, NAMELESS, opened

pytestmark = pytest.mark.slow
WHO = "ann@desk"


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A control plane with a job that judged a variant, and the variant."""

    plane: Plane
    card: dict[str, Any]
    evaluation: str
    opening: VaultOpening


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
        asked = {"kind": "validate", "job": bred["id"], "effort": QUICK, "all_unseen": False}
        judged = plane.ended(client, client.post("/api/v1/jobs", json=asked).json()["id"])
    assert (bred["status"], judged["status"]) == ("done", "done"), (bred["error"], judged["error"])
    best = judged["result"]["evaluation"]
    with bootstrap.open_store(settings) as store, bootstrap.local_evaluator(settings) as evaluator:
        opening = vaults.look(store, kept, evaluator, best, settings.bars_file, who=WHO, why="last look before the decision")
        vetting.vet(store, kept, best, gates.load(None), settings.bars_file, who=WHO, why="quarterly", tags={})
    plane.context.library.add([made(judged["id"], number) for number in range(3)], **ALPHA)
    return Filled(plane=plane, card=judged, evaluation=best, opening=opening)


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
    visited(tab, f"/jobs/{filled.card['id']}", ".report-card details[open] table")
    assert "Fitness over generations" not in tab.text("main")
    assert all(section["title"] in tab.text(".report-card") for section in filled.card["result"]["card"]["sections"])
    visited(tab, f"/evaluations/{filled.evaluation}", ".report-card details[open] table")
    tab.wait("document.querySelector(\"section[aria-label='Gates and standing']\")")
    assert "did not pass the gates" in tab.text("section[aria-label='Gates and standing']")
    visited(tab, "/patterns", "tbody tr")
    assert tab.see("document.querySelectorAll('tbody tr').length") == 3
    assert {"confirmed", "rejected"} <= set(tab.text("main tbody").split())
    visited(tab, "/campaigns", "details tbody tr")
    assert filled.opening.why in tab.text("main")
    assert tab.complaints == []


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
