"""Single variants of a play: fixing every slot, and the identity of a variant everywhere (deduplication, cache, ledger, lineage)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coinswarm import errors
from coinswarm.play import canonical, slots
from coinswarm.play.dimension import Dimension
from coinswarm.play.model import Play
from coinswarm.play.space import Space
from coinswarm.types import FloatArray

_TABLE = 100_000


def fix(play: Play, genome: FloatArray) -> Play:
    """The one variant a genome stands for: every slot replaced by its value, the space empty.

    Args:
        play: the family.
        genome: (n_dims,) a valid genome of `play.space`.

    Raises:
        ShapeMismatch: not one gene a dimension.
        InvalidArgument: the genome is outside the space or breaks a constraint.
    """
    row = np.atleast_2d(np.asarray(genome, dtype=np.float64))
    settings = tuple(play.space.decode(row).values())
    if not play.space.valid(row)[0]:
        raise errors.InvalidArgument("a genome keeps the constraints of its play", found=str(play.space.decode(row)))
    values = [float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value for value in settings]
    return replace(slots.put(play, lambda slot: values[slot.index]), space=Space())


def identity(play: Play) -> str:
    """The identity of a play in which nothing varies: 64 hexadecimal digits.

    Raises:
        InvalidArgument: the play still has dimensions.
    """
    if play.space.dimensions:
        raise errors.InvalidArgument("one variant has an identity; fix the play first", found=f"{len(play.space.dimensions)} dimensions")
    return canonical.digest(canonical.template(play)[0].replace("%%", "%"))


def identities(play: Play, genomes: FloatArray) -> list[str]:
    """The identity of each variant: SHA-256 of its canonical form, 64 hexadecimal digits.

    Equal for variants of equal meaning: a number written out or picked from a range, 14 or 14.0, whatever features are called.

    Args:
        play: the family.
        genomes: (n_variants, n_dims) genomes within their dimensions (constraints are not looked at).

    Raises:
        ShapeMismatch: not one gene a dimension.
    """
    rows = np.asarray(genomes, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != len(play.space):
        raise errors.ShapeMismatch(f"genomes must be (n_variants, {len(play.space)})", found=f"shape {rows.shape}")
    text, order = canonical.template(play)
    if not order:
        return [canonical.digest(text.replace("%%", "%"))] * len(rows)
    columns = {index: _texts(play.space.dimensions[index], rows[:, index]) for index in set(order)}
    return [canonical.digest(text % row) for row in zip(*(columns[index] for index in order), strict=True)]


def _texts(dimension: Dimension, genes: FloatArray) -> list[str]:
    """The canonical text of each gene; looked up where the dimension's values are few."""
    if dimension.size > min(_TABLE, 4 * len(genes)):
        return [canonical.scalar(dimension.decode(gene)) for gene in dimension.snap(genes).tolist()]
    grid = dimension.grid(np.arange(dimension.steps + 1, dtype=np.float64))
    table = [canonical.scalar(dimension.decode(gene)) for gene in grid.tolist()]
    index = np.rint((dimension.snap(genes) - dimension.low) / dimension.step).astype(np.int64)
    return [table[i] for i in index.tolist()]
