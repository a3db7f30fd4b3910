"""The search itself: start, ask, tell, done. It never evaluates anything and holds no state of its own.

    search = Search(space, settings, identify=...)
    state = search.start()
    while search.done(state) is None:
        for island in search.ready(state):
            proposals = search.ask(state, island)
            state = search.tell(state, proposals, evaluate(proposals.genomes[proposals.todo]))

`ask` and `tell` are pure functions of a frozen state, one island at a time, so a driver may keep several islands in flight and breed one
while others are evaluated. Whatever the order in which results of islands arrive, the final state is the same to the bit: see `migration`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coinswarm import check, errors
from coinswarm.evolve import convergence, diversity, lineage, migration, operators, selection
from coinswarm.evolve.breeding import Identify, Nursery, identify_genomes, known_to
from coinswarm.evolve.settings import SearchSettings
from coinswarm.evolve.space import Scale, SearchSpace
from coinswarm.evolve.state import MIGRATION_DTYPE, Island, Known, Members, Names, Proposals, Results, State
from coinswarm.types import BoolArray, FloatArray, IntArray

FEWEST_FAILURES = 20
"""Failures of one island below which no share of them stops a run: the first batch may be unlucky."""


class Search:
    """Evolution on islands over one space of variants."""

    def __init__(self, space: SearchSpace, settings: SearchSettings, identify: Identify = identify_genomes) -> None:
        """Prepare a search; `identify` names the variant behind each genome, so that none is evaluated twice."""
        if not len(space.dimensions):
            hint = "give a parameter a list or a range"
            raise errors.InvalidArgument("a space to search needs at least one dimension", found="0", hint=hint)
        self.space = space
        self.settings = settings
        self.scale = Scale.of(space.dimensions)
        self._nursery = Nursery(space, self.scale, settings, identify)

    def start(self, warm: FloatArray | None = None) -> State:
        """The state before the first generation.

        Args:
            warm: (n, n_dims) genomes to begin with, such as stored winners; they replace samples of the first generation, in turn over
                the islands, and are marked `warm` in the lineage. Repaired where invalid; more than the population are left out.
        """
        dims = len(self.space.dimensions)
        genomes = np.empty((0, dims)) if warm is None else np.array(warm, dtype=np.float64)
        if warm is not None and len(genomes):
            check.matrix(genomes, "warm")
        if genomes.ndim != 2 or genomes.shape[1] != dims:
            raise errors.ShapeMismatch(f"warm genomes must have {dims} genes", found=f"shape {genomes.shape}")
        return State(
            settings_hash=self.settings.content_hash(), islands=tuple(self._founded(index) for index in range(self.settings.islands)),
            shared=self._nothing_known(), migrations=np.zeros(0, dtype=MIGRATION_DTYPE), stop=None, warm=genomes,
        )  # fmt: skip

    def ready(self, state: State) -> tuple[int, ...]:
        """Islands that can be asked now: not finished, and not waiting for immigrants."""
        return tuple(
            island.index
            for island in state.islands
            if not migration.finished(island, self.settings, state.stop) and not migration.waiting(island, self.settings)
        )

    def ask(self, state: State, island: int) -> Proposals:
        """The next generation of `island`; asking twice gives the same proposals.

        Raises:
            Conflict: the island is finished or waits at a border, or the state belongs to other settings.
            ErrorBudgetSpent: too large a share of the island's evaluations failed.
        """
        self._check_settings(state)
        check.within(island, "island", 0, self.settings.islands - 1)
        if island not in self.ready(state):
            rule = f"island {island} is finished or waits for immigrants"
            raise errors.Conflict(rule, hint="ask the islands that `ready` names; stop when `done` says so")
        self._check_budget(state.islands[island])
        return self._nursery.propose(state.islands[island], state.shared, state.warm, self._count(state.islands[island]))

    def tell(self, state: State, proposals: Proposals, results: Results) -> State:
        """The state after the scores of `proposals.todo` are in.

        Raises:
            Conflict: the proposals are not those that the island waits for: scored already, or of another run.
            ShapeMismatch: not one score per row of `todo`.
            InvalidArgument: a violation is negative or NaN.
        """
        self._check_settings(state)
        check.within(proposals.island, "island", 0, self.settings.islands - 1)
        island = state.islands[proposals.island]
        if proposals.generation != island.generation:
            rule = f"island {island.index} waits for generation {island.generation}"
            raise errors.Conflict(rule, found=proposals.generation, hint="the results of each generation are given once, in order")
        self._check_results(proposals, results)
        scores = self._scores(proposals, results)
        children = self._members(proposals, island, state.shared, scores)
        return migration.settle(state.with_island(self._advanced(island, proposals, children, scores)), self.settings)

    def done(self, state: State, *, seconds: float = 0.0) -> str | None:
        """Why the search is over: generations, budget, converged or time; None while it is not.

        Args:
            state: the state to judge.
            seconds: time passed, by the caller's clock; there is none in here.
        """
        if all(migration.finished(island, self.settings, state.stop) for island in state.islands):
            return self._reason(state)
        if self.settings.max_seconds is not None and seconds >= self.settings.max_seconds:
            return "time"
        return None

    def best(self, state: State) -> Members:
        """The scored members of all islands, each variant once, best first: the whole's first front leads."""
        everyone = state.islands[0].population
        for island in state.islands[1:]:
            everyone = everyone.join(island.population)
        everyone = everyone.take(~everyone.failed)
        _, first = np.unique(everyone.identities, return_index=True)
        once = everyone.take(np.sort(first))
        return once.take(selection.order(once))

    def front(self, state: State) -> Members:
        """The feasible members of all islands that no other dominates, by their first objective."""
        feasible = self.best(state)
        feasible = feasible.take(feasible.feasible)
        first = feasible.take(selection.ranks(feasible.objectives, feasible.violation) == 0)
        return first.take(np.lexsort((first.births, first.objectives[:, 0])))

    def figures(self, members: Members) -> FloatArray:
        """(n, n_objectives) objectives of `members` in the direction that the settings declare."""
        return np.asarray(members.objectives * self._signs())

    def recall(self, state: State, *, islands: IntArray, generations: IntArray, identities: Names, results: Results) -> State:
        """Give a state written without scores what was known when it was written.

        Args:
            state: a state that was stored `without_scores`.
            islands: (n,) where each evaluation took place.
            generations: (n,) and in which generation; those without results yet are ignored.
            identities: (n,) S64.
            results: (n,) their scores, as they were given.
        """
        scored = np.array([island.generation for island in state.islands])
        past = generations < scored[islands]
        scores = self._known(identities, results, migration.epochs(generations, self.settings)).take(past)
        islands = islands[past]
        exchanged = max(max(island.epoch, island.inbox.epoch if island.inbox else 0) for island in state.islands)
        members = tuple(
            replace(island, own=self._nothing_known().merge(scores.take((islands == island.index) & (scores.epochs > island.epoch))))
            for island in state.islands
        )
        shared = self._nothing_known().merge(scores.take(scores.epochs <= (exchanged if self.settings.migrates else 0)))
        return replace(state, islands=members, shared=shared)

    def _count(self, island: Island) -> int:
        size, quota = self.settings.island_size(island.index), self.settings.quota(island.index)
        return size if quota is None else min(size, quota - island.evaluations)

    def _advanced(self, island: Island, proposals: Proposals, children: Members, scores: Known) -> Island:
        """`island` one generation later."""
        settings = self.settings
        select = selection.survivors if settings.selection == "nsga2" else selection.replacement
        population = select(island.population, children, settings.island_size(island.index), settings.elitism)
        point = convergence.reference(island.reference, population)
        evaluations, failures = island.evaluations + len(scores), island.failures + int(scores.failed.sum())
        row = [evaluations, failures, diversity.diversity(population.genomes, self.scale), convergence.hypervolume(population, point)]
        history = np.vstack([island.history, np.concatenate([row, convergence.best(population)])])
        credit = island.credit + lineage.award(proposals, children, island.population, population.births)
        return replace(
            island, generation=island.generation + 1, population=population, own=island.own.merge(scores), evaluations=evaluations,
            failures=failures, reference=point, history=history, credit=credit,
        )  # fmt: skip

    def _scores(self, proposals: Proposals, results: Results) -> Known:
        generation = np.full(len(proposals.todo), proposals.generation)
        return self._known(proposals.identities[proposals.todo], results, migration.epochs(generation, self.settings))

    def _known(self, identities: Names, results: Results, epochs: IntArray) -> Known:
        """Results as they are remembered: minimised, clipped to finite values, failures without figures."""
        limits = np.array([objective.limit for objective in self.settings.objectives])
        minimised = np.clip(np.nan_to_num(np.asarray(results.objectives) * self._signs(), nan=np.inf), -limits, limits)
        failed = np.asarray(results.failed, dtype=np.bool_)
        minimised[failed] = limits
        violation = np.where(failed, 0.0, np.minimum(results.violation, np.finfo(np.float64).max))
        return Known(identities=identities, objectives=minimised, violation=violation, failed=failed, epochs=epochs.astype(np.int64))

    def _members(self, proposals: Proposals, island: Island, shared: Known, scores: Known) -> Members:
        """All proposals with their scores: new, known from before, or equal to another row."""
        old, known = known_to(island, shared, proposals.identities)
        row_of = np.zeros(len(proposals.identities), dtype=np.int64)
        row_of[proposals.todo] = np.arange(len(proposals.todo))
        columns = {}
        for name in ("objectives", "violation", "failed"):
            new, before = getattr(scores, name), getattr(known, name)
            columns[name] = np.empty((len(row_of), *new.shape[1:]), dtype=new.dtype)
            columns[name][old] = before
            columns[name][~old] = new[row_of[proposals.copies[~old]]]
        return Members(genomes=proposals.genomes, identities=proposals.identities, births=proposals.births, **columns)

    def _signs(self) -> FloatArray:
        return np.array([-1.0 if objective.direction == "max" else 1.0 for objective in self.settings.objectives])

    def _reason(self, state: State) -> str:
        if state.stop is not None and state.generation >= state.stop.generation:
            return state.stop.reason
        if all(island.generation >= self.settings.generations for island in state.islands):
            return "generations"
        alone = [convergence.stagnant(island, self.settings.stagnation, self.settings.tolerance) for island in state.islands]
        return "converged" if not self.settings.migrates and any(alone) else "budget"

    def _founded(self, index: int) -> Island:
        dims, objectives = len(self.space.dimensions), len(self.settings.objectives)
        return Island(
            index=index, generation=0, epoch=0, population=_nobody(dims, objectives), own=self._nothing_known(), outbox=None, inbox=None,
            evaluations=0, failures=0, reference=np.full(objectives, np.nan), history=np.empty((0, convergence.BEST + objectives)),
            credit=np.zeros((len(operators.NAMES), 3), dtype=np.int64),
        )  # fmt: skip

    def _nothing_known(self) -> Known:
        return Known(
            identities=np.empty(0, dtype="S64"), objectives=np.empty((0, len(self.settings.objectives))), violation=np.empty(0),
            failed=np.empty(0, dtype=np.bool_), epochs=np.empty(0, dtype=np.int64),
        )  # fmt: skip

    def _check_settings(self, state: State) -> None:
        if state.settings_hash != self.settings.content_hash():
            raise errors.Conflict("the state belongs to a search with other settings", hint="resume with the settings it was started with")

    def _check_budget(self, island: Island) -> None:
        allowed = max(self.settings.max_failure_share * island.evaluations, min(FEWEST_FAILURES, island.evaluations - 1))
        if island.failures > allowed:
            share = f"{island.failures} of {island.evaluations}"
            rule = f"at most {self.settings.max_failure_share:.0%} of an island's evaluations may fail"
            raise errors.ErrorBudgetSpent(rule, found=share, hint="the stored failures carry their reasons")

    def _check_results(self, proposals: Proposals, results: Results) -> None:
        count = len(proposals.todo)
        expected: tuple[tuple[str, tuple[int, ...]], ...] = (
            ("objectives", (count, len(self.settings.objectives))), ("violation", (count,)), ("failed", (count,)),
        )  # fmt: skip
        for name, shape in expected:
            found = np.shape(getattr(results, name))
            if found != shape:
                raise errors.ShapeMismatch(f"{name} must have shape {shape}", found=found)
        bad: BoolArray = ~(np.asarray(results.violation) >= 0) & ~np.asarray(results.failed, dtype=np.bool_)
        if bad.any():
            raise errors.InvalidArgument("a violation must be at least 0", found=f"{int(bad.sum())} negative or missing")


def _nobody(dims: int, objectives: int) -> Members:
    return Members(
        genomes=np.empty((0, dims)), identities=np.empty(0, dtype="S64"), births=np.empty(0, dtype=np.int64),
        objectives=np.empty((0, objectives)), violation=np.empty(0), failed=np.empty(0, dtype=np.bool_),
    )  # fmt: skip
