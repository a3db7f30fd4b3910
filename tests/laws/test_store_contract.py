"""The contract of `coinswarm.ledger.store`, held by every store."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from coinswarm import errors
from coinswarm.ledger.batches import STATUS_NAMES
from coinswarm.ledger.records import FOUNDER, IN_SAMPLE, OUT_OF_SAMPLE, WHOLE_JOB, Lease, PlayRecord, evaluation_id
from coinswarm.ledger.store import Store
from coinswarm.metrics.figures import Status
from tests.laws import ledger_world as world
from tests.laws.ledger_world import fresh, generation, plain, queued, running, scored, trials


def test_every_store_keeps_the_protocol(store: Store) -> None:
    assert isinstance(store, Store)


# --- data sets, plays and jobs ---------------------------------------------------------------------------------------


def test_data_sets_come_back_equal_and_in_the_order_asked_for(store: Store) -> None:
    first, second = world.data_set(), world.data_set(symbol="Ω/USDT", first_ts=-1, synthetic=True)
    store.save_data_sets([first, second, first])
    assert store.data_sets([second.content_hash, first.content_hash]) == (second, first)


def test_an_unknown_data_set_is_not_found(store: Store) -> None:
    with pytest.raises(errors.NotFound, match="nowhere"):
        store.data_sets(["nowhere"])


def test_a_play_comes_back_by_a_prefix_of_its_hash(store: Store) -> None:
    play = PlayRecord(sha256=fresh("f00d") + "-tail", name="ünïcode 🐝", text="play: 'a'\n\ttab \\ backslash\r\n")
    store.save_play(play)
    store.save_play(play)
    assert store.play(play.sha256[:-3]) == play


def test_a_hash_does_not_take_a_second_text(store: Store) -> None:
    play = PlayRecord(sha256=fresh("play"), name="a", text="a")
    store.save_play(play)
    with pytest.raises(errors.Conflict, match="another text"):
        store.save_play(replace(play, text="b"))


def test_a_job_comes_back_equal(store: Store) -> None:
    job = queued(
        store, config={"": [], "deep": [{"a": {"b": [1, 1.0, -0.0, 1e300, 2**70, None, True, "é\\\n\"'"]}}]}, campaign="", seed=2**63 - 1
    )
    assert plain(store.job(job.id)) == plain(job)


def test_creating_a_job_twice_changes_nothing_even_when_it_runs(store: Store) -> None:
    job, lease = running(store)
    store.create_job(job)
    assert store.job(job.id).lease_owner == lease.owner


def test_a_job_does_not_take_the_id_of_another(store: Store) -> None:
    job = queued(store)
    with pytest.raises(errors.Conflict, match="differs in seed"):
        store.create_job(replace(job, seed=8))


@pytest.mark.parametrize("missing", ["plays", "data_hashes"])
def test_a_job_needs_its_play_and_data_saved(store: Store, missing: str) -> None:
    job = queued(store)
    with pytest.raises(errors.NotFound):
        store.create_job(replace(job, id=fresh("job"), **{missing: ("never saved",)}))


def test_a_job_is_found_by_a_prefix_that_fits_no_other(store: Store) -> None:
    name = fresh("prefix")
    first = queued(store, id=f"{name}-a-1")
    queued(store, id=f"{name}-b-1")
    assert store.job(f"{name}-a") == first
    with pytest.raises(errors.Conflict, match="several"):
        store.job(name)
    with pytest.raises(errors.NotFound):
        store.job(f"{name}-c")


def test_an_id_that_starts_another_is_itself_meant(store: Store) -> None:
    name = fresh("short")
    short = queued(store, id=name)
    queued(store, id=f"{name}-longer")
    assert store.job(name) == short


def test_jobs_are_listed_by_kind_before_the_limit_counts(store: Store) -> None:
    campaign = fresh("campaign")
    chaos = queued(store, campaign=campaign, kind="chaos", created=world.CREATED)
    queued(store, campaign=campaign, created=world.CREATED + timedelta(seconds=1))
    assert [job.id for job in store.jobs(campaign=campaign, kind="chaos", limit=1)] == [chaos.id]
    assert store.jobs(campaign=campaign, kind="rules") == ()


def test_jobs_are_listed_newest_first_by_campaign_and_status(store: Store) -> None:
    campaign = fresh("campaign")
    jobs = [queued(store, campaign=campaign, created=world.CREATED + timedelta(seconds=second)) for second in range(3)]
    store.claim(jobs[1].id, "driver")
    assert [job.id for job in store.jobs(campaign=campaign)] == [job.id for job in reversed(jobs)]
    assert [job.id for job in store.jobs(campaign=campaign, status="running")] == [jobs[1].id]
    assert len(store.jobs(campaign=campaign, limit=2)) == 2


@pytest.mark.parametrize("changes", [{"seed": -1}, {"seed": 2**63}, {"code_version": "a\x00b"}, {"campaign": "\ud800"}, {"config": {1: 2}}])
def test_a_job_that_cannot_be_read_back_is_refused(store: Store, changes: dict[str, object]) -> None:
    with pytest.raises(errors.InvalidArgument):
        queued(store, **changes)


# --- leases ----------------------------------------------------------------------------------------------------------


def test_two_drivers_never_hold_one_job(store: Store) -> None:
    job = queued(store)
    results: list[object] = []

    def drive(owner: str) -> None:
        try:
            results.append(store.claim(job.id, owner).owner)
        except errors.Conflict as conflict:
            results.append(conflict)

    threads = [threading.Thread(target=drive, args=(f"driver {number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [result for result in results if isinstance(result, str)]
    assert len(results) == 6
    assert winners == [store.job(job.id).lease_owner]


def test_the_holder_may_claim_again(store: Store) -> None:
    job, lease = running(store)
    again = store.claim(job.id, lease.owner)
    assert again.owner == lease.owner
    assert again.expires >= lease.expires


def test_a_lease_that_ran_out_is_taken_and_the_old_driver_writes_no_more(store: Store) -> None:
    job = queued(store)
    old = store.claim(job.id, "old", lease_s=0.0)
    store.claim(job.id, "new")
    for write in (
        lambda: store.commit_generation(old, [generation(job)]),
        lambda: store.save_scores(old, []),
        lambda: store.finish(old, "done"),
        lambda: store.heartbeat(old),
    ):
        with pytest.raises(errors.Conflict, match="driven by new"):
            write()
    assert store.generations(job.id) == ()


def test_a_lease_that_ran_out_and_nobody_took_still_writes(store: Store) -> None:
    job = queued(store)
    lease = store.claim(job.id, "slow", lease_s=0.0)
    assert store.commit_generation(lease, [generation(job)])
    assert store.heartbeat(lease).expires > lease.expires


def test_a_released_job_is_queued_and_a_lost_lease_releases_nothing(store: Store) -> None:
    job, lease = running(store)
    store.release(lease)
    store.release(lease)
    assert store.job(job.id).status == "queued"
    store.claim(job.id, "other")
    store.release(lease)
    assert store.job(job.id).lease_owner == "other"


def test_a_driven_job_hears_of_its_cancellation_and_then_ends(store: Store) -> None:
    job, lease = running(store)
    assert not lease.cancel_requested
    assert store.cancel(job.id) == store.status(job.id) == "cancelled"
    assert store.heartbeat(lease).cancel_requested
    store.finish(lease, "cancelled", result={"evaluations": 3})
    ended = store.job(job.id)
    assert (ended.status, ended.result, ended.lease_owner) == ("cancelled", {"evaluations": 3}, "")


def test_a_driver_stores_what_it_had_when_its_job_was_cancelled_and_ends_it_as_nothing_else(store: Store) -> None:
    job, lease = running(store)
    store.cancel(job.id)
    assert store.commit_generation(lease, [generation(job)], [trials(job, ["a"])])
    for status in ("done", "failed"):
        with pytest.raises(errors.Cancelled, match="is cancelled"):
            store.finish(lease, status)  # type: ignore[arg-type]
    store.release(lease)
    assert (store.status(job.id), store.job(job.id).lease_owner) == ("cancelled", "")
    with pytest.raises(errors.Conflict, match="no longer running"):
        store.heartbeat(lease)


def test_a_cancelled_job_is_claimed_only_after_a_user_resumes_it(store: Store) -> None:
    job = queued(store)
    assert store.cancel(job.id) == store.cancel(job.id) == "cancelled"
    with pytest.raises(errors.Cancelled, match="`coinswarm jobs resume"):
        store.claim(job.id, "driver")
    store.resume(job.id)
    assert (store.status(job.id), store.claim(job.id, "driver").cancel_requested) == ("queued", False)


def test_a_failed_job_is_claimed_only_after_a_user_resumes_it(store: Store) -> None:
    job, lease = running(store)
    store.finish(lease, "failed", error="it broke")
    with pytest.raises(errors.Conflict, match="failed"):
        store.claim(job.id, "driver")
    store.resume(job.id)
    assert (store.status(job.id), store.job(job.id).error) == ("queued", "")


def test_a_driver_that_was_cancelled_has_lost_the_job_once_it_is_resumed(store: Store) -> None:
    job, old = running(store)
    store.cancel(job.id)
    store.resume(job.id)
    with pytest.raises(errors.Conflict, match="no longer running"):
        store.commit_generation(old, [generation(job)])
    store.claim(job.id, "new")
    with pytest.raises(errors.Conflict, match="driven by new"):
        store.finish(old, "cancelled")


def test_a_driven_job_and_a_done_one_are_not_resumed(store: Store) -> None:
    job, lease = running(store)
    with pytest.raises(errors.Conflict, match="driven by"):
        store.resume(job.id)
    store.finish(lease, "done")
    with pytest.raises(errors.Conflict, match="is done"):
        store.resume(job.id)


def test_a_done_job_is_never_driven_again(store: Store) -> None:
    job, lease = running(store)
    store.finish(lease, "done", result={"best": float("nan"), "front": (1, 2)}, result_hash="abc")
    store.finish(lease, "done", result={"best": float("nan"), "front": (1, 2)}, result_hash="abc")
    done = store.job(job.id)
    assert plain(done.result) == plain({"best": float("nan"), "front": [1, 2]})
    assert (done.status, done.result_hash, done.lease_owner) == ("done", "abc", "")
    assert done.finished is not None
    assert store.cancel(job.id) == "done"
    with pytest.raises(errors.Conflict, match="is done"):
        store.claim(job.id, "driver")


def test_a_job_does_not_end_twice_in_different_ways(store: Store) -> None:
    _, lease = running(store)
    store.finish(lease, "failed", error="a message with \x00 and \ud800 in it")
    with pytest.raises(errors.Conflict, match="no longer running"):
        store.finish(lease, "done")
    with pytest.raises(errors.InvalidArgument, match="ends as"):
        store.finish(lease, "queued")


def test_an_unknown_job_is_not_found_by_anything(store: Store) -> None:
    lease = Lease(job="nothing-like-it", owner="driver", expires=world.CREATED)
    for ask in (
        store.job,
        store.cancel,
        store.generations,
        store.last_generations,
        store.evaluations,
        store.scores,
        store.leaderboard,
        store.prune,
    ):
        with pytest.raises(errors.NotFound, match="nothing-like-it"):
            ask(lease.job)
    with pytest.raises(errors.NotFound):
        store.heartbeat(lease)


# --- generations and trials ------------------------------------------------------------------------------------------


def test_only_the_newest_state_of_each_island_is_kept(store: Store) -> None:
    job, lease = running(store)
    store.commit_generation(lease, [generation(job, 0, island) for island in (WHOLE_JOB, 0, 1)])
    store.commit_generation(lease, [generation(job, 1, 0), generation(job, 1, WHOLE_JOB)])
    last = store.last_generations(job.id)
    assert [(record.island, record.generation, record.state) for record in last] == [
        (WHOLE_JOB, 1, b"state -1 1"),
        (0, 1, b"state 0 1"),
        (1, 0, b"state 1 0"),
    ]
    assert [record.state for record in store.generations(job.id)] == [b"", b"", b"state 1 0", b"state -1 1", b"state 0 1"]


def test_committing_a_generation_again_changes_nothing(store: Store) -> None:
    job, lease = running(store)
    commit = ([generation(job)], [trials(job, ["a", "b"])], [scored(["a", "b"])])
    assert store.commit_generation(lease, *commit)
    before = (plain(store.evaluations(job.id)), plain(store.scores(job.id)), plain(store.generations(job.id)))
    assert not store.commit_generation(lease, *commit)
    assert (plain(store.evaluations(job.id)), plain(store.scores(job.id)), plain(store.generations(job.id))) == before


def test_a_stored_generation_is_not_overwritten(store: Store) -> None:
    job, lease = running(store)
    store.commit_generation(lease, [generation(job)])
    with pytest.raises(errors.Conflict, match="stored otherwise"):
        store.commit_generation(lease, [generation(job, state=b"other")])
    with pytest.raises(errors.Conflict, match="generation 0 of island 1"):
        store.commit_generation(lease, [generation(job), generation(job, 0, 1)])


def test_a_commit_that_fails_at_its_end_leaves_nothing(store: Store) -> None:
    job, lease = running(store)
    with pytest.raises(errors.NotFound, match="stranger"):
        store.commit_generation(lease, [generation(job)], [trials(job, ["a"])], [scored(["a"]), scored(["stranger"])])
    assert (store.generations(job.id), store.last_generations(job.id), store.evaluations(job.id), store.scores(job.id)) == ((), (), (), ())
    assert store.count_trials(job.campaign).evaluations == 0


def test_the_first_evaluation_of_a_variant_wins(store: Store) -> None:
    job, lease = running(store)
    store.commit_generation(lease, [generation(job)], [trials(job, ["a", "b", "a"])], [scored(["a", "a"], sharpe=np.array([1.0, 2.0]))])
    later = trials(job, ["b", "c"], generation=1, fitness=np.array([9.0, 9.0]))
    store.commit_generation(lease, [generation(job, 1)], [later], [scored(["a", "c"], sharpe=3.0)])
    found = {name: store.evaluation(evaluation_id(job.id, name)) for name in "abc"}
    assert {name: record.fitness for name, record in found.items()} == {"a": 0.0, "b": 1.0, "c": 9.0}
    assert [score.figures["sharpe"] for score in found["a"].scores] == [1.0]
    assert found["b"].generation == 0


def test_a_variant_that_was_dropped_takes_the_figures_of_a_later_complete_score(store: Store) -> None:
    job, lease = running(store)
    nothing, dropped = np.full(2, np.nan), np.full(2, Status.DROPPED, dtype=np.int8)
    first = trials(job, ["a", "b"], fitness=nothing, objectives=np.full((2, 2), np.nan), status=dropped)
    store.commit_generation(lease, [generation(job)], [first], [scored(["a", "b"], segment="race_1")])
    whole = trials(job, ["a"], generation=1, island=1, fitness=np.array([7.0]), operators=("x",))
    store.commit_generation(lease, [generation(job, 1)], [whole], [scored(["a"], sharpe=3.0)])
    again = trials(job, ["a", "b"], generation=2, fitness=nothing, status=dropped)
    store.commit_generation(lease, [generation(job, 2)], [again])
    found = {name: store.evaluation(evaluation_id(job.id, name)) for name in "ab"}
    assert {name: record.status for name, record in found.items()} == {"a": "ok", "b": "dropped"}
    assert (found["a"].fitness, found["a"].generation, found["a"].operator) == (7.0, 0, FOUNDER)
    assert sorted(score.segment for score in found["a"].scores) == [IN_SAMPLE, "race_1"]
    assert [row.variant for row in store.leaderboard(job.id)] == ["a"]


def test_a_variant_that_was_dropped_and_then_failed_counts_as_failed(store: Store) -> None:
    job, lease = running(store)
    dropped, failed = np.array([5, 5, 5], dtype=np.int8), np.array([3, 0, 5], dtype=np.int8)
    store.commit_generation(lease, [generation(job)], [trials(job, ["a", "b", "c"], status=dropped)])
    assert store.count_trials(job.campaign).failures == 0
    store.commit_generation(lease, [generation(job, 1)], [trials(job, ["a", "b", "c"], status=failed)])
    assert store.count_trials(job.campaign).failures == 1


def test_an_evaluation_says_what_it_was_made_of(store: Store) -> None:
    job, lease = running(store)
    batch = trials(
        job,
        ["a", "b"],
        reasons=("", "broke \x00 here"),
        status=np.array([0, 3], dtype=np.int8),
        parents=((), ("a", "a")),
        operators=("x", "y"),
    )
    store.commit_generation(lease, [generation(job)], [batch], [scored(["b"])])
    found = store.evaluation(evaluation_id(job.id, "b")[:12])
    assert (found.job, found.campaign, found.variant, found.play, found.index) == (job.id, job.campaign, "b", job.plays[0], 1)
    assert (found.status, found.reason, found.parents, found.operator) == ("error", "broke \ufffd here", ("a", "a"), "y")
    assert (found.seed, found.config_hash, found.data_hash) == (job.seed, job.config_hash, job.data_hash)
    assert (found.code_version, found.synthetic) == (job.code_version, True)
    assert (found.genome, found.objectives, found.params) == ((2.0, 3.0), (2.0, 3.0), {"fast.length": 1})
    assert [(score.data_set, score.segment, score.status) for score in found.scores] == [("binance:BTC-USDT:5m", IN_SAMPLE, "ok")]


def test_scores_out_of_sample_are_added_later_and_once(store: Store) -> None:
    job, lease = running(store)
    store.commit_generation(lease, [generation(job)], [trials(job, ["a", "b"])], [scored(["a", "b"])])
    assert store.leaderboard(job.id)[0].out_of_sample == {}
    for sharpe in (7.0, 8.0):
        store.save_scores(lease, [scored(["b"], segment=OUT_OF_SAMPLE, sharpe=sharpe)])
    assert store.leaderboard(job.id)[0].out_of_sample["sharpe"] == 7.0
    with pytest.raises(errors.NotFound, match="never evaluated"):
        store.save_scores(lease, [scored(["zzz"])])


@pytest.mark.parametrize(
    "changes",
    [
        {"genomes": np.zeros((3, 2))},
        {"fitness": np.zeros((2, 1))},
        {"status": np.array([0, len(STATUS_NAMES)], dtype=np.int8)},
        {"status": np.array([0, -1], dtype=np.int8)},
        {"params": ({},)},
        {"params": ({}, {"a": object()})},
        {"operators": ("", "x")},
        {"variants": ("a", "b\x00")},
    ],
)
def test_columns_that_do_not_fit_are_refused_and_nothing_is_stored(store: Store, changes: dict[str, object]) -> None:
    job, lease = running(store)
    with pytest.raises(errors.InvalidArgument):
        store.commit_generation(lease, [generation(job)], [trials(job, ["a", "b"], **changes)])
    assert store.evaluations(job.id) == ()
    assert store.generations(job.id) == ()


def test_generations_that_do_not_fit_are_refused(store: Store) -> None:
    job, lease = running(store)
    for wrong in ([], [generation(job), generation(job)], [generation(job, job="other")], [generation(job, -1)], [generation(job, 0, -2)]):
        with pytest.raises(errors.InvalidArgument):
            store.commit_generation(lease, wrong)


def test_an_empty_batch_is_stored_as_nothing(store: Store) -> None:
    job, lease = running(store)
    assert store.commit_generation(lease, [generation(job, evaluations=0)], [trials(job, [])], [scored([])])
    assert (store.evaluations(job.id), store.scores(job.id)) == ((), ())


# --- leaderboard, lineage, counts ------------------------------------------------------------------------------------


def test_the_leaderboard_is_best_first_then_by_id_without_the_failed(store: Store) -> None:
    job, lease = running(store)
    fitness = np.array([1.0, np.nan, 3.0, 1.0, np.inf, -np.inf])
    store.commit_generation(lease, [generation(job)], [trials(job, list("abcdef"), fitness=fitness)])
    ids = {name: evaluation_id(job.id, name) for name in "abcdef"}
    expected = [ids["e"], ids["c"], *sorted([ids["a"], ids["d"]]), ids["f"]]
    rows = store.leaderboard(job.id)
    assert [row.evaluation for row in rows] == expected
    assert [row.rank for row in rows] == [1, 2, 3, 4, 5]
    assert [row.evaluation for row in store.leaderboard(job.id, limit=2)] == expected[:2]
    assert all(row.synthetic and row.in_sample == {} for row in rows)


def test_the_leaderboard_orders_by_the_mean_of_a_figure(store: Store) -> None:
    job, lease = running(store)
    names = ["a", "b", "c", "d"]
    one = scored(names, data_set="one", sharpe=np.array([1.0, 4.0, np.nan, np.nan]), max_drawdown=np.array([0.1, 0.2, 0.3, 0.4]))
    two = scored(names, data_set="two", sharpe=np.array([2.0, -4.0, 9.0, np.nan]), max_drawdown=np.array([0.1, 0.2, 0.3, 0.4]))
    store.commit_generation(lease, [generation(job)], [trials(job, names)], [one, two, scored(names, segment="fold_1", sharpe=99.0)])
    assert [row.variant for row in store.leaderboard(job.id, by="sharpe")] == ["c", "a", "b"]
    assert [row.in_sample["sharpe"] for row in store.leaderboard(job.id, by="sharpe")] == [9.0, 1.5, 0.0]
    assert [row.variant for row in store.leaderboard(job.id, by="max_drawdown")] == names
    with pytest.raises(errors.InvalidArgument, match="sharpe"):
        store.leaderboard(job.id, by="sharp")


def test_figures_that_come_later_count_in_the_order_by_a_figure(store: Store) -> None:
    job, lease = running(store)
    first = scored(["a", "b", "c"], data_set="one", sharpe=np.array([3.0, 2.0, 1.0]))
    store.commit_generation(lease, [generation(job)], [trials(job, ["a", "b", "c"])], [first])
    store.save_scores(lease, [scored(["a"], data_set="two", sharpe=-9.0), scored(["b"], segment=OUT_OF_SAMPLE, sharpe=-9.0)])
    assert [row.variant for row in store.leaderboard(job.id, by="sharpe")] == ["b", "c", "a"]
    assert list(store.tally(job.id).best["sharpe"]) == [row.evaluation for row in store.leaderboard(job.id, by="sharpe")]


def test_lineage_reaches_the_founders_once_each_and_ends_in_circles(store: Store) -> None:
    job, lease = running(store)
    store.commit_generation(lease, [generation(job)], [trials(job, ["a", "b"])])
    store.commit_generation(lease, [generation(job, 1)], [trials(job, ["c", "d"], parents=(("a", "b"), ("b", "elsewhere")), generation=1)])
    store.commit_generation(lease, [generation(job, 2)], [trials(job, ["e", "f"], parents=(("c", "d", "a"), ("f", "e")), generation=2)])
    family = store.lineage(evaluation_id(job.id, "e"))
    assert [(member.depth, member.variant) for member in family] == [(0, "e"), (1, "a"), (1, "c"), (1, "d"), (2, "b")]
    assert [member.variant for member in family if not member.parents] == ["a", "b"]
    assert [member.variant for member in store.lineage(evaluation_id(job.id, "f"))][:2] == ["f", "e"]


def test_trials_are_counted_once_per_variant_and_data_over_a_campaign(store: Store) -> None:
    campaign, failed = fresh("campaign"), np.array([0, 1, 4], dtype=np.int8)
    for data, variants in (("x", ["a", "b", "c"]), ("x", ["b", "c", "d"]), ("y", ["a", "b", "c"])):
        job, lease = running(store, campaign=campaign, data_hash=data)
        store.commit_generation(lease, [generation(job)], [trials(job, variants, status=failed)])
    counts = store.count_trials(campaign)
    assert (counts.jobs, counts.trials, counts.variants, counts.evaluations, counts.failures) == (3, 7, 4, 9, 3)
    assert store.count_trials("never heard of").trials == 0


def test_pruning_forgets_figures_and_states_but_no_trial(store: Store) -> None:
    job, lease = running(store)
    names = ["a", "b", "c"]
    store.commit_generation(lease, [generation(job)], [trials(job, names)], [scored(names)])
    with pytest.raises(errors.Conflict, match="has not ended"):
        store.prune(job.id)
    store.finish(lease, "done")
    store.prune(job.id, keep=1)
    assert [score.variants for score in store.scores(job.id)] == [("c",)]
    assert [record.state for record in store.last_generations(job.id)] == [b""]
    assert store.count_trials(job.campaign).trials == 3


def test_an_evaluation_is_not_found_by_what_is_no_prefix(store: Store) -> None:
    with pytest.raises(errors.NotFound, match="no evaluation"):
        store.evaluation("not hexadecimal")
