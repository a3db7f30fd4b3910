"""What every indicator and structure of the catalogue must keep, whatever it computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import coinswarm.indicators  # noqa: F401  fills the catalogue
from coinswarm import config
from coinswarm.indicators import catalog, features, structures
from coinswarm.indicators.catalog import Indicator, Parameter, Params
from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.types import FloatArray
from tests.oracles import candles

NAMES = sorted(catalog.CATALOG)
REQUIRED = {"mode": "max"}
few = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
every = pytest.mark.parametrize("name", NAMES)


def _setting(parameter: Parameter) -> st.SearchStrategy[float | str]:
    if parameter.words:
        return st.sampled_from(parameter.words)
    if parameter.integer:
        return st.integers(int(parameter.low), int(min(parameter.high, 60)))
    default = float(parameter.default or 1.0)
    return st.floats(max(parameter.low, default / 2), min(parameter.high, default * 2)).map(lambda value: round(value, 4))


def _settings(name: str) -> st.SearchStrategy[dict[str, float | str]]:
    drawn = st.fixed_dictionaries({parameter.name: _setting(parameter) for parameter in catalog.CATALOG[name].parameters})
    return st.just(_defaults(name)) | drawn


def _defaults(name: str) -> dict[str, float | str]:
    return {key: value for key, value in REQUIRED.items() if key in {parameter.name for parameter in catalog.CATALOG[name].parameters}}


def _compute(name: str, params: Params, bars: Bars) -> dict[str, FloatArray]:
    return features.compute(name, params, bars).outputs


def _scale(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(np.abs(known))) if known.size else 0.0


def _assert_same(left: FloatArray, right: FloatArray, tolerance: float, scale: float) -> None:
    np.testing.assert_array_equal(np.isnan(left), np.isnan(right))
    np.testing.assert_allclose(left, right, rtol=tolerance, atol=tolerance * scale)


Computation = Callable[[Bars], dict[str, FloatArray]]


def _assert_survives_truncation(compute: Computation, bars: Bars, cut: int) -> None:
    whole, part = compute(bars), compute(bars[:cut])
    for output in whole:
        _assert_same(part[output], whole[output][:cut], 1e-12, _scale(whole[output]))


def _assert_survives_scrambling(compute: Computation, bars: Bars, cut: int) -> None:
    noise = np.random.default_rng(cut).uniform(0.5, 2.0, (len(COLUMNS), len(bars)))
    noise[:, :cut] = 1.0
    torn = replace(bars, **{column: getattr(bars, column) * noise[row] for row, column in enumerate(COLUMNS)})
    whole, scrambled = compute(bars), compute(torn)
    for output in whole:
        _assert_same(scrambled[output][:cut], whole[output][:cut], 1e-12, _scale(whole[output][:cut]))


@every
@few
@given(data=st.data())
def test_values_use_no_bar_that_comes_later(name: str, walk: Bars, data: st.DataObject) -> None:
    params = data.draw(_settings(name))
    _assert_survives_truncation(lambda bars: _compute(name, params, bars), walk[:3_000], data.draw(st.integers(1, 3_000)))


@every
@few
@given(data=st.data())
def test_noise_after_a_bar_changes_nothing_before_it(name: str, walk: Bars, data: st.DataObject) -> None:
    params = data.draw(_settings(name))
    _assert_survives_scrambling(lambda bars: _compute(name, params, bars), walk[:3_000], data.draw(st.integers(1, 2_999)))


def _centred_mean(bars: Bars) -> dict[str, FloatArray]:
    return {"value": np.convolve(bars.close, np.full(5, 0.2), mode="same")}


def _pivot_known_too_early(bars: Bars) -> dict[str, FloatArray]:
    return {"value": np.roll(structures.pivots(bars, 5, 5)[0], -5)}


@pytest.mark.parametrize("cheat", [_centred_mean, _pivot_known_too_early])
@pytest.mark.parametrize("law", [_assert_survives_truncation, _assert_survives_scrambling])
def test_the_laws_catch_a_cheat(cheat: Computation, law: Callable[[Computation, Bars, int], None], walk: Bars) -> None:
    caught = 0
    for cut in range(500, 560):
        try:
            law(cheat, walk[:3_000], cut)
        except AssertionError:
            caught += 1
    assert caught > 0


def _assert_forgets_its_start(entry: Indicator, params: Params, bars: Bars, skipped: int, tolerance: float) -> bool:
    whole, part = (features.compute(entry.name, params, cut, warmup_tolerance=tolerance) for cut in (bars, bars[skipped:]))
    for output in entry.outputs:
        one, other = whole.outputs[output][skipped:][part.first :], part.outputs[output][part.first :]
        if entry.name == "obv":
            one, other = np.diff(one), np.diff(other)
        _assert_same(other, one, tolerance, _scale(whole.outputs[output]))
    return part.first < len(bars) - skipped


STARTS = (1, 777, 5_003, 12_345, 20_000)


@every
@pytest.mark.parametrize("tolerance", [1e-9, 1e-6, 1e-4])
def test_values_forget_where_real_data_began(name: str, tolerance: float, btc: Bars) -> None:
    entry = catalog.CATALOG[name]
    reached = [_assert_forgets_its_start(entry, _defaults(name), btc, skipped, tolerance) for skipped in STARTS]
    assert all(reached) or name == "funding_rate"


@every
@few
@given(data=st.data())
def test_values_forget_their_start_with_any_parameters(name: str, btc: Bars, data: st.DataObject) -> None:
    params, skipped = data.draw(_settings(name)), data.draw(st.integers(1, 15_000))
    tolerance = data.draw(st.sampled_from([1e-9, 1e-6, 1e-4, 1e-3]))
    assert _assert_forgets_its_start(catalog.CATALOG[name], params, btc, skipped, tolerance) in (True, False)


@pytest.mark.parametrize("tolerance", [1e-9, 1e-4])
def test_an_average_that_calls_itself_warm_too_early_breaks_the_law(tolerance: float, btc: Bars) -> None:
    """The law can fail: with a tenth of its warm-up an EMA still shows where the data began."""
    hasty = replace(catalog.CATALOG["ema"], name="hasty", warmup=lambda params: catalog.CATALOG["ema"].warmup(params) // 10)
    catalog.register(hasty)
    try:
        with pytest.raises(AssertionError):
            _assert_forgets_its_start(hasty, {"length": 200}, btc, STARTS[1], tolerance)
    finally:
        del catalog.CATALOG["hasty"]


@every
@given(tolerance=st.floats(1e-12, 1e-2), looser=st.floats(1.0, 100.0))
def test_a_looser_tolerance_never_waits_longer(name: str, tolerance: float, looser: float) -> None:
    strict, loose = (features.warm_up(name, _defaults(name), limit) for limit in (tolerance, tolerance * looser))
    assert loose <= strict


@every
def test_warm_values_come_soon_enough_to_be_of_use(name: str, walk: Bars) -> None:
    computed = features.compute(name, _defaults(name), walk)
    assert features.warm_up(name, _defaults(name), config.WARMUP_TOLERANCE) <= computed.first < 1_500
    assert any(np.isfinite(values[computed.first]) for values in computed.outputs.values())


@every
def test_arrays_are_plain_and_finite_and_inputs_stay_as_they_were(name: str, thin: Bars) -> None:
    before = {column: getattr(thin, column).copy() for column in COLUMNS}
    for output, values in _compute(name, _defaults(name), thin).items():
        assert (values.dtype, values.shape, values.flags.c_contiguous) == (np.float64, thin.ts.shape, True), output
        assert not np.isinf(values).any(), output
        assert not any(np.shares_memory(values, getattr(thin, column)) for column in COLUMNS), output
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(thin, column), before[column])


SHAPES: dict[str, Callable[[int], Bars]] = {
    "flat": lambda size: candles.of(np.full(size, 5.0)),
    "flat without volume": lambda size: candles.of(np.full(size, 5.0), volume=np.zeros(size)),
    "rising": lambda size: candles.of(np.arange(1.0, size + 1.0)),
    "falling": lambda size: candles.of(1.0 / np.arange(1.0, size + 1.0), spread=0.01),
    "tiny prices": lambda size: candles.of(1e-9 * (2.0 + np.sin(np.arange(size))), spread=0.1),
    "jump then flat": lambda size: candles.of(np.where(np.arange(size) < size // 3, 1e6, 1.0)),
}


@every
@pytest.mark.parametrize("shape", SHAPES)
def test_odd_markets_and_short_data_neither_crash_nor_overflow(name: str, shape: str) -> None:
    for size in (0, 1, 2, 3, 4, 5, 20, 300):
        for output, values in _compute(name, _defaults(name), SHAPES[shape](size)).items():
            assert values.size == size
            assert not np.isinf(values).any(), output


@every
def test_states_and_discrete_outputs_hold_what_they_say(name: str, btc: Bars) -> None:
    entry = catalog.CATALOG[name]
    outputs = _compute(name, _defaults(name), btc)
    assert set(entry.discrete) | set(entry.states) <= set(entry.outputs) == set(outputs)
    for output in entry.discrete:
        known = outputs[output][np.isfinite(outputs[output])]
        np.testing.assert_array_equal(known, np.round(known))
    for output, words in entry.states.items():
        assert set(outputs[output][np.isfinite(outputs[output])]) <= set(words.values())
