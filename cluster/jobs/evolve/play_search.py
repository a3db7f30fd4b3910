"""One play's search within a job: its state, its islands' numbers in the job, and what it writes into the ledger."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from cluster.compute.evaluator import RACE, Scored, Setup
from coinswarm.evolve import archive, behaviour, operators, racing, reduction
from coinswarm.evolve.search import Search
from coinswarm.evolve.settings import SearchSettings
from coinswarm.evolve.state import Members, Proposals, Results
from coinswarm.ledger.parameters import DecodedParameters, ParameterDecoder
from coinswarm.ledger.records import FOUNDER, IN_SAMPLE, EvaluationBatch, GenerationRecord, ScoreBatch
from coinswarm.metrics.figures import Status
from coinswarm.play import variants
from coinswarm.types import BoolArray, FloatArray, IntArray

REPEAT_DTYPE = np.dtype([("island", "<i8"), ("generation", "<i8"), ("identity", "S64"), ("rung", "<i8")])
"""A variant that an island evaluated without knowing that another one had: the store keeps only the first row of each variant.

`rung` says after how many rungs of its race the island dropped it, 0 where it scored it on everything. Where one island drops what another
one scores on everything, the store's row becomes that of the complete one, and what the first one knows is listed here as well.
"""


@dataclass(frozen=True, kw_only=True)
class TrialCommit:
    """What one told generation of one island adds to the ledger."""

    generation: GenerationRecord
    evaluations: EvaluationBatch
    scores: tuple[ScoreBatch, ...]


class PlaySearch:
    """The search of one play.

    Args:
        number: the play's number in the job.
        setup: the play.
        sha256: the play's hash.
        settings: how to search.
        markets: keys of the data sets, in the order of the columns of scores.
        bar_ms: (n_markets,) time from a bar to the next, on average, see `behaviour.descriptors`.
    """

    def __init__(
        self, number: int, setup: Setup, sha256: str, settings: SearchSettings, markets: Sequence[str], *, bar_ms: FloatArray
    ) -> None:
        self.number = number
        self.setup = setup
        self.sha256 = sha256
        self.settings = settings
        self.markets = tuple(markets)
        self.search = Search(setup.play.space, settings, self.identify)
        self.state = self.search.start()
        self.archive = archive.empty(behaviour.TRADING, len(setup.play.space.dimensions))
        self.repeats = np.zeros(0, dtype=REPEAT_DTYPE)
        self._bar_ms = bar_ms
        self._first_dropped: dict[bytes, np.void] = {}
        self._decoder = ParameterDecoder.of(setup.play.space.dimensions)

    def identify(self, genomes: FloatArray) -> list[str]:
        """The identity of the variant behind each genome, (n, n_dims)."""
        return variants.identities(self.setup.play, genomes)

    def island(self, local: int) -> int:
        """The number in the job of island `local` of this search."""
        return self.number * self.settings.islands + local

    def tell(self, proposals: Proposals, scored: Scored) -> TrialCommit:
        """Take in the scores of `proposals.todo`; the answer is what to store of them."""
        results = racing.results(scored.figures, scored.dropped_after, self.settings)
        repeats = self._repeated(proposals, scored.dropped_after)
        self.state = self.search.tell(self.state, proposals, results)
        self.repeats = np.concatenate([self.repeats, repeats])
        self._show(proposals, scored, results)
        batch = self._evaluations(proposals, scored, results)
        return TrialCommit(generation=self._record(proposals, results, scored), evaluations=batch, scores=self._scores(batch, scored))

    def _scores(self, batch: EvaluationBatch, scored: Scored) -> tuple[ScoreBatch, ...]:
        """The figures by market, each under the part of the bars that they are of."""
        parts = [(rung, np.flatnonzero(scored.dropped_after == rung)) for rung in np.unique(scored.dropped_after).tolist()]
        return tuple(
            ScoreBatch(
                data_set=key, segment=segment_of(rung), variants=_some(batch.variants, rows),
                figures=scored.figures[rows, market],
            )
            for rung, rows in parts
            for market, key in enumerate(self.markets)
        )  # fmt: skip

    def population_fitness(self, island: int) -> FloatArray:
        """(n,) first objective of the feasible members of an island, larger for better."""
        members = self.state.islands[island].population
        return -members.objectives[members.feasible, 0]

    def valued_fitness(self, island: int) -> FloatArray:
        """(n,) those of them that are known; a figure without a value stands at the worst end."""
        fit = self.population_fitness(island)
        return fit[fit > -self.settings.objectives[0].limit]

    def front(self) -> Members:
        """The feasible members that no other dominates."""
        return self.search.front(self.state)

    def digest(self) -> bytes:
        """SHA-256 over the final populations and their fitness, island by island, members by identity, and the archive by cell."""
        digest = hashlib.sha256()
        for island in self.state.islands:
            members = island.population.take(np.argsort(island.population.identities, kind="stable"))
            for column in (members.identities, members.genomes, members.objectives, members.violation, members.failed):
                digest.update(f"{column.shape}".encode() + np.ascontiguousarray(column).tobytes())
        for field in fields(self.archive):
            column = getattr(self.archive, field.name)
            digest.update(f"{column.shape}".encode() + np.ascontiguousarray(column).tobytes())
        return digest.digest()

    def first_dropped(self, trials: np.ndarray) -> None:
        """Remember which of these trials, `REPEAT_DTYPE`, came to an end on a part of the bars; the first of each variant counts."""
        if self.settings.racing.enabled and self.settings.islands > 1:
            for trial in trials[trials["rung"] > 0]:
                self._first_dropped.setdefault(bytes(trial["identity"]), trial)

    def _repeated(self, proposals: Proposals, rungs: IntArray) -> np.ndarray:
        """(n,) `REPEAT_DTYPE` of the proposals that some island has evaluated before, unknown to this one."""
        trials = np.zeros(len(proposals.todo), dtype=REPEAT_DTYPE)
        trials["island"], trials["generation"], trials["rung"] = proposals.island, proposals.generation, rungs
        trials["identity"] = proposals.identities[proposals.todo]
        known = self.state.shared.find(trials["identity"])[0]
        for island in self.state.islands:
            known |= island.own.find(trials["identity"])[0]
        others = self._contradicted(trials[known])
        self.first_dropped(trials[~known])
        return np.concatenate([trials[known], others])

    def _contradicted(self, repeats: np.ndarray) -> np.ndarray:
        """(n,) `REPEAT_DTYPE` of earlier trials that ended on another part of the bars than these repeats of them."""
        firsts = [(self._first_dropped.get(bytes(repeat["identity"])), repeat) for repeat in repeats]
        found = [first for first, repeat in firsts if first is not None and first["rung"] != repeat["rung"]]
        return np.array(found, dtype=REPEAT_DTYPE)

    def _show(self, proposals: Proposals, scored: Scored, results: Results) -> None:
        """Show what was evaluated to the archive."""
        todo = proposals.todo
        members = Members(
            genomes=proposals.genomes[todo], identities=proposals.identities[todo], births=proposals.births[todo],
            objectives=results.objectives, violation=results.violation, failed=results.failed,
        )  # fmt: skip
        places = behaviour.descriptors(scored.figures, self._bar_ms)
        self.archive = archive.add(self.archive, behaviour.TRADING, members, reduction.fitness(results, self.settings), places)

    def _evaluations(self, proposals: Proposals, scored: Scored, results: Results) -> EvaluationBatch:
        todo = proposals.todo
        genomes = proposals.genomes[todo]
        return EvaluationBatch(
            island=self.island(proposals.island),
            generation=proposals.generation,
            play=self.sha256,
            variants=_words(proposals.identities[todo]),
            genomes=genomes,
            params=DecodedParameters(self._decoder, genomes),
            indices=todo,
            fitness=reduction.fitness(results, self.settings),
            objectives=np.where(_dropped(scored, results)[:, np.newaxis], np.nan, results.objectives),
            status=np.where(_dropped(scored, results), Status.DROPPED, _status(scored)).astype(np.int8),
            reasons=self._reasons(scored, len(todo)),
            parents=_parents(proposals),
            operators=_operators(proposals),
        )

    def _reasons(self, scored: Scored, n: int) -> tuple[str, ...]:
        """Why trials failed, or have no value of an objective; empty for all others."""
        known = {**reduction.without_value(scored.figures, self.settings), **scored.reasons}
        return tuple(known.get(row, "") for row in range(n)) if known else ("",) * n

    def _record(self, proposals: Proposals, results: Results, scored: Scored) -> GenerationRecord:
        island = self.state.islands[proposals.island]
        fit, valued = self.population_fitness(proposals.island), self.valued_fitness(proposals.island)
        return GenerationRecord(
            job="",
            island=self.island(proposals.island),
            generation=proposals.generation,
            best=float(valued.max()) if valued.size else float("nan"),
            median=float(np.median(valued)) if valued.size else float("nan"),
            diversity=float(island.history[-1, 2]),
            evaluations=len(proposals.todo),
            failures=int(results.failed.sum()),
            seconds=scored.seconds,
            figures={
                "hypervolume": float(island.history[-1, 3]), "feasible": int(fit.size), "distinct": proposals.distinct,
                "dropped": int(_dropped(scored, results).sum()), "cost": len(proposals.todo) if scored.rungs is None else scored.cost,
                **({"failed_for": dict(Counter(scored.reasons.values()).most_common(_TOLD_REASONS))} if scored.reasons else {}),
            },
        )  # fmt: skip


_TOLD_REASONS = 5
"""Reasons of failures that a generation keeps with their counts; every trial keeps its own."""


def segment_of(rung: int) -> str:
    """The segment that the figures of a variant belong to which was dropped after so many rungs; 0: it was not."""
    return f"{RACE}{rung}" if rung else IN_SAMPLE


def _dropped(scored: Scored, results: Results) -> BoolArray:
    return racing.is_dropped(scored.dropped_after, results.failed)


def _some(variants: tuple[str, ...], rows: IntArray) -> tuple[str, ...]:
    return variants if len(rows) == len(variants) else tuple(variants[row] for row in rows.tolist())


def _words(names: np.ndarray) -> tuple[str, ...]:
    return tuple(names.astype("U64").tolist())


def _status(scored: Scored) -> np.ndarray:
    """(n,) the worst status over markets; without trades only where there are none on any market."""
    table = scored.figures["status"]
    worst = table.max(axis=1, initial=0)
    traded = (table == Status.OK).any(axis=1)
    return np.where((worst == Status.NO_TRADES) & traded, Status.OK, worst).astype(np.int8)


def _parents(proposals: Proposals) -> tuple[tuple[str, ...], ...]:
    """Identities of the parents of each, every one once; most variants have two different ones."""
    rows = proposals.parent_identities[proposals.todo]
    texts = rows.astype("U64").tolist()
    if rows.shape[1] == 2 and (rows != b"").all() and (rows[:, 0] != rows[:, 1]).all():
        return tuple(map(tuple, texts))
    return tuple(tuple(dict.fromkeys(filter(None, row))) for row in texts)


def _operators(proposals: Proposals) -> tuple[str, ...]:
    names = np.array([FOUNDER if name == "sample" else name for name in operators.NAMES], dtype=object)
    return tuple(names[proposals.operators[proposals.todo]].tolist())
