"""`coinswarm play indicators`: the catalogue of indicators and structures, or one of them in full."""

from __future__ import annotations

from typing import Annotated

import typer

from cluster.cli import console
from coinswarm.indicators import reference
from coinswarm.indicators.reference import CatalogEntry


def command(
    name: Annotated[str | None, typer.Argument(help="One of them, to be shown in full.", show_default=False)] = None,
    as_json: console.AsJson = False,
) -> None:
    """List the indicators and structures that plays may name, or show one in full."""
    found = reference.entries() if name is None else (reference.entry(name),)
    if as_json:
        console.emit_json(found if name is None else found[0])
    elif name is None:
        _list(found)
    else:
        _show(found[0])


def _list(found: tuple[CatalogEntry, ...]) -> None:
    for title, structure in (("Indicators", False), ("Structures", True)):
        rows = [(each.name, each.warm_up, each.summary) for each in found if each.structure is structure]
        console.table(title, ("name", "warm-up", "what it is"), rows)
    console.text("next: `coinswarm play indicators NAME` for parameters, outputs and an example")


def _show(one: CatalogEntry) -> None:
    console.text(f"{one.name}: {one.summary}{f' {one.details}' if one.details else ''}")
    if one.parameters:
        console.table("Parameters", ("name", "default", "may be"), [(each.name, each.default, each.may_be) for each in one.parameters])
    console.table("Outputs", ("in a condition", "holds"), [(each.name, each.holds) for each in one.outputs])
    console.text(f"source:  {'a column or another feature, close unless named' if one.takes_source else 'whole bars'}")
    console.text(f"warm-up: {'depends on what is given' if one.warm_up is None else f'{one.warm_up:,} bars at the defaults'}")
    console.text(f"from:    {one.cite}")
    console.text(f"example:\n  {'  '.join(one.example.splitlines(keepends=True)).rstrip()}")
