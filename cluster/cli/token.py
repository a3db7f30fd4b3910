"""`coinswarm token`: who may use a server."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import console, quota, usage
from coinswarm import errors
from coinswarm.ledger import access, quotas
from coinswarm.ledger.access import MAX_QUEUED, MAX_RUNNING, ROLES, Token
from coinswarm.ledger.quotas import ANY
from coinswarm.printable import counted

app = usage.App(
    help="Create, list and revoke the access tokens of a server.",
    examples=["coinswarm token create alice --role submit --days 90", "coinswarm token revoke alice"],
)
_BY = "command line"


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who it is for.")],
    role: Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}; each may do what those before it may.")] = "submit",
    days: Annotated[float | None, typer.Option(help="Days until it expires; else never.", min=0.0001, max=36_500)] = None,
    max_queued: Annotated[int, typer.Option(help="Most queued jobs at a time.", min=0)] = MAX_QUEUED,
    max_running: Annotated[int, typer.Option(help="Most running jobs at a time.", min=0)] = MAX_RUNNING,
    most: quota.Most = None,
    as_json: console.AsJson = False,
) -> None:
    """Create a token and print its secret once: only its hash is stored."""
    if role not in ROLES:
        raise errors.InvalidArgument(f"a token's role is one of {', '.join(ROLES)}", found=role)
    secret, now = access.new_secret(), datetime.now(UTC)
    expires = None if days is None else now + timedelta(days=days)
    made = access.new_token(name, role, secret, created=now, expires=expires, max_queued=max_queued, max_running=max_running)
    limits = quotas.parsed(most or ())
    with bootstrap.open_quotas(console.settings()) as (kept, tokens):
        tokens.create_token(made, by=_BY)
        if limits != ANY:
            kept.set_quota("token", made.id, limits, by=_BY)
    if as_json:
        console.emit_json({**_plain(made), "secret": secret})
    else:
        console.note(f"token {name} ({made.id}) may {role}; keep it, it is not shown again:")
        console.text(secret)


@app.command()
def show(name: Annotated[str, typer.Argument(help="Its id or name.")], as_json: console.AsJson = False) -> None:
    """Show a token, its limits, and how much of them is used."""
    with bootstrap.open_quotas(console.settings()) as (kept, tokens):
        found = access.find_token(tokens.tokens(), name)
        limits, used = kept.quota("token", found.id), kept.used("token", found.id)
    if as_json:
        console.emit_json({**_plain(found), "quota": limits.model_dump(exclude_none=True), "used": asdict(used)})
        return
    console.facts(f"token {found.name}", [(name, _read(value)) for name, value in _plain(found).items()])
    quota.show("limits", limits, used, as_json=False)


@app.command("list")
def list_tokens(as_json: console.AsJson = False) -> None:
    """List all tokens, without their secrets."""
    with bootstrap.open_queue(console.settings()) as (_, tokens):
        found = tokens.tokens()
    if as_json:
        console.emit_json([_plain(each) for each in found])
        return
    rows: list[list[Any]] = [
        [each.name, each.role, each.id, each.max_queued, each.max_running, *(_read(time) for time in _times(each).values())]
        for each in found
    ]
    console.table(counted(len(rows), "token"), ["name", "role", "id", "queued", "running", *_TIMES], rows)
    if not rows:
        console.text("next: `coinswarm token create NAME` creates one")


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="Its id or name.")], as_json: console.AsJson = False) -> None:
    """Revoke a token (effective within a second)."""
    with bootstrap.open_queue(console.settings()) as (_, tokens):
        found = tokens.revoke(name, by=_BY)
    console.answer(_plain(found), f"token {found.name} ({found.id}) is revoked", as_json=as_json)


def _plain(found: Token) -> dict[str, Any]:
    return {
        "id": found.id, "name": found.name, "role": found.role, "max_queued": found.max_queued, "max_running": found.max_running,
        **_times(found),
    }  # fmt: skip


_TIMES = ("created", "expires", "revoked")


def _times(found: Token) -> dict[str, datetime | None]:
    return {name: None if (time := getattr(found, name)) is None else time.astimezone(UTC) for name in _TIMES}


def _read(value: Any) -> Any:
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value
