"""The contract of `coinswarm.ledger.campaigns`, held by every store of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from cluster.store.campaigns import PostgresCampaigns
from cluster.store.database import Database
from coinswarm import codec, errors
from coinswarm.ledger import campaigns, lifecycle
from coinswarm.ledger.campaigns import Campaigns, CampaignSplit, SplitMarket, VaultOpening, VerdictRecord, VettedPlay
from coinswarm.ledger.lifecycle import ARROWS, STATES, Transition
from coinswarm.ledger.memory import MemoryCampaigns, MemoryStore
from coinswarm.ledger.records import evaluation_id
from coinswarm.ledger.store import Store
from coinswarm.market.splits import Span
from tests.laws import ledger_world as world
from tests.laws.ledger_world import CREATED, fresh, generation, queued, running, trials

DAY = 86_400_000
START = 1_700_000_000_000


@dataclass(frozen=True)
class Books:
    """A store of runs and what is kept beside it."""

    store: Store
    kept: Campaigns


@pytest.fixture(params=["memory", "postgres"])
def books(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        store = MemoryStore()
        return Books(store, MemoryCampaigns(store))
    return Books(request.getfixturevalue("postgres"), request.getfixturevalue("kept_postgres"))


@pytest.fixture(scope="session")
def kept_postgres(database: Database) -> PostgresCampaigns:
    return PostgresCampaigns(database)


def split(**changes: Any) -> CampaignSplit:
    made = CampaignSplit(
        campaign=fresh("campaign"), markets=(SplitMarket(key="binance:BTC/USDT:5m", content_hash="b0"),),
        train=Span(start_ts=START, end_ts=START + 6 * DAY), validation=Span(start_ts=START + 7 * DAY, end_ts=START + 8 * DAY),
        vault=Span(start_ts=START + 9 * DAY, end_ts=START + 10 * DAY), validation_share=0.2, vault_share=0.2, purge_bars=48,
        embargo_bars=12, who="ann@desk", when=CREATED,
    )  # fmt: skip
    return replace(made, **changes)


def evaluated(books: Books, **changes: Any) -> tuple[str, str]:
    """Campaign and id of an evaluation in it; the job's bars end long before any vault here."""
    job, lease = running(books.store, **changes)
    books.store.commit_generation(lease, [generation(job)], [trials(job, ["a"])])
    return job.campaign, evaluation_id(job.id, "a")


def opening(campaign: str, evaluation: str, **changes: Any) -> VaultOpening:
    made = VaultOpening(
        id=campaigns.new_opening_id(), campaign=campaign, evaluation=evaluation, who="ann", when=CREATED, why="the last step"
    )
    return replace(made, **changes)


def verdict(evaluation: str, campaign: str, results: str, /, **changes: Any) -> tuple[VerdictRecord, str, str]:
    """A verdict with its gates and card; each rule is a `+` that passed or a `-` that did not."""
    gates, card = "version: 1 # ü", '{"version":1}'
    hashes = {"gates_hash": campaigns.content_hash(gates), "card_hash": campaigns.content_hash(card)}
    document = codec.dumps(
        {"evaluation": evaluation, "campaign": campaign, **hashes, "results": [{"passed": one == "+"} for one in results]}
    )
    made = VerdictRecord(
        hash=campaigns.content_hash(document), evaluation=evaluation, campaign=campaign, **hashes,
        passed=bool(results) and "-" not in results, document=document, who="ann", when=CREATED,
    )  # fmt: skip
    return replace(made, **changes), gates, card


def reached(books: Books, evaluation: str, campaign: str, results: str) -> VerdictRecord:
    made, gates, card = verdict(evaluation, campaign, results)
    books.kept.save_verdict(made, gates=gates, card=card)
    return made


def promotion(made: VerdictRecord, **changes: Any) -> Transition:
    step = Transition(
        evaluation=made.evaluation, step=0, source="candidate", target="validated", who="ann", when=CREATED, why="passed",
        verdict=made.hash, gates_hash=made.gates_hash, card_hash=made.card_hash,
    )  # fmt: skip
    return replace(step, **changes)


def validated(books: Books) -> VerdictRecord:
    campaign, evaluation = evaluated(books)
    books.kept.declare(split(campaign=campaign))
    made = reached(books, evaluation, campaign, "+")
    books.kept.advance(promotion(made))
    return made


def test_every_store_of_campaigns_keeps_the_protocol(books: Books) -> None:
    assert isinstance(books.kept, Campaigns)


# --- splits ----------------------------------------------------------------------------------------------------------


def test_a_split_comes_back_equal_and_is_declared_once(books: Books) -> None:
    made = split()
    assert books.kept.split(made.campaign) is None
    assert books.kept.declare(made) == made
    assert books.kept.declare(replace(made, who="bob", when=CREATED + timedelta(days=1))) == made
    assert books.kept.split(made.campaign) == made
    assert made in books.kept.splits()


@pytest.mark.parametrize(
    "changes", [{"vault_share": 0.1}, {"embargo_bars": 0}, {"vault": Span(start_ts=START + 9 * DAY, end_ts=START + 11 * DAY)}]
)
def test_a_split_is_never_declared_otherwise(books: Books, changes: dict[str, Any]) -> None:
    made = books.kept.declare(split())
    with pytest.raises(errors.Refused, match="and stays"):
        books.kept.declare(replace(made, **changes))
    assert books.kept.split(made.campaign) == made


def test_two_who_declare_at_once_leave_one_split(books: Books) -> None:
    made, answers = split(), []

    def declare(share: float) -> None:
        try:
            answers.append(books.kept.declare(replace(made, vault_share=share)))
        except errors.Refused as refusal:
            answers.append(refusal)

    threads = [threading.Thread(target=declare, args=(share,)) for share in (0.1, 0.2, 0.3, 0.4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer for answer in answers if isinstance(answer, CampaignSplit)] == [books.kept.split(made.campaign)]


def test_a_vault_whose_bars_were_seen_is_refused(books: Books) -> None:
    late = world.data_set(last_ts=START + 8 * DAY - 299_999)
    books.store.save_data_sets([late])
    job = queued(books.store, data_hashes=(late.content_hash,))
    with pytest.raises(errors.Refused, match="has seen"):
        books.kept.declare(split(campaign=job.campaign))
    assert books.kept.split(job.campaign) is None


def test_a_vault_behind_all_that_was_seen_is_taken(books: Books) -> None:
    last = world.data_set(last_ts=START + 8 * DAY - 300_000)
    books.store.save_data_sets([last])
    job = queued(books.store, data_hashes=(last.content_hash,))
    assert books.kept.declare(split(campaign=job.campaign)).campaign == job.campaign


# --- openings --------------------------------------------------------------------------------------------------------


def test_each_opening_is_charged_as_a_trial_whatever_becomes_of_it(books: Books) -> None:
    campaign, evaluation = evaluated(books)
    books.kept.declare(split(campaign=campaign))
    before = books.store.count_trials(campaign)
    first, leave = books.kept.open_vault(opening(campaign, evaluation))
    books.kept.open_vault(opening(campaign, evaluation, when=CREATED + timedelta(hours=1)))
    after = books.store.count_trials(campaign)
    assert (after.trials, after.openings, after.evaluations) == (before.trials + 2, 2, before.evaluations)
    assert (leave.campaign, leave.opening) == (campaign, first.id)
    assert next(entry.id for entry in books.kept.openings(campaign)) == first.id


@pytest.mark.parametrize("passed", [True, False, None])
def test_an_opening_says_whether_the_variant_had_passed(books: Books, passed: bool | None) -> None:
    campaign, evaluation = evaluated(books)
    books.kept.declare(split(campaign=campaign))
    made, _ = books.kept.open_vault(opening(campaign, evaluation, passed=passed))
    books.kept.show_opening(made.id, {"": {"sharpe": 1.0}})
    assert books.kept.openings(campaign)[0].passed is passed


def test_what_an_opening_showed_is_written_once(books: Books) -> None:
    campaign, evaluation = evaluated(books)
    books.kept.declare(split(campaign=campaign))
    made, _ = books.kept.open_vault(opening(campaign, evaluation))
    figures = {"": {"sharpe": float("inf")}, "BTC": {"sharpe": 1.25}}
    assert books.kept.show_opening(made.id, figures).figures == figures
    assert books.kept.show_opening(made.id, figures) == books.kept.openings(campaign)[0]
    with pytest.raises(errors.Conflict, match="something else"):
        books.kept.show_opening(made.id, {"": {"sharpe": 2.0}})
    with pytest.raises(errors.NotFound):
        books.kept.show_opening("vault-of-nobody", figures)


@pytest.mark.parametrize("changes", [{"why": "  "}, {"who": ""}, {"id": ""}])
def test_an_opening_says_who_and_why(books: Books, changes: dict[str, str]) -> None:
    campaign, evaluation = evaluated(books)
    books.kept.declare(split(campaign=campaign))
    with pytest.raises(errors.Refused, match="who opens it and why"):
        books.kept.open_vault(opening(campaign, evaluation, **changes))
    assert books.store.count_trials(campaign).openings == 0


def test_no_vault_no_evaluation_and_no_second_pass_open_nothing(books: Books) -> None:
    campaign, evaluation = evaluated(books)
    with pytest.raises(errors.Refused, match="has no vault"):
        books.kept.open_vault(opening(campaign, evaluation))
    books.kept.declare(split(campaign=campaign))
    with pytest.raises(errors.NotFound):
        books.kept.open_vault(opening(campaign, "never-evaluated"))
    made, _ = books.kept.open_vault(opening(campaign, evaluation))
    with pytest.raises(errors.Refused, match="was used"):
        books.kept.open_vault(made)
    assert books.store.count_trials(campaign).openings == 1


def test_an_opening_tells_how_many_jobs_of_others_had_seen_those_bars(books: Books) -> None:
    campaign, evaluation = evaluated(books)
    books.kept.declare(split(campaign=campaign))
    before = books.kept.open_vault(opening(campaign, evaluation))[0].seen_by
    late = world.data_set(last_ts=START + 9 * DAY)
    books.store.save_data_sets([late])
    queued(books.store, data_hashes=(late.content_hash,))
    assert books.kept.open_vault(opening(campaign, evaluation))[0].seen_by == before + 1


# --- verdicts and the lifecycle --------------------------------------------------------------------------------------


def test_a_verdict_comes_back_with_its_evidence(books: Books) -> None:
    made, gates, card = verdict(fresh("evaluation"), fresh("campaign"), "+-")
    books.kept.save_verdict(made, gates=gates, card=card)
    books.kept.save_verdict(made, gates=gates, card=card)
    assert books.kept.verdicts(made.evaluation) == (made,)
    assert (books.kept.evidence(made.gates_hash), books.kept.evidence(made.card_hash)) == (gates, card)
    with pytest.raises(errors.NotFound):
        books.kept.evidence("0" * 64)


@pytest.mark.parametrize(
    "changes", [{"passed": True}, {"hash": "0" * 64}, {"evaluation": "other"}, {"gates_hash": "0" * 64}, {"card_hash": "1"}]
)
def test_a_verdict_that_its_evidence_contradicts_is_refused(books: Books, changes: dict[str, Any]) -> None:
    made, gates, card = verdict(fresh("evaluation"), fresh("campaign"), "+-", **changes)
    with pytest.raises(errors.Refused, match="agree with the evidence"):
        books.kept.save_verdict(made, gates=gates, card=card)
    assert books.kept.verdicts(made.evaluation) == ()


def test_a_verdict_that_passed_promotes_and_taking_the_step_again_changes_nothing(books: Books) -> None:
    made = validated(books)
    books.kept.advance(promotion(made))
    assert books.kept.steps(made.evaluation) == (promotion(made),)
    assert promotion(made) in books.kept.steps()


def test_nothing_but_a_verdict_that_passed_promotes(books: Books) -> None:
    campaign, evaluation = evaluated(books)
    books.kept.declare(split(campaign=campaign))
    failed, good = reached(books, evaluation, campaign, "+-"), reached(books, evaluation, campaign, "+")
    empty = reached(books, evaluation, campaign, "")
    other = reached(books, fresh("evaluation"), campaign, "+")
    for step, rule in (
        (promotion(failed), "did not pass"),
        (promotion(empty), "did not pass"),
        (promotion(other, evaluation=evaluation), "no verdict"),
        (promotion(good, verdict=""), "needs a verdict"),
        (promotion(good, verdict="0" * 64), "no verdict"),
        (promotion(good, gates_hash="0" * 64), "other gates"),
        (promotion(good, who=" "), "who takes it"),
    ):
        with pytest.raises(errors.Refused, match=rule):
            books.kept.advance(step)
    assert books.kept.steps(evaluation) == ()


def test_a_campaign_without_a_vault_promotes_nothing(books: Books) -> None:
    campaign, evaluation = evaluated(books)
    made = reached(books, evaluation, campaign, "+")
    with pytest.raises(errors.Refused, match="has no vault"):
        books.kept.advance(promotion(made))


def test_every_pair_of_states_is_an_arrow_or_refused(books: Books) -> None:
    made = validated(books)
    steps = [promotion(made)]
    for target in STATES:
        arrow = next((arrow for arrow in ARROWS if (arrow.source, arrow.target) == ("validated", target)), None)
        step = promotion(made, step=1, source="validated", target=target)
        if arrow is None or arrow.evidence == "later":
            with pytest.raises(errors.Refused, match="no step leads" if arrow is None else arrow.reason):
                books.kept.advance(step)
    for target in ("rework", "candidate", "disabled", "rework"):
        steps.append(promotion(made, step=len(steps), source=steps[-1].target, target=target, why="looked again"))
        books.kept.advance(steps[-1])
    assert books.kept.steps(made.evaluation) == tuple(steps)
    assert lifecycle.standing(steps) == "rework"


def test_a_step_from_a_state_that_was_left_is_a_conflict(books: Books) -> None:
    made = validated(books)
    with pytest.raises(errors.Conflict, match="must still be"):
        books.kept.advance(promotion(made, target="disabled"))
    with pytest.raises(errors.Conflict, match="must still be"):
        books.kept.advance(promotion(made, step=1, source="candidate", target="disabled"))


# --- the library -----------------------------------------------------------------------------------------------------


def vetted(made: VerdictRecord, **changes: Any) -> VettedPlay:
    play = VettedPlay(
        sha256=campaigns.content_hash("play: x"), name="x", text="play: x", evaluation=made.evaluation, verdict=made.hash,
        card_hash=made.card_hash, tags={"market": ["BTC/USDT"], "risk": "low"}, who="ann", when=CREATED,
    )  # fmt: skip
    return replace(play, **changes)


def test_a_validated_play_enters_the_library_once(books: Books) -> None:
    made = validated(books)
    books.kept.save_vetted(vetted(made))
    books.kept.save_vetted(vetted(made))
    assert [play for play in books.kept.vetted() if play.evaluation == made.evaluation] == [vetted(made)]


def test_the_library_takes_nothing_else(books: Books) -> None:
    campaign, evaluation = evaluated(books)
    books.kept.declare(split(campaign=campaign))
    candidate, good = reached(books, evaluation, campaign, "+"), validated(books)
    failed = reached(books, good.evaluation, good.campaign, "-")
    for play, rule in (
        (vetted(candidate), "is candidate"),
        (vetted(good, text="play: y"), "must have the hash"),
        (vetted(good, verdict=failed.hash), "with a verdict that passed"),
        (vetted(good, verdict=candidate.hash), "with a verdict that passed"),
    ):
        with pytest.raises(errors.Refused, match=rule):
            books.kept.save_vetted(play)
    assert [play for play in books.kept.vetted() if play.evaluation in (evaluation, good.evaluation)] == []
