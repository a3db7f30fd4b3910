"""The page at `/` as a person meets it: opened in a real browser, over HTTP, on a running control plane."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from cluster.api import web
from coinswarm.ledger.access import Role
from tests.integration.chromium import Browser, Tab
from tests.integration.control_world import Plane
from tests.integration.evolve_world import PLAY

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "cluster" / "web"
SHARED = ROOT / "coinswarm" / "report" / "assets"
PATHS = (
    "../settings.py",
    "..%2fsettings.py",
    "%2e%2e/%2e%2e/cluster/machine.py",
    "views",
    "views/",
    "",
    "views//jobs.js",
    "\x00",
    "index.html/../app.js%00",
)
HOSTILE = "<img src=x onerror=alert(1)>"

BUSY = """
name: busy
timeframe: 5m
features: { rsi: { indicator: rsi, params: { length: { min: 2, max: 5 } } } }
actions: { entry_long: ["rsi < 40"], exit_long: [[rsi, ">", { min: 50, max: 60, step: 5 }]] }
"""
"""Makes more trades than a search asks for."""


@pytest.fixture(scope="module")
def job(control: Plane) -> dict[str, Any]:
    """A finished job of a play whose name is a piece of HTML, with two objectives."""
    search = {
        "population": 12,
        "generations": 3,
        "constraints": [],
        "objectives": [{"name": "sharpe"}, {"name": "max_drawdown", "direction": "min"}],
    }
    wanted = control.request(plays=[{"text": PLAY.replace("name: crossing", f'name: "{HOSTILE}"')}], search=search)
    with control.client("submit") as client, control.served():
        answer = client.post("/api/v1/jobs", json=wanted)
        assert answer.status_code == 201, answer.text
        return control.ended(client, answer.json()["id"])


def opened(browser: Browser, control: Plane, role: Role, address: str = "/jobs") -> Tab:
    tab = browser.tab()
    tab.size(1280)
    tab.open(f"{control.url}/#token={control.secret(role)}")
    tab.wait("document.querySelector('#nav a')")
    tab.see(f"void (location.hash = '#{address}')")
    return tab


def best(control: Plane, job: dict[str, Any]) -> str:
    with control.client("read") as client:
        return str(client.get(f"/api/v1/jobs/{job['id']}/leaderboard").json()["rows"][0]["evaluation"])


def test_a_job_is_submitted_followed_to_its_end_and_its_best_variant_and_report_are_opened(browser: Browser, control: Plane) -> None:
    tab = opened(browser, control, "submit", "/submit")
    tab.write("#play", BUSY)
    tab.click(f"input[value='{control.world.markets[0]}']")
    tab.write("#population", "10")
    tab.write("#generations", "4")
    with control.served():
        tab.click("button[type=submit].primary")
        tab.wait("document.querySelector('.badge.done') && location.hash.startsWith('#/jobs/evolve-')")
    tab.wait("document.querySelector('[aria-label=\"Fitness over generations\"] path.line')")
    tab.click(".leaders tbody a")
    tab.wait("document.querySelector('.timeline[data-drawn]') && document.querySelector('section[aria-label=Lineage]')")
    tab.click("a.button.primary")
    tab.wait("document.querySelector('iframe')?.style.height")
    assert tab.see("parseFloat(document.querySelector('iframe').style.height)") > 1000
    assert tab.complaints == []
    assert {url for url in tab.asked if not url.startswith((control.url, "data:"))} == set()


def test_a_job_shows_its_leaderboard_both_samples_its_front_and_its_map(browser: Browser, control: Plane, job: dict[str, Any]) -> None:
    tab = opened(browser, control, "read", f"/jobs/{job['id']}")
    tab.wait("document.querySelector('.cell') && document.querySelector('.dot.front') && document.querySelector('.leaders tbody td.held')")
    assert tab.see("document.querySelectorAll('.leaders tbody tr').length") > 3
    assert "Out of sample" in tab.text(".leaders thead")
    assert "100 %" in tab.text(".standing")
    assert tab.complaints == []


def test_the_report_of_a_search_is_opened_from_its_job(browser: Browser, control: Plane, job: dict[str, Any]) -> None:
    tab = opened(browser, control, "read", f"/jobs/{job['id']}")
    tab.click(".standing a.button.primary")
    tab.wait("document.querySelector('iframe')?.style.height")
    assert tab.complaints == []


def test_the_form_of_a_search_asks_for_what_the_command_line_would(browser: Browser, control: Plane) -> None:
    # 200 variants, 20 generations, a quarter held out, at least 100 trades: the page had 100
    tab = opened(browser, control, "submit", "/submit")
    tab.wait("document.querySelector('#population')")
    values = tab.see("['population', 'generations', 'held', 'seed', 'campaign'].map(id => document.getElementById(id).value)")
    assert values == ["200", "20", "25", "0", "default"]
    assert tab.see("[...document.querySelectorAll('input[name=objective]:checked')].map(box => box.value)") == ["sharpe"]
    assert "Limits: Trades >= 100 over all markets." in tab.text("main form")


def test_the_page_of_data_shows_variants_as_variants(browser: Browser, control: Plane, job: dict[str, Any]) -> None:
    # 36 * 22 * 3 * 11 variants; it showed the letters of the play
    tab = opened(browser, control, "read", "/data")
    tab.wait("document.querySelectorAll('section[aria-label=Plays] tbody tr').length")
    assert "26,136" in tab.text("section[aria-label=Plays] tbody")
    tab.click("section[aria-label=Bars] tbody button")
    tab.wait("!document.querySelector('section[aria-label=Bars] tbody button').disabled")
    assert any(url.endswith("/file?part=bars") for url in tab.asked)
    assert tab.complaints == []


def test_a_variant_is_taken_home_from_its_page(browser: Browser, control: Plane, job: dict[str, Any]) -> None:
    tab = opened(browser, control, "read", f"/evaluations/{best(control, job)}")
    tab.wait("document.querySelector('.price canvas')")
    texts = "[...document.querySelectorAll('main button')].filter(each => each.textContent.startsWith('Download'))"
    assert tab.see(f"{texts}.map(each => each.textContent)") == ["Download the play", "Download trades (CSV)", "Download equity (CSV)"]
    tab.see(f"void {texts}.forEach(each => each.click())")
    tab.wait(f"{texts}.every(each => !each.disabled)")
    assert {url.rsplit("/", 1)[1].partition("?")[0] for url in tab.asked} >= {"play", "trades", "equity"}
    assert tab.see("document.querySelectorAll('main .failure').length") == 0
    assert tab.complaints == []


def test_the_price_is_drawn_as_reports_draw_it_and_a_trade_is_shown_close_up(browser: Browser, control: Plane, job: dict[str, Any]) -> None:
    tab = opened(browser, control, "read", f"/evaluations/{best(control, job)}")
    tab.wait("document.querySelector('.timeline')?.dataset.drawn === '2'")
    buttons = tab.see("[...document.querySelectorAll('.timeline button')].map(each => each.textContent)")
    assert buttons == ["Everything", "in sample", "out of sample", "◀", "▶", "+", "\N{MINUS SIGN}"]
    tab.click(".trades tbody button")
    tab.wait("[...document.querySelectorAll('button')].some(each => each.textContent === 'Show everything')")
    tab.wait("document.querySelector('.timeline')?.dataset.drawn === '2'")
    assert f"{control.url}/assets/report/timeline.js" in tab.asked
    assert tab.complaints == []


CUT_OFF = """(async () => {
    const { follow } = await import('/assets/api.js'), asked = [], heard = [], lost = [];
    const streams = [
        'id: 7\\nevent: commit\\ndata: {"number": 7}\\n\\nid: 8\\nevent: com',
        'id: 8\\nevent: commit\\ndata: {"number": 8}\\n\\nevent: end\\ndata: {}\\n\\n'];
    window.fetch = async (path, options) => {
        asked.push(options.headers['Last-Event-ID'] ?? null);
        if (asked.length === 2) throw new TypeError('no network');
        return new Response(streams.shift());
    };
    await follow('a-job', new AbortController().signal, (name, data) => heard.push(data.number ?? name),
        error => lost.push(error !== null));
    return { asked, heard, lost };
})()"""


def test_a_stream_that_is_cut_off_goes_on_after_the_last_event_that_arrived_whole(browser: Browser, control: Plane) -> None:
    tab = opened(browser, control, "read")
    seen = tab.see(CUT_OFF)
    assert seen["heard"] == [7, 8, "end"]
    assert seen["asked"] == [None, "7", "7"]
    assert seen["lost"] == [False, True, False]


def test_text_from_others_stays_text(browser: Browser, control: Plane, job: dict[str, Any]) -> None:
    tab = opened(browser, control, "read")
    for address in ("/jobs", f"/jobs/{job['id']}", f"/evaluations/{best(control, job)}", "/data"):
        tab.see(f"void (location.hash = '#{address}')")
        tab.wait(f"document.querySelector('main').innerText.includes({HOSTILE!r})")
        assert tab.see("document.querySelectorAll('main img, main script').length") == 0
    assert tab.complaints == []


def test_whoever_has_no_token_is_asked_for_one_and_a_wrong_one_is_refused_in_words(browser: Browser, control: Plane) -> None:
    tab = browser.tab()
    tab.open(f"{control.url}/#/jobs")
    tab.wait("document.querySelector('#token')")
    tab.write("#token", "swarm_no")
    tab.click("button[type=submit]")
    tab.wait("document.querySelector('.failure')")
    assert "HTTP 401" in tab.text(".failure")
    tab.write("#token", control.secret("read"))
    tab.click("button[type=submit]")
    tab.wait("document.querySelector('#status')")
    assert "token" not in tab.see("location.href")


def test_a_token_that_is_remembered_is_asked_for_once_in_a_browser_and_forgotten_on_request(browser: Browser, control: Plane) -> None:
    tab = browser.tab()
    tab.open(f"{control.url}/#/jobs")
    tab.wait("document.querySelector('#token')")
    tab.write("#token", control.secret("read"))
    tab.click("#stays")
    tab.click("button[type=submit]")
    tab.wait("document.querySelector('#status')")
    assert "read only" in tab.text("#who")
    assert tab.see("sessionStorage.length") == 0  # what another tab would not have
    tab.open(f"{control.url}/")
    tab.wait("document.querySelector('#status')")
    tab.click("#who button:last-child")
    tab.wait("document.querySelector('#token')")
    assert tab.see("localStorage.length") == 0


@pytest.mark.parametrize(("role", "buttons"), [("read", 0), ("admin", 1)])
def test_only_who_may_change_jobs_sees_buttons_for_it(browser: Browser, control: Plane, role: Role, buttons: int) -> None:
    with control.client("admin") as client:
        waiting = client.post("/api/v1/jobs", json=control.request()).json()["id"]
        tab = opened(browser, control, role, f"/jobs/{waiting}")
        tab.wait("document.querySelector('.badge.queued')")
        assert tab.see("document.querySelectorAll('.standing button').length") == buttons
        if buttons:
            tab.click(".standing button")
            tab.wait("document.querySelector('.badge.cancelled')")
        client.post(f"/api/v1/jobs/{waiting}/cancel")
    assert tab.complaints == []


def test_what_is_not_there_is_said_with_what_to_do(browser: Browser, control: Plane) -> None:
    tab = opened(browser, control, "read", "/jobs/nothing-like-it")
    tab.wait("document.querySelector('.failure')")
    assert "HTTP 404" in tab.text(".failure")
    tab.see("void (location.hash = '#/jobs?status=failed')")
    tab.wait("document.querySelector('.empty')")
    assert "No job is failed." in tab.text(".empty")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_no_view_is_wider_than_its_window_and_everything_is_named(
    browser: Browser, control: Plane, job: dict[str, Any], width: int, scheme: str
) -> None:
    tab = opened(browser, control, "submit")
    tab.size(width, scheme=scheme)
    evaluation = best(control, job)
    views = {
        "/jobs": "tbody tr",
        f"/jobs/{job['id']}": ".cell",
        f"/evaluations/{evaluation}": ".price canvas",
        "/data": "tbody tr",
        "/submit": "form",
        "/patterns": ".empty, tbody tr",
        "/campaigns": "section + section :is(.empty, tbody tr)",
    }
    for address, there in views.items():
        tab.see(f"void (location.hash = '#{address}')")
        tab.wait(f"document.querySelector({there!r})")
        assert tab.see("document.documentElement.scrollWidth <= innerWidth"), address
        assert tab.see(NAMELESS) == [], address
        assert tab.see(FAINT) == [], address


NAMELESS = """[...document.querySelectorAll('main a, main button, main input:not([type=file]), main select, main textarea, main table')]
    .filter(each => !each.closest('.price') && !each.getAttribute('aria-label') && !each.labels?.length)
    .filter(each => !(each.caption ?? each).textContent.trim())
    .map(each => each.outerHTML.slice(0, 200))"""
FAINT = (Path(__file__).parent / "contrast.js").read_text()


def test_the_page_may_run_its_own_files_and_nothing_else(control: Plane) -> None:
    with httpx.Client(base_url=control.url) as client:
        page = client.get("/")
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=", page.text)
        assert client.get("/", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
        frame = client.get("/assets/frame.html")
    assert "sandbox allow-scripts allow-downloads;" in frame.headers["content-security-policy"]
    assert "allow-same-origin" not in frame.headers["content-security-policy"]


@pytest.mark.parametrize("path", PATHS)
def test_no_file_but_those_of_the_page_is_ever_sent(control: Plane, path: str) -> None:
    with httpx.Client(base_url=control.url) as client:
        answer = client.get(httpx.URL(control.url, raw_path=f"/assets/{path}".encode().replace(b"\x00", b"%00")))
    assert answer.status_code in (401, 404)
    assert "from __future__" not in answer.text


def test_nothing_in_the_scripts_makes_markup_of_text() -> None:
    own = [path for path in (*FOLDER.rglob("*.js"), *SHARED.glob("*.js")) if path.name != "frame.js"]
    assert len(own) > 10
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function|createContextualFragment|srcdoc"
    )
    assert [path.name for path in own if forbidden.search(path.read_text())] == []


def test_every_file_of_the_page_is_named_for_the_wheel() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["cluster"]
    named = {path for pattern in patterns for path in (ROOT / "cluster").glob(pattern) if path.is_file()}
    assert {path for path in FOLDER.rglob("*") if path.is_file()} - named == set()


PACKED = {"migrations": "cluster/store/migrations", "plays": "coinswarm/plays"}
"""Where folders of the checkout are in a wheel."""


def packed(folder: Path, place: str) -> set[str]:
    """The names that files of a folder have in a wheel."""
    files = (path for path in folder.rglob("*") if path.suffix in (".py", ".yml") and "__pycache__" not in path.parts)
    return {f"{place}/{path.relative_to(folder)}" for path in files}


@pytest.mark.slow
def test_a_wheel_has_every_file_of_the_page_every_migration_every_play_and_the_gates(tmp_path: Path) -> None:
    names = {str(path.relative_to(ROOT)) for path in FOLDER.rglob("*") if path.is_file()}
    names |= {name for folder, place in PACKED.items() for name in packed(ROOT / folder, place)}
    copy = tmp_path / "copy"
    copy.mkdir()
    tracked = ("pyproject.toml", "README.md", "LICENSE", "coinswarm", "cluster", "migrations", "plays")
    subprocess.run(["cp", "-r", *(str(ROOT / name) for name in tracked), str(copy)], check=True)
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), "."], cwd=copy, check=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        assert names - set(wheel.namelist()) == set()


def test_every_file_of_the_page_is_served_as_what_it_is() -> None:
    files = web.assets()
    own = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
    assert set(files) == own | {"report/timeline.css", "report/timeline.js"}
    assert files["app.js"].media_type.startswith("text/javascript")
    assert all(asset.content for asset in files.values())
