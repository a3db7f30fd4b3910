"""The catalog of bars that commands read and write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cluster import machine
from cluster.cli import console
from coinswarm.market import storing
from coinswarm.market.catalog import Catalog, Stored
from coinswarm.market.merging import Prefer
from coinswarm.market.storing import Incoming


@contextmanager
def catalog(*, read_only: bool = False) -> Iterator[Catalog]:
    """The catalog of this machine, for the length of a `with`; others wait meanwhile, so it holds nothing but reading and writing."""
    settings = console.settings()
    if not read_only and settings.bars_path is None:
        machine.ensure_home(settings)
    with Catalog.open(settings.bars_file, read_only=read_only) as opened:
        yield opened


def store(entries: Sequence[Incoming], *, prefer: Prefer | None = None) -> list[Stored]:
    """Add bars to the catalog of this machine, see `storing.store`."""
    settings = console.settings()
    if settings.bars_path is None:
        machine.ensure_home(settings)
    return storing.store(settings.bars_file, entries, prefer=prefer)
