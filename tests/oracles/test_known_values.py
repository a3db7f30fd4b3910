"""Every published value of known_values.json, reproduced within its tolerance. The most important ones are pinned here as well."""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats

from coinswarm import stats

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("COINSWARM_TEST_DATA", ROOT.parent / "shared" / "data"))
FILE = DATA.parent / "design" / "known_values.json"
CASES: list[dict[str, Any]] = json.loads(FILE.read_text()) if FILE.is_file() else []

Check = Callable[[dict[str, Any], Any, float], None]


def require_cases() -> None:
    if not CASES:
        pytest.skip(f"known values are not here: {FILE} (they stand beside the folder of COINSWARM_TEST_DATA)")


def number(value: Any) -> float:
    """A figure of the file, which may be written as a fraction: 1.585/sqrt(12)."""
    if not isinstance(value, str):
        return float(value)
    top, _, bottom = value.partition("/")
    root = bottom.startswith("sqrt(")
    divisor = float(bottom.removeprefix("sqrt(").removesuffix(")")) if bottom else 1.0
    return float(top) / (math.sqrt(divisor) if root else divisor)


def deflated(i: dict[str, Any]) -> tuple[float, float]:
    variance = i["var_sr_annual"] / i["periods"]
    sharpe = i["sr_annual"] / math.sqrt(i["periods"])
    return (
        stats.expected_maximum_sharpe(i["N"], variance),
        stats.deflated_sharpe_ratio(sharpe, i["T"], i["skew"], i["kurt"], i["N"], variance),
    )


def deflated_sharpe(i: dict[str, Any], expected: Any, tol: float) -> None:
    best_of_luck, dsr = deflated(i)
    assert dsr == pytest.approx(expected["dsr"], abs=tol)
    # printed to six digits
    assert best_of_luck == pytest.approx(expected.get("sr0_daily", best_of_luck), abs=1e-6)


def expected_maximum(i: dict[str, Any], expected: Any, tol: float) -> None:
    assert stats.expected_maximum_sharpe(i["N"], 1.0) == pytest.approx(expected, abs=tol)
    assert stats.maximum_moments(i["N"])[0] == pytest.approx(2.5075936, abs=1e-6)


def psr_2012(i: dict[str, Any], expected: Any, tol: float) -> None:
    got = stats.probabilistic_sharpe_ratio(number(i["sr"]), i["T"], i["skew"], i["kurt"], number(i["sr0"]))
    assert got == pytest.approx(expected, abs=tol)


def track_record(i: dict[str, Any], expected: Any, tol: float) -> None:
    got = stats.minimum_track_record_length(number(i["sr"]), i["skew"], i["kurt"], number(i["sr0"]), i["prob"])
    assert got / 250 == pytest.approx(expected, abs=tol)


def backtest_length(i: dict[str, Any], expected: Any, tol: float) -> None:
    assert stats.minimum_backtest_length(i["N"], i["sr_is"]) == pytest.approx(expected, abs=tol)


def psr_2025(i: dict[str, Any], expected: Any, tol: float) -> None:
    fund: tuple[float, int, float, float] = (number(i["sr"]), i["T"], i["skew"], i["kurt"])
    moments = fund[2:]
    power = stats.sharpe_power(0.5, i["T"], *moments)
    best_of_luck = stats.expected_maximum_sharpe(10, 0.1)
    got = {
        "sigma": stats.sharpe_error(*fund, benchmark=fund[0], convention="2025"),
        "psr0": stats.probabilistic_sharpe_ratio(*fund, 0.0, "2025"),
        "psr01": stats.probabilistic_sharpe_ratio(*fund, 0.1, "2025"),
        "mintrl_a05": stats.minimum_track_record_length(fund[0], *moments, 0.0, 0.95, "2025"),
        "mintrl_a10": stats.minimum_track_record_length(fund[0], *moments, 0.0, 0.90, "2025"),
        "beta_a05_sr1_05": 1 - power,
        "pfdr_p05_a05": stats.planned_false_discovery_rate(0.05, 0.05, power),
        "ofdr_p05": stats.observed_false_discovery_rate(*fund, 0.5, 0.05),
        "dsr_K10_var01": stats.deflated_sharpe_ratio(*fund, 10, 0.1, "2025"),
        "dsr_K10_singlevar": stats.probabilistic_sharpe_ratio(*fund, best_of_luck, "2025"),
    }
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        # the paper prints the two deflated ratios to three digits
        assert got[name] == pytest.approx(value, abs=5e-4 if name.startswith("dsr") else tol), name


def false_discovery(i: dict[str, Any], expected: Any, tol: float) -> None:
    assert stats.correct_p_values(i["p"], "bh").p_adjusted == pytest.approx(expected["bh_adj"], abs=tol)
    assert stats.correct_p_values(i["p"], "by").p_adjusted[:5] == pytest.approx(expected["by_adj_first5"], abs=tol)
    names = {"bky_two_stage": "bky"}
    for name, count in expected["rejections_05"].items():
        assert stats.correct_p_values(i["p"], names.get(name, name), 0.05).rejected.sum() == count, name


def lo_factor(i: dict[str, Any], expected: Any, tol: float) -> None:
    assert [i["sr"] * stats.autocorrelation_factor(i["rho"], q) for q in i["q"]] == pytest.approx(expected, abs=tol)


def block_length(i: dict[str, Any], expected: Any, tol: float) -> None:
    noise = np.random.RandomState(0).standard_normal(10_100)
    series = noise.copy()
    for t in range(1, series.size):
        series[t] = 0.3 * series[t - 1] + noise[t]
    got = stats.optimal_block_length(series[100:])
    assert (got.stationary, got.circular) == pytest.approx((expected["stationary"], expected["circular"]), abs=tol)


def independent_maximum(i: dict[str, Any], expected: Any, tol: float) -> None:
    assert [stats.independent_maximum_p(z, k) for z, k in i["cases"]] == pytest.approx(expected, abs=tol)


def sign_flips(i: dict[str, Any], expected: Any, tol: float) -> None:
    got = stats.exact_sign_flip_test(i["d"])
    assert sum(i["d"]) == expected["sum"]
    assert (got.n_reaching, got.n_patterns) == (expected["count_ge"], expected["total"])
    assert (got.p_one_sided, got.p_two_sided) == (expected["p_one"], expected["p_two"])


def limitless_arity(i: dict[str, Any], expected: Any, tol: float) -> None:
    table, _, rest = i["data"].partition(" (")
    rows = {word[0]: np.array([flag == "1" for flag in word[1:]]) for word in table.split()}
    flags, positive = np.array(list(rows.values())), np.array([name in rest.partition("positives ")[2].split() for name in rows])
    sets = [items for size in range(1, 5) for items in itertools.combinations(range(4), size)]
    held = {flags[:, items].all(axis=1).tobytes(): flags[:, items].all(axis=1) for items in sets}
    supports = [int(rows_held.sum()) for rows_held in held.values() if rows_held.any()]
    got = stats.attainable_patterns(supports, len(rows), int(positive.sum()), i["alpha"])
    assert (got.support, got.n_tests) == (expected["lam"], expected["k"])
    rule = flags[:, :3].all(axis=1)
    hits = int((rule & positive).sum())
    p = scipy_stats.hypergeom.sf(hits - 1, len(rows), int(positive.sum()), int(rule.sum()))
    assert (int(rule.sum()), hits) == (expected["support"], expected["positives"])
    assert p == pytest.approx(expected["p"], abs=tol)
    assert p <= i["alpha"] / got.n_tests


def purged_splits(i: dict[str, Any], expected: Any, tol: float) -> None:
    sizes = (i["n"], i["n_folds"], i["n_test"])
    purged = stats.combinatorial_purged_splits(*sizes, purge=1)
    embargoed = stats.combinatorial_purged_splits(*sizes, embargo=1)
    assert [[split.train.tolist(), *(test.tolist() for test in split.tests)] for split in purged] == expected["splits_purge1"]
    assert [split.train.tolist() for split in embargoed] == expected["splits_embargo1_train"]
    assert (len(purged), len(stats.combinatorial_paths(i["n_folds"], i["n_test"]))) == (expected["n_splits"], expected["n_paths"])


def overfitting(i: dict[str, Any], expected: Any, tol: float) -> None:
    t, n = np.arange(1, i["T"] + 1)[:, None], np.arange(1, i["N"] + 1)
    got = stats.probability_of_backtest_overfitting(np.sin(0.7 * n * t**2 + n), i["S"])
    found = (got.pbo, got.probability_of_loss, got.slope, got.logits.mean())
    assert found == pytest.approx((expected["pbo"], expected["p_loss"], expected["slope"], expected["mean_logit"]), abs=tol)


def recentred_noise(i: dict[str, Any], expected: Any, tol: float) -> None:
    noise = np.random.default_rng(5).standard_normal((i["T"], i["N"]))
    same = (noise - noise.mean(axis=0)) / noise.std(axis=0) / math.sqrt(260)
    got = stats.probability_of_backtest_overfitting(same - 0.03 / 252, i["S"])
    assert (got.pbo, got.probability_of_loss) == (expected["pbo"], expected["p_loss"])


def uniqueness(i: dict[str, Any], expected: Any, tol: float) -> None:
    assert stats.average_uniqueness(i["spans"]) == pytest.approx(expected["avg_uniqueness"], abs=tol)
    drawn = stats.sequential_bootstrap_probabilities(i["spans"], [1])
    assert drawn == pytest.approx(expected["seq_bootstrap_2nd_draw_after_obs2"], abs=tol)


def lond_levels(i: dict[str, Any], expected: Any, tol: float) -> None:
    assert stats.lond(i["p"]).levels == pytest.approx(expected, abs=tol)


def wilson(i: dict[str, Any], expected: Any, tol: float) -> None:
    for case, bounds in zip(i["cases"], expected, strict=True):
        assert stats.wilson_interval(*case) == pytest.approx(bounds, abs=tol)


def overlap(i: dict[str, Any], expected: Any, tol: float) -> None:
    variances, ratios = zip(*(stats.overlap_variance(*case) for case in i["cases"]), strict=True)
    assert variances == pytest.approx(expected["var_mean"], abs=tol)
    assert ratios == pytest.approx(expected["ratio_to_naive"], abs=tol)


CHECKS: dict[str, Check] = {
    "dsr_paper_N100": deflated_sharpe,
    "dsr_wrong_annualisation_252": deflated_sharpe,
    "expected_max_100": expected_maximum,
    "psr_2012_nonnormal": psr_2012,
    "mintrl_daily": track_record,
    "minbtl_45": backtest_length,
    "psr2026_rho0": psr_2025,
    "bh1995": false_discovery,
    "hl_ac_adjust": lo_factor,
    "block_length": block_length,
    "indep_max": independent_maximum,
    "darwin_signflip": sign_flips,
    "lamp_fisher": limitless_arity,
    "cpcv_3_2": purged_splits,
    "pbo_det_1": overfitting,
    "pbo_recentred_noise": recentred_noise,
    "afml_uniqueness": uniqueness,
    "lond": lond_levels,
    "wilson": wilson,
    "overlap_variance": overlap,
}


@pytest.mark.parametrize("name", CHECKS)
def test_published_value_is_reproduced_within_its_tolerance(name: str) -> None:
    require_cases()
    case = next(case for case in CASES if case["id"] == name)
    before = json.dumps(case)
    CHECKS[name](case["inputs"], case["expected"], case["tol"])
    assert json.dumps(case) == before


def test_every_known_value_has_a_check() -> None:
    require_cases()
    assert {case["id"] for case in CASES} <= CHECKS.keys()


def test_deflated_sharpe_of_the_2014_paper() -> None:
    paper = {"sr_annual": 2.5, "periods": 250, "T": 1250, "N": 100, "var_sr_annual": 0.5, "skew": -3, "kurt": 10}
    assert deflated(paper) == pytest.approx((0.113172, 0.9003968344493903), abs=1e-6)


def test_the_two_conventions_of_the_probabilistic_sharpe_ratio_differ_as_published() -> None:
    fund = (24, -2.448, 10.164)
    assert stats.probabilistic_sharpe_ratio(1.585 / math.sqrt(12), *fund) == pytest.approx(0.9132343068848602, abs=1e-12)
    assert stats.probabilistic_sharpe_ratio(0.036 / 0.079, *fund, convention="2025") == pytest.approx(0.98720726, abs=1e-8)


def test_overfitting_of_a_matrix_without_randomness() -> None:
    t, n = np.arange(1, 65)[:, None], np.arange(1, 6)
    got = stats.probability_of_backtest_overfitting(np.sin(0.7 * n * t**2 + n), 8)
    assert (got.pbo, got.probability_of_loss, got.slope) == pytest.approx((46 / 70, 39 / 70, -0.707006655131466), abs=1e-9)


def test_darwins_maize_by_all_sign_patterns() -> None:
    got = stats.exact_sign_flip_test([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48])
    assert (got.n_reaching, got.n_patterns) == (863, 2**15)


P_ONLINE = (
    2.9e-8,
    0.06743,
    0.01514,
    0.08174,
    0.00171,
    3.6e-5,
    0.79149,
    0.27201,
    0.28295,
    7.59e-8,
    0.69274,
    0.30443,
    0.00136,
    0.72342,
    0.54757,
)


def test_lord_plus_plus_levels_are_those_of_the_r_package() -> None:
    published = [0.0002675839, 0.0024664457, 0.0005732818, 0.0004872805, 0.0004059066, 0.0003447286, 0.0029745013, 0.0008450114]
    got = stats.lord_plus_plus(P_ONLINE)
    assert got.levels[:8] == pytest.approx(published, abs=1e-9)
    assert got.levels[14] == pytest.approx(0.0007059610, abs=1e-9)


def test_saffron_levels_are_those_of_the_r_package() -> None:
    published = [0.005468627, *[0.010937254] * 4, 0.021874508, 0.032811762, *[0.010823845] * 3, 0.021761099]
    got = stats.saffron(P_ONLINE)
    assert got.levels[:11] == pytest.approx(published, abs=1e-8)
    assert got.levels[11:] == pytest.approx([0.009265591, 0.009265591, 0.020202846, 0.009064367], abs=1e-8)
    assert np.flatnonzero(got.rejected).tolist() == [0, 4, 5, 9, 12]
