"""A search counted again: its trials, generations, best variant, and the hash of what its islands ended as."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cluster.jobs.evolve import checkpoint, outcome
from cluster.jobs.evolve.loop import begun
from cluster.jobs.evolve.plan import planned_search
from cluster.jobs.kind import PlanContext, Planned, Recount
from cluster.jobs.recount import of_hash, unbroken
from coinswarm.ledger.records import BEST, WHOLE_JOB, GenerationRecord, TrialTally
from coinswarm.ledger.store import Store


def recount(made: Planned, context: PlanContext) -> Iterator[Recount]:
    """Recounts of a search; those of its result once it has one, which a search that was cancelled has as well."""
    job, store, result = made.job, context.store, made.job.result or {}
    records = store.generations(job.id)
    told = [record for record in records if record.island != WHOLE_JOB]
    tally = store.tally(job.id)
    islands = {record.island for record in told}
    rows = [unbroken([record.generation for record in told if record.island == island]) for island in islands]
    commits = unbroken([record.generation for record in records if record.island == WHOLE_JOB])
    made_by = {(record.island, record.generation): record.evaluations for record in told}
    surplus = sum(number > made_by.get(place, 0) for place, number in tally.generations.items())
    yield Recount(what="trials", stored=tally.trials, counted=tally.variants)
    yield Recount(what="trials by generation", stored=tally.trials, counted=sum(tally.generations.values()))
    yield Recount(what="generations with more trials than they made", stored=0, counted=surplus)
    yield Recount(what="identities for counting the campaign", stored=tally.identities, counted=tally.variants)
    yield Recount(what="figures whose best are found among all trials", stored=len(tally.best), counted=_found_again(store, tally))
    yield Recount(what="generations in one row, all islands", stored=len(told), counted=sum(rows))
    yield Recount(what="commits", stored=len(told), counted=commits)
    if "distinct" in result:
        yield Recount(what="distinct variants", stored=result["distinct"], counted=tally.trials)
        yield Recount(what="evaluations", stored=result["evaluations"], counted=sum(record.evaluations for record in told))
        yield Recount(what="failures", stored=result["failures"], counted=sum(record.failures for record in told))
        yield _best(made, context)
    if job.result_hash:
        yield _hash(made, context)


def _found_again(store: Store, tally: TrialTally) -> int:
    """How many leaderboards by a figure begin as those of all trials do."""
    boards = {name: store.leaderboard(tally.job, by=name, limit=BEST) for name in tally.best}
    return sum(tuple(row.evaluation for row in boards[name]) == best for name, best in tally.best.items())


def _best(made: Planned, context: PlanContext) -> Recount:
    said = (made.job.result or {})["best"]
    best = [[row.evaluation, row.fitness] for row in context.store.leaderboard(made.job.id, limit=1)]
    return Recount(what="best variant", stored=[[said["evaluation"], said["fitness"]]] if said else [], counted=best)


def _hash(made: Planned, context: PlanContext) -> Recount:
    newest = context.store.last_generations(made.job.id)
    if any(not record.state for record in newest):
        return Recount(what="result hash", stored=made.job.result_hash, counted=None, note="the states of the search were pruned")
    return of_hash(made.job.result_hash, lambda: _recomputed(made, context, newest))


def _recomputed(made: Planned, context: PlanContext, newest: Sequence[GenerationRecord]) -> str:
    searches = begun(planned_search(made, context.bars_file))
    checkpoint.restore(searches, newest, context.store, made.job.id)
    return outcome.result_hash(searches)
