"""What a search is: its objectives, limits, islands and operators. Values only; equal settings have equal hashes.

The defaults of a search stand here and nowhere else: the command line, requests over the network, the form of the page and the notebook
read them, so that one question gives one answer however it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from coinswarm import config, errors
from coinswarm.metrics.figures import SMALLER_IS_BETTER

Scope = Literal["mean", "min", "max", "worst"]
LimitScope = Literal["mean", "min", "max", "worst", "sum"]
Share = Annotated[float, Field(ge=0, le=1)]
Direction = Literal["max", "min"]

OUT_OF_SAMPLE = 0.25
"""Share of the bars, the newest, that a search never sees unless it is asked otherwise."""
WINNERS = 10
"""How many of the best are scored out of sample unless it is asked otherwise."""


def _direction(given: Mapping[str, Any]) -> Direction:
    """The direction in which a figure is better, unless one is given."""
    return "min" if given.get("name") in SMALLER_IS_BETTER else "max"


class Objective(config.Settings):
    """A figure to maximise or minimise, and how its values over markets and folds become one."""

    name: Annotated[str, Field(min_length=1)]
    direction: Annotated[Direction, Field(description="unless given: min of what is better when small, such as max_drawdown")] = Field(
        default_factory=_direction
    )
    scope: Scope = "mean"
    limit: Annotated[float, Field(gt=0, le=1e12, description="values are clipped to [-limit, limit]; a NaN becomes the worst end")] = 1e6


class Constraint(config.Settings):
    """A limit on a figure: `n_trades >= 30`. The scope `worst` asks it of every market, `sum` of all markets together."""

    figure: Annotated[str, Field(min_length=1)]
    operator: Literal[">=", "<="]
    threshold: float
    scope: LimitScope = "worst"


ENOUGH_TRADES = Constraint(figure="n_trades", operator=">=", threshold=100, scope="sum")
"""What the gates ask of a variant: with fewer it cannot be promoted, and the best of many variants with few trades looks brilliant."""


class Variation(config.Settings):
    """How one island makes children: a crossover, a mutation and their rates."""

    crossover: Literal["sbx", "blend", "uniform"] = "sbx"
    crossover_rate: Annotated[Share, Field(description="share of children with two parents")] = 0.9
    gene_rate: Annotated[Share, Field(description="chance that a gene of a crossed pair is recombined")] = 0.5
    crossover_eta: Annotated[float, Field(ge=0, le=1000, description="SBX: larger stays nearer to the parents")] = 15.0
    blend_alpha: Annotated[float, Field(ge=0, le=2, description="BLX-alpha: how far beyond the parents a child may lie")] = 0.5
    mutation: Literal["polynomial", "gaussian"] = "polynomial"
    mutation_rate: Annotated[float, Field(gt=0, le=1)] | None = Field(default=None, description="chance of each gene; none: one a genome")
    mutation_eta: Annotated[float, Field(ge=0, le=1000, description="polynomial: larger makes smaller steps")] = 20.0
    mutation_sigma: Annotated[float, Field(gt=0, le=1, description="gaussian: standard deviation as a part of the dimension's range")] = 0.1


REFINE = Variation()
"""Deb's NSGA-II settings: small steps around good parents."""
EXPLORE = Variation(crossover="blend", mutation="gaussian", mutation_sigma=0.15)
"""Wide steps, beyond the parents."""
RECOMBINE = Variation(crossover="uniform", crossover_rate=1.0, mutation_eta=5.0)
"""Whole genes exchanged: for parameters that hardly interact."""
JUMP = Variation(crossover_rate=0.5, crossover_eta=5.0, mutation="gaussian", mutation_sigma=0.3)
"""Mostly mutation, with long jumps."""


class RacingSettings(config.Settings):
    """How hard a generation's new variants are raced before the best of them are scored on everything; see `evolve.racing`."""

    enabled: bool = False
    rungs: Annotated[int, Field(ge=1, le=9, description="decisions before the finish")] = 2
    keep: Annotated[float, Field(gt=0, lt=1, description="share of variants that a rung lets continue")] = 0.3
    first_share: Annotated[float, Field(gt=0, lt=1, description="share of all blocks that the first rung shows")] = 0.12
    fewest: Annotated[int, Field(ge=1, description="a rung never leaves fewer variants than this")] = 8
    blocks: Annotated[int, Field(ge=2, le=1000, description="parts of equal length that the bars of each market are divided into")] = 100

    @model_validator(mode="after")
    def _every_market_is_shown(self) -> RacingSettings:
        if self.blocks * self.first_share < 1:
            found = f"{self.first_share:g} of {self.blocks}"
            rule = "the first rung must show a block of every market"
            raise errors.BadSetting(rule, found=found, hint="more blocks or a larger first_share")
        return self


def _pair(given: Mapping[str, Any]) -> int:
    """2 of each island, or 1 where an island has no more than 2 variants."""
    population, islands = given.get("population", 0), given.get("islands", 1)
    return 1 if population // islands == 2 else 2


class SearchSettings(config.Settings):
    """Everything that decides the course of a search; with the space, the scores and the seed it decides every genome."""

    population: Annotated[int, Field(ge=2, le=1_000_000, description="variants (parameter sets) a generation, over all islands")] = 200
    generations: Annotated[int, Field(ge=1, le=1_000_000, description="generations of each island, the first, random one included")] = 20
    islands: Annotated[int, Field(ge=1, le=4096)] = 1
    migration_every: Annotated[int, Field(ge=0, description="generations between migrations (0 = off)")] = 5
    migration_size: Annotated[int, Field(ge=1, description="copies that each island sends")] = Field(default_factory=_pair)
    topology: Annotated[Literal["ring", "random"], Field(description="where migrants go: ring or random")] = "ring"
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1, max_length=6)] = (Objective(name="sharpe"),)
    constraints: Annotated[tuple[Constraint, ...], Field(description="an empty list for none")] = (ENOUGH_TRADES,)
    selection: Annotated[Literal["nsga2", "tournament"], Field(description="how parents are chosen: nsga2 or tournament")] = "nsga2"
    tournament_size: Annotated[int, Field(ge=2, le=1000, description="variants a tournament chooses among")] = 2
    elitism: Annotated[int, Field(ge=1, description="best variants that a generation keeps unchanged")] = Field(default_factory=_pair)
    variations: Annotated[tuple[Variation, ...], Field(min_length=1)] = (REFINE, EXPLORE, RECOMBINE, JUMP)
    immigration_below: Annotated[
        Share, Field(description="diversity, as a share of the first generation's, below which fresh samples are added")
    ] = 0.05
    immigration_share: Annotated[Share, Field(description="share of the children that fresh samples then replace")] = 0.2
    stagnation: Annotated[int, Field(ge=0, description="stop after N generations without improvement (0 = off)")] = 0
    tolerance: Annotated[
        float, Field(ge=0, le=1, description="relative growth of the best, or of the hypervolume, that counts as improvement")
    ] = 1e-4
    max_evaluations: Annotated[int, Field(ge=1)] | None = None
    max_seconds: Annotated[float, Field(gt=0)] | None = None
    max_failure_share: Annotated[Share, Field(description="share of an island's evaluations that may fail before the run stops")] = 0.5
    racing: RacingSettings = RacingSettings()
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @model_validator(mode="after")
    def _consistent(self) -> SearchSettings:
        rule = self._broken_rule()
        if rule:
            raise errors.BadSetting(rule[0], found=rule[1], hint=rule[2])
        return self

    def _broken_rule(self) -> tuple[str, object, str] | None:
        names = [objective.name for objective in self.objectives]
        if self.islands * 2 > self.population:
            return "each island needs at least 2 variants", f"{self.population} for {self.islands}", "fewer islands or a larger population"
        if len(set(names)) < len(names):
            return "each objective is named once", ", ".join(names), "remove the repeated objective"
        if self.selection == "tournament" and len(names) > 1:
            return "a tournament compares one objective", ", ".join(names), "use selection: nsga2"
        if self.max_evaluations is not None and self.max_evaluations < self.population:
            rule = f"max_evaluations must cover the first generation of {self.population}"
            return rule, self.max_evaluations, "raise it or shrink the population"
        smallest = self.population // self.islands
        if self.elitism + (self.migration_size if self.migrates else 0) > smallest:
            rule = f"elitism and migration_size together must fit an island's {smallest} variants"
            return rule, f"{self.elitism} and {self.migration_size}", "fewer islands or a larger population"
        return None

    @property
    def migrates(self) -> bool:
        """Whether islands ever exchange variants."""
        return self.islands > 1 and self.migration_every > 0

    def island_size(self, island: int) -> int:
        """How many variants `island` holds: the population divided evenly, the first islands taking the remainder."""
        return self.population // self.islands + (island < self.population % self.islands)

    def quota(self, island: int) -> int | None:
        """How many evaluations `island` may spend; None when there is no budget."""
        if self.max_evaluations is None:
            return None
        return max(self.max_evaluations // self.islands, self.island_size(island))

    def variation(self, island: int) -> Variation:
        """The operators and rates of `island`: the variations in turn."""
        return self.variations[island % len(self.variations)]
