"""The loop of an evolution job: ask, evaluate, tell, commit; then judge the winners on bars the search never saw.

Islands are independent between migrations, so while the variants of one are scored the next generation of another is bred. Which one
happens to finish first changes nothing: the search makes the same populations in any order, and each commit is one transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cluster.compute.evaluator import Evaluator, Scored, ScoreRequest
from cluster.jobs.evolve import baselines, checkpoint, outcome
from cluster.jobs.evolve.plan import SearchPlan, planned_search
from cluster.jobs.evolve.play_search import PlaySearch, TrialCommit
from cluster.jobs.evolve.rounds import Rounds
from cluster.jobs.kind import Drive, Planned, RunContext, RunOutcome
from cluster.jobs.progress import SearchProgress, resident_bytes
from cluster.jobs.stages import whole_job
from coinswarm import errors
from coinswarm.evolve.state import Island, Proposals
from coinswarm.ledger.records import IN_SAMPLE, WHOLE_JOB, Json, Lease
from coinswarm.ledger.store import Store
from coinswarm.market import overlap
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics.figures import Status
from coinswarm.types import FloatArray

_POLL_S = 0.25
_RATE_WINDOW = 20


@dataclass(kw_only=True)
class Clock:
    """Time spent on the job, that of earlier drivers included, and how fast evaluations came lately."""

    before_s: float = 0.0
    began: float = field(default_factory=time.monotonic)
    marks: list[tuple[float, int]] = field(default_factory=list)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the job began, pauses between drivers left out."""
        return self.before_s + time.monotonic() - self.began

    def mark(self, evaluations: int) -> float:
        """Evaluations per second over the last commits; NaN before the second, as the first includes what is loaded before it."""
        self.marks = [*self.marks[-_RATE_WINDOW:], (time.monotonic(), evaluations)]
        (then, few), (now, many) = self.marks[0], self.marks[-1]
        return (many - few) / (now - then) if now > then else float("nan")


class SearchLoop:
    """The work of one search, at its start or where its last commit left it.

    Args:
        plan: the search.
        store: where everything is remembered.
        evaluator: who scores.
    """

    def __init__(self, plan: SearchPlan, store: Store, evaluator: Evaluator) -> None:
        self._plan = plan
        self._store = store
        self._evaluator = evaluator
        self._clock = Clock()
        self._tokens = 0
        self._commits = 0
        self._told_failures = False
        self._flight: dict[int, tuple[PlaySearch, Proposals]] = {}
        self._stored: dict[int, Island] = {}
        self._rounds = Rounds(evaluator)

    def run(self, drive: Drive) -> RunOutcome:
        """Search to the end, then judge the winners on bars that the search never saw.

        Raises:
            CoinswarmError: the search cannot succeed.
        """
        plan = self._plan
        searches = self._begin(plan)
        self._rounds.open(plan.task, plan.search)
        reason = self._search(drive, searches)
        drive.settle(everything=True)
        result_hash = outcome.result_hash(searches)
        judged = reason != "cancelled"
        if judged:
            outcome.score_winners(plan, searches, self._store, self._evaluator, drive.lease)
        wanted = judged and plan.job.config["baselines"]
        compared = baselines.baselines(plan, searches, self._evaluator, _gives_up(drive)) if wanted else baselines.NONE
        result = outcome.result(plan, searches, self._store, reason, self._clock.elapsed_s, compared)
        return RunOutcome(status="done" if judged else "cancelled", result=result, result_hash=result_hash)

    def _begin(self, plan: SearchPlan) -> tuple[PlaySearch, ...]:
        """The searches of the job, at their start or where the last commit left them."""
        records = self._store.last_generations(plan.job.id)
        newest = next((record for record in records if record.island == WHOLE_JOB), None)
        found = begun(plan)
        if newest is not None:
            checkpoint.restore(found, records, self._store, plan.job.id)
            self._commits = newest.generation + 1
            self._clock.before_s = float(newest.seconds)
        return found

    def _search(self, drive: Drive, searches: tuple[PlaySearch, ...]) -> str:
        """Run all searches; the answer is why the last of them ended."""
        while True:
            if drive.halted():
                return "cancelled"
            reasons = [each.search.done(each.state, seconds=self._clock.elapsed_s) for each in searches]
            if all(reasons):
                return str(reasons[-1])
            for each, reason in zip(searches, reasons, strict=True):
                if reason is None:
                    self._ask(each)
            scored = self._rounds.collect(_POLL_S)
            if scored is not None:
                self._tell(drive, searches, scored)
            drive.settle()

    def _ask(self, one: PlaySearch) -> None:
        """Breed every island of a search that can be asked and is not under way."""
        busy = {proposals.island for other, proposals in self._flight.values() if other is one}
        for island in one.search.ready(one.state):
            if island not in busy:
                proposals = one.search.ask(one.state, island)
                self._tokens += 1
                self._flight[self._tokens] = (one, proposals)
                genomes = proposals.genomes[proposals.todo]
                self._rounds.submit(ScoreRequest(token=self._tokens, setup=one.number, segment=IN_SAMPLE, genomes=genomes))

    def _tell(self, drive: Drive, searches: tuple[PlaySearch, ...], scored: Scored) -> None:
        one, proposals = self._flight.pop(scored.token)
        if proposals.generation == 0:
            _refuse_cold(self._plan, scored)
        if scored.reasons and not self._told_failures:
            self._told_failures = True
            drive.watcher.on_note(f"{len(scored.reasons)} of {len(scored.figures)} variants failed: {next(iter(scored.reasons.values()))}")
        commit = one.tell(proposals, scored)
        progress = self._progress(searches)
        drive.commit_later(self._commit(drive.lease, searches, commit), lambda: drive.watcher.on_progress(progress))

    def _commit(self, lease: Lease, searches: tuple[PlaySearch, ...], commit: TrialCommit) -> Callable[[], object]:
        """A call that stores everything this generation brought and everything needed to go on from it, in one transaction."""
        plan, number = self._plan, commit.generation.island
        search, local = divmod(number, plan.search.islands)
        island = searches[search].state.islands[local]
        self._stored[number] = island
        whole = replace(whole_job(plan.job.id, self._commits, seconds=self._clock.elapsed_s), state=checkpoint.pack(searches, self._stored))
        records = (replace(commit.generation, job=plan.job.id, state=checkpoint.pack_island(island)), whole)
        batches = (commit.evaluations,) if len(commit.evaluations) else ()
        scores = commit.scores if len(commit.evaluations) else ()
        self._commits += 1
        return lambda: self._store.commit_generation(lease, records, batches, scores)

    def _progress(self, searches: tuple[PlaySearch, ...]) -> SearchProgress:
        plan = self._plan
        islands = [(one, island) for one in searches for island in one.state.islands]
        fit = np.concatenate([one.valued_fitness(island.index) for one, island in islands])
        evaluations = sum(one.state.evaluations for one in searches)
        rate = self._clock.mark(evaluations)
        togo = sum(max(plan.search.generations - island.generation, 0) * plan.search.island_size(island.index) for _, island in islands)
        known = [float(island.history[-1, 2]) for _, island in islands if len(island.history)]
        return SearchProgress(
            job=plan.job.id,
            generation=min(one.state.generation for one in searches),
            generations=plan.search.generations,
            best=float(fit.max()) if fit.size else float("nan"),
            median=float(np.median(fit)) if fit.size else float("nan"),
            diversity=float(np.mean(known)) if known else float("nan"),
            evaluations=evaluations,
            failures=sum(one.state.failures for one in searches),
            rate=rate,
            eta_s=togo / rate if rate > 0 else float("nan"),
            elapsed_s=self._clock.elapsed_s,
            memory_bytes=resident_bytes(),
            workers=self._evaluator.workers,
        )


def begun(plan: SearchPlan) -> tuple[PlaySearch, ...]:
    """The searches of a job at their start, one a play."""
    keys = [source.key for source in plan.task.sources]
    bar_ms = _time_a_bar(Timeframe.parse(plan.data_sets[0].timeframe), plan.job.config["markets"])
    return tuple(
        PlaySearch(number, setup, record.sha256, plan.search, keys, bar_ms=bar_ms)
        for number, (setup, record) in enumerate(zip(plan.task.setups, plan.plays, strict=True))
    )


def load(made: Planned, context: RunContext) -> SearchLoop:
    """The work of a planned search."""
    return SearchLoop(planned_search(made, context.bars_file), context.store, context.evaluator())


def _gives_up(drive: Drive) -> Callable[[], bool]:
    """Whether to leave out what is only nice to know; a lost lease is raised by whatever is stored next."""

    def asked() -> bool:
        try:
            return drive.halted()
        except errors.CoinswarmError:
            return True

    return asked


def _time_a_bar(timeframe: Timeframe, spans: Sequence[Json]) -> FloatArray:
    """(n_markets,) time in ms from a bar to the next, on average over what `plan.span` says of the bars of each market."""
    return np.array([(span["last_ts"] + timeframe.ms - span["first_ts"]) / span["n_bars"] for span in spans])


def _refuse_cold(plan: SearchPlan, scored: Scored) -> None:
    """A first generation that is never warm on a market says that the span is too short, whatever the parameters."""
    for source, column in zip(plan.task.sources, scored.figures["status"].T, strict=True):
        if len(column) and (column == Status.INVALID).all():
            reason = next(iter(scored.reasons.values()), "no variant is ever warm")
            raise errors.SpanTooShort(
                f"the in-sample bars of {source.key} must be more than the play's warm-up needs",
                found=reason,
                hint="use a longer span, a faster timeframe, shorter features, or a larger --warmup-tolerance" + _begins(plan),
            )


def _begins(plan: SearchPlan) -> str:
    """Which market begins when, where they do not begin alike; the markets that features look at are among them."""
    spans = [*plan.job.config["markets"], *plan.job.config["others"]]
    if len({span["first_ts"] for span in spans}) == 1:
        return ""
    ordered = sorted(spans, key=lambda span: int(span["first_ts"]))
    listed = ", ".join(f"{span['key']} begins {overlap.moment(span['first_ts'])}" for span in ordered)
    last = ordered[-1]["first_ts"]
    return f"; {listed}: `--from {overlap.moment(last)}` (`start_ts={last}`) searches the time of all"
