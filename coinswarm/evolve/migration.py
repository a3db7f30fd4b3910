"""Copies of good variants move between islands, at a border that is exact and yet seldom closed.

Every k generations each island publishes copies of its best, together with the scores it has learned. It does so one generation *before*
the border: what is published after generation k - 1 is absorbed after generation k. While the last evaluations of generation k run, the
parcels of all islands are usually there already, so no island waits unless an island is a whole generation behind. (With k = 1 there is no
earlier generation, and the border is an ordinary barrier.)

Results still cannot depend on timing: an island may not breed generation k before it has absorbed, what it absorbs was fixed when all
parcels of that epoch had been published, and scores published by others become visible with the same step. The alternative, migration
through a pool that islands read when they get there, needs no border but gives another run whenever a worker is slow.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from coinswarm.evolve import convergence, randomness, selection
from coinswarm.evolve.randomness import Purpose
from coinswarm.evolve.settings import SearchSettings
from coinswarm.evolve.state import MIGRATION_DTYPE, Inbox, Island, Known, Members, Outbox, State, StopDecision
from coinswarm.types import IntArray


def finished(island: Island, settings: SearchSettings, stop: StopDecision | None) -> bool:
    """Whether `island` breeds no more: its generations or its budget are spent, or the search has agreed to stop there."""
    quota = settings.quota(island.index)
    spent = quota is not None and island.evaluations >= quota
    agreed = stop is not None and island.generation >= stop.generation
    alone = not settings.migrates and convergence.stagnant(island, settings.stagnation, settings.tolerance)
    return island.generation >= settings.generations or spent or agreed or alone


def waiting(island: Island, settings: SearchSettings) -> bool:
    """Whether `island` stands at a border and has not absorbed its immigrants."""
    every = settings.migration_every
    return settings.migrates and island.generation > 0 and island.generation % every == 0 and island.epoch < island.generation // every


def epochs(generations: IntArray, settings: SearchSettings) -> IntArray:
    """(n,) the migration that publishes the scores of each generation, counted from 0; 1 where islands never exchange."""
    every = settings.migration_every
    if not settings.migrates:
        return np.ones_like(generations)
    return np.asarray(-(-(generations + 1 + min(1, every - 1)) // every))


def settle(state: State, settings: SearchSettings) -> State:
    """Everything that migration makes possible after a `tell`: publish, exchange, agree to stop, absorb; until nothing is left."""
    if not settings.migrates:
        return state
    while True:
        islands = tuple(_published(island, settings, state.stop) for island in state.islands)
        state = _exchanged(replace(state, islands=islands), settings)
        absorbed = _absorbed(state, settings)
        if all(after is before for after, before in zip(absorbed.islands, islands, strict=True)):
            return absorbed
        state = absorbed


def _published(island: Island, settings: SearchSettings, stop: StopDecision | None) -> Island:
    """Pack the parcel of the coming epoch once it is time; an island that ended early packs one so that others need not wait."""
    every = settings.migration_every
    epoch = island.epoch + 1
    due = island.generation >= epoch * every - min(1, every - 1) or finished(island, settings, stop)
    if island.outbox is not None or island.inbox is not None or not due:
        return island
    scored = np.flatnonzero(~island.population.failed)[: settings.migration_size]
    stagnant = convergence.stagnant(island, settings.stagnation, settings.tolerance)
    return replace(island, outbox=Outbox(epoch=epoch, members=island.population.take(scored), stagnant=stagnant))


def _exchanged(state: State, settings: SearchSettings) -> State:
    """Once every island has published: deliver the parcels, share the scores, and stop if no island makes progress."""
    parcels = [island.outbox for island in state.islands if island.outbox is not None]
    if len(parcels) < len(state.islands) or all(finished(island, settings, state.stop) for island in state.islands):
        return state
    epoch = parcels[0].epoch
    islands = tuple(
        replace(island, outbox=None, inbox=Inbox(epoch=epoch, source=int(source), members=parcels[source].members))
        for island, source in zip(state.islands, routes(epoch, settings), strict=True)
    )
    stop = state.stop
    if stop is None and all(parcel.stagnant for parcel in parcels):
        stop = StopDecision("converged", epoch * settings.migration_every)
    return replace(state, islands=islands, shared=state.shared.merge(_learned(state, epoch)), stop=stop)


def _learned(state: State, epoch: int) -> Known:
    """The scores that all islands publish with `epoch`."""
    parts = [island.own.take(island.own.epochs <= epoch) for island in state.islands]
    joined: dict[str, npt.NDArray[Any]] = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Known)
    }
    return replace(parts[0], **joined)


def routes(epoch: int, settings: SearchSettings) -> IntArray:
    """(n_islands,) the island each one receives from: its neighbour in a ring, or in a ring shuffled anew for each epoch."""
    ring = np.arange(settings.islands, dtype=np.int64)
    if settings.topology == "random":
        ring = randomness.generator(settings.seed, settings.islands, epoch, Purpose.TOPOLOGY).permutation(settings.islands)
    sources = np.empty_like(ring)
    sources[ring] = np.roll(ring, 1)
    return sources


def _absorbed(state: State, settings: SearchSettings) -> State:
    """Let immigrants in on every island that has reached their border."""
    islands, records = [], [state.migrations]
    for island in state.islands:
        after, moved = _admitted(island, settings, state.stop)
        islands.append(after)
        records += [moved] if len(moved) else []
    if len(records) == 1:
        return replace(state, islands=tuple(islands))
    joined = np.concatenate(records)
    order = np.lexsort((np.arange(len(joined)), joined["target"], joined["generation"]))
    return replace(state, islands=tuple(islands), migrations=joined[order])


def _admitted(island: Island, settings: SearchSettings, stop: StopDecision | None) -> tuple[Island, npt.NDArray[np.void]]:
    """`island` after its border, with the records of who came; a finished island takes no immigrants, so its result stays its own."""
    inbox, ended = island.inbox, finished(island, settings, stop)
    nobody = np.zeros(0, dtype=MIGRATION_DTYPE)
    if inbox is None or (island.generation < settings.migration_every * inbox.epoch and not ended):
        return island, nobody
    after = replace(island, epoch=inbox.epoch, inbox=None, own=island.own.take(island.own.epochs > inbox.epoch))
    if ended:
        return after, nobody
    fresh = inbox.members.take(~np.isin(inbox.members.identities, island.population.identities))
    population = selection.admit(island.population, fresh, settings.elitism)
    return replace(after, population=population), _records(island, inbox.source, fresh)


def _records(island: Island, source: int, fresh: Members) -> npt.NDArray[np.void]:
    records = np.zeros(len(fresh), dtype=MIGRATION_DTYPE)
    records["generation"], records["source"], records["target"] = island.generation, source, island.index
    records["birth"], records["identity"] = fresh.births, fresh.identities
    return records
