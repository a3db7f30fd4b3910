"""The pictures of the page in `docs/pictures`, taken of a real search: `python -m tests.integration.page_pictures [FOLDER]`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from cluster.store import embedded
from coinswarm.market import files
from coinswarm.market.catalog import Catalog
from tests.integration import chromium
from tests.integration.chromium import Tab
from tests.integration.control_world import Plane, plane
from tests.integration.evolve_world import World

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("COINSWARM_TEST_DATA", ROOT.parent / "shared" / "data"))
PLAY = ROOT / "plays" / "examples" / "trend_pullback.yml"
SIZES = ((1280, "light"), (400, "dark"))
TALLEST = 3600
SETTLED_S = 1.0


def main(folder: Path) -> None:
    """Run a search on a control plane of its own and take every view at both widths."""
    with tempfile.TemporaryDirectory(prefix="coinswarm-pictures-") as name:
        home = Path(name)
        try:
            url = embedded.ensure(home / "pg")
            with plane(url, home, _world(home)) as control, chromium.browser(home / "profile") as browser:
                _taken(control, browser.tab(), folder)
        finally:
            embedded.stop(home / "pg", force=True)


def _world(home: Path) -> World:
    path = home / "bars.duckdb"
    with Catalog.open(path) as catalog:
        bars = [files.read(DATA / "spot5m_2024" / f"binance_{coin}-USDT_5m.parquet") for coin in ("BTC", "ETH")]
        keys = tuple(catalog.put(each, source=each.symbol).key for each in bars)
    return World(catalog=path, markets=keys)


def _request(control: Plane, **search: object) -> dict[str, object]:
    objectives = [{"name": "sharpe"}, {"name": "max_drawdown", "direction": "min"}]
    limits = [{"figure": "n_trades", "operator": ">=", "threshold": 10}]
    settings = {"population": 60, "generations": 12, "islands": 2, "seed": 3, "objectives": objectives, "constraints": limits, **search}
    return control.request(plays=[{"text": PLAY.read_text()}], markets=list(control.world.markets), search=settings)


def _taken(control: Plane, tab: Tab, folder: Path) -> None:
    with control.client("admin") as client, control.served():
        job = client.post("/api/v1/jobs", json=_request(control)).raise_for_status().json()["id"]
        control.ended(client, job)
        running = client.post("/api/v1/jobs", json=_request(control, population=200, generations=480)).raise_for_status().json()["id"]
        best = client.get(f"/api/v1/jobs/{job}/leaderboard").json()["rows"][0]["evaluation"]
        tab.size(1280)
        tab.open(f"{control.url}/#token={control.secret('submit')}")
        tab.wait("document.querySelector('.badge.running') && /[0-9] %/.test(document.querySelector('.progress')?.innerText)")
        views = {
            "jobs": ("/jobs", "/[0-9] %/.test(document.querySelector('.progress')?.innerText)"),
            "job": (f"/jobs/{job}", "document.querySelector('.cell') && document.querySelector('.dot.front')"),
            "variant": (f"/evaluations/{best}", "document.querySelector('.price canvas') && document.querySelector('.edge')"),
            "report": (f"/evaluations/{best}/report", "parseFloat(document.querySelector('iframe')?.style.height) > 1000"),
            "submit": ("/submit", "document.querySelector('form')"),
        }
        for name, (address, there) in views.items():
            for width, scheme in SIZES:
                _shot(tab, address, there, width, scheme, folder / f"{name}-{width}.png")
        client.post(f"/api/v1/jobs/{running}/cancel")
        control.ended(client, running)
    if tab.complaints:
        raise AssertionError(tab.complaints)


def _shot(tab: Tab, address: str, there: str, width: int, scheme: str, path: Path) -> None:
    """A window as tall as the page: what lies outside of it a frame does not draw."""
    tab.size(width, scheme=scheme)
    tab.see(f"void (location.hash = '#/missing', location.hash = '#{address}')")
    tab.wait(there)
    pause = f"new Promise(done => setTimeout(done, {SETTLED_S * 1000}))"
    tab.see(pause)
    tab.size(width, min(TALLEST, int(tab.see("document.documentElement.scrollHeight"))), scheme)
    tab.see(pause)
    tab.picture(path, whole=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
