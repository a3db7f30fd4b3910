"""The report as a person meets it: opened in a real browser."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import polars as pl
import pytest

from coinswarm import backtest, play, report
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from tests.integration.chromium import Browser
from tests.unit.report import test_cards_page, test_patterns_page

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--hide-scrollbars",
    "--enable-logging=stderr", "--virtual-time-budget=4000",
)  # fmt: skip
Browse = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """Open a file in headless Chromium with a profile of its own."""
    program = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium is installed; the report was not opened in a browser")

    def opened(path: Path, *flags: str) -> subprocess.CompletedProcess[str]:
        command = [program, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *flags, path.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)

    return opened


PLAY = """
version: "3.0.0"
name: "</script><script>document.title='taken over'</script>"
description: Follows the market while a fast average is above a slow one.
features:
  fast: { indicator: ema, params: { length: 60 } }
  slow: { indicator: ema, params: { length: 480 } }
actions:
  entry_long: { all: [ [fast, cross_above, slow] ] }
  exit_long: { any: [ [fast, cross_below, slow] ] }
  entry_short: { all: [ [fast, cross_below, slow] ] }
  exit_short: { any: [ [fast, cross_above, slow] ] }
risk: { stop_loss_pct: 2.0, take_profit_pct: 6.0 }
position_policy: { mode: long_short, exit_mode: first_hit }
"""


def _bars(folder: Path, base: str) -> Bars:
    frame = pl.read_parquet(folder / "spot5m_2024" / f"binance_{base}-USDT_5m.parquet")
    columns = {name: frame[name].to_numpy() for name in ("open", "high", "low", "close", "volume")}
    ts = frame["ts"].dt.epoch("ms").to_numpy()
    return Bars(symbol=f"{base}/USDT", timeframe=Timeframe.parse("5m"), ts=ts, exchange="binance", **columns)


def _market(bars: Bars) -> report.MarketReport:
    read, cut = play.loads(PLAY), int(bars.ts[50_000])
    held = backtest(read, bars, start_ts=cut)
    part = report.Segment(name="held out", start_ts=cut, end_ts=int(bars.ts[-1]), metrics=held.metrics, held_out=True)
    return report.MarketReport(backtest=backtest(read, bars), segments=(part,))


@pytest.fixture(scope="module")
def written(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two markets, a part of them held out."""
    markets = [_market(_bars(data_dir, base)) for base in ("BTC", "PEPE")]
    folder = tmp_path_factory.mktemp("report")
    return report.write_many(markets, folder / "report.html", context=report.Context(trials=4000, evaluation_id="e-1"))


def test_a_browser_draws_every_section_and_complains_of_nothing(browse: Browse, written: Path) -> None:
    seen = browse(written, "--dump-dom")
    assert "CONSOLE" not in seen.stderr
    assert 'data-drawn="3"' in seen.stdout
    assert "coinswarm replay e-1" in seen.stdout
    assert re.search(r'id="market-1"[^>]* hidden', seen.stdout)


def test_all_trades_are_saved_out_of_the_file_itself(browser: Browser, written: Path, tmp_path: Path) -> None:
    tab = browser.tab()
    tab.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    tab.open(written.as_uri())
    tab.click("#market-0 .download a")
    tab.wait("document.readyState === 'complete'")
    saved = _saved(tmp_path)
    listed = re.search(r"Download all ([\d,]+) trades", written.read_text("utf-8"))
    assert listed is not None
    assert pl.read_csv(saved).height == int(listed[1].replace(",", "")) > 10
    assert tab.complaints == []


def _saved(folder: Path) -> Path:
    """The file that a browser puts into a folder."""
    until = time.monotonic() + 60
    while not (found := list(folder.glob("*.csv"))):
        assert time.monotonic() < until, list(folder.iterdir())
        time.sleep(0.1)
    return found[0]


POKE = """<script>
document.querySelector("[data-trade='4']").click();
setTimeout(() => {
  const canvas = document.querySelector(".plot.price canvas"), box = canvas.getBoundingClientRect(), tip = document.querySelector(".tip");
  for (let x = 0; x < box.width - 70 && tip.hidden; x += 5) for (let y = 0; y < box.height - 30 && tip.hidden; y += 5)
    canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + x, clientY: box.top + y, pointerId: 1 }));
}, 900);
</script></body>"""


def test_a_trade_that_is_clicked_is_zoomed_to_and_says_how_it_ended(browse: Browse, written: Path) -> None:
    poked = written.with_name("poked.html")
    free = re.sub('<meta http-equiv="Content-Security-Policy"[^>]*>', "", written.read_text("utf-8"))
    poked.write_text(free.replace("</body>", POKE), "utf-8")
    tip = re.search(r'class="tip"[^>]*>([^<]*)<', browse(poked, "--dump-dom").stdout)
    assert tip is not None
    assert re.search(r"(long|short) no\. \d+, (won|lost)[^$]*exit: (signal|stop|target), after \d+ bars", tip[1])


class Gate(ThreadingHTTPServer):
    """A proxy that lets nothing through and remembers who was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Refusal)
        self.asked: set[str] = set()


class Refusal(BaseHTTPRequestHandler):
    """Answers everything with a refusal."""

    server: Gate

    def do_GET(self) -> None:
        self.server.asked.add(self.path)
        self.send_error(502)

    do_CONNECT = do_POST = do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def gate() -> Iterator[Gate]:
    """The proxy, running on loopback."""
    with Gate() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_opening_a_report_asks_nobody_for_anything(browse: Browse, gate: Gate, written: Path, tmp_path: Path) -> None:
    curious = tmp_path / "curious.html"
    curious.write_text("<img src='http://pictures.invalid/one'>")
    proxy = f"--proxy-server=127.0.0.1:{gate.server_port}"
    browse(written, proxy, "--dump-dom")
    assert [url for url in gate.asked if "google" not in url] == []
    browse(curious, proxy, "--dump-dom")
    assert "http://pictures.invalid/one" in gate.asked


def test_no_script_but_the_own_one_may_run(browse: Browse, written: Path) -> None:
    broken = written.with_name("broken.html")
    broken.write_text(written.read_text("utf-8").replace("</main>", "<script>document.title='taken over'</script></main>"), "utf-8")
    seen = browse(broken, "--dump-dom")
    assert "<title>taken over" not in seen.stdout
    assert "Content Security Policy" in seen.stderr


@pytest.mark.parametrize(("width", "scheme"), [(1280, "0"), (400, "1")])
def test_the_page_is_painted_wide_and_narrow_dark_and_light(browse: Browse, written: Path, tmp_path: Path, width: int, scheme: str) -> None:
    picture = tmp_path / "page.png"
    seen = browse(written, f"--screenshot={picture}", f"--window-size={width},1600", f"--blink-settings=preferredColorScheme={scheme}")
    assert "CONSOLE" not in seen.stderr
    assert picture.stat().st_size > 30_000


@pytest.mark.parametrize(("width", "scheme"), [(1280, "0"), (400, "1")])
@pytest.mark.parametrize("kind", ["patterns", "card"])
def test_pages_of_patterns_and_of_cards_fit_any_screen_and_complain_of_nothing(
    browse: Browse, tmp_path: Path, kind: str, width: int, scheme: str
) -> None:
    text = test_patterns_page.rendered(synthetic=True) if kind == "patterns" else test_cards_page.rendered(test_cards_page.odds(0.93))
    page, picture = tmp_path / "page.html", tmp_path / "page.png"
    page.write_text(text, "utf-8")
    seen = browse(page, f"--screenshot={picture}", f"--window-size={width},1600", f"--blink-settings=preferredColorScheme={scheme}")
    assert "CONSOLE" not in seen.stderr
    assert picture.stat().st_size > 20_000
