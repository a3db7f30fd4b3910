"""One question had four answers: a search by command line, page, request and notebook searched with different settings."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from cluster.jobs.requests import Supplies
from typer.testing import CliRunner

from cluster.cli import app, chaos, demo, evolve, honesty, patterns, validate
from cluster.cli import bars as bars_command
from cluster.jobs import registry as kinds
from cluster.jobs import requests, studies
from cluster.store.postgres import PostgresStore
from coinswarm import chaos as chaos_trades
from coinswarm import config, notebook
from coinswarm.evolve.settings import Objective, SearchSettings
from coinswarm.ledger.memory import MemoryStore
from coinswarm.market import synthetic
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from coinswarm.patterns.settings import DiscoverSettings
from coinswarm.validate.case import Effort
from tests.integration.evolve_world import PLAY

MARKET = "synthetic:BTC/USDT:5m"


class Undeclared:
    """Campaigns of which none has a split."""

    def split(self, campaign: str) -> None:
        """Nothing is declared."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with one market, and a play beside it."""
    folder = tmp_path_factory.mktemp("home")
    with Catalog.open(folder / "bars.duckdb") as catalog:
        catalog.put(synthetic.market("BTC/USDT", Timeframe.parse("5m"), 2000, seed=1), source="made")
    (folder / "crossing.yml").write_text(PLAY)
    return folder


@pytest.fixture(scope="module")
def typed(home: Path, database_url: str) -> Callable[..., dict[str, Any]]:
    """What a job is asked to do when a person types `coinswarm submit` with a play, a market and a few options."""
    runner = CliRunner(env={"COINSWARM_HOME": str(home), "COINSWARM_DATABASE_URL": database_url, "COINSWARM_SERVER": ""})

    def submitted(*options: str) -> dict[str, Any]:
        said = runner.invoke(app.app, ["submit", str(home / "crossing.yml"), "-s", MARKET, *options, "--json"], catch_exceptions=False)
        store = PostgresStore(database_url)
        try:
            return dict(store.job(json.loads(said.stdout)["job"]).config)
        finally:
            store.close()

    return submitted


def sent(home: Path, **said: Any) -> dict[str, Any]:
    """What a job is asked to do by a request that says no more than this."""
    asked = requests.EvolveRequest.model_validate({"kind": "evolve", "plays": [{"text": PLAY}], "markets": [MARKET], **said})
    supplies = Supplies(store=MemoryStore(), campaigns=Undeclared(), bars_file=home / "bars.duckdb")  # type: ignore[arg-type]
    return dict(asked.planned((PLAY,), supplies).job.config)


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Equal but for the names of files, which decide nothing."""
    return {**one, "files": None} == {**other, "files": None}


def of(command: Callable[..., None]) -> dict[str, Any]:
    """What the options of a command are unless they are typed."""
    return {name: each.default for name, each in inspect.signature(command).parameters.items()}


def test_a_search_that_says_nothing_is_the_same_typed_and_sent(typed: Callable[..., dict[str, Any]], home: Path) -> None:
    # the README: 200 variants, 20 generations, at least 10 trades; a quarter of the bars held out
    config = sent(home)
    assert same(typed(), config)
    assert (config["search"]["population"], config["search"]["generations"], config["out_of_sample"]) == (200, 20, 0.25)
    assert [(each["figure"], each["threshold"]) for each in config["search"]["constraints"]] == [("n_trades", 10)]


def test_a_search_that_says_a_part_keeps_the_other_defaults(typed: Callable[..., dict[str, Any]], home: Path) -> None:
    # without the 10 trades a winner with 2 trades and a Sharpe of 3.96 came out
    assert same(typed("-p", "50"), sent(home, search={"population": 50}))
    assert sent(home, search={"constraints": []})["search"]["constraints"] == []


def test_a_drawdown_is_made_small_however_it_is_asked_for(typed: Callable[..., dict[str, Any]], home: Path) -> None:
    # sent without a direction it was made as large as possible
    assert same(typed("-o", "max_drawdown"), sent(home, search={"objectives": [{"name": "max_drawdown"}]}))
    assert [Objective(name=name).direction for name in ("max_drawdown", "fees", "sharpe")] == ["min", "min", "max"]


def test_islands_of_two_variants_are_searched_however_they_are_asked_for(typed: Callable[..., dict[str, Any]], home: Path) -> None:
    assert same(typed("-p", "4", "--islands", "2"), sent(home, search={"population": 4, "islands": 2}))


def test_a_notebook_searches_with_the_settings_of_the_command_line() -> None:
    usual, asked = of(notebook.evolve), kinds.defaults()["evolve"]
    assert (usual["out_of_sample"], usual["top"], usual["settings"]) == (asked["out_of_sample"], asked["winners"], None)
    assert SearchSettings() == SearchSettings.model_validate(asked["search"])
    assert of(demo.command)["population"] == of(evolve.command)["population"] == asked["search"]["population"]


def test_chaos_trades_are_drawn_alike_typed_sent_and_called() -> None:
    typed, asked = of(chaos.run_job), kinds.defaults()["chaos"]
    words = ("hold", "hold_law", "side", "seed")
    made = chaos_trades.make(**{name: typed[name] for name in words}, size=float(typed["size"]))
    assert made.model_dump(mode="json") == chaos_trades.make().model_dump(mode="json") == asked["settings"]
    assert (typed["trades"], typed["campaign"]) == (asked["trades"], asked["campaign"])
    assert {name: of(chaos_trades.run)[name] for name in words} == {name: typed[name] for name in words}


def test_patterns_are_searched_alike_typed_and_sent() -> None:
    typed = {name: value for name, value in of(patterns.discover_job).items() if name in DiscoverSettings.model_fields}
    assert len(typed) == 10
    asked = kinds.defaults()["discover"]["settings"]
    assert typed == {name: asked[name] for name in typed}
    assert of(patterns.discover_job)["feature"] is None
    assert asked["features"] == []


def test_report_cards_are_made_alike_typed_and_sent() -> None:
    typed, asked = of(validate.command), kinds.defaults()["validate"]
    assert {name: typed[name] for name in ("resamples", "lotteries", "seed")} == {
        "resamples": asked["effort"]["resamples"], "lotteries": asked["effort"]["lotteries"], "seed": asked["seed"],
    }  # fmt: skip
    assert Effort() == Effort(**asked["effort"])
    assert (typed["out_of_sample"], typed["unseen"], typed["campaign"]) == (asked["out_of_sample"], asked["all_unseen"], asked["campaign"])


@pytest.mark.parametrize("pipeline", ["patterns", "evolve"])
def test_the_benchmark_runs_alike_typed_and_sent(pipeline: str) -> None:
    # the families of the command are N0 to N3; a request ran N3d as well, and searched with other costs
    typed = of(honesty.run)
    wanted = honesty._wanted(pipeline, typed["families"], typed["worlds"], typed["seed"], {}, planted=typed["planted"])
    assert wanted == studies.HonestySettings(pipeline=pipeline)


def test_candles_are_fetched_alike_typed_and_sent() -> None:
    typed, asked = of(bars_command.fetch_bars), kinds.defaults()["fetch"]
    assert (typed["timeframe"], typed["days"]) == (asked["timeframe"], asked["days"])


def parts(model: type[config.Settings]) -> list[tuple[str, object, type[config.Settings]]]:
    """Every setting of a request, however deep, that is an object with defaults of its own."""
    found: list[tuple[str, object, type[config.Settings]]] = []
    for name, field in model.model_fields.items():
        kinds_of = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        for kind in (each for each in kinds_of if issubclass(each, config.Settings)):
            found += [(f"{model.__name__}.{name}", field.default, kind), *parts(kind)]
    return found


def test_a_part_of_an_object_never_drops_the_rest_of_its_defaults() -> None:
    models = get_args(get_args(kinds.JobRequest)[0])
    for place, default, kind in (entry for model in models for entry in parts(model)):
        if isinstance(default, config.Settings):
            assert default == kind.model_validate({}), place
