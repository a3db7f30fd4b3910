"""From what was typed to a request: files imported, objectives and times read, settings checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cluster import settings as machine
from cluster.cli import console, goals
from cluster.jobs.evolve.plan import Overrides, PlayFile, Request
from cluster.settings import Settings
from coinswarm import errors, play
from coinswarm.config import Costs
from coinswarm.evolve import reduction
from coinswarm.evolve.settings import SearchSettings
from coinswarm.market import files
from coinswarm.market.catalog import Catalog


def search(values: Mapping[str, Any], objectives: Sequence[str] | None, constraints: Sequence[str] | None) -> SearchSettings:
    """Settings of a search; what is None is left to their defaults.

    Raises:
        BadSetting: a value lies outside its domain, or a figure does not exist; every such value is named.
    """
    given = {name: value for name, value in values.items() if value is not None}
    if objectives:
        given["objectives"] = tuple(goals.objective(text) for text in objectives)
    if constraints:
        given["constraints"] = tuple(goals.constraint(text) for text in constraints if text != "none")
    made: SearchSettings = settled(SearchSettings, given)
    reduction.check(made)
    return made


def request(
    plays: Sequence[Path],
    markets: Sequence[str],
    timeframe: str | None,
    span: tuple[str | None, str | None],
    settings: SearchSettings,
    overrides: Mapping[str, Any],
    others: Mapping[str, Any],
) -> Request:
    """The request of a person; plays are read and checked."""
    settled(Costs, {name: value for name, value in overrides.items() if name in Costs.model_fields and value is not None})
    return Request(
        plays=checked(plays),
        markets=tuple(markets),
        timeframe=timeframe,
        start_ts=goals.moment(span[0], "--from"),
        end_ts=goals.moment(span[1], "--to"),
        search=settings,
        overrides=settled(Overrides, overrides),
        **others,
    )


def checked(plays: Sequence[Path]) -> tuple[PlayFile, ...]:
    """The plays as a run takes them; raises `BadPlay` or `NotFound` before anything is fetched or stored for them."""
    return tuple(PlayFile(text=play.load(path).text, path=path) for path in plays)


def imported(paths: Sequence[Path], settings: Settings) -> list[str]:
    """Keys of the data sets that files were imported into; importing a file again changes nothing."""
    if not paths:
        return []
    found = [files.read(path, tell=console.note) for path in paths]
    machine.ensure_home(settings)
    with Catalog.open(settings.bars_file) as catalog, catalog.transaction():
        for path, bars in zip(paths, found, strict=True):
            stored = catalog.put(bars, source=str(path), source_hash=files.file_hash(path))
            console.note(f"{stored.key}: {stored.added:,} bars imported, {stored.unchanged:,} were there")
    return [bars.key for bars in found]


def settled(kind: Any, values: Mapping[str, Any]) -> Any:
    """Settings of a kind; raises `BadSetting` naming every value outside its domain."""
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        raise errors.BadSetting("a setting cannot be used", found=problems) from None
