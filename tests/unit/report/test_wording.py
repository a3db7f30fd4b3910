from __future__ import annotations

import math

import pytest

from coinswarm.metrics.figures import FIGURES
from coinswarm.report import wording


def test_every_figure_has_words() -> None:
    assert set(wording.FIGURES) == set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0, -1.5, 1e12])
def test_every_figure_can_show_every_number(name: str, value: float) -> None:
    shown = wording.figure(name, value, 5.0)
    assert shown
    assert "nan" not in shown
    assert "inf" not in shown


@pytest.mark.parametrize(
    ("minutes", "shown"), [(0, "0 min"), (45, "45 min"), (60, "1 h"), (135, "2 h 15 min"), (3000, "2 d 2 h"), (2880, "2 d")]
)
def test_durations_use_their_two_largest_units(minutes: float, shown: str) -> None:
    assert wording.duration(minutes) == shown


@pytest.mark.parametrize(("value", "shown"), [(64123.456, "64,123.46"), (1.5, "1.50000"), (0.00001234, "0.0000123400"), (0.0, "0.00")])
def test_prices_keep_the_digits_that_matter(value: float, shown: str) -> None:
    assert wording.price(value) == shown
