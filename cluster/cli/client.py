"""The client half of the command line: the same commands against a server elsewhere."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import typer

from cluster import machine
from cluster.machine import MachineSettings
from coinswarm import errors

SERVER = "Ask the coinswarm server at this address, such as http://127.0.0.1:8321; else COINSWARM_SERVER, else this machine itself."
Server = Annotated[str | None, typer.Option("--server", metavar="URL", help=SERVER)]

_TIMEOUT_S = 120.0
_QUIET_S = 60.0
_RETRIES = 60
_OURS = ("127.0.0.1", "localhost", "::1")


class Client:
    """Asks a server.

    Args:
        server: its address.
        token: what it is asked with; "" for none.
    """

    def __init__(self, server: str, token: str) -> None:
        self.server = server.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def _opened(self) -> Any:
        """A connection for one question; a command asks few."""
        import httpx

        return httpx.Client(base_url=self.server, headers=self._headers, timeout=httpx.Timeout(_TIMEOUT_S, connect=10.0))

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON at a path."""
        return self._ask("GET", path, params={name: value for name, value in parameters.items() if value is not None}).json()

    def text(self, path: str) -> str:
        """The text at a path."""
        return str(self._ask("GET", path).text)

    def content(self, path: str, **parameters: Any) -> bytes:
        """The bytes at a path."""
        return bytes(self._ask("GET", path, params={name: value for name, value in parameters.items() if value is not None}).content)

    def post(self, path: str, content: Any = None, *, headers: Mapping[str, str] | None = None, **parameters: Any) -> Any:
        """The JSON that a change is answered with."""
        return self._ask("POST", path, json=content, headers=dict(headers or {}), params=parameters).json()

    def events(self, job: str) -> Iterator[tuple[str, Any]]:
        """The events of a job until it ends, each with its name; a connection that breaks is made again where it broke."""
        import httpx

        last, broken = "", 0
        while True:
            try:
                with (
                    self._opened() as http,
                    http.stream(
                        "GET",
                        f"/api/v1/jobs/{quote(job, safe='')}/events",
                        headers={"Last-Event-ID": last} if last else {},
                        timeout=_QUIET_S,
                    ) as stream,
                ):
                    if stream.is_error:
                        stream.read()
                        raise explained(stream)
                    for name, number, data in _parsed(stream.iter_lines()):
                        last, broken = number or last, 0
                        yield name, data
                        if name == "end":
                            return
            except httpx.TransportError as error:
                broken += 1
                if not last or broken > _RETRIES:
                    raise self._unreached(error) from error
                time.sleep(1.0)

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        import httpx

        try:
            with self._opened() as http:
                answer = http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise self._unreached(error) from error
        if answer.is_error:
            raise explained(answer)
        return answer

    def _unreached(self, error: Exception) -> errors.Unavailable:
        return errors.Unavailable(
            f"no server answers at {self.server}", found=str(error) or type(error).__name__, hint="`coinswarm serve` starts one"
        )


def wanted(settings: MachineSettings, server: str | None) -> Client | None:
    """The server that a command is meant for; None for this machine itself.

    Raises:
        InvalidArgument: the address is not one.
    """
    place = server or settings.server
    if not place:
        return None
    parts = urlsplit(place)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise errors.InvalidArgument(
            "--server must be the address of a coinswarm server", found=repr(place), hint="such as http://127.0.0.1:8321"
        )
    return Client(place, _token(settings, parts.hostname))


def refuse_idle(**given: object) -> None:
    """Raise `InvalidArgument` for options that say nothing to a server."""
    for name, value in given.items():
        if value is not None:
            raise errors.InvalidArgument(f"--{name} does not go with --server", hint="the server decides where and when a job runs")


def explained(answer: Any) -> errors.CoinswarmError:
    """The error that a problem document tells of, of the same class as it was over there."""
    try:
        problem = answer.json()
        kind = getattr(errors, str(problem["type"]).rpartition(":")[2], None)
        rule = str(problem["rule"] or problem["detail"])
    except (ValueError, KeyError, TypeError):
        return errors.Unavailable(f"the server answered {answer.status_code}", found=repr(answer.text[:200]))
    if kind is errors.BadPlay:
        return errors.BadPlay([_mistake(each) for each in problem["problems"]])
    if problem["problems"]:
        rule = str(problem["detail"])
    if not (isinstance(kind, type) and issubclass(kind, errors.CoinswarmError)):
        kind = errors.CoinswarmError
    return kind(rule, found=problem.get("found"), hint=str(problem.get("hint") or ""))


def _mistake(given: Mapping[str, Any]) -> errors.PlayProblem:
    return errors.PlayProblem(
        path=given["where"], rule=given["rule"], found=given["found"], line=given["line"], suggestions=tuple(given["suggestions"])
    )


def _token(settings: MachineSettings, host: str) -> str:
    """What is configured, or what a server on this machine has left for its owner; never sent to another machine."""
    if (token := settings.service_token) is not None:
        return token
    path = machine.token_file(settings, "local")
    return path.read_text().strip() if host in _OURS and path.is_file() else ""


def _parsed(lines: Iterator[str]) -> Iterator[tuple[str, str, Any]]:
    """Name, id and data of each event in a stream."""
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if name:
            found[name] = value.removeprefix(" ")
        elif not line:
            if "data" in found:
                yield found.get("event", "message"), found.get("id", ""), json.loads(found["data"])
            found = {}
