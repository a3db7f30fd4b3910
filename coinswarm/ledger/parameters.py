"""Genomes decoded to parameters, lazily: a run breeds trials by the hundred thousand and reads the parameters of a few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, overload

from coinswarm import errors
from coinswarm.ledger.records import Json
from coinswarm.play.dimension import Dimension
from coinswarm.types import FloatArray

Meaning: TypeAlias = Literal["int", "float"] | tuple[Any, ...]
"""What a gene stands for: the whole number, the real number, or the entry of a list that it counts to."""


@dataclass(frozen=True, slots=True)
class Words:
    """How the genomes of a play are said. `genes`: name and meaning of each gene, in the order of the genome."""

    genes: tuple[tuple[str, Meaning], ...]

    @classmethod
    def of(cls, dimensions: Sequence[Dimension]) -> Words:
        """The words of a play's space."""
        return cls(tuple((dimension.path, _meaning(dimension)) for dimension in dimensions))

    @classmethod
    def parse(cls, stored: Sequence[Sequence[Any]]) -> Words:
        """From what `plain` made."""
        return cls(tuple((name, tuple(meaning) if isinstance(meaning, list) else meaning) for name, meaning in stored))

    def plain(self) -> list[list[Any]]:
        """As nested lists, for JSON."""
        return [[name, list(meaning) if isinstance(meaning, tuple) else meaning] for name, meaning in self.genes]

    def say(self, genome: Sequence[float]) -> dict[str, Any]:
        """Parameter name to value of one genome, (n_dims,); equal to `Space.decode`, but unchecked."""
        return {name: _said(meaning, gene) for (name, meaning), gene in zip(self.genes, genome, strict=True)}


class Spoken(Sequence[Json]):
    """The parameters of many variants, each said when it is looked at.

    Args:
        words: how they are said.
        genomes: (n, n_dims).

    Raises:
        ShapeMismatch: not one gene a word.
    """

    def __init__(self, words: Words, genomes: FloatArray) -> None:
        if genomes.ndim != 2 or genomes.shape[1] != len(words.genes):
            raise errors.ShapeMismatch(f"genomes must have {len(words.genes)} columns", found=f"shape {genomes.shape}")
        self.words = words
        self.genomes = genomes

    def __len__(self) -> int:
        return len(self.genomes)

    @overload
    def __getitem__(self, row: int) -> Json: ...
    @overload
    def __getitem__(self, row: slice) -> Spoken: ...
    def __getitem__(self, row: int | slice) -> Json | Spoken:
        if isinstance(row, slice):
            return Spoken(self.words, self.genomes[row])
        return self.words.say(self.genomes[row].tolist())

    def __iter__(self) -> Iterator[Json]:
        return map(self.words.say, self.genomes.tolist())


def _meaning(dimension: Dimension) -> Meaning:
    if dimension.kind == "choice":
        return tuple(dimension.decode(float(place)) for place in range(len(dimension.choices)))
    return dimension.kind


def _said(meaning: Meaning, gene: float) -> Any:
    if isinstance(meaning, tuple):
        return meaning[round(gene)]
    return int(gene) if meaning == "int" else float(gene)
