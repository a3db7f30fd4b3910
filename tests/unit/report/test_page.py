from __future__ import annotations

import base64
import dataclasses
import io
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from coinswarm import errors, report
from coinswarm.backtest.run import Backtest
from coinswarm.metrics.figures import Status
from coinswarm.play import describe
from coinswarm.report import page

HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(2)> </script><!-- ]]> {{7*7}} \u202e"""
SECTIONS = (
    "luck",
    "rules",
    "headline-0",
    "charts-0",
    "monthly-0",
    "distribution-0",
    "exits-0",
    "figures-0",
    "trades-0",
    "parameters",
    "costs",
    "data",
)


def _segments(backtest: Backtest) -> tuple[report.Segment, ...]:
    ts = backtest.bars.ts
    seen = report.Segment(name="in sample", start_ts=int(ts[50]), end_ts=int(ts[400]), metrics={"sharpe": 3.21, "n_obs": 350.0})
    held = report.Segment(name="held out", start_ts=int(ts[400]), end_ts=int(ts[-1]) + 1, metrics={"sharpe": -0.12}, held_out=True)
    return (seen, held)


def _text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_every_section_is_there(simulate: Callable[..., object], tmp_path: Path) -> None:
    html = report.write(simulate(), tmp_path / "r.html").read_text("utf-8")
    assert [name for name in SECTIONS if f'id="{name}"' not in html] == []
    assert "How to reproduce" in html


def test_nothing_in_the_page_points_anywhere(simulate: Callable[..., object]) -> None:
    html = page.render([report.MarketReport(backtest=simulate())])
    assert re.findall(r"https?:|//[a-z]|<link|<img|\ssrc=|\shref=(?!\"data:text/csv)|@import|url\(", html) == []
    assert "default-src 'none'" in html.replace("&#x27;", "'")


def test_equal_evaluations_give_equal_files(simulate: Callable[..., object]) -> None:
    market = report.MarketReport(backtest=simulate())
    assert page.render([market]) == page.render([market])


def test_hostile_names_stay_text(simulate: Callable[..., object]) -> None:
    backtest = simulate(symbol=f"{HOSTILE}/{HOSTILE}")
    backtest = backtest.but(play=dataclasses.replace(backtest.play, name=HOSTILE, description=HOSTILE))
    part = report.Segment(name=HOSTILE, start_ts=0, end_ts=2**50, metrics={})
    about = report.Context(job_id=HOSTILE, evaluation_id=HOSTILE, variant=HOSTILE, parameters={HOSTILE: HOSTILE}, data={HOSTILE: HOSTILE})
    html = page.render([report.MarketReport(backtest=backtest, segments=(part,))] * 2, title=HOSTILE, context=about)
    assert html.count("<script") == html.count("</script>") == 3
    assert "<img" not in html
    assert "\u202e" not in html


@pytest.mark.parametrize(("trials", "said"), [(None, "not recorded"), (1, "One variant was tried"), (4213, "best of 4,213")])
def test_the_number_of_tries_stands_beside_the_best_figure(simulate: Callable[..., object], trials: int | None, said: str) -> None:
    html = page.render([report.MarketReport(backtest=simulate())], context=report.Context(trials=trials))
    beside = _text(html[html.index('id="luck"') : html.index('id="headline-0"')])
    assert "1.25" in beside
    assert said in beside


def test_synthetic_prices_are_called_so_whoever_says_it(simulate: Callable[..., object]) -> None:
    made, real = report.MarketReport(backtest=simulate(synthetic=True)), report.MarketReport(backtest=simulate())
    marked = "<strong>SYNTHETIC</strong>"
    assert marked in page.render([made])
    assert marked in page.render([real, made])
    assert marked in page.render([real], context=report.Context(synthetic=True))
    assert marked not in page.render([real])


def test_held_out_figures_are_the_large_ones_and_both_are_shown(simulate: Callable[..., object]) -> None:
    backtest = simulate()
    html = page.render([report.MarketReport(backtest=backtest, segments=_segments(backtest))])
    card = _text(html[html.index("<span>Sharpe ratio</span>") :])[:60]
    assert re.search("Sharpe ratio \N{MINUS SIGN}0.12 in sample 3.21", card)
    assert "Believe the figure held out" in html


def test_the_figure_that_was_held_out_is_the_headline_and_the_one_that_was_picked_comes_second(simulate: Callable[..., object]) -> None:
    backtest = simulate()
    html = page.render([report.MarketReport(backtest=backtest, segments=_segments(backtest))])
    luck = html[html.index('id="luck"') : html.index('id="rules"')]
    assert re.search("Sharpe ratio, held out \N{MINUS SIGN}0.12 Sharpe ratio, in sample 3.21 Variants tried", _text(luck))
    assert luck.index('class="best"') < luck.index('class="best second"')


def test_the_rules_stand_in_words_as_a_check_of_the_play_prints_them(simulate: Callable[..., object]) -> None:
    html = page.render([report.MarketReport(backtest=simulate())])
    rules = html[html.index('id="rules"') : html.index('id="headline-0"')]
    assert describe.play(simulate().play) in unescape(rules)
    assert "entry_long: close &gt; slow" in rules


def test_all_trades_are_a_file_within_the_page(simulate: Callable[..., object]) -> None:
    backtest = simulate(7000, 600)
    html = page.render([report.MarketReport(backtest=backtest)])
    link = re.search(r'href="data:text/csv;charset=utf-8;base64,([^"]+)" download="Follow-the-trend-BTC-USDT-trades.csv"', html)
    assert link
    read = pl.read_csv(io.BytesIO(base64.b64decode(link[1])))
    assert read.height == 600
    assert read.columns == backtest.trades.columns
    assert "Download all 600 trades (CSV)" in html


def test_a_histogram_names_both_of_its_axes(simulate: Callable[..., object]) -> None:
    html = page.render([report.MarketReport(backtest=simulate())])
    text = _text(html[html.index('id="distribution-0"') : html.index('id="exits-0"')])
    assert "number of trades (highest bar:" in text
    assert "return of a trade on its notional" in text


def test_several_markets_have_a_tab_each_and_one_table(simulate: Callable[..., object]) -> None:
    markets = [report.MarketReport(backtest=simulate(symbol=name)) for name in ("BTC/USDT", "ETH/USDT", "SOL/USDT:USDT")]
    html = page.render(markets)
    assert len(re.findall('role="tab"', html)) == 3
    assert all(f'id="charts-{place}"' in html for place in range(3))
    assert "All markets" in html


def test_a_variant_that_could_not_be_simulated_says_why(simulate: Callable[..., object]) -> None:
    backtest = simulate(600, 0).but(equity=np.full(600, np.nan), status=Status.INVALID, reason="the stop has no level", metrics={})
    text = _text(page.render([report.MarketReport(backtest=backtest)]))
    assert "Status: invalid. the stop has no level" in text


def test_a_variant_without_trades_has_a_page(simulate: Callable[..., object]) -> None:
    text = _text(page.render([report.MarketReport(backtest=simulate(600, 0).but(status=Status.NO_TRADES))]))
    assert "No position was opened." in text
    assert "No trade was closed." in text


@pytest.mark.parametrize("column", ["pnl", "return", "mae", "exit_price"])
def test_missing_numbers_in_trades_are_dashes_not_words(simulate: Callable[..., object], column: str) -> None:
    backtest = simulate(600, 3)
    backtest = backtest.but(trades=backtest.trades.with_columns(**{column: None}))
    html = page.render([report.MarketReport(backtest=backtest)])
    shown = _text(html[html.index('id="monthly-0"') : html.index('id="parameters"')])
    assert "nan" not in shown.replace("Quantity", "").lower()
    assert "\N{EN DASH}" in shown


def test_only_the_first_trades_are_listed_and_the_page_says_so(simulate: Callable[..., object]) -> None:
    html = page.render([report.MarketReport(backtest=simulate(25_000, 2100))])
    assert html.count("data-trade=") == 2000
    assert "The first 2,000 of 2,100 trades; the file has all of them." in html


def test_a_year_of_minutes_stays_a_small_file(simulate: Callable[..., object]) -> None:
    html = page.render([report.MarketReport(backtest=simulate(500_000, 0))])
    assert len(html) < 3_000_000


def test_a_report_of_nothing_is_refused() -> None:
    with pytest.raises(errors.ShapeMismatch, match="at least one market"):
        page.render([])


def test_the_warm_up_is_told_and_warned_of_where_it_is_much(simulate: Callable[..., Backtest]) -> None:
    """30 bars of 120 are 25 %, more than a fifth; of 600 they are 5 %."""
    much, little = (page.render([report.MarketReport(backtest=simulate(n=n, n_trades=2))]) for n in (120, 600))
    assert "Warm-up: 30 bars, 25.0 % of 120 (slow: sma(31)), at a tolerance of 0.0001. That is much" in much
    assert "Warm-up: 30 bars, 5.0 % of 600" in little
    assert "That is much" not in little
