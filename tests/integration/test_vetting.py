"""`coinswarm vault`, `gates`, `play vet` and `library` as a person types them, from a candidate to a play that is taken out of use."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cluster.cli import app
from cluster.compute.batching import BatchEvaluator
from cluster.compute.local import LocalExecutor
from cluster.jobs.validate.report import card_of
from cluster.queries import vaults
from cluster.run import drive
from cluster.store.campaigns import PostgresCampaigns
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm import play
from coinswarm.evolve.settings import SearchSettings
from coinswarm.ledger.records import EvaluationRecord, new_job_id
from coinswarm.validate import card, gates
from coinswarm.validate.card import ReportCard
from tests.integration.evolve_world import World, driven
from tests.laws.ledger_world import fresh
from tests.unit.validate.test_gates import graded

Typed = Callable[..., tuple[int, Any, str]]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search found, in a campaign with a vault."""

    record: EvaluationRecord
    store: PostgresStore
    kept: PostgresCampaigns

    def carded(self, **figures: float) -> ReportCard:
        """A report card as a finished job of validation leaves it."""
        judged = replace(
            graded(**figures), evaluation=self.record.id, variant=self.record.variant, campaign=self.record.campaign, timeframe="5m"
        )
        created = datetime.now(UTC) + timedelta(seconds=len(self.store.jobs(campaign=self.record.campaign)))
        bred = self.store.job(self.record.job)
        job = replace(
            bred, id=new_job_id("validate", created), kind="validate", created=created, started=None, finished=None, status="queued",
            config={"evaluation": self.record.id}, result=None, result_hash="",
        )  # fmt: skip
        self.store.create_job(job)
        result = {"evaluation": judged.evaluation, "variant": judged.variant, "card": card.to_json(judged)}
        self.store.finish(drive.claim(self.store, job.id), "done", result=result)
        assert card_of(self.store.job(job.id)) == card.from_json(card.to_json(judged))
        return judged


@pytest.fixture
def found(small_world: World, store: PostgresStore, database: Database) -> Found:
    kept = PostgresCampaigns(database)
    wanted = vaults.VaultQuery(campaign=fresh("campaign"), markets=small_world.markets, hold=12)
    split = vaults.declare(kept, wanted, small_world.catalog, who="ann@desk")
    search = SearchSettings(population=8, generations=2, constraints=())
    planned = small_world.plan(campaigns=kept, campaign=split.campaign, search=search, winners=2, baselines=False)
    driven(store, BatchEvaluator(LocalExecutor()), planned)
    best = store.leaderboard(planned.job.id, limit=1)[0].evaluation
    return Found(record=store.evaluation(best), store=store, kept=kept)


@pytest.fixture
def typed(
    tmp_path: Path, small_world: World, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    """Runs the command in a folder of its own; gives the exit code, what was printed, and what was said on stderr."""
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COINSWARM_BARS_PATH", str(small_world.catalog))
    monkeypatch.setenv("COINSWARM_DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, Any, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ending:
            app.main([str(word) for word in words])
        said = capsys.readouterr()
        out = json.loads(said.out) if "--json" in words and said.out else said.out
        return int(ending.value.code or 0), out, " ".join(said.err.split())

    return run


def test_a_variant_goes_from_candidate_to_the_library_and_out_of_use(found: Found, typed: Typed) -> None:
    name = found.record.id
    found.carded()
    code, said, _ = typed("play", "vet", name, "--tag", "desk=spot", "--json")
    assert (code, said["passed"], len(said["files"])) == (0, True, 3)
    written = next(Path(file) for file in said["files"] if file.endswith(".yml"))
    back = play.load(written)
    assert (written.parent.name, play.identity(back), back.symbols) == ("vetted", found.record.variant, ("BTC/USDT", "ETH/USDT"))
    assert "desk: spot" in written.read_text()
    assert gates.card_of(Path(said["files"][1]).read_text()).evaluation == name
    assert "is validated and in the library as" in typed("play", "vet", name, "--tag", "desk=spot")[1]
    [row] = [row for row in typed("library", "list", "--json")[1] if row["evaluation"] == name]
    assert (row["state"], row["timeframe"], row["market"]) == ("validated", "5m", ["BTC/USDT", "ETH/USDT"])
    assert typed("play", "vet", name, "--tag", "desk=spot", "--json")[1]["play"] == said["play"]
    code, out, _ = typed("library", "disable", name[:12], "--why", "the exchange closed")
    assert (code, "validated -> disabled" in out) == (0, True)
    assert typed("library", "show", name, "--json")[1]["state"] == "disabled"
    code, _, err = typed("play", "vet", name)
    assert (code, "is disabled" in err) == (2, True)
    for words, state in (("rework", "rework"), ("reopen", "candidate")):
        assert typed("library", words, name, "--why", "look again")[0] == 0
        assert typed("library", "show", name, "--json")[1]["state"] == state
    assert typed("play", "vet", name)[0] == 0
    assert [step.target for step in found.kept.steps(name)] == ["validated", "disabled", "rework", "candidate", "validated"]


def test_a_card_that_fails_says_which_rules_and_writes_nothing(found: Found, typed: Typed, tmp_path: Path) -> None:
    found.carded(odds__beyond_luck=0.5, crash__drawdown_one_bar=0.4)
    code, out, _ = typed("play", "vet", found.record.id, "--to", tmp_path / "kept")
    assert code == 1
    assert [line.split()[1:4] for line in out.splitlines() if line.startswith("FAIL")] == [
        ["deflated", "Sharpe", "0.5"],
        ["flash", "crash", "within"],
    ]
    assert out.count("help:") == 2
    assert "NOT PASSED: 2 of 16 rules failed" in out
    assert not (tmp_path / "kept").exists()
    assert found.kept.steps(found.record.id) == ()
    assert [verdict.passed for verdict in found.kept.verdicts(found.record.id)] == [False]
    found.carded()
    assert typed("play", "vet", found.record.id, "--json")[1]["passed"]


def test_vetting_needs_a_card_a_vault_and_gates_that_are_no_softer(found: Found, typed: Typed, tmp_path: Path) -> None:
    code, _, err = typed("play", "vet", found.record.id)
    assert (code, "has no report card" in err, "coinswarm validate" in err) == (2, True, True)
    found.carded()
    soft = tmp_path / "soft.yml"
    soft.write_text("version: 1\nname: soft\nrules: [{name: n, figure: in_sample.n_trades, at_least: 1, reason: r}]\n")
    code, _, err = typed("play", "vet", found.record.id, "--gates", soft)
    assert (code, "hold at least what the default ones do" in err) == (2, True)
    assert typed("gates", "check", found.record.id, "--gates", soft)[0] == 0
    assert found.kept.steps(found.record.id) == ()
    assert typed("play", "vet", "nothing-like-it")[0] == 2


def test_gates_that_were_edited_after_a_verdict_are_seen(found: Found, typed: Typed, tmp_path: Path) -> None:
    found.carded()
    assert typed("play", "vet", found.record.id)[0] == 0
    assert "was reached with" not in typed("gates", "check", found.record.id)[2]
    edited = tmp_path / "default.yml"
    shutil.copy(gates.default_file(), edited)
    edited.write_text(edited.read_text().replace("at_least: 100", "at_least: 101"))
    code, out, err = typed("gates", "check", found.record.id, "--gates", edited)
    assert (code, "FAIL" in out) == (1, True)
    assert "was reached with gates" in err


def test_gates_are_shown_and_a_card_from_a_file_is_checked_without_a_database(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COINSWARM_DATABASE_URL", "postgresql://nobody:x@127.0.0.1:1/nothing")
    shown = typed("gates", "show", "--json")[1]
    assert (shown["hash"], len(shown["rules"])) == (gates.load().hash, len(gates.load().rules))
    file = tmp_path / "card.json"
    file.write_text(gates.card_text(graded(lint__n_findings=1)))
    code, said, _ = typed("gates", "check", file, "--json")
    assert (code, [one["rule"] for one in said["results"] if not one["passed"]]) == (1, ["clean"])
    assert typed("gates", "check", tmp_path / "none.json")[0] == 2
    (tmp_path / "bad.yml").write_text("rules: 1")
    code, _, err = typed("gates", "check", file, "--gates", tmp_path / "bad.yml")
    assert (code, "bad.yml has 3 problems" in err) == (2, True)


def test_a_vault_is_declared_shown_and_opened(found: Found, typed: Typed, small_world: World) -> None:
    campaign = found.record.campaign
    again = [
        "vault",
        "declare",
        "--campaign",
        campaign,
        *(word for key in small_world.markets for word in ("--symbol", key)),
        "--longest-hold",
        12,
    ]
    assert typed(*again, "--json")[1]["campaign"] == campaign
    code, _, err = typed(*again, "--vault", 0.3)
    assert (code, "and stays" in err) == (2, True)
    assert typed("vault", "open", found.record.id)[0] == 2
    looking = ["vault", "open", found.record.id, "--why", "the last look", "--json"]
    code, _, err = typed(*looking, "--yes")
    assert (code, "has no report card" in err, "`--anyway`" in err) == (2, True, True)
    code, _, err = typed(*looking, "--anyway")
    assert (code, "before. " in err and "has no report card" in err, "no terminal to ask on" in err) == (2, True, True)
    assert found.kept.openings(campaign) == ()
    code, said, _ = typed(*looking, "--anyway", "--yes")
    assert (code, said["trials"]["openings"], said["opening"]["passed"]) == (0, 1, None)
    found.carded()
    code, out, _ = typed("vault", "open", found.record.id, "--why", "and another", "--yes")
    assert (code, "2 so far, charged" in out) == (0, True)
    shown = typed("vault", "show", "--campaign", campaign, "--json")[1]["openings"]
    assert [(each["why"], each["passed"]) for each in shown] == [("the last look", None), ("and another", True)]
    assert typed("vault", "show", "--campaign", "of-nobody")[0] == 2
    code, _, err = typed("vault", "declare", "--campaign", fresh("c"), "--symbol", small_world.markets[0], "--vault", 1)
    assert (code, "vault must be a share in (0, 1)" in err) == (2, True)


def test_what_is_not_in_the_library_is_not_found(typed: Typed) -> None:
    assert typed("library", "show", "nothing-like-it")[0] == 2
    assert typed("library", "list", "--state", "nirvana")[0] == 2
    assert typed("library", "disable", "", "--why", "x")[0] == 2
