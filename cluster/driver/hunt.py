"""One play's search within a job: its state, its islands' numbers in the job, and what it writes into the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from cluster.driver.evaluator import Scored, Setup
from coinswarm.evolve import archive, behaviour, operators, reduction
from coinswarm.evolve.search import Search
from coinswarm.evolve.settings import SearchSettings
from coinswarm.evolve.state import Members, Proposals, Results
from coinswarm.ledger.records import FOUNDER, IN_SAMPLE, EvaluationBatch, GenerationRecord, ScoreBatch
from coinswarm.metrics.figures import Status
from coinswarm.play import variants
from coinswarm.types import FloatArray

REPEAT_DTYPE = np.dtype([("island", "<i8"), ("generation", "<i8"), ("identity", "S64")])
"""A variant that an island evaluated without knowing that another one had: the store keeps only the first row of each variant."""


@dataclass(frozen=True, kw_only=True)
class Commit:
    """What one told generation of one island adds to the ledger."""

    generation: GenerationRecord
    evaluations: EvaluationBatch
    scores: tuple[ScoreBatch, ...]


class Hunt:
    """The search of one play.

    Args:
        number: the play's number in the job.
        setup: the play.
        sha256: the play's hash.
        settings: how to search.
        markets: keys of the data sets, in the order of the columns of scores.
        bar_ms: length of a bar.
    """

    def __init__(self, number: int, setup: Setup, sha256: str, settings: SearchSettings, markets: Sequence[str], *, bar_ms: int) -> None:
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

    def identify(self, genomes: FloatArray) -> list[str]:
        """The identity of the variant behind each genome, (n, n_dims)."""
        return variants.identities(self.setup.play, genomes)

    def island(self, local: int) -> int:
        """The number in the job of island `local` of this search."""
        return self.number * self.settings.islands + local

    def tell(self, proposals: Proposals, scored: Scored) -> Commit:
        """Take in the scores of `proposals.todo`; the answer is what to store of them."""
        results = reduction.results(scored.figures, self.settings)
        repeats = self._repeated(proposals)
        self.state = self.search.tell(self.state, proposals, results)
        self.repeats = np.concatenate([self.repeats, repeats])
        self._show(proposals, scored, results)
        batch = self._evaluations(proposals, scored, results)
        scores = tuple(
            ScoreBatch(data_set=key, segment=IN_SAMPLE, variants=batch.variants, figures=scored.figures[:, market])
            for market, key in enumerate(self.markets)
        )
        return Commit(generation=self._record(proposals, results, scored.seconds), evaluations=batch, scores=scores)

    def population_fitness(self, island: int) -> FloatArray:
        """(n,) first objective of the feasible members of an island, larger for better."""
        members = self.state.islands[island].population
        return -members.objectives[members.feasible, 0]

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

    def _repeated(self, proposals: Proposals) -> np.ndarray:
        """(n,) `REPEAT_DTYPE` of the proposals that some island has evaluated before, unknown to this one."""
        names = proposals.identities[proposals.todo]
        known = self.state.shared.find(names)[0]
        for island in self.state.islands:
            known |= island.own.find(names)[0]
        rows = np.zeros(int(known.sum()), dtype=REPEAT_DTYPE)
        rows["island"], rows["generation"], rows["identity"] = proposals.island, proposals.generation, names[known]
        return rows

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
            params=self._params(genomes),
            indices=todo,
            fitness=reduction.fitness(results, self.settings),
            objectives=results.objectives,
            status=_status(scored),
            reasons=tuple(scored.reasons.get(row, "") for row in range(len(todo))),
            parents=_parents(proposals),
            operators=_operators(proposals),
        )

    def _params(self, genomes: FloatArray) -> tuple[dict[str, object], ...]:
        """The genomes in words, a column at a time: checking each gene again, as `Space.decode` does, was two thirds of a commit."""
        dimensions = self.setup.play.space.dimensions
        paths = [dimension.path for dimension in dimensions]
        columns = [map(dimension.decode, column) for dimension, column in zip(dimensions, genomes.T.tolist(), strict=True)]
        return tuple(dict(zip(paths, row, strict=True)) for row in zip(*columns, strict=True))

    def _record(self, proposals: Proposals, results: Results, seconds: float) -> GenerationRecord:
        island = self.state.islands[proposals.island]
        fit = self.population_fitness(proposals.island)
        return GenerationRecord(
            job="",
            island=self.island(proposals.island),
            generation=proposals.generation,
            best=float(fit.max()) if fit.size else float("nan"),
            median=float(np.median(fit)) if fit.size else float("nan"),
            diversity=float(island.history[-1, 2]),
            evaluations=len(proposals.todo),
            failures=int(results.failed.sum()),
            seconds=seconds,
            figures={"hypervolume": float(island.history[-1, 3]), "feasible": int(fit.size), "distinct": proposals.distinct},
        )


def _words(names: np.ndarray) -> tuple[str, ...]:
    return tuple(names.astype("U64").tolist())


def _status(scored: Scored) -> np.ndarray:
    """(n,) the worst status over markets; without trades only where there are none on any market."""
    table = scored.figures["status"]
    worst = table.max(axis=1, initial=0)
    traded = (table == Status.OK).any(axis=1)
    return np.where((worst == Status.NO_TRADES) & traded, Status.OK, worst).astype(np.int8)


def _parents(proposals: Proposals) -> tuple[tuple[str, ...], ...]:
    rows = proposals.parent_identities[proposals.todo].astype("U64").tolist()
    return tuple(tuple(dict.fromkeys(name for name in row if name)) for row in rows)


def _operators(proposals: Proposals) -> tuple[str, ...]:
    names = [FOUNDER if name == "sample" else name for name in operators.NAMES]
    return tuple(names[code] for code in proposals.operators[proposals.todo].tolist())
