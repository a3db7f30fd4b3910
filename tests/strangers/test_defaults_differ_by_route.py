"""One question had four answers: a search by command line, page, request and notebook searched with different settings."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.testing import CliRunner

from cluster.cli import app, demo, job_options
from cluster.jobs import registry
from cluster.jobs.options import Option, Options
from cluster.jobs.settings import PlayGiven
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm import config, notebook
from coinswarm.chaos import running
from coinswarm.chaos.settings import make
from coinswarm.evolve.settings import Objective, SearchSettings
from coinswarm.market import synthetic
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from coinswarm.validate.case import Effort
from tests import jobs_world
from tests.integration.evolve_world import PLAY

MARKET = "synthetic:BTC/USDT:5m"


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
        with Database(database_url) as database:
            return dict(PostgresStore(database).job(json.loads(said.stdout)["job"]).config)

    return submitted


def sent(home: Path, **said: Any) -> dict[str, Any]:
    """What a job is asked to do by a request that says no more than this."""
    asked = jobs_world.request("evolve", plays=[{"text": PLAY}], markets=[MARKET], **said)
    return dict(jobs_world.planned(asked, jobs_world.plan_context(home / "bars.duckdb")).job.config)


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Equal but for the names of files, which decide nothing."""
    return {**one, "files": None} == {**other, "files": None}


def of(command: Callable[..., None]) -> dict[str, Any]:
    """What the options of a command are unless they are typed."""
    return {name: each.default for name, each in inspect.signature(command).parameters.items()}


def test_a_search_that_says_nothing_is_the_same_typed_and_sent(typed: Callable[..., dict[str, Any]], home: Path) -> None:
    # the README: 200 variants, 20 generations, at least the 100 trades that the gates ask for; a quarter of the bars held out
    config = sent(home)
    assert same(typed(), config)
    assert (config["search"]["population"], config["search"]["generations"], config["out_of_sample"]) == (200, 20, 0.25)
    assert [(each["figure"], each["threshold"]) for each in config["search"]["constraints"]] == [("n_trades", 100)]


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
    usual, asked = of(notebook.evolve), registry.defaults()["evolve"]
    assert (usual["out_of_sample"], usual["top"], usual["settings"]) == (asked["out_of_sample"], asked["winners"], None)
    assert SearchSettings() == SearchSettings.model_validate(asked["search"])
    assert of(demo.command)["population"] == asked["search"]["population"]


def test_chaos_trades_are_drawn_alike_sent_and_called() -> None:
    made = make()
    assert made.model_dump(mode="json") == registry.defaults()["chaos"]["settings"]
    assert make(**{name: of(running.run)[name] for name in ("hold", "hold_law", "side", "seed")}) == made


def test_report_cards_draw_as_much_sent_and_called() -> None:
    assert Effort() == Effort(**registry.defaults()["validate"]["effort"])


# --- options are made of the settings -----------------------------------------------------------------------------------------

KINDS = pytest.mark.parametrize("kind", list(map(registry.options, registry.NAMES)), ids=registry.NAMES)
NEEDED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "evolve": ({"plays": ["play.yml"]}, {"plays": [{"text": PLAY}]}),
    "chaos": ({"symbol": [MARKET]}, {"markets": [MARKET]}),
    "discover": ({}, {}),
    "rules": ({"symbol": [MARKET]}, {"markets": [MARKET]}),
    "validate": ({"subject": "abcdef"}, {"evaluation": "abcdef"}),
    "honesty": ({}, {}),
    "fetch": ({"exchange": "binance", "markets": ["BTC/USDT"]}, {"exchange": "binance", "markets": ["BTC/USDT"]}),
}
"""What has to be said of each kind: typed, and sent."""


class Files:
    """A machine on which every play file holds the same play, and files of candles the same market."""

    def refuse_larger(self, settings: Any) -> None:
        """Nothing is too large."""

    def imported(self, files: Sequence[Any]) -> list[str]:
        return [MARKET for _ in files]

    def plays(self, files: Sequence[Any]) -> list[PlayGiven]:
        return [PlayGiven(text=PLAY) for _ in files]


def asked(kind: Options[Any], **typed: Any) -> dict[str, Any]:
    """The request of a command with these options, and those that it needs."""
    (request,) = job_options.requests(kind, {**NEEDED[kind.kind][0], **typed}, Files())
    return request.model_dump(mode="json")


def usual(kind: Options[Any], option: Option) -> list[Any]:
    """The default of an option as it would be typed, as far as it has one: what its help says, or the default of its setting."""
    if option.default:
        return [[option.default] if option.type == list[str] else option.default]
    values = [leaf.field.default for leaf in job_options.leaves(kind.settings) if (leaf.path,) == option.fills and option.read is None]
    return [value for value in values if isinstance(value, (bool, int, float, str))]


@KINDS
def test_a_command_that_says_no_more_than_it_must_asks_for_what_a_bare_request_does(kind: Options[Any]) -> None:
    # the benchmark's command had families N0 to N3; a request ran N3d as well, and searched with other costs
    assert asked(kind) == jobs_world.request(kind.kind, **NEEDED[kind.kind][1]).model_dump(mode="json")


@KINDS
def test_an_option_that_is_typed_as_its_default_changes_nothing(kind: Options[Any]) -> None:
    typed = [(option, value) for option in job_options.options(kind) for value in usual(kind, option)]
    assert typed
    assert {option.names[0] for option, value in typed if asked(kind, **{option.key: value}) != asked(kind)} == set()


@KINDS
def test_every_setting_is_typed_by_one_name_or_left_out_for_a_reason(kind: Options[Any]) -> None:
    names = [name for option in job_options.options(kind) for spelled in option.names for name in spelled.split("/")]
    assert len(names) == len(set(names))
    paths = [leaf.path for leaf in job_options.leaves(kind.settings)]
    assert [left for left in kind.left_out if not any(path == left or path.startswith(f"{left}.") for path in paths)] == []
    assert all(kind.left_out.values())


def parts(model: type[config.Settings]) -> list[tuple[str, object, type[config.Settings]]]:
    """Every setting of a request, however deep, that is an object with defaults of its own."""
    found: list[tuple[str, object, type[config.Settings]]] = []
    for name, field in model.model_fields.items():
        kinds_of = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        for kind in (each for each in kinds_of if issubclass(each, config.Settings)):
            found += [(f"{model.__name__}.{name}", field.default, kind), *parts(kind)]
    return found


def test_a_part_of_an_object_never_drops_the_rest_of_its_defaults() -> None:
    for place, default, kind in (entry for name in registry.NAMES for entry in parts(registry.options(name).settings)):
        if isinstance(default, config.Settings):
            assert default == kind.model_validate({}), place
