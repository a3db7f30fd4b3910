"""How each figure is called, shown and explained to a person."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

MISSING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
_DAY_MIN = 1440


def percent(value: float, *, signed: bool = False, digits: int = 2) -> str:
    """A fraction as a percentage: 0.0123 is `1.23 %`; missing is a dash."""
    return _finite(value, lambda: f"{value * 100:{'+' if signed else ''},.{digits}f} %".replace("-", MINUS))


def number(value: float, *, digits: int = 2) -> str:
    """A plain number with thousands set apart."""
    return _finite(value, lambda: f"{value:,.{digits}f}".replace("-", MINUS))


def count(value: float) -> str:
    """A whole number with thousands set apart."""
    return number(value, digits=0)


def price(value: float) -> str:
    """A price with about six digits that matter, however small it is."""
    if not math.isfinite(value) or value == 0:
        return number(value)
    return number(value, digits=min(12, max(2, 5 - math.floor(math.log10(abs(value))))))


def duration(minutes: float) -> str:
    """A length of time in its two largest units: `2 d 3 h`, `45 min`."""
    if not math.isfinite(minutes):
        return MISSING
    whole = round(minutes)
    days, hours, rest = whole // _DAY_MIN, whole % _DAY_MIN // 60, whole % 60
    if days:
        return f"{days:,} d {hours} h" if hours else f"{days:,} d"
    if hours:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{rest} min"


def _finite(value: float, shown: Callable[[], str]) -> str:
    return shown() if math.isfinite(value) else MISSING


@dataclass(frozen=True, slots=True)
class Wording:
    """One figure in words: its title, how its value is written given the minutes of a bar, and one sentence of meaning."""

    title: str
    show: Callable[[float, float], str]
    meaning: str


def _percent(value: float, _: float) -> str:
    return percent(value)


def _gain(value: float, _: float) -> str:
    return percent(value, signed=True)


def _ratio(value: float, _: float) -> str:
    return number(value)


def _count(value: float, _: float) -> str:
    return count(value)


def _span(value: float, bar_minutes: float) -> str:
    return duration(value * bar_minutes)


def _times(value: float, _: float) -> str:
    return _finite(value, lambda: f"{value:,.1f} \N{MULTIPLICATION SIGN}")


def _expectancy(value: float, _: float) -> str:
    return percent(value, signed=True, digits=3)


FIGURES: dict[str, Wording] = {
    "total_return": Wording("Total return", _gain, "What the account gained over the span, after fees, slippage and funding."),
    "cagr": Wording("Yearly return", _gain, "The same gain as a compound rate a year; over short spans it exaggerates."),
    "sharpe": Wording("Sharpe ratio", _ratio, "Mean bar return over its deviation, a year: return per unit of volatility."),
    "sortino": Wording("Sortino ratio", _ratio, "Like the Sharpe ratio, but only downside volatility counts."),
    "max_drawdown": Wording("Largest drawdown", _percent, "Deepest fall of the account below an earlier peak, at bar closes."),
    "max_stagnation": Wording("Longest stagnation", _span, "Longest time spent below an earlier peak."),
    "calmar": Wording("Calmar ratio", _ratio, "Yearly return over the largest drawdown."),
    "n_trades": Wording("Closed trades", _count, "Trades that were opened and closed within the span."),
    "win_rate": Wording("Win rate", _percent, "Share of closed trades that gained after costs; says little without their size."),
    "profit_factor": Wording("Profit factor", _ratio, "Everything won over everything lost; below 1 the trades lost money."),
    "expectancy": Wording("Mean trade", _expectancy, "Mean return of a closed trade on its notional, after costs."),
    "exposure": Wording("Time in the market", _percent, "Share of bars that end with a position open."),
    "avg_hold": Wording("Mean holding time", _span, "How long a closed trade lasted on average."),
    "turnover": Wording("Turnover a year", _times, "Traded value a year as a multiple of the mean account value; costs grow with it."),
    "fees": Wording("Fees paid", _percent, "All fees, as a share of the starting account."),
    "slippage": Wording("Slippage paid", _percent, "What fills were worse than the quoted price, as a share of the starting account."),
    "funding": Wording("Funding paid", _percent, "Funding of perpetuals, as a share of the starting account; negative is received."),
    "skew": Wording("Skew of bar returns", _ratio, "Below 0: rare large losses among many small gains."),
    "kurtosis": Wording("Kurtosis of bar returns", _ratio, "A normal distribution has 3; far above it, few bars decide the result."),
    "n_obs": Wording("Bars simulated", _count, "Bars from the first possible decision to the end."),
    "n_open": Wording("Open at the end", _count, "Positions still open on the last bar; marked at its close, not counted as trades."),
    "n_rejected": Wording("Entries rejected", _count, "Entries the account or the rules did not allow."),
    "n_liquidated": Wording("Liquidations", _count, "Positions that lost their whole margin."),
    "n_gaps": Wording("Gaps while in a position", _count, "Bars in a position that follow a hole in the data."),
}


def figure(name: str, value: float, bar_minutes: float) -> str:
    """The value of figure `name` as a person reads it; unknown names as plain numbers."""
    known = FIGURES.get(name)
    return known.show(float(value), bar_minutes) if known else number(float(value))


def rows(segments: Iterable[Mapping[str, float | None]], bar_minutes: float) -> list[list[str]]:
    """Every figure as a line of a table: its title, then its value in each segment; a dash where it has none."""
    columns = list(segments)
    return [[words.title, *(figure(name, _known(each.get(name)), bar_minutes) for each in columns)] for name, words in FIGURES.items()]


def value(setting: object) -> str:
    """The value of a parameter as a person reads it."""
    if isinstance(setting, bool):
        return "yes" if setting else "no"
    return f"{setting:.6g}" if isinstance(setting, float) else str(setting)


def _known(value_: float | None) -> float:
    return math.nan if value_ is None else value_
