"""`coinswarm bars remove`, `rename` and `export`: data sets as a whole."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster import bootstrap
from cluster.cli import catalogs, console
from coinswarm import errors
from coinswarm.market.bars import Bars

if TYPE_CHECKING:
    from cluster.machine import MachineSettings
    from cluster.queries.data_sets import Uses

Key = Annotated[str, typer.Argument(metavar="KEY", help="A data set: binance:BTC/USDT:5m, or enough of it.", show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def remove(
    keys: Annotated[list[str], typer.Argument(metavar="KEY…", help="Data sets as `coinswarm bars list` shows them.", show_default=False)],
    yes: Yes = False,
    as_json: console.AsJson = False,
) -> None:
    """Remove data sets, all or none. Shows first which jobs can then not be replayed; their results stay."""
    from cluster.queries import data_sets

    settings = console.settings()
    used = _used(settings, keys)
    data_sets.refuse_busy(used)
    _ask(used, f"remove {', '.join(each.data_set.key for each in used)}?", yes=yes)
    data_sets.remove(settings.bars_file, [each.data_set for each in used])
    if as_json:
        console.emit_json([{"removed": each.data_set.key, "jobs": each.ids, "campaigns": list(each.campaigns)} for each in used])
        return
    for each in used:
        console.text(f"removed {each.data_set.key}: {each.data_set.n_bars:,} bars")


def rename(
    key: Key,
    new: Annotated[str, typer.Argument(metavar="NEW", help="A symbol, exchange:symbol or a whole key.", show_default=False)],
    yes: Yes = False,
    as_json: console.AsJson = False,
) -> None:
    """Rename a data set. Its hash covers the name: jobs that used it cannot be replayed until it is renamed back."""
    from cluster.queries import data_sets

    settings = console.settings()
    used = _used(settings, [key])
    data_sets.refuse_busy(used)
    with catalogs.catalog(read_only=True) as catalog:
        name = catalog.new_name(used[0].data_set.key, new)
    _ask(used, f"rename {used[0].data_set.key} to {name.key}?", yes=yes or not used[0].text, back="until it is renamed back")
    with catalogs.catalog() as catalog:
        before, after = catalog.rename(used[0].data_set.key, new)
    said = f"{before.key} is {after.key} now; its hash was {before.content_hash[:8]} and is {after.content_hash[:8]}"
    facts = {"was": before.key, "is": after.key, "content_hash": after.content_hash, "jobs": used[0].ids}
    console.answer(facts, said, as_json=as_json)


def export(
    key: Key,
    out: Annotated[Path | None, typer.Option(help="The file to write, .parquet or .csv; else one named after the market.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """Export a data set to a file, funding to another beside it. Importing them gives the same bars and hash."""
    from coinswarm.market.export import content, file_name, form_of
    from coinswarm.report.files import write_whole

    form = "parquet" if out is None else form_of(out)
    with catalogs.catalog(read_only=True) as catalog:
        entry = catalog.read(key)
    file = out or Path(file_name(entry, form))
    funding = _beside(file, file_name(entry, form, "funding"), out) if entry.funding_ts.size else None
    write_whole(file, content(entry, form))
    if funding is not None:
        write_whole(funding, content(entry, form, "funding"))
    again = _import_line(entry, file, funding)
    if as_json:
        wrote = {"file": str(file), "funding": None if funding is None else str(funding)}
        console.emit_json(
            {"data_set": entry.key, "content_hash": entry.content_hash, "synthetic": entry.synthetic, **wrote, "again": again}
        )
        return
    for path in (file, funding):
        if path is not None:
            console.text(f"wrote {console.path(path)}")
    console.text(f"{entry.key}: {len(entry):,} bars, hash {entry.content_hash[:8]}; `{again}` imports them")


def _beside(file: Path, usual: str, named: Path | None) -> Path:
    """Where funding is written: under the name that an import looks for, or that of the bars with a word more."""
    return file.with_name(usual) if named is None else file.with_name(f"{file.stem}_funding{file.suffix}")


def _import_line(entry: Bars, file: Path, funding: Path | None) -> str:
    line = ["coinswarm", "bars", "import", str(file), "--exchange", entry.exchange, "--symbol", entry.symbol]
    line += ["--timeframe", str(entry.timeframe), *([] if funding is None else ["--funding", str(funding)])]
    return shlex.join(line)


def _used(settings: MachineSettings, keys: Sequence[str]) -> list[Uses]:
    """The data sets with what depends on them; a machine that never had a database has no job."""
    from cluster.queries import data_sets

    found = data_sets.stored(settings.bars_file, keys)
    if settings.database_address is None and not settings.postgres_folder.exists():
        return [data_sets.Uses(data_set=entry) for entry in found]
    with bootstrap.open_store(settings) as store, bootstrap.open_campaigns(settings) as kept:
        return data_sets.uses(store, kept, found)


def _ask(used: Sequence[Uses], question: str, *, yes: bool, back: str = "") -> None:
    """Say what would be lost, and ask; without a terminal `--yes` must have been said."""
    for each in used:
        if each.text:
            console.note(f"without {each.data_set.key} {each.text}{f' ({back})' if back else ''}")
    if yes:
        return
    if not sys.stdin.isatty():
        raise errors.Refused("this must be confirmed, and there is no terminal to ask on", found="no --yes", hint="--yes does not ask")
    typer.confirm(question, abort=True, err=True)
