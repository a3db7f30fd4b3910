"""What was found stayed inside: no variant became a play, no trades a file, no data set could be taken away, renamed or written out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from cluster.cli.app import app
from cluster.queries import replay as revisit
from cluster.queries.replay import Visit
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm import backtest, errors, play
from coinswarm.market import files, synthetic
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from tests import jobs_world
from tests.integration.evolve_world import PLAY
from tests.jobs_world import RunWorld
from tests.unit.market.tapes import START, tape

BRED, OTHER = "synthetic:BTC/USDT:5m", "synthetic:ETH/USDT:5m"
# the play of the search may also sell short, so that one side can be looked at alone
BOTH_WAYS = PLAY.replace("long_only", "long_short").replace(
    "exit_long:", "entry_short: { all: [ [fast, cross_below, slow] ] }\n  exit_short: { any: [ [fast, cross_above, slow] ] }\n  exit_long:"
)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A home folder with bars, a database with one finished search on them, and its best evaluation."""

    home: Path
    url: str
    best: str
    job: str

    def run(self, *arguments: object) -> Result:
        """What `coinswarm` says to these arguments."""
        runner = CliRunner(env={"COINSWARM_HOME": str(self.home), "COINSWARM_DATABASE_URL": self.url, "COINSWARM_SERVER": ""})
        return runner.invoke(app, [str(each) for each in arguments])

    def visit(self) -> Visit:
        """The evaluation with all that made it."""
        with Database(self.url) as database:
            return revisit.visit(PostgresStore(database), self.best, self.home / "bars.duckdb")

    def keys(self) -> list[str]:
        """The data sets that are stored."""
        return [entry["key"] for entry in json.loads(self.run("bars", "list", "--json").stdout)]


def stored(home: Path) -> None:
    """Two made-up markets."""
    home.mkdir(exist_ok=True)
    with Catalog.open(home / "bars.duckdb") as catalog:
        for symbol in ("BTC/USDT", "ETH/USDT"):
            catalog.put(synthetic.market(symbol, Timeframe.parse("5m"), 3000, seed=1), source="made")


@pytest.fixture(scope="module")
def database(database_url: str) -> str:
    """A database of this module alone."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE taken_home")
    return f"{database_url.rsplit('/', 1)[0]}/taken_home"


@pytest.fixture(scope="module")
def machine(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A small search, done with a fee that the play does not name."""
    home = tmp_path_factory.mktemp("home")
    stored(home)
    asked = jobs_world.request(
        "evolve", plays=[{"text": BOTH_WAYS}], markets=[BRED], overrides={"taker_bps": 7.0}, campaign="home", winners=2,
        search={"population": 12, "generations": 2, "constraints": []},
    )  # fmt: skip
    store = PostgresStore(Database(database))
    context = jobs_world.plan_context(home / "bars.duckdb", store=store)
    job = jobs_world.run(jobs_world.planned(asked, context), RunWorld(context=context)).id
    yield Machine(home=home, url=database, best=store.leaderboard(job, limit=1)[0].evaluation, job=job)
    store.database.close()


# --- a variant as a play --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def taken(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The best variant as `coinswarm play export` writes it."""
    path = tmp_path_factory.mktemp("taken") / "best.yml"
    said = machine.run("play", "export", machine.best[:12], "--out", path)
    assert said.exit_code == 0, said.output
    return path


def test_a_variant_becomes_a_play_that_gives_the_same_figures_to_the_last_digit(machine: Machine, taken: Path) -> None:
    visit, loaded = machine.visit(), play.load(taken)
    source = visit.plan.task.sources[0]
    again = backtest(loaded, source.load(), end_ts=visit.plan.task.split_ts)
    assert again.metrics == revisit.simulated(visit, 0, "in_sample").metrics
    assert play.identity(loaded) == visit.record.variant
    assert loaded.costs.taker_bps == 7.0  # the fee of the run, not of the play it was bred from


def test_a_backtest_of_the_file_shows_the_stored_figures(machine: Machine, taken: Path) -> None:
    # the figures that the search stored come from the fast path: equal to 1e-9, not to the last digit
    split = json.loads(machine.run("jobs", "show", machine.job, "--json").stdout)["config"]["split_ts"]
    end = f"{pl.from_epoch(pl.Series([split]), time_unit='ms')[0]:%Y-%m-%dT%H:%M:%S}"
    shown = json.loads(machine.run("backtest", taken, "--end", end, "--json").stdout)["metrics"]
    kept = next(score.figures for score in machine.visit().record.scores if score.segment == "in_sample")
    assert shown["total_return"] == pytest.approx(kept["total_return"], rel=1e-9)
    assert shown["n_trades"] == kept["n_trades"]


def test_such_a_play_says_where_it_comes_from_and_that_no_gate_has_passed_it(machine: Machine, taken: Path) -> None:
    text = taken.read_text()
    assert "No gate has passed it" in text.splitlines()[0]
    for fact in (machine.best, machine.job, "trials_of_campaign:", "exported, not vetted"):
        assert fact in text
    assert "vetted: true" not in text


def test_an_unknown_evaluation_is_no_play(machine: Machine, tmp_path: Path) -> None:
    said = machine.run("play", "export", "nowhere", "--out", tmp_path / "x.yml")
    assert (said.exit_code, isinstance(said.exception, SystemExit)) == (errors.NotFound.exit_code, True)
    assert not (tmp_path / "x.yml").exists()


# --- its trades and its equity ---------------------------------------------------------------------------------------------


def test_trades_and_equity_are_written_by_show(machine: Machine, tmp_path: Path) -> None:
    said = machine.run("show", machine.best, "--trades", tmp_path / "trades.csv", "--equity", tmp_path / "equity.parquet", "--json")
    assert said.exit_code == 0, said.output
    whole = revisit.simulated(machine.visit(), 0)
    trades, equity = pl.read_csv(tmp_path / "trades.csv"), pl.read_parquet(tmp_path / "equity.parquet")
    assert trades["pnl"].to_list() == whole.trades["pnl"].to_list()
    assert equity["equity"].to_list() == whole.equity.tolist()
    # the account is so at the close of a bar: 5 minutes after the bar opens
    assert (equity["close_time"].dt.epoch("ms") - whole.bars.ts).unique().to_list() == [300_000]


def test_one_side_of_an_evaluation_is_written_alone(machine: Machine, tmp_path: Path) -> None:
    for side in ("long", "short"):
        assert machine.run("show", machine.best, "--trades", tmp_path / f"{side}.csv", "--side", side, "--json").exit_code == 0
        assert set(pl.read_csv(tmp_path / f"{side}.csv")["side"]) == {side}


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (["--trades", "trades.xlsx"], ".parquet or .csv"),
        (["--trades", "t.csv", "--side", "up"], "--side is long or short"),
        (["--trades", "t.csv", "--market", "nowhere"], "market of this job"),
        (["--market", BRED], "--market goes with"),
    ],
)
def test_what_show_cannot_write_is_said_and_nothing_is_written(
    machine: Machine, tmp_path: Path, options: list[str], rule: str, request: pytest.FixtureRequest
) -> None:
    placed = [str(tmp_path / each) if each.endswith((".csv", ".xlsx")) else each for each in options]
    said = machine.run("show", machine.best, *placed, "--json")
    assert said.exit_code == 2, request.node.name
    assert rule in said.stderr
    assert list(tmp_path.iterdir()) == []


# --- data sets -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def spare(machine: Machine, database: str, tmp_path: Path) -> Machine:
    """The same database beside bars of its own, which a test may take away."""
    stored(tmp_path / "home")
    return Machine(home=tmp_path / "home", url=database, best=machine.best, job=machine.job)


def test_a_data_set_that_no_job_used_is_taken_away(spare: Machine) -> None:
    said = spare.run("bars", "remove", OTHER, "--yes")
    assert (said.exit_code, said.stdout) == (0, f"removed {OTHER}: 3,000 bars\n")
    assert spare.keys() == [BRED]


def test_taking_away_the_bars_of_a_job_names_the_job_and_needs_a_yes(spare: Machine) -> None:
    asked = spare.run("bars", "remove", BRED, OTHER)
    assert asked.exit_code != 0
    assert f"1 job can no longer be replayed, reported or resumed: {spare.job} (evolve)".replace("1 job", "a job") in asked.stderr
    assert spare.keys() == [BRED, OTHER]
    assert spare.run("bars", "remove", BRED, "--yes").exit_code == 0
    assert spare.run("replay", spare.best).exit_code == errors.NotFound.exit_code


def test_an_unknown_data_set_among_known_ones_keeps_all_of_them(spare: Machine) -> None:
    said = spare.run("bars", "remove", OTHER, "nowhere:DOGE/USDT:5m", "--yes")
    assert said.exit_code == errors.NotFound.exit_code
    assert spare.keys() == [BRED, OTHER]


def test_a_renamed_data_set_has_another_hash_and_is_itself_again_when_renamed_back(spare: Machine) -> None:
    with Catalog.open(spare.home / "bars.duckdb", read_only=True) as catalog:
        before = catalog.find(BRED).content_hash
    told = spare.run("bars", "rename", BRED, "XBT/USDT", "--yes", "--json")
    renamed = json.loads(told.stdout)
    assert (renamed["is"], renamed["jobs"]) == ("synthetic:XBT/USDT:5m", [spare.job])
    assert renamed["content_hash"] != before
    assert "until it is renamed back" in told.stderr
    assert spare.run("replay", spare.best, "--no-reference").exit_code == errors.NotFound.exit_code
    back = json.loads(spare.run("bars", "rename", "XBT/USDT", BRED, "--yes", "--json").stdout)
    assert back["content_hash"] == before
    assert spare.run("replay", spare.best, "--no-reference").exit_code == 0


@pytest.mark.parametrize(
    ("new", "rule"),
    [
        ("ETH/USDT", f"there is a data set {OTHER} already"),
        ("binance:BTC/USDT", "holds synthetic bars and keeps a name that says so"),
        ("synthetic:BTC/USDT:1h", "a new name does not change the length of a bar"),
        ("X", "a market must read like"),
    ],
)
def test_a_name_that_does_not_fit_is_refused_and_nothing_is_renamed(spare: Machine, new: str, rule: str) -> None:
    said = spare.run("bars", "rename", BRED, new)
    assert said.exit_code in (1, 2)
    assert rule in said.stderr
    assert spare.keys() == [BRED, OTHER]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_an_exported_data_set_is_the_same_when_it_is_imported(spare: Machine, tmp_path: Path, form: str) -> None:
    wrote = json.loads(spare.run("bars", "export", OTHER, "--out", tmp_path / f"any.{form}", "--json").stdout)
    assert spare.run("bars", "remove", OTHER, "--yes").exit_code == 0
    again = spare.run(*wrote["again"].split()[1:], "--json")
    assert json.loads(again.stdout)[0]["content_hash"] == wrote["content_hash"]


def test_funding_goes_with_the_bars(spare: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paid = {"funding_ts": START + pl.Series([28_800_000, 57_600_000]).to_numpy(), "funding_rate": pl.Series([1e-4, -3e-5]).to_numpy()}
    bars = tape(300, symbol="BTC/USDT:USDT", exchange="binance", **paid)
    with Catalog.open(spare.home / "bars.duckdb") as catalog:
        kept = catalog.put(bars, source="made").content_hash
    monkeypatch.chdir(tmp_path)
    assert spare.run("bars", "export", "binance:BTC/USDT:USDT:5m").exit_code == 0
    # under their usual names the file of bars finds its funding by itself
    assert files.read("binance_BTC-USDT-PERP_5m.parquet").content_hash == kept


@pytest.fixture
def offline(tmp_path: Path) -> Callable[..., Any]:
    """A machine that never had a database."""
    stored(tmp_path / "bare")
    runner = CliRunner(env={"COINSWARM_HOME": str(tmp_path / "bare"), "COINSWARM_DATABASE_URL": "", "COINSWARM_SERVER": ""})
    return lambda *arguments: runner.invoke(app, [str(each) for each in arguments])


def test_taking_bars_away_starts_no_database_where_there_is_none(offline: Callable[..., Any], tmp_path: Path) -> None:
    assert offline("bars", "remove", BRED, "--yes").exit_code == 0
    assert not (tmp_path / "bare" / "pg").exists()
