"""One self-contained HTML page: nothing in it is fetched from anywhere, and a policy in its head forbids it to be."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from importlib import resources

import numpy as np

from coinswarm import errors
from coinswarm.market.timeframe import MINUTE_MS
from coinswarm.metrics.figures import Status
from coinswarm.play import describe
from coinswarm.report import charts, luck, monthly, series, tables, trades, wording
from coinswarm.report.context import Context, MarketReport, Segment
from coinswarm.report.markup import Markup, empty, join, note, tag
from coinswarm.report.series import Curves

_HEADLINE = ("total_return", "sharpe", "max_drawdown", "n_trades", "win_rate", "profit_factor", "expectancy", "exposure", "fees")
_OVERVIEW = ("total_return", "sharpe", "max_drawdown", "n_trades", "profit_factor")


def render(markets: Sequence[MarketReport], *, title: str | None = None, context: Context | None = None) -> str:
    """The page as text; equal arguments give equal pages.

    Args:
        markets: one variant simulated on one or more markets.
        title: heading; the play's name when None.
        context: where the variant comes from.

    Raises:
        ShapeMismatch: there is no market.
    """
    if not markets:
        raise errors.ShapeMismatch("a report needs at least one market", found=0)
    about = context or Context()
    heading = title or markets[0].backtest.play.name
    top = [_header(markets, heading, about), _luck(markets, about), _rules(markets), _overview(markets), _tabs(markets)]
    panels = [_panel(place, market, len(markets)) for place, market in enumerate(markets)]
    body = tag("body", tag("main", *top, *panels, _origin(markets, about)), tag("script", _program(), type="module"))
    return f"<!doctype html>\n{tag('html', head(heading), body, lang='en')}\n"


def _asset(name: str) -> str:
    return resources.files("coinswarm.report").joinpath("assets", name).read_text("utf-8")


def _program() -> Markup:
    """The one script of a report, as a module."""
    return Markup(_asset("timeline.js") + _asset("report.js"))


def head(heading: str, *styles: str) -> Markup:
    """The head of a page that fetches nothing and runs no script but the report's own; `styles` are further assets."""
    digest = base64.b64encode(hashlib.sha256(_program().encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{heading} · coinswarm report"),
        *(tag("style", Markup(_asset(name))) for name in ("report.css", "timeline.css", *styles)),
    )


def _header(markets: Sequence[MarketReport], heading: str, about: Context) -> Markup:
    play = markets[0].backtest.play
    made = about.synthetic or any(market.backtest.bars.synthetic for market in markets)
    facts = [_name(market) for market in markets] + [f"{markets[0].backtest.bars.timeframe} bars", _span(markets[0])]
    facts += [f"evaluation {about.evaluation_id}"] if about.evaluation_id else []
    lines = [tag("p", "coinswarm report", class_="eyebrow"), tag("h1", heading)]
    lines += [tag("p", play.description, class_="description")] if play.description else []
    return join(banner() if made else None, tag("header", *lines, tag("ul", *(tag("li", fact) for fact in facts), class_="facts")))


def banner() -> Markup:
    """What stands atop every page whose prices were made."""
    warning = " These prices were made by a random generator, not traded. Nothing here says anything about a real market."
    return tag("p", tag("strong", "SYNTHETIC"), warning, class_="synthetic")


def _name(market: MarketReport) -> str:
    return f"{market.backtest.bars.symbol} on {market.backtest.bars.exchange}"


def _span(market: MarketReport) -> str:
    curves = series.of(market.backtest)
    if curves is None:
        return "nothing simulated"
    first, last = (str(np.datetime64(int(ts), "ms").astype("datetime64[D]")) for ts in (curves.bars.ts[0], curves.bars.close_ts[-1] - 1))
    return f"{first} to {last}"


def _luck(markets: Sequence[MarketReport], about: Context) -> Markup:
    """What is to be believed first: the figure that was held out, the one that was picked, and how many tries it was picked from."""
    first = markets[0]
    held = next((part for part in first.segments if part.held_out), None)
    seen = next((part for part in first.segments if not part.held_out), None)
    shown = [part for part in (held, seen) if part is not None]
    bests = [_best(first, part, named=len(markets) > 1, second=place > 0) for place, part in enumerate(shown or [None])]
    number = "not recorded" if about.trials is None else f"{about.trials:,}"
    tried = tag("div", tag("span", "Variants tried, in the campaign"), tag("b", number), class_="best tried")
    advice = f"Believe the figure {held.name}: the search never saw those bars. " if held else ""
    sentence = tag("p", advice, luck.warning(about.trials, _years(first, seen)))
    return tag("section", *bests, tried, sentence, class_="luck", id="luck")


def _best(market: MarketReport, part: Segment | None, *, named: bool, second: bool) -> Markup:
    metrics = part.metrics if part else market.backtest.metrics
    label = ["Sharpe ratio", *([part.name] if part else []), *([market.backtest.bars.symbol] if named else [])]
    shown = wording.number(float(metrics.get("sharpe", math.nan)))
    return tag("div", tag("span", ", ".join(label)), tag("b", shown), class_="best second" if second else "best")


def _rules(markets: Sequence[MarketReport]) -> Markup:
    """The play in words, as `coinswarm play check` prints it, with every number fixed."""
    return tag("section", tag("h2", "Rules"), tag("pre", describe.play(markets[0].backtest.play)), id="rules")


def _years(market: MarketReport, seen: Segment | None) -> float:
    """Length in years of the bars that the figures are of."""
    bars = market.backtest.bars[: None if seen is None else market.backtest.bars.index_at(seen.end_ts)]
    count = float((seen.metrics if seen else market.backtest.metrics).get("n_obs", len(bars) - market.backtest.start))
    if not math.isfinite(count):
        return 0.0
    return max(0.0, count / bars[max(0, len(bars) - int(count)) :].periods_per_year)


def _overview(markets: Sequence[MarketReport]) -> Markup | None:
    if len(markets) == 1:
        return None
    names = list(dict.fromkeys(part.name for market in markets for part in sorted(market.segments, key=lambda part: part.start_ts)))
    columns = [(figure, name) for figure in _OVERVIEW for name in names or [""]]
    head = ["Market", *(wording.FIGURES[figure].title + (f", {name}" if name else "") for figure, name in columns)]
    rows = [
        [tag("th", market.backtest.bars.symbol, scope="row"), *(_overview_cell(market, *column) for column in columns)]
        for market in markets
    ]
    return tag("section", tag("h2", "All markets"), tables.table(head, rows, class_="overview"), id="markets")


def _overview_cell(market: MarketReport, figure: str, segment: str) -> Markup:
    part = next((part for part in market.segments if part.name == segment), None)
    metrics = part.metrics if part else (market.backtest.metrics if not segment else {})
    held = "held" if part and part.held_out else None
    return tag("td", wording.figure(figure, metrics.get(figure, math.nan), _bar_minutes(market)), class_=held)


def _tabs(markets: Sequence[MarketReport]) -> Markup | None:
    if len(markets) == 1:
        return None
    buttons = [_tab(place, market) for place, market in enumerate(markets)]
    return tag("div", *buttons, class_="tabs", role="tablist", aria_label="Markets")


def _tab(place: int, market: MarketReport) -> Markup:
    selected, names = "true" if place == 0 else "false", {"id": f"tab-{place}", "aria_controls": f"market-{place}"}
    return tag("button", market.backtest.bars.symbol, type="button", role="tab", aria_selected=selected, **names)


def _bar_minutes(market: MarketReport) -> float:
    return market.backtest.bars.spacing_ms / MINUTE_MS if len(market.backtest.bars) else 0.0


def _panel(place: int, market: MarketReport, n_markets: int) -> Markup:
    several = n_markets > 1
    attributes = {"role": "tabpanel", "aria_labelledby": f"tab-{place}"} if several else {}
    title = tag("h2", _name(market), class_="market-name") if several else None
    return tag("div", title, *_sections(place, market, n_markets), class_="market", id=f"market-{place}", **attributes)


def _sections(place: int, market: MarketReport, n_markets: int) -> list[Markup]:
    backtest, quote = market.backtest, _quote(market)
    curves = series.of(backtest)
    if curves is None:
        return [_section(place, "failed", "Nothing was simulated", _failure(market))]
    found = trades.read(backtest.trades)
    table = monthly.monthly_returns(curves.bars.close_ts, curves.equity, curves.starting_equity)
    columns = tables.segment_columns(market.segments, backtest.metrics)
    timeline = charts.time_charts(f"data-{place}", curves, found, market.segments, quote=quote, markets=n_markets)
    beside = (
        _section(place, "distribution", "Distribution of trade returns", charts.histogram(found.number["return"][found.closed])),
        _section(place, "exits", "Exit reasons", tables.exits(found, quote=quote)),
    )
    return [
        _section(place, "headline", "Headline figures", _cards(market, curves)),
        _section(place, "charts", "Price, equity and drawdown", timeline),
        _section(place, "monthly", "Monthly returns (%)", tables.months(table)),
        tag("div", *beside, class_="beside"),
        _section(place, "figures", "All figures", tables.figures(columns, _bar_minutes(market))),
        _section(place, "trades", "Trades", join(_csv(market, len(found)), tables.trades(found, quote=quote))),
    ]


def _csv(market: MarketReport, n: int) -> Markup | None:
    """All trades as a file that is within the page."""
    backtest = market.backtest
    stem = "".join(letter if letter.isalnum() else "-" for letter in f"{backtest.play.name} {backtest.bars.symbol}")
    content = base64.b64encode(backtest.trades.write_csv().encode()).decode("ascii")
    link = tag("a", f"Download all {n:,} trades (CSV)", href=f"data:text/csv;charset=utf-8;base64,{content}", download=f"{stem}-trades.csv")
    return tag("p", link, class_="download") if n else None


def _section(place: int, name: str, title: str, content: Markup) -> Markup:
    return tag("section", tag("h2", title), content, id=f"{name}-{place}", class_=name)


def _quote(market: MarketReport) -> str:
    return market.backtest.bars.symbol.partition("/")[2].partition(":")[0] or "quote currency"


def _failure(market: MarketReport) -> Markup:
    status = Status(market.backtest.status).name.lower().replace("_", " ")
    return empty(f"Status: {status}. {market.backtest.reason or 'No reason was recorded.'}")


def _cards(market: MarketReport, curves: Curves) -> Markup:
    ordered = sorted(market.segments, key=lambda part: not part.held_out)
    main = ordered[0] if ordered else None
    cards = [_card(name, market, main, ordered[1:]) for name in _HEADLINE]
    cards.insert(1, _hold_card(curves, main, ordered[1:]))
    return join(_lead(main), _warm_up(market), tag("div", *cards, class_="cards"))


def _warm_up(market: MarketReport) -> Markup:
    """How much of the data went before the first decision was possible, and for which feature."""
    asked, n, tolerance = market.backtest.warm_up, len(market.backtest.bars), market.backtest.play.warmup_tolerance
    much = f" That is much: {asked.advice(tolerance)}." if asked.too_long(n) else ""
    return note(f"Warm-up: {asked.text(n)}, at a tolerance of {tolerance:g}.", much)


def _lead(main: Segment | None) -> Markup:
    shown = f"Large: {main.name}{', which the search never saw' if main.held_out else ''}. " if main else ""
    return note(shown, "Hover a figure for what it means.")


def _card(name: str, market: MarketReport, main: Segment | None, others: Sequence[Segment]) -> Markup:
    words = wording.FIGURES[name]
    metrics = main.metrics if main else market.backtest.metrics
    shown = wording.figure(name, metrics.get(name, math.nan), _bar_minutes(market))
    rest = [tag("small", f"{part.name} {wording.figure(name, part.metrics.get(name, math.nan), _bar_minutes(market))}") for part in others]
    return tag("div", tag("span", words.title), tag("b", shown), *rest, class_="card", title=words.meaning, tabindex="0")


def _hold_card(curves: Curves, main: Segment | None, others: Sequence[Segment]) -> Markup:
    rest = [tag("small", f"{part.name} {_held(curves, part)}") for part in others]
    meaning = "What the market itself did over the same time, without costs: the first thing a play has to beat."
    return tag("div", tag("span", "Buy and hold"), tag("b", _held(curves, main)), *rest, class_="card", title=meaning, tabindex="0")


def _held(curves: Curves, part: Segment | None) -> str:
    bars = curves.bars if part is None else curves.bars[curves.bars.index_at(part.start_ts) : curves.bars.index_at(part.end_ts)]
    return wording.percent(float(bars.close[-1] / bars.open[0] - 1), signed=True) if len(bars) else wording.MISSING


def _origin(markets: Sequence[MarketReport], about: Context) -> Markup:
    first = markets[0].backtest
    money = {**first.costs.model_dump(), **first.account.model_dump()}
    data = dict(about.data) or {market.backtest.bars.key: market.backtest.bars.content_hash for market in markets}
    beside = [_named("parameters", "Parameters", about.parameters), _named("costs", "Costs and account", money)]
    return join(
        tag("div", *beside, class_="beside"),
        _named("data", "Where the data comes from", data),
        _reproduce(about),
    )


def _named(name: str, title: str, values: Mapping[str, object]) -> Markup:
    return tag("section", tag("h2", title), tables.pairs(values), id=name)


def _reproduce(about: Context) -> Markup:
    record = {
        "Job": about.job_id,
        "Evaluation": about.evaluation_id,
        "Variant": about.variant,
        "Seed": about.seed,
        "Code version": about.code_version,
        "Variants tried in the campaign": about.trials,
    }
    shown = {name: "not recorded" if value is None else value for name, value in record.items()}
    command = empty("This evaluation was not stored, so it cannot be replayed by its name.")
    if about.evaluation_id:
        command = tag("pre", tag("code", f"coinswarm replay {about.evaluation_id}"))
    return tag("section", tag("h2", "How to reproduce"), command, tables.pairs(shown), id="reproduce")
