"""`coinswarm quota`: how much all jobs of a token or a campaign may ask for together, and how much they have."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from cluster import bootstrap
from cluster.cli import console, usage
from coinswarm.ledger import access, quotas
from coinswarm.ledger.quotas import ANY, JobAmounts, Quota

app = usage.App(
    help="Show and set the quotas of tokens and campaigns.",
    examples=["coinswarm quota token alice", "coinswarm quota campaign spring --max trials=1000000"],
)
_BY = "command line"

Most = Annotated[
    list[str] | None,
    typer.Option("--max", metavar="NAME=NUMBER", help=f"A limit: {', '.join(Quota.model_fields)}; repeat for several."),
]
Clear = Annotated[bool, typer.Option("--clear", help="Remove all limits.")]


@app.command()
def token(
    name: Annotated[str, typer.Argument(help="The id or name of the token.")],
    most: Most = None,
    clear: Clear = False,
    as_json: console.AsJson = False,
) -> None:
    """Show the limits of a token and how much its jobs used; `--max` sets new limits in place of the old ones."""
    with bootstrap.open_quotas(console.settings()) as (kept, tokens):
        found = access.find_token(tokens.tokens(), name)
        if most or clear:
            kept.set_quota("token", found.id, quotas.parsed(most or ()), by=_BY)
        quota, used = kept.quota("token", found.id), kept.used("token", found.id)
    show(f"token {found.name} ({found.id})", quota, used, as_json=as_json)


@app.command()
def campaign(
    name: Annotated[str, typer.Argument(help="The name of the campaign.")],
    most: Most = None,
    clear: Clear = False,
    as_json: console.AsJson = False,
) -> None:
    """Show the limits of a campaign and how much its jobs used; `--max` sets new limits in place of the old ones."""
    with bootstrap.open_quotas(console.settings()) as (kept, _):
        if most or clear:
            kept.set_quota("campaign", name, quotas.parsed(most or ()), by=_BY)
        quota, used = kept.quota("campaign", name), kept.used("campaign", name)
    show(f"campaign {name}", quota, used, as_json=as_json)


def show(title: str, quota: Quota, used: JobAmounts, *, as_json: bool) -> None:
    """Print limits beside what counts towards them."""
    counts = asdict(used)
    if as_json:
        console.emit_json({"quota": quota.model_dump(exclude_none=True), "used": counts})
        return
    limits = quota.model_dump()
    rows = [[field.description, counts.get(name), limits[name], name] for name, field in Quota.model_fields.items()]
    console.table(title if quota != ANY else f"{title}: no limits", ["what", "used", "limit", "name for --max"], rows)
