"""Handing a job in and following it, here or at a control plane elsewhere: the same words on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cluster import bootstrap
from cluster.cli import client, console
from coinswarm import errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cluster.settings import Settings

_LEFT_OUT = ("config", "result", "queue", "play_hashes", "data_hash", "config_hash", "lease_expires")


def hand_in(settings: Settings, server: str | None, asked: Any, *, priority: int, key: str | None, as_json: bool) -> str:
    """Hand a request of any kind in and say its id; the answer is the id.

    Args:
        settings: of this machine.
        server: a control plane; None: the one in the settings, or this machine.
        asked: a model of `cluster.jobs.registry`.
        priority: greater is sooner.
        key: repeating it changes nothing.
        as_json: how to say it.

    Raises:
        BadInput, NotFound, SpanTooShort: it cannot be done; nothing was stored.
    """
    remote = client.wanted(settings, server)
    if remote is None:
        job = _queued(settings, asked, priority, key)
    else:
        headers = {"Idempotency-Key": key} if key else {}
        job = str(remote.post("/api/v1/jobs", asked.model_dump(mode="json"), headers=headers, priority=priority)["id"])
    place = f" --server {remote.server}" if remote else ""
    if as_json:
        console.emit_json({"job": job})
    else:
        console.text(f"job {job} is in the line; follow it with `coinswarm watch {job}{place}`")
    return job


def read(file: Path, plays: Sequence[Path]) -> Any:
    """A request of any kind from a YAML or JSON file as `POST /api/v1/jobs` takes it, with the text of these plays.

    Raises:
        BadInput: the file cannot be read, or is no such request; every mistake is named.
    """
    import yaml
    from pydantic import TypeAdapter, ValidationError

    from cluster.cli import asking
    from cluster.jobs.registry import JobRequest

    try:
        given = yaml.safe_load(file.read_text("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise errors.BadInput(f"{file.name} must be YAML or JSON", found=error) from error
    if plays and isinstance(given, dict):
        given["plays"] = [{"text": each.text} for each in asking.checked(plays)]
    try:
        return TypeAdapter(JobRequest).validate_python(given)
    except ValidationError as error:
        mistakes = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:5])
        raise errors.BadInput(f"{file.name} must be a request of a job", found=mistakes) from error


def follow(remote: client.Client, job: str) -> dict[str, Any]:
    """Say what a job at a control plane tells until it ends; the answer is the job as it is then."""
    for name, data in remote.events(job):
        if name == "job":
            console.note(f"job {data['id']} is {data['status']}")
        for record in data.get("generations", []) if name == "commit" else []:
            if record["island"] >= 0:
                console.note("  ".join(f"{key} {_short(value)}" for key, value in record.items() if key != "figures"))
    found: dict[str, Any] = remote.get(f"/api/v1/jobs/{job}")
    return found


def present_remote(found: dict[str, Any], *, as_json: bool) -> None:
    """Print how a followed job ended; exit code 1 when it failed or was cancelled."""
    if as_json:
        console.emit_json({"job": found["id"], "status": found["status"], "error": found["error"], "result": found["result"]})
    else:
        console.text(f"job {found['id']} is {found['status']}{': ' + found['error'] if found['error'] else ''}")
    if found["status"] != "done":
        raise typer.Exit(1)


def brief(found: dict[str, Any]) -> dict[str, Any]:
    """A job from a control plane as it stands in the list of `coinswarm jobs list`."""
    return {
        "job": found["id"], "kind": found["kind"], "status": found["status"], "created": found["created"][:19].replace("T", " "),
        "plays": ", ".join(found["plays"]), "markets": len(found["markets"]), "population": found["population"],
        "generations": found["generations"], "seed": found["seed"], "synthetic": found["synthetic"],
    }  # fmt: skip


def facts(found: dict[str, Any]) -> list[list[Any]]:
    """What `coinswarm jobs show` prints of a job from a control plane."""
    shown = {**brief(found), **{name: value for name, value in found.items() if name not in (*_LEFT_OUT, "id", "plays", "markets")}}
    return [[name.replace("_", " "), value] for name, value in shown.items()]


def _queued(settings: Settings, asked: Any, priority: int, key: str | None) -> str:
    import dataclasses

    from cluster.jobs import requests
    from cluster.queries import answers as desk

    with bootstrap.open_supplies(settings) as supplies, bootstrap.open_queue(settings) as (queue, _):
        texts = tuple(given.text if given.text is not None else supplies.store.play(given.sha256).text for given in asked.plays)
        planned = desk.plan(supplies, asked, texts)
        named = dataclasses.replace(planned, priority=priority, key=key or "", fingerprint=requests.fingerprint(asked, texts))
        return queue.submit(named)


def _short(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def refuse_files(server: str | None, files: object) -> None:
    """Raise `InvalidArgument` for files of candles that a server elsewhere would have to import."""
    if server and files:
        raise errors.InvalidArgument(
            "a server has its own bars", found="--bars with --server", hint="name a market that `coinswarm bars list` shows over there"
        )
