"""The search: operators, islands, selection, archives and stopping. It knows genomes and scores, no market."""

from coinswarm.evolve.loop import Result, run
from coinswarm.evolve.search import Search
from coinswarm.evolve.settings import Constraint, Objective, SearchSettings, Variation
from coinswarm.evolve.state import Members, Proposals, Results, State

__all__ = ["Constraint", "Members", "Objective", "Proposals", "Result", "Results", "Search", "SearchSettings", "State", "Variation", "run"]
