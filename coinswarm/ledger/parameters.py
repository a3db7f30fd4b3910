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
class ParameterDecoder:
    """Decodes the genomes of a play. `genes`: name and meaning of each gene, in the order of the genome."""

    genes: tuple[tuple[str, Meaning], ...]

    @classmethod
    def of(cls, dimensions: Sequence[Dimension]) -> ParameterDecoder:
        """The decoder of a play's space."""
        return cls(tuple((dimension.path, _meaning(dimension)) for dimension in dimensions))

    @classmethod
    def parse(cls, stored: Sequence[Sequence[Any]]) -> ParameterDecoder:
        """From what `plain` made."""
        return cls(tuple((name, tuple(meaning) if isinstance(meaning, list) else meaning) for name, meaning in stored))

    def plain(self) -> list[list[Any]]:
        """As nested lists, for JSON."""
        return [[name, list(meaning) if isinstance(meaning, tuple) else meaning] for name, meaning in self.genes]

    def decode(self, genome: Sequence[float]) -> dict[str, Any]:
        """Parameter name to value of one genome, (n_dims,); equal to `Space.decode`, but unchecked."""
        return {name: _value(meaning, gene) for (name, meaning), gene in zip(self.genes, genome, strict=True)}


class DecodedParameters(Sequence[Json]):
    """The parameters of many variants, each decoded when it is read.

    Args:
        decoder: of their play.
        genomes: (n, n_dims).

    Raises:
        ShapeMismatch: a genome has more or fewer genes than the decoder.
    """

    def __init__(self, decoder: ParameterDecoder, genomes: FloatArray) -> None:
        if genomes.ndim != 2 or genomes.shape[1] != len(decoder.genes):
            raise errors.ShapeMismatch(f"genomes must have {len(decoder.genes)} columns", found=f"shape {genomes.shape}")
        self.decoder = decoder
        self.genomes = genomes

    def __len__(self) -> int:
        return len(self.genomes)

    @overload
    def __getitem__(self, row: int) -> Json: ...
    @overload
    def __getitem__(self, row: slice) -> DecodedParameters: ...
    def __getitem__(self, row: int | slice) -> Json | DecodedParameters:
        if isinstance(row, slice):
            return DecodedParameters(self.decoder, self.genomes[row])
        return self.decoder.decode(self.genomes[row].tolist())

    def __iter__(self) -> Iterator[Json]:
        return map(self.decoder.decode, self.genomes.tolist())


def _meaning(dimension: Dimension) -> Meaning:
    if dimension.kind == "choice":
        return tuple(dimension.decode(float(place)) for place in range(len(dimension.choices)))
    return dimension.kind


def _value(meaning: Meaning, gene: float) -> Any:
    if isinstance(meaning, tuple):
        return meaning[round(gene)]
    return int(gene) if meaning == "int" else float(gene)
