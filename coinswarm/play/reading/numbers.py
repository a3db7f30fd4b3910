"""Numbers and words that may vary: a value, a list of choices, or a range `{min, max, step, log}`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from coinswarm import errors
from coinswarm.indicators.catalog import Parameter
from coinswarm.play.dimension import Dimension
from coinswarm.play.expressions import Number, Setting
from coinswarm.play.reading.problems import Place
from coinswarm.play.reading.state import ReadingState

RANGE_KEYS = ("min", "max", "step", "log", "name")
LIST_KEYS = ("values", "name")
_NAME = re.compile(r"[A-Za-z_][\w\-]{0,199}")
_MAX_CHOICES = 10_000
_LARGEST = 1e15


@dataclass(frozen=True, slots=True)
class Domain:
    """Which numbers a parameter takes: bounds that are allowed themselves, unless `above` excludes the lower one."""

    low: float = -_LARGEST
    high: float = _LARGEST
    integer: bool = False
    above: bool = False

    def admits(self, value: float) -> bool:
        """Whether the number is in the domain."""
        if self.integer and value != math.floor(value):
            return False
        return (value > self.low if self.above else value >= self.low) and value <= self.high

    def text(self) -> str:
        """What is allowed, for messages."""
        kind = "an integer" if self.integer else "a number"
        if self.low <= -_LARGEST and self.high >= _LARGEST:
            return kind
        return f"{kind} {'above' if self.above else 'from'} {self.low:g} {'up ' if self.above else ''}to {self.high:g}"


Rule = Domain | Parameter
_Reader = Callable[[Place, "Rule"], float | str | bool | None]
ANY = Domain()
COUNT = Domain(1, 100_000, integer=True)


def is_range(place: Place) -> bool:
    """Whether a mapping here reads like a range, or like a list with a name."""
    value = place.node.value
    return isinstance(value, dict) and not value.keys().isdisjoint(("min", "max", "step", "values"))


def number(place: Place, state: ReadingState, domain: Domain = ANY, *, name: str | None = None) -> Number:
    """The number here, or the slot of the dimension it spans. A problem gives the lowest sensible number in its place.

    `name` is what constraints and genomes call it; the path in the play unless given.
    """
    value = _varying(place, state, domain, name or place.path, _one_number)
    return value if not isinstance(value, (str, bool)) else _fallback(domain)


def parameter(place: Place, state: ReadingState, spec: Parameter, name: str) -> Setting:
    """A parameter of an indicator, checked against the catalogue's bounds or words."""
    if spec.words:
        return _varying(place, state, spec, name, _one_word)
    if isinstance(spec.default, bool):
        return _varying(place, state, spec, name, _one_truth)
    return _varying(place, state, Domain(spec.low, spec.high, integer=spec.integer), name, _one_number)


def word(place: Place, state: ReadingState, words: tuple[str, ...], name: str) -> Setting:
    """A word out of `words`, or a list of them to choose from."""
    return _varying(place, state, Parameter(name=name, default=words[0], words=words), name, _one_word)


def _varying(place: Place, state: ReadingState, rule: Rule, name: str, one: _Reader) -> Setting:
    named = _own_name(place)
    name = named or state.free_name(name.removeprefix("actions."))
    listed = place.at("values")
    value: Setting | Dimension | None
    if place.is_list():
        value = _choices(place, rule, name, one)
    elif listed is not None:
        value = _choices(listed, rule, name, one) if place.check_map(LIST_KEYS, "a list with a name") else None
    elif place.is_map():
        value = _range(place, rule, name)
    else:
        value = one(place, rule)
    if isinstance(value, Dimension):
        value = state.vary(value, place.node)
    if value is None:
        return _fallback(rule) if isinstance(rule, Domain) else (rule.default if rule.default is not None else "")
    if named is not None and state.settings.get(name, value) != value:
        place.refuse("what has one name is one parameter, with the same values wherever it stands", name)
    state.settings[name] = value
    return value


def _own_name(place: Place) -> str | None:
    """The name that a range or list gives itself; None where it has none."""
    entry = place.at("name")
    text = entry.word("the name of a parameter") if entry else None
    if entry is None or text is None:
        return None
    if not _NAME.fullmatch(text):
        entry.refuse("the name of a parameter has letters, digits, _ and - only", text)
        return None
    return text


def _fallback(domain: Domain) -> float:
    return min(max(1.0, math.ceil(domain.low) + (1.0 if domain.above else 0.0)), domain.high)


def _one_number(place: Place, rule: Rule) -> float | None:
    value = place.node.value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        quoted = isinstance(value, str) and value.replace(".", "", 1).lstrip("-+").isdigit()
        place.refuse("a number has no quotes" if quoted else "expected a number, a list of numbers or a range {min, max, step, log}")
        return None
    if not math.isfinite(value) or not isinstance(rule, Domain):
        place.refuse("a number must be finite")
        return None
    if not rule.admits(value):
        place.refuse(f"expected {rule.text()}")
        return None
    return float(value)


def _one_word(place: Place, rule: Rule) -> str | None:
    """The word as the indicator spells it, however the play does."""
    value = place.node.value
    text = str(value).lower() if isinstance(value, bool) else str(value)
    words = rule.words if isinstance(rule, Parameter) else ()
    spelled = {word.lower(): word for word in words}
    if text.lower() not in spelled:
        place.refuse(f"expected one of {', '.join(words)}", names=errors.nearest(text, words))
        return None
    return spelled[text.lower()]


def _one_truth(place: Place, rule: Rule) -> bool | None:
    del rule
    return place.truth("this parameter")


def _choices(place: Place, rule: Rule, name: str, one: _Reader) -> Setting | Dimension | None:
    if not place.is_list():
        place.refuse("values are a list to choose from")
        return None
    items = place.items()
    if not items:
        place.refuse("a list of choices has at least one")
        return None
    if len(items) > _MAX_CHOICES:
        place.refuse(f"a list of choices has at most {_MAX_CHOICES}", str(len(items)))
        return None
    read = [one(item, rule) for item in items]
    values = tuple(value for value in read if value is not None)
    if len(values) != len(read):
        return None
    if len(set(values)) != len(values):
        place.refuse("a choice is listed once")
        return None
    return values[0] if len(values) == 1 else Dimension.choice(name, values)


def _range(place: Place, domain: Rule, name: str) -> Setting | Dimension | None:
    if not isinstance(domain, Domain):
        place.refuse("a word may be a list of words, not a range")
        return None
    if not place.check_map(RANGE_KEYS, "a range"):
        return None
    ends = [_end(place, key) for key in ("min", "max")]
    step = _end(place, "step") if place.at("step") else 0.0
    log = place.at("log")
    is_log = bool(log.truth("log")) if log else False
    low, high = ends
    if low is None or high is None or step is None or not _sound(place, domain, low, high, step, is_log=is_log):
        return None
    if low == high:
        return low
    _warn_of_missed_end(place, low, high, step or (1.0 if domain.integer else 0.0))
    return _dimension(place, domain, name, low, high, step, is_log=is_log)


def _end(place: Place, key: str) -> float | None:
    entry = place.at(key)
    if entry is None:
        place.refuse(f"a range needs {key}")
        return None
    return _one_number(entry, ANY)


def _sound(place: Place, domain: Domain, low: float, high: float, step: float, *, is_log: bool) -> bool:
    before = len(place.problems.found)
    if low > high:
        place.refuse("a range goes from min up to max", f"min {low:g} above max {high:g}")
    if place.at("step") and step <= 0:
        place.refuse("the step of a range is above 0", f"{step:g}")
    if is_log and low <= 0:
        place.refuse("a logarithmic range starts above 0", f"min {low:g}")
    for value in (low, high, *((step,) if domain.integer and step > 0 else ())):
        if value is not step and not domain.admits(value):
            place.refuse(f"every value of the range must be {domain.text()}", f"{value:g}")
        elif domain.integer and value != math.floor(value):
            place.refuse("a range of whole numbers has a whole step", f"{value:g}")
    if step > 0 and (high - low) / step > 1e12:
        place.refuse("a range has at most 1e12 steps", f"{(high - low) / step:g}")
    return len(place.problems.found) == before


def _warn_of_missed_end(place: Place, low: float, high: float, step: float) -> None:
    """Say that the upper end is never tried, where no step from the lower one meets it."""
    if not step:
        return
    last = low + math.floor((high - low) / step + 1e-9) * step
    if high - last > 1e-9 * step:
        nearest = f"{last + step:.12g}" if last + step - high < high - last else f"{last:.12g}"
        place.warn(
            f"steps of {step:.12g} from {low:.12g} end at {last:.12g}, so {high:.12g} is never tried; max: {nearest} says what is meant"
        )


def _dimension(place: Place, domain: Domain, name: str, low: float, high: float, step: float, *, is_log: bool) -> Dimension:
    whole = all(isinstance(entry.node.value, int) for key, entry in place.entries() if key in ("min", "max", "step"))
    if not (domain.integer or whole):
        return Dimension(path=name, kind="float", low=low, high=high, step=step, log=is_log)
    if not step and not domain.integer:
        place.warn(f"{name} takes whole numbers only, {low:g} to {high:g}; write {low:.1f} for real numbers")
    step = step or 1.0
    high = low + math.floor((high - low) / step) * step
    return Dimension(path=name, kind="int", low=low, high=high, step=step, log=is_log)
