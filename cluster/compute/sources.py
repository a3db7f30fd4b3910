"""Where a job's bars come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from coinswarm.market import turns
from coinswarm.market.bars import Bars
from coinswarm.market.vault import Fence, VaultPass

_PATIENCE = replace(turns.READING, limit_s=30.0)
"""Longer than those have who are waited for: a search would end with the one task that cannot read."""


@dataclass(frozen=True, kw_only=True)
class CatalogSource:
    """A span of one data set in the catalog; the file is open only while it is read.

    Attributes:
        path: the DuckDB file.
        key: name of the data set.
        content_hash: SHA-256 of the bars of the span.
        start_ts, end_ts: first open time and the time before which bars open, in ms; None: no bound.
        fence: where the bars end that the campaign may see; None: it has no vault.
        leave: lets the load past the fence; a source that has it cannot be sent to another process.
    """

    path: Path
    key: str
    content_hash: str
    start_ts: int | None = None
    end_ts: int | None = None
    fence: Fence | None = None
    leave: VaultPass | None = None

    def load(self) -> Bars:
        """Read the span; waits a little for those who write to the file.

        Raises:
            Refused: the span reaches into the campaign's vault, and there is no leave.
        """
        if self.fence is None:
            return self._read()
        self.fence.require(self.end_ts, self.leave)
        return self.fence.cut(self._read(), self.leave)

    def _read(self) -> Bars:
        from coinswarm.market.catalog import Catalog

        with Catalog.open(self.path, read_only=True, patience=_PATIENCE) as catalog:
            return catalog.read(self.key, start=self.start_ts, end=self.end_ts)


@dataclass(frozen=True, kw_only=True, eq=False)
class MemorySource:
    """Bars that are in memory."""

    bars: Bars

    @property
    def key(self) -> str:
        """Name of the data set."""
        return self.bars.key

    @property
    def content_hash(self) -> str:
        """SHA-256 of the bars."""
        return self.bars.content_hash

    def load(self) -> Bars:
        """The bars."""
        return self.bars
