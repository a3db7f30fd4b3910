"""One play's search within a job: its state, its islands' numbers in the job, and what it writes into the ledger."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cluster.driver.evaluator import Scored, Setup
from coinswarm.evolve import operators, reduction
from coinswarm.evolve.search import Search
from coinswarm.evolve.settings import SearchSettings
from coinswarm.evolve.state import Members, Proposals, Results, State
from coinswarm.ledger.records import FOUNDER, IN_SAMPLE, EvaluationBatch, GenerationRecord, ScoreBatch
from coinswarm.metrics.figures import FIGURES, Status
from coinswarm.play import variants
from coinswarm.types import FloatArray

_LENGTH = struct.Struct("<Q")


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
        state: where to go on; None: at the start.
    """

    def __init__(
        self, number: int, setup: Setup, sha256: str, settings: SearchSettings, markets: Sequence[str], state: State | None = None
    ) -> None:
        self.number = number
        self.setup = setup
        self.sha256 = sha256
        self.settings = settings
        self.markets = tuple(markets)
        self.search = Search(setup.play.space, settings, lambda genomes: variants.identities(setup.play, genomes))
        self.state = state or self.search.start()

    def island(self, local: int) -> int:
        """The number in the job of island `local` of this search."""
        return self.number * self.settings.islands + local

    def tell(self, proposals: Proposals, scored: Scored) -> Commit:
        """Take in the scores of `proposals.todo`; the answer is what to store of them."""
        results = reduction.results(scored.figures, self.settings)
        self.state = self.search.tell(self.state, proposals, results)
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
        """SHA-256 over the final populations and their fitness, island by island, members by identity."""
        digest = hashlib.sha256()
        for island in self.state.islands:
            members = island.population.take(np.argsort(island.population.identities, kind="stable"))
            for column in (members.identities, members.genomes, members.objectives, members.violation, members.failed):
                digest.update(f"{column.shape}".encode() + np.ascontiguousarray(column).tobytes())
        return digest.digest()

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


def pack(blobs: Iterable[bytes]) -> bytes:
    """Several blobs as one."""
    return b"".join(_LENGTH.pack(len(blob)) + blob for blob in blobs)


def unpack(blob: bytes) -> tuple[bytes, ...]:
    """The blobs that `pack` put together."""
    parts, place = [], 0
    while place < len(blob):
        (length,) = _LENGTH.unpack_from(blob, place)
        place += _LENGTH.size
        parts.append(blob[place : place + length])
        place += length
    return tuple(parts)


def nothing(markets: int) -> np.ndarray:
    """(0, n_markets) scores, for a generation whose variants are all known."""
    from coinswarm.metrics.figures import SCORE_DTYPE

    return np.zeros((0, markets), dtype=SCORE_DTYPE)


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


def summary(table: np.ndarray) -> dict[str, float]:
    """Each figure's mean over markets; `table`: (n_markets,) `SCORE_DTYPE`."""
    return {name: float(np.mean(table[name])) for name in FIGURES}
