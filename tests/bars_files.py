"""A file of bars that is open only while it is asked for something, as it must be where another process or a fetch writes to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog, DataSet


@dataclass(frozen=True)
class BarsFile:
    """The file at a path."""

    path: Path

    def read(self, market: str, **span: Any) -> Bars:
        """`Catalog.read`."""
        with Catalog.open(self.path, read_only=True) as catalog:
            return catalog.read(market, **span)

    def list(self) -> Sequence[DataSet]:
        """`Catalog.list`; nothing where there is no file."""
        if not self.path.exists():
            return ()
        with Catalog.open(self.path, read_only=True) as catalog:
            return catalog.list()
