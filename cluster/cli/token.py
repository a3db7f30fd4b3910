"""`coinswarm token`: who may use the control plane."""

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

app = usage.App(help="Make, list and take back tokens of the control plane.")
_BY = "command line"


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose it is.")],
    role: Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}; each may do what those before it may.")] = "submit",
    days: Annotated[float | None, typer.Option(help="Days until it expires; else never.", min=0.0001, max=36_500)] = None,
    max_queued: Annotated[int, typer.Option(help="Jobs that may wait at one time.", min=0)] = MAX_QUEUED,
    max_running: Annotated[int, typer.Option(help="Jobs that may run at one time.", min=0)] = MAX_RUNNING,
    most: quota.Most = None,
    as_json: console.AsJson = False,
) -> None:
    """Make a token and print its secret, this once: only its hash is kept."""
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
    """A token, its limits, and how much of them is used."""
    with bootstrap.open_quotas(console.settings()) as (kept, tokens):
        found = access.find_token(tokens.tokens(), name)
        limits, used = kept.quota("token", found.id), kept.used("token", found.id)
    if as_json:
        console.emit_json({**_plain(found), "quota": limits.model_dump(exclude_none=True), "used": asdict(used)})
        return
    console.table(f"token {found.name}", ["what", "which"], [list(pair) for pair in _plain(found).items()])
    quota.show("limits", limits, used, as_json=False)


@app.command("list")
def list_tokens(as_json: console.AsJson = False) -> None:
    """All tokens, without their secrets."""
    with bootstrap.open_queue(console.settings()) as (_, tokens):
        found = tokens.tokens()
    if as_json:
        console.emit_json([_plain(each) for each in found])
        return
    rows: list[list[Any]] = [list(_plain(each).values()) for each in found]
    console.table(f"{len(rows)} token(s)", ["id", "name", "role", "waiting", "running", "created", "expires", "revoked"], rows)


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="Its id or name.")], as_json: console.AsJson = False) -> None:
    """Take a token back; it opens nothing from a second later on."""
    with bootstrap.open_queue(console.settings()) as (_, tokens):
        found = tokens.revoke(name, by=_BY)
    console.answer(_plain(found), f"token {found.name} ({found.id}) is revoked", as_json=as_json)


def _plain(found: Token) -> dict[str, Any]:
    times = {name: _moment(getattr(found, name)) for name in ("created", "expires", "revoked")}
    return {
        "id": found.id, "name": found.name, "role": found.role, "max_queued": found.max_queued, "max_running": found.max_running, **times,
    }  # fmt: skip


def _moment(time: datetime | None) -> str | None:
    return None if time is None else f"{time:%Y-%m-%d %H:%M:%S}"
