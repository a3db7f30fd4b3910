"""The loop of an evolution job: ask, evaluate, tell, commit; then judge the winners on bars the search never saw.

Islands are independent between migrations, so while the variants of one are scored the next generation of another is bred. Which one
happens to finish first changes nothing: the search makes the same populations in any order, and each commit is one transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cluster.compute.evaluator import Evaluator, Scored, Work
from cluster.jobs.evolve import baselines as yardsticks
from cluster.jobs.evolve import checkpoint, outcome
from cluster.jobs.evolve.plan import Plan
from cluster.jobs.evolve.play_search import Commit, Hunt
from cluster.jobs.evolve.rounds import Heats
from cluster.jobs.progress import Progress, Silent, Watcher, resident_bytes
from cluster.run import lease as patience
from cluster.run.commit import Committer
from cluster.run.lease import Pulse
from coinswarm import errors
from coinswarm.evolve.state import Island, Proposals
from coinswarm.ledger.records import IN_SAMPLE, WHOLE_JOB, GenerationRecord, JobStatus, Json, Lease
from coinswarm.ledger.store import Store
from coinswarm.market import overlap
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics.figures import Status
from coinswarm.types import FloatArray

_POLL_S = 0.25
_RATE_WINDOW = 20


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a job ended: its status, its result as stored, and the hash of its populations."""

    job: str
    status: JobStatus
    result: Json
    result_hash: str


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
        """Evaluations per second over the last commits."""
        self.marks = [*self.marks[-_RATE_WINDOW:], (time.monotonic(), evaluations)]
        (then, few), (now, many) = self.marks[0], self.marks[-1]
        if now <= then:
            return many / max(time.monotonic() - self.began, 1e-9)
        return (many - few) / (now - then)


class EvolveDriver:
    """Drives one job from where it stands to its end.

    Args:
        store: where everything is remembered.
        evaluator: who scores.
        watcher: who is told.
        lease_s: how long the lease lasts after each heartbeat.
        stopped: asked often; True ends the job as cancelled, with all that was committed kept.
    """

    def __init__(
        self,
        store: Store,
        evaluator: Evaluator,
        *,
        watcher: Watcher | None = None,
        stopped: Callable[[], bool] = lambda: False,
        lease_s: float = patience.LEASE_S,
    ) -> None:
        self._lease_s = lease_s
        self._store = store
        self._evaluator = evaluator
        self._watcher = watcher or Silent()
        self._stopped = stopped
        self._clock = Clock()
        self._tokens = 0
        self._commits = 0
        self._told_failures = False
        self._flight: dict[int, tuple[Hunt, Proposals]] = {}
        self._stored: dict[int, Island] = {}
        self._heats = Heats(evaluator)

    def run(self, plan: Plan, lease: Lease) -> Ending:
        """Drive `plan` to its end under `lease`.

        Raises:
            Conflict: the lease was lost to another driver.
            Unavailable: database or cluster stayed away; the job can be resumed.
            CoinswarmError: the job failed, and is stored as failed.
        """
        with Pulse(self._store, lease, lease_s=self._lease_s) as pulse:
            try:
                return self._drive(plan, lease, pulse)
            except BaseException as problem:
                patience.give_up(self._store, lease, problem, tell=self._watcher.on_note)
                raise

    def _drive(self, plan: Plan, lease: Lease, pulse: Pulse) -> Ending:
        found = self._begin(plan)
        self._heats.open(plan.task, plan.search)
        with Committer(tell=self._watcher.on_note, stopped=self._stopped) as committer:
            why = self._search(plan, lease, pulse, found, committer)
            committer.settle(everything=True)
        result_hash = outcome.result_hash(found)
        judged = why != "cancelled"
        if judged:
            outcome.score_winners(plan, found, self._store, self._evaluator, lease)
        wanted = judged and plan.job.config["baselines"]
        compared = yardsticks.baselines(plan, found, self._evaluator, self._halted(pulse)) if wanted else yardsticks.NONE
        result = outcome.result(plan, found, self._store, why, self._clock.elapsed_s, compared)
        return self._end(plan, lease, "done" if judged else "cancelled", result, result_hash)

    def _halted(self, pulse: Pulse) -> Callable[[], bool]:
        """Whether to give up on what is nice to know; a lost lease is raised by whatever is stored next."""
        return lambda: pulse.cancelled or pulse.lost is not None or self._stopped()

    def _end(self, plan: Plan, lease: Lease, status: JobStatus, result: Json, result_hash: str) -> Ending:
        full = {"job": plan.job.id, "status": status, **result, "result_hash": result_hash}
        ended = patience.finish(self._store, lease, status, full, result_hash, tell=self._watcher.on_note, stopped=self._stopped)
        return Ending(job=plan.job.id, status=ended["status"], result=ended, result_hash=result_hash)

    def _begin(self, plan: Plan) -> tuple[Hunt, ...]:
        """The searches of the job, at their start or where the last commit left them."""
        records = self._store.last_generations(plan.job.id)
        newest = next((record for record in records if record.island == WHOLE_JOB), None)
        keys = [source.key for source in plan.task.sources]
        bar_ms = _time_a_bar(Timeframe.parse(plan.data_sets[0].timeframe), plan.job.config["markets"])
        found = tuple(
            Hunt(number, setup, record.sha256, plan.search, keys, bar_ms=bar_ms)
            for number, (setup, record) in enumerate(zip(plan.task.setups, plan.plays, strict=True))
        )
        if newest is not None:
            checkpoint.restore(found, records, self._store, plan.job.id)
            self._commits = newest.generation + 1
            self._clock.before_s = float(newest.seconds)
        return found

    def _search(self, plan: Plan, lease: Lease, pulse: Pulse, found: tuple[Hunt, ...], committer: Committer) -> str:
        """Run all searches; the answer is why the last of them ended."""
        while True:
            if pulse.lost is not None:
                raise pulse.lost
            if pulse.cancelled or self._stopped():
                return "cancelled"
            whys = [hunt.search.done(hunt.state, seconds=self._clock.elapsed_s) for hunt in found]
            if all(whys):
                return str(whys[-1])
            for hunt, why in zip(found, whys, strict=True):
                if why is None:
                    self._ask(hunt)
            scored = self._heats.collect(_POLL_S)
            if scored is not None:
                self._tell(plan, lease, found, scored, committer)
            committer.settle()

    def _ask(self, hunt: Hunt) -> None:
        """Breed every island of a search that can be asked and is not under way."""
        busy = {proposals.island for other, proposals in self._flight.values() if other is hunt}
        for island in hunt.search.ready(hunt.state):
            if island not in busy:
                proposals = hunt.search.ask(hunt.state, island)
                self._tokens += 1
                self._flight[self._tokens] = (hunt, proposals)
                genomes = proposals.genomes[proposals.todo]
                self._heats.submit(Work(token=self._tokens, setup=hunt.number, segment=IN_SAMPLE, genomes=genomes))

    def _tell(self, plan: Plan, lease: Lease, found: tuple[Hunt, ...], scored: Scored, committer: Committer) -> None:
        hunt, proposals = self._flight.pop(scored.token)
        if proposals.generation == 0:
            _refuse_cold(plan, scored)
        if scored.reasons and not self._told_failures:
            self._told_failures = True
            self._watcher.on_note(f"{len(scored.reasons)} of {len(scored.figures)} variants failed: {next(iter(scored.reasons.values()))}")
        commit = hunt.tell(proposals, scored)
        progress = self._progress(plan, found)
        committer.put(self._commit(plan, lease, found, commit), lambda: self._watcher.on_progress(progress))

    def _commit(self, plan: Plan, lease: Lease, found: tuple[Hunt, ...], commit: Commit) -> Callable[[], object]:
        """A call that stores everything this generation brought and everything needed to go on from it, in one transaction."""
        job, told = plan.job.id, commit.generation.island
        search, local = divmod(told, plan.search.islands)
        island = found[search].state.islands[local]
        self._stored[told] = island
        whole = GenerationRecord(
            job=job, island=WHOLE_JOB, generation=self._commits, best=float("nan"), median=float("nan"), diversity=float("nan"),
            evaluations=0, failures=0, seconds=self._clock.elapsed_s, state=checkpoint.pack(found, self._stored),
        )  # fmt: skip
        records = (replace(commit.generation, job=job, state=checkpoint.pack_island(island)), whole)
        batches = (commit.evaluations,) if len(commit.evaluations) else ()
        scores = commit.scores if len(commit.evaluations) else ()
        self._commits += 1
        return lambda: self._store.commit_generation(lease, records, batches, scores)

    def _progress(self, plan: Plan, found: tuple[Hunt, ...]) -> Progress:
        islands = [(hunt, island) for hunt in found for island in hunt.state.islands]
        fit = np.concatenate([hunt.valued_fitness(island.index) for hunt, island in islands])
        evaluations = sum(hunt.state.evaluations for hunt in found)
        rate = self._clock.mark(evaluations)
        togo = sum(max(plan.search.generations - island.generation, 0) * plan.search.island_size(island.index) for _, island in islands)
        known = [float(island.history[-1, 2]) for _, island in islands if len(island.history)]
        return Progress(
            job=plan.job.id,
            generation=min(hunt.state.generation for hunt in found),
            generations=plan.search.generations,
            best=float(fit.max()) if fit.size else float("nan"),
            median=float(np.median(fit)) if fit.size else float("nan"),
            diversity=float(np.mean(known)) if known else float("nan"),
            evaluations=evaluations,
            failures=sum(hunt.state.failures for hunt in found),
            rate=rate,
            eta_s=togo / rate if rate > 0 else float("nan"),
            elapsed_s=self._clock.elapsed_s,
            memory_bytes=resident_bytes(),
            workers=self._evaluator.workers,
        )


def _time_a_bar(timeframe: Timeframe, spans: Sequence[Json]) -> FloatArray:
    """(n_markets,) time in ms from a bar to the next, on average over what `plan.span` says of the bars of each market."""
    return np.array([(span["last_ts"] + timeframe.ms - span["first_ts"]) / span["n_bars"] for span in spans])


def _refuse_cold(plan: Plan, scored: Scored) -> None:
    """A first generation that is never warm on a market says that the span is too short, whatever the parameters."""
    for source, column in zip(plan.task.sources, scored.figures["status"].T, strict=True):
        if len(column) and (column == Status.INVALID).all():
            reason = next(iter(scored.reasons.values()), "no variant is ever warm")
            raise errors.SpanTooShort(
                f"the in-sample bars of {source.key} must be more than the play's warm-up needs",
                found=reason,
                hint="use a longer span, a faster timeframe, shorter features, or a larger --warmup-tolerance" + _begins(plan),
            )


def _begins(plan: Plan) -> str:
    """Which market begins when, where they do not begin alike; the markets that features look at are among them."""
    spans = [*plan.job.config["markets"], *plan.job.config["others"]]
    if len({span["first_ts"] for span in spans}) == 1:
        return ""
    ordered = sorted(spans, key=lambda span: int(span["first_ts"]))
    listed = ", ".join(f"{span['key']} begins {overlap.moment(span['first_ts'])}" for span in ordered)
    last = ordered[-1]["first_ts"]
    return f"; {listed}: `--from {overlap.moment(last)}` (`start_ts={last}`) searches the time of all"
