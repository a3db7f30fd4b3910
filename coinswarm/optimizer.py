"""The search of `coinswarm.evolve` for any function of parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from coinswarm import display, errors
from coinswarm.evolve import Objective, Results, SearchSettings, State, run
from coinswarm.play.dimension import Dimension, Value
from coinswarm.play.space import Space
from coinswarm.types import FloatArray

if TYPE_CHECKING:
    import polars as pl

Values: TypeAlias = Sequence[Value]
"""What a parameter may be: a list of values, a `range`, or a tuple of the lowest, the highest and, if it has one, the step."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Optimum:
    """What an optimizer found.

    Attributes:
        best_params: parameters of the best variant, by name.
        best_fitness: what the function made of them.
        history: one row a generation: `generation`, `best`, and `trials`, the different variants tried until then.
        trials: different variants that were tried.
    """

    best_params: dict[str, Value]
    best_fitness: float
    history: pl.DataFrame
    trials: int

    def __repr__(self) -> str:
        return f"Optimum({self.best_params}, fitness {self.best_fitness:.6g}, best of {self.trials:,} variants)"

    def _repr_html_(self) -> str:
        title = f"fitness {self.best_fitness:.6g}, the best of {self.trials:,} variants"
        return display.table(title, list(self.best_params.items()), ["parameter", "value"])


class GAOptimizer:
    """A genetic search for the parameters at which a function is greatest.

        found = cs.GAOptimizer({"fast": range(5, 40), "slow": range(45, 150, 5), "stop": (0.5, 3.0)}, profit).evolve()
        found.best_params, found.best_fitness

    Args:
        param_space: what each parameter may be: a list of values; a `range`; or a tuple of the lowest and the highest, both included, with
            a step or without. A tuple of whole numbers has whole numbers between them.
        fitness_func: takes parameters by name and returns a number, larger for better; NaN where there is none. It is called once for
            parameters that are the same; what it raises ends the search.
        population: variants of a generation.
        generations: generations, the first random one included.
        maximize: whether larger is better.
        seed: the same seed tries the same parameters in the same order.
        settings: more of `coinswarm.evolve.SearchSettings` by name, such as `islands=4` or `max_evaluations=500`.

    Raises:
        InvalidArgument: a parameter has no values, or bounds in the wrong order.
    """

    def __init__(
        self,
        param_space: Mapping[str, Values],
        fitness_func: Callable[[dict[str, Value]], float],
        *,
        population: int = 50,
        generations: int = 20,
        maximize: bool = True,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        self.space = Space(dimensions=tuple(_dimension(name, values) for name, values in param_space.items()))
        if not self.space.dimensions:
            raise errors.InvalidArgument("an optimizer needs a parameter", found="none")
        self._function = fitness_func
        objective = Objective(name="fitness", direction="max" if maximize else "min", limit=1e12)
        self.settings = SearchSettings(
            population=population, generations=generations, seed=seed, objectives=(objective,), constraints=(), **settings
        )

    def evolve(self) -> Optimum:
        """Search, in this process.

        Raises:
            ErrorBudgetSpent: more than half of the function's values are NaN.
        """
        import polars as pl

        better = np.fmax if self.settings.objectives[0].direction == "max" else np.fmin
        values: list[float] = []
        history: list[tuple[int, float, int]] = []

        def evaluate(genomes: FloatArray) -> Results:
            found = np.array([float(self._function(self.space.decode(genome))) for genome in genomes])
            values.extend(found)
            return Results(objectives=found[:, None], violation=np.zeros(len(found)), failed=np.isnan(found))

        def remember(state: State) -> None:
            history.append((state.generation, float(better.reduce(values)), len(values)))

        result = run(self.space, evaluate, self.settings, on_generation=remember)
        best = result.best.genomes[0]
        return Optimum(
            best_params=self.space.decode(best),
            best_fitness=float(result.figures[0, 0]),
            history=pl.DataFrame(history, schema=["generation", "best", "trials"], orient="row"),
            trials=result.state.distinct,
        )


def _dimension(name: str, values: Values) -> Dimension:
    if isinstance(values, range) and len(values):
        return _between(name, min(values), max(values), abs(values.step))
    if isinstance(values, tuple) and len(values) in (2, 3) and all(_is_number(value) for value in values):
        return _between(name, *values)
    if isinstance(values, str) or not len(values) or isinstance(values, range | tuple):
        hint = "a list of values, a range, or a tuple (lowest, highest) or (lowest, highest, step)"
        raise errors.InvalidArgument(f"{name} must say what it may be", found=repr(values), hint=hint)
    return Dimension.choice(name, tuple(values))


def _between(name: str, low: Any, high: Any, step: Any = None) -> Dimension:
    if not low <= high or (step is not None and not step > 0) or not all(map(math.isfinite, (low, high))):
        raise errors.InvalidArgument(
            f"{name} must be from a lowest to a highest number, in steps above 0", found=f"{low} to {high}, {step}"
        )
    whole = all(isinstance(each, int) for each in (low, high, step or 1))
    return Dimension(path=name, kind="int" if whole else "float", low=low, high=high, step=float(step or whole))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
