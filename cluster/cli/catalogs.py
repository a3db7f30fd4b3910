"""The catalog of bars that commands read and write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cluster import machine
from cluster.cli import console
from coinswarm.market.catalog import Catalog


@contextmanager
def catalog(*, read_only: bool = False) -> Iterator[Catalog]:
    """The catalog of this machine, for the length of a `with`."""
    settings = console.settings()
    if not read_only and settings.bars_path is None:
        machine.ensure_home(settings)
    with Catalog.open(settings.bars_file, read_only=read_only) as opened:
        yield opened
