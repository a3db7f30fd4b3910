"""The contracts of `coinswarm.ledger.queue` and `coinswarm.ledger.access`, held by every store of them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from cluster.store.access import PostgresAccess
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from cluster.store.queue import PostgresQueue
from cluster.store.quotas import PostgresQuotas
from coinswarm import errors
from coinswarm.ledger import access
from coinswarm.ledger.access import Access, Token
from coinswarm.ledger.memory import MemoryAccess, MemoryQueue, MemoryStore
from coinswarm.ledger.queue import Entry, Queue, Submission
from coinswarm.ledger.quotas import ANY, JobAmounts, Quota, Quotas, Scope
from coinswarm.ledger.records import Job, Lease, PlayRecord
from coinswarm.ledger.store import Store
from tests.laws import ledger_world as world
from tests.laws.ledger_world import fresh


@dataclass(frozen=True, kw_only=True)
class Line:
    """A queue with its store and tokens, empty."""

    store: Store
    queue: Queue
    access: Access
    quotas: Quotas
    leases: dict[str, Lease] = field(default_factory=dict)

    def token(self, *, max_running: int = 64) -> str:
        """The id of a new token."""
        made = access.new_token(fresh("token"), "submit", access.new_secret(), created=datetime.now(UTC), max_running=max_running)
        self.access.create_token(made, by="test")
        return made.id

    def put(self, token: str, **changes: object) -> str:
        """A new job of a token in the line."""
        return self.queue.submit(submission(token, **changes))

    def drained(self, owner: str = "drain") -> list[Entry]:
        """Everything that can be taken now, in order."""
        found: list[Entry] = []
        while (taken := self.queue.take(owner, lease_s=600)) is not None:
            found.append(taken[0])
            self.leases[taken[0].job] = taken[1]
        return found

    def leave(self, job: str, *, delay_s: float = 0.0) -> None:
        """Let go of a job that was drained."""
        self.queue.leave(self.leases[job], delay_s=delay_s)


def submission(token: str, **changes: object) -> Submission:
    bars, text = world.data_set(), f"name: {fresh('play')}\n"
    play = PlayRecord(sha256=fresh("f00d"), name="play", text=text)
    job = Job(
        id=fresh("evolve"), kind="evolve", campaign="queue", plays=(play.sha256,), data_hashes=(bars.content_hash,), data_hash="d",
        config={}, config_hash="c", code_version="1", seed=1, synthetic=True, created=world.CREATED,
    )  # fmt: skip
    return replace(Submission(job=job, plays=(play,), data_sets=(bars,), token=token), **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def own_database(database_url: str) -> Iterator[str]:
    """A database of its own, for a service takes whatever stands in the line."""
    name = fresh("line").replace("-", "_")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield database_url.rsplit("/", 1)[0] + f"/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def postgres_line(own_database: str) -> Iterator[Line]:
    with Database(own_database, patience_s=0.0) as database:
        yield Line(
            store=PostgresStore(database), queue=PostgresQueue(database), access=PostgresAccess(database), quotas=PostgresQuotas(database)
        )


@pytest.fixture(params=["memory", "postgres"])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    if request.param == "memory":
        store, kept = MemoryStore(), MemoryAccess()
        yield Line(store=store, queue=MemoryQueue(store, kept), access=kept, quotas=store.quotas)
        return
    made = request.getfixturevalue("postgres_line")
    with psycopg.connect(request.getfixturevalue("own_database"), autocommit=True) as connection:
        connection.execute("TRUNCATE queue, jobs, tokens, idempotency_keys, audit, quotas, generations, checkpoints")
    yield made


def test_every_queue_and_access_keeps_the_protocol(line: Line) -> None:
    assert isinstance(line.queue, Queue)
    assert isinstance(line.access, Access)
    assert isinstance(line.quotas, Quotas)


def test_a_submitted_job_is_stored_with_its_play_and_taken_once(line: Line) -> None:
    job = line.put("")
    assert line.store.job(job).status == "queued"
    assert [(entry.job, entry.attempts) for entry in line.drained()] == [(job, 1)]
    assert line.drained() == []


def test_a_job_is_taken_by_one_of_many_who_ask_at_once(line: Line) -> None:
    jobs = {line.put("") for _ in range(12)}
    found: list[Entry] = []
    threads = [threading.Thread(target=lambda name=name: found.extend(line.drained(name))) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry.job for entry in found) == sorted(jobs)


def test_greater_priority_is_taken_first_and_then_the_older(line: Line) -> None:
    jobs = [line.put("", priority=priority) for priority in (0, 5, -5, 5)]
    assert [entry.job for entry in line.drained()] == [jobs[1], jobs[3], jobs[0], jobs[2]]


def test_a_token_with_many_jobs_does_not_starve_one_with_few(line: Line) -> None:
    greedy, modest = line.token(), line.token()
    first = [line.put(greedy) for _ in range(4)]
    last = line.put(modest)
    assert [entry.job for entry in line.drained()] == [first[0], last, *first[1:]]


def test_a_token_runs_no_more_than_it_may(line: Line) -> None:
    token = line.token(max_running=2)
    jobs = [line.put(token) for _ in range(3)]
    assert [entry.job for entry in line.drained("me")] == jobs[:2]
    line.store.finish(line.store.claim(jobs[0], "me"), "done")
    line.leave(jobs[0])
    assert [entry.job for entry in line.drained("me")] == jobs[2:]


def test_a_token_has_no_more_waiting_than_it_may_and_nothing_is_written(line: Line) -> None:
    line.put("greedy", max_queued=1)
    more = submission("greedy", max_queued=1)
    with pytest.raises(errors.LimitReached, match="1 jobs waiting"):
        line.queue.submit(more)
    with pytest.raises(errors.NotFound):
        line.store.job(more.job.id)


def test_a_key_stands_for_one_job(line: Line) -> None:
    first = line.put("me", key="k", fingerprint="same")
    assert line.put("me", key="k", fingerprint="same") == first
    assert line.queue.keyed("me", "k", "same") == first
    assert line.put("you", key="k", fingerprint="same") != first
    with pytest.raises(errors.Conflict, match="another request"):
        line.put("me", key="k", fingerprint="other")
    assert line.queue.keyed("me", "", "same") is None


@pytest.mark.parametrize("changes", [{"priority": 101}, {"key": "a\nb"}, {"key": "k" * 256}])
def test_a_submission_outside_its_domain_is_refused(line: Line, changes: dict[str, object]) -> None:
    with pytest.raises(errors.InvalidArgument):
        line.put("me", **changes)
    assert line.queue.standing().queued == 0


def test_what_a_dead_service_held_is_taken_by_another(line: Line) -> None:
    job = line.put("")
    dead = line.queue.take("dead", lease_s=0.0)
    assert dead is not None
    living = line.queue.take("living")
    assert living is not None
    assert (living[0].job, living[0].attempts, living[1].owner) == (job, 2, "living")
    line.queue.leave(dead[1], delay_s=600)
    assert line.store.job(job).lease_owner == "living"
    assert line.queue.take("third") is None
    line.queue.leave(living[1])
    assert [entry.job for entry in line.drained()] == [job]


def test_a_job_that_is_taken_is_claimed_and_its_lease_can_be_lent(line: Line) -> None:
    job = line.put("")
    taken = line.queue.take("service")
    assert taken is not None
    assert (line.store.job(job).status, line.store.job(job).lease_owner) == ("running", "service")
    line.store.heartbeat(line.store.claim(job, "service"), lease_s=600)
    with pytest.raises(errors.Conflict):
        line.store.claim(job, "another")


def test_a_job_that_is_driven_is_not_taken_until_its_lease_runs_out(line: Line) -> None:
    job = line.put("")
    line.store.claim(job, "a driver", lease_s=600)
    assert line.queue.take("service") is None
    line.store.claim(job, "a driver", lease_s=0.0)
    assert [entry.job for entry in line.drained()] == [job]


def test_an_entry_that_is_left_waits_as_long_as_asked(line: Line) -> None:
    job = line.put("")
    line.drained("me")
    line.leave(job, delay_s=600)
    assert line.drained("me") == []
    line.queue.again(job, by="me")
    assert [entry.job for entry in line.drained("me")] == [job]


def test_a_cancelled_job_leaves_the_line_and_comes_back_when_asked(line: Line) -> None:
    job = line.put("owner", priority=3)
    assert line.queue.cancel(job, by="owner") == "cancelled"
    assert line.drained() == []
    entry = line.queue.again(job, by="admin")
    assert (entry.token, entry.priority, line.store.job(job).status) == ("owner", 3, "queued")
    assert [entry.job for entry in line.drained()] == [job]


def test_a_terminated_job_has_no_lease_and_its_driver_can_store_nothing(line: Line) -> None:
    job = line.put("owner")
    lease = line.store.claim(job, "driver", lease_s=3600.0)
    assert line.queue.terminate(job, by="admin") == ("cancelled", "driver")
    with pytest.raises(errors.Conflict):
        line.store.finish(lease, "done")
    assert line.drained() == []
    assert line.queue.terminate(job, by="admin") == ("cancelled", "")
    line.queue.again(job, by="owner")
    assert [entry.job for entry in line.drained()] == [job]


def test_a_job_that_has_ended_is_not_changed_by_terminating_it(line: Line) -> None:
    job = line.put("")
    line.store.finish(line.store.claim(job, "driver"), "done")
    assert line.queue.terminate(job, by="") == ("done", "")


def test_a_job_that_is_done_or_driven_does_not_come_back(line: Line) -> None:
    job = line.put("")
    lease = line.store.claim(job, "driver")
    with pytest.raises(errors.Conflict, match="driven by"):
        line.queue.again(job, by="me")
    line.store.finish(lease, "done")
    with pytest.raises(errors.Conflict, match="is done"):
        line.queue.again(job, by="me")
    with pytest.raises(errors.NotFound):
        line.queue.again("nothing-like-it", by="me")


def test_the_line_is_counted_for_all_and_for_one(line: Line) -> None:
    mine = line.put("me")
    line.put("you")
    line.store.claim(mine, "driver")
    assert (line.queue.standing().queued, line.queue.standing().running) == (1, 1)
    assert (line.queue.standing("me").queued, line.queue.standing("me").running) == (0, 1)


def test_every_change_leaves_a_row_in_the_trail(line: Line) -> None:
    job = line.put("me")
    line.queue.cancel(job, by="admin")
    line.queue.again(job, by="me")
    newest = line.access.trail(limit=3)
    assert [(row.token, row.action, row.target) for row in newest] == [
        ("me", "job resume", job), ("admin", "job cancel", job), ("me", "job submit", job),
    ]  # fmt: skip
    assert [row.id for row in line.access.trail(limit=1, before=newest[0].id)] == [newest[1].id]


# --- tokens ----------------------------------------------------------------------------------------------------------


def made(**changes: object) -> tuple[Token, str]:
    secret = access.new_secret()
    return replace(access.new_token(fresh("token"), "read", secret, created=datetime.now(UTC)), **changes), secret  # type: ignore[arg-type]


def test_a_token_is_found_by_its_secret_and_nothing_else(line: Line) -> None:
    token, secret = made()
    line.access.create_token(token, by="test")
    assert line.access.token(secret) == token
    assert secret not in repr(line.access.tokens())
    for wrong in (secret[:-1], token.hash, token.id, "", "' OR 1=1 --", "\x00", "\ud800"):
        with pytest.raises(errors.Unauthenticated):
            line.access.token(wrong)


def test_a_token_that_has_expired_or_is_revoked_opens_nothing(line: Line) -> None:
    late, secret = made(expires=datetime.now(UTC) - timedelta(seconds=1))
    line.access.create_token(late, by="test")
    with pytest.raises(errors.Unauthenticated):
        line.access.token(secret)
    token, other = made(expires=datetime.now(UTC) + timedelta(days=1))
    line.access.create_token(token, by="test")
    revoked = line.access.revoke(token.name, by="test")
    assert revoked.revoked is not None
    assert line.access.revoke(token.id, by="test") == revoked
    with pytest.raises(errors.Unauthenticated):
        line.access.token(other)


def test_a_name_is_free_again_once_its_token_is_revoked(line: Line) -> None:
    token, _ = made()
    line.access.create_token(token, by="test")
    other, _ = made(name=token.name)
    with pytest.raises(errors.Conflict, match="exists"):
        line.access.create_token(other, by="test")
    line.access.revoke(token.name, by="test")
    line.access.create_token(other, by="test")
    with pytest.raises(errors.NotFound):
        line.access.revoke("nobody", by="test")


@pytest.mark.parametrize("changes", [{"name": " "}, {"name": "a\nb"}, {"name": "a" * 201}, {"role": "god"}, {"max_queued": -1}])
def test_a_token_outside_its_domain_is_refused(line: Line, changes: dict[str, object]) -> None:
    token, _ = made(**changes)
    with pytest.raises(errors.InvalidArgument):
        line.access.create_token(token, by="test")
    assert line.access.tokens() == ()


def test_roles_grow(line: Line) -> None:
    may = {role: [wanted for wanted in access.ROLES if access.may(made(role=role)[0], wanted)] for role in access.ROLES}
    assert may == {"read": ["read"], "submit": ["read", "submit"], "admin": ["read", "submit", "admin"]}
    assert line.access.tokens() == ()


# --- quotas ---------------------------------------------------------------------------------------------------------------


def asking(token: str, campaign: str = "queue", **amounts: int) -> Submission:
    """A submission of a job that says what it asks for."""
    made = submission(token)
    return replace(made, job=replace(made.job, campaign=campaign, config={"asked": amounts}))


SCOPES: tuple[Scope, ...] = ("token", "campaign")


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("amount", ["trials", "chaos_trades", "generations", "fetched_bars", "stored_bytes"])
def test_a_job_beyond_a_quota_is_refused_and_not_stored(line: Line, scope: Scope, amount: str) -> None:
    token, campaign = line.token(), fresh("campaign")
    name = token if scope == "token" else campaign
    line.quotas.set_quota(scope, name, Quota.model_validate({amount: 10}), by="test")
    line.queue.submit(asking(token, campaign, **{amount: 6}))
    more = asking(token, campaign, **{amount: 5})
    with pytest.raises(errors.LimitReached, match=f"{scope} {name} may have 10 "):
        line.queue.submit(more)
    with pytest.raises(errors.NotFound):
        line.store.job(more.job.id)
    line.queue.submit(asking(token, campaign, **{amount: 4}))
    assert getattr(line.quotas.used(scope, name), amount) == 10


def test_a_job_that_is_run_at_once_counts_for_its_campaign(line: Line) -> None:
    campaign, made = fresh("campaign"), asking("", trials=11)
    line.quotas.set_quota("campaign", campaign, Quota(trials=10), by="test")
    line.store.save_data_sets(made.data_sets)
    line.store.save_play(made.plays[0])
    with pytest.raises(errors.LimitReached, match=campaign):
        line.store.create_job(replace(made.job, campaign=campaign))


def test_what_was_not_asked_for_is_not_refused(line: Line) -> None:
    token = line.token()
    line.quotas.set_quota("token", token, Quota(trials=0), by="test")
    job = line.queue.submit(asking(token, chaos_trades=5))
    assert line.store.job(job).status == "queued"
    assert line.quotas.used("token", token) == JobAmounts(chaos_trades=5)


def test_an_ended_job_counts_for_what_it_made(line: Line) -> None:
    token, campaign = line.token(), fresh("campaign")
    never = line.queue.submit(asking(token, campaign, trials=1000, stored_bytes=7))
    line.queue.cancel(never, by=token)
    assert line.quotas.used("token", token) == JobAmounts()
    job = line.queue.submit(asking(token, campaign, trials=1000, generations=50, chaos_trades=3))
    line.drained()
    line.store.commit_generation(line.leases[job], [world.generation(line.store.job(job), 0)])
    assert line.quotas.used("campaign", campaign) == JobAmounts(trials=1000, generations=50, chaos_trades=3)
    evaluations = line.store.generations(job)[0].evaluations
    line.store.finish(line.leases[job], "failed", error="it broke")
    made = JobAmounts(trials=evaluations, generations=1, chaos_trades=3)
    assert line.quotas.used("campaign", campaign) == line.quotas.used("token", token) == made


def test_a_job_that_is_resumed_is_held_against_the_quota(line: Line) -> None:
    token = line.token()
    line.quotas.set_quota("token", token, Quota(trials=10), by="test")
    first = line.queue.submit(asking(token, trials=8))
    line.queue.cancel(first, by=token)
    line.queue.submit(asking(token, trials=9))
    with pytest.raises(errors.LimitReached):
        line.queue.again(first, by=token)
    assert line.store.job(first).status == "cancelled"


def test_submissions_at_the_same_time_do_not_pass_a_quota_together(line: Line) -> None:
    campaign = fresh("campaign")
    line.quotas.set_quota("campaign", campaign, Quota(trials=40), by="test")
    stored: list[str] = []

    def submit(token: str) -> None:
        for _ in range(5):
            with contextlib.suppress(errors.LimitReached):
                stored.append(line.queue.submit(asking(token, campaign, trials=10)))

    threads = [threading.Thread(target=submit, args=(line.token(),)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored) == 4
    assert line.quotas.used("campaign", campaign).trials == 40


def test_the_shorter_limit_of_time_goes_with_the_job(line: Line) -> None:
    token, campaign = line.token(), fresh("campaign")
    line.quotas.set_quota("token", token, Quota(run_s=60), by="test")
    line.quotas.set_quota("campaign", campaign, Quota(run_s=30), by="test")
    made = asking(token, campaign)
    assert line.store.job(line.queue.submit(made)).config["run_s"] == 30
    line.store.create_job(made.job)  # repeating it is harmless, although the stored one has a limit


def test_a_quota_is_replaced_whole_and_is_none_at_first(line: Line) -> None:
    campaign = fresh("campaign")
    assert line.quotas.quota("campaign", campaign) == ANY
    line.quotas.set_quota("campaign", campaign, Quota(trials=10, run_s=1.5), by="test")
    line.quotas.set_quota("campaign", campaign, Quota(chaos_trades=4), by="test")
    assert line.quotas.quota("campaign", campaign) == Quota(chaos_trades=4)
