"""What a control plane refuses: each with the right status, and with nothing written."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from cluster.api import security
from coinswarm import errors
from coinswarm.ledger import access
from tests.integration.control_world import LIMITS, Plane
from tests.integration.evolve_world import PLAY

CHANGES = [
    ("POST", "/api/v1/jobs"), ("POST", "/api/v1/plays"), ("POST", "/api/v1/jobs/x/cancel"), ("POST", "/api/v1/jobs/x/resume"),
    ("POST", "/api/v1/jobs/x/terminate"),
    ("POST", "/api/v1/tokens"), ("DELETE", "/api/v1/tokens/x"),
]  # fmt: skip
LOOKS = [
    "/version", "/metrics", "/api/v1/jobs", "/api/v1/jobs/x", "/api/v1/jobs/x/events", "/api/v1/plays", "/api/v1/data-sets",
    "/api/v1/evaluations?job=x", "/api/v1/whoami", "/nothing", "/redoc", "/docs/x", "/openapi.json/x",
]  # fmt: skip
HOSTILE = [
    "'; DROP TABLE jobs; --", "' OR '1'='1", "../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "..%2f..%2fetc%2fpasswd",
    "$(touch owned)", "{{7*7}}", "\x00", "\ud800", "%00", "a" * 5000, "💥" * 60,
]  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_written(control: Plane) -> Iterator[None]:
    """Refused requests leave no row. Tokens are made by tests themselves, each with its row in the trail."""
    before = control.rows()
    yield
    after = control.rows()
    assert after | {"tokens": 0, "audit": 0} == before | {"tokens": 0, "audit": 0}
    told = control.context.access.trail(limit=after["audit"] - before["audit"]) if after["audit"] > before["audit"] else ()
    assert {row.token for row in told} <= {"test"}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic YTpi", "Bearer swarm_" + "0" * 40])
def test_nothing_is_open_without_a_token(control: Plane, header: str) -> None:
    with control.client(None) as client:
        for method, path in [*CHANGES, *(("GET", path) for path in LOOKS)]:
            answer = client.request(method, path, headers={"Authorization": header} if header else {}, json={})
            assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), path
            assert answer.headers["www-authenticate"] == "Bearer"


def test_the_description_is_open_and_its_page_asks_no_other_server(control: Plane) -> None:
    with control.client(None) as client:
        described, page = client.get("/openapi.json"), client.get("/docs")
        again = client.get("/docs", headers={"If-None-Match": page.headers["etag"]})
    assert described.json()["paths"] == client_paths(control)
    assert (page.status_code, page.headers["content-type"], again.status_code) == (200, "text/html; charset=utf-8", 304)
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    assert set(re.findall(r'(?:src|href)="([^"#]+)"', page.text)) == {"/favicon.svg", "/assets/style.css", "/openapi.json"}
    assert "<script" not in page.text
    assert "POST /api/v1/jobs</code>" in page.text
    targets = re.findall(r'href="#([^"]+)"', page.text)
    assert targets
    assert all(f'id="{target}"' in page.text for target in targets)


def client_paths(control: Plane) -> dict[str, Any]:
    with control.client("read") as client:
        return client.get("/api/v1/openapi.json").json()["paths"]


def test_health_is_open_on_this_machine_only() -> None:
    here = {"method": "GET", "path": "/health", "client": ("127.0.0.1", 1), "headers": []}
    assert security.is_open(here)
    assert not security.is_open(here | {"client": ("192.0.2.7", 1)})
    assert not security.is_open(here | {"path": "/metrics"})


def test_a_server_beyond_this_machine_needs_a_token_first() -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        security.refuse_open_server(host, (), "local")
    for host in ("0.0.0.0", "::", "192.0.2.7", "example.org"):
        with pytest.raises(errors.Refused, match="token"):
            security.refuse_open_server(host, (), "local")


def test_a_reader_changes_nothing(control: Plane) -> None:
    with control.client("read") as client:
        answers = [client.request(method, path, json=control.request()) for method, path in CHANGES]
    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {(403, "urn:coinswarm:error:Forbidden")}


def operations(control: Plane) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of each operation of the API, and of no other."""
    with control.client("read") as client:
        described = client.get("/api/v1/openapi.json").json()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation | {"schemas": described["components"]["schemas"]}


def test_no_operation_is_open_and_none_that_changes_is_for_readers(control: Plane) -> None:
    with control.client(None) as stranger, control.client("read") as reader:
        for method, path, _ in operations(control):
            place = re.sub(r"\{\w+\}", "abcd", path)
            assert path in security.HEALTH or stranger.request(method, place, json={}).status_code == 401, path
            if method != "GET" and path != "/api/v1/plays/check":
                assert reader.request(method, place, json={}).status_code == 403, path


UNFULFILLED: dict[str, dict[str, Any]] = {
    "evolve": {"plays": [{"text": PLAY}], "markets": ["NOPE/USDT"]}, "chaos": {"markets": ["NOPE/USDT"]},
    "rules": {"markets": ["NOPE/USDT"]}, "discover": {"jobs": ["nope"]},
    "validate": {"evaluation": "ffff"}, "honesty": {"like": ["NOPE/USDT"]}, "fetch": {"exchange": "nowhere", "markets": ["BTC/USDT"]},
}  # fmt: skip
"""A request of each kind that has the right form and cannot be done, so that nothing may be written whatever else it says."""
INJECTED = ["'; DROP TABLE jobs; --", "../../../../etc/passwd", "file:///etc/passwd", "$(touch owned)", "%00"]


Place = tuple[str | int, ...]


def texts(schema: dict[str, Any], known: dict[str, Any], path: Place = (), kinds: tuple[str, ...] = ("string",)) -> Iterator[Place]:
    """Where a JSON body may have text of one's own, or values of other kinds."""
    if "$ref" in schema:
        yield from texts(known[schema["$ref"].rpartition("/")[2]], known, path, kinds)
    for other in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from texts(other, known, path, kinds)
    if schema.get("type") in kinds and not {"const", "enum"} & set(schema):
        yield path
    for name, inner in schema.get("properties", {}).items():
        yield from texts(inner, known, (*path, name), kinds)
    if isinstance(schema.get("items"), dict):
        yield from texts(schema["items"], known, (*path, 0), kinds)


def with_text(body: Any, path: Place, text: object) -> Any:
    """A body with a text put in; what is missing on the way there is made."""
    if not path:
        return text
    step, *rest = path
    if isinstance(step, int):
        inner = body[0] if isinstance(body, list) and body else None
        return [with_text(inner, tuple(rest), text)]
    held = dict(body) if isinstance(body, dict) else {}
    return held | {step: with_text(held.get(str(step)), tuple(rest), text)}


def test_hostile_text_in_every_field_of_every_request_is_refused(control: Plane) -> None:
    asked: set[tuple[str | int, ...]] = set()
    (submit,) = (operation for method, path, operation in operations(control) if (method, path) == ("POST", "/api/v1/jobs"))
    wanted = submit["requestBody"]["content"]["application/json"]["schema"]
    with control.client("submit") as client:
        for kind, reference in wanted["discriminator"]["mapping"].items():
            for place in texts({"$ref": reference}, submit["schemas"]):
                asked.add((kind, *place))
                for hostile in INJECTED:
                    answer = client.post("/api/v1/jobs", json=with_text({"kind": kind, **UNFULFILLED[kind]}, place, hostile))
                    assert answer.status_code in (404, 409, 422), (kind, place, hostile, answer.text)
                    assert "root:" not in answer.text
    assert {path[0] for path in asked} == set(UNFULFILLED)
    assert len(asked) >= 25


def test_a_number_that_no_machine_has_is_refused_in_every_field_of_every_request(control: Plane) -> None:
    asked = 0
    (submit,) = (operation for method, path, operation in operations(control) if (method, path) == ("POST", "/api/v1/jobs"))
    kinds = submit["requestBody"]["content"]["application/json"]["schema"]["discriminator"]["mapping"]
    with control.client("submit") as client:
        for kind, reference in kinds.items():
            for place in set(texts({"$ref": reference}, submit["schemas"], (), ("integer", "number"))):
                for number in (10**400, -(10**400)):
                    answer = client.post("/api/v1/jobs", json=with_text({"kind": kind, **UNFULFILLED[kind]}, place, number))
                    assert answer.status_code in (404, 409, 422), (kind, place, answer.text)
                    asked += 1
    assert asked > 100


def test_hostile_text_in_every_parameter_finds_nothing(control: Plane) -> None:
    asked = 0
    with control.client("submit") as client:
        for method, path, operation in operations(control):
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "header" or not any(True for _ in texts(parameter["schema"], operation["schemas"])):
                    continue
                for hostile in INJECTED:
                    quoted, named = quote(hostile, safe=""), parameter["in"] == "query"
                    place = re.sub(r"\{\w+\}", "abcd" if named else quoted, path) + (f"?{parameter['name']}={quoted}" if named else "")
                    answer = client.request(method, place, json={})
                    assert answer.status_code in (200, 403, 404, 405, 422), (place, answer.text)
                    assert answer.status_code != 200 or not (answer.json()["rows"] if "rows" in answer.text else answer.json()), place
                    asked += 1
    assert asked > 100


@pytest.mark.parametrize("path", ["/api/v1/tokens", "/api/v1/audit", "/api/v1/tokens/x"])
def test_tokens_and_the_trail_are_for_admins(control: Plane, path: str) -> None:
    with control.client("submit") as client:
        answers = [client.get(path), client.post(path, json={"name": "mine", "role": "admin"}), client.delete(path)]
    assert [answer.status_code for answer in answers] == [403, 403, 403]


@pytest.mark.parametrize("field", ["markets", "timeframe", "campaign", "text", "sha256", "objective"])
def test_hostile_text_in_a_request_is_refused(control: Plane, field: str) -> None:
    with control.client("submit") as client:
        for hostile in HOSTILE:
            body = json.dumps(control.request(**hostile_request(field, hostile)))
            answer = client.post("/api/v1/jobs", content=body, headers={"content-type": "application/json"})
            assert answer.status_code in (404, 422), (hostile, answer.text)
            assert "root:" not in answer.text


def hostile_request(field: str, hostile: str) -> dict[str, Any]:
    changes: dict[str, dict[str, Any]] = {
        "markets": {"markets": [hostile]}, "timeframe": {"timeframe": hostile}, "campaign": {"campaign": hostile, "markets": ["NOPE"]},
        "text": {"plays": [{"text": hostile}]}, "sha256": {"plays": [{"sha256": hostile}]},
        "objective": {"search": {"objectives": [{"name": hostile}]}},
    }  # fmt: skip
    return changes[field]


@pytest.mark.parametrize(
    "place", ["jobs/{}", "plays/{}", "evaluations/{}", "jobs?campaign={}", "evaluations?job={}", "jobs?cursor={}", "jobs/{}/leaderboard"]
)
def test_hostile_text_in_an_address_finds_nothing(control: Plane, place: str) -> None:
    with control.client("read") as client:
        for hostile in (text for text in HOSTILE if text != "\ud800"):
            answer = client.get("/api/v1/" + place.format(quote(hostile, safe="")))
            assert answer.status_code in (200, 404, 405, 422), (hostile, answer.text)
            assert answer.status_code != 200 or answer.json()["rows"] == []


@pytest.mark.parametrize(
    "extra", [{"path": "/etc/passwd"}, {"files": ["x"]}, {"code": "import os"}, {"plays": [{"path": "/etc/passwd"}]}, {"plays": []}]
)
def test_there_is_no_field_for_a_path_or_code(control: Plane, extra: dict[str, Any]) -> None:
    with control.client("submit") as client:
        assert client.post("/api/v1/jobs", json=control.request(**extra)).status_code == 422


def test_a_yaml_bomb_is_refused(control: Plane) -> None:
    layers = "\n".join(f"l{depth}: &l{depth} [{', '.join([f'*l{depth - 1}'] * 9)}]" for depth in range(1, 12))
    with control.client("submit") as client:
        answer = client.post("/api/v1/plays", json={"text": f"l0: &l0 [x]\n{layers}\n"})
    assert answer.status_code == 422
    assert "at most" in answer.text


def test_a_name_as_long_as_a_play_may_be_is_refused_and_not_sent_back(control: Plane) -> None:
    texts = (PLAY.replace("name: crossing", f"name: {'y' * 500_000}"), f"? {'k' * 500_000}\n: 1")
    with control.client("submit") as client:
        for text in texts:
            answer = client.post("/api/v1/plays", json={"text": text})
            assert answer.status_code == 422
            assert len(answer.content) < 100_000


@pytest.mark.parametrize(
    "text", ["!!python/object/apply:os.system ['touch owned']", "a: !!python/name:os.system", "include: !include /etc/passwd"]
)
def test_yaml_makes_no_objects(control: Plane, text: str) -> None:
    with control.client("submit") as client:
        assert client.post("/api/v1/plays", json={"text": text}).status_code == 422


def test_a_play_of_a_hundred_megabytes_is_refused_before_it_is_read(control: Plane) -> None:
    with control.client("submit") as client:
        announced = client.post("/api/v1/plays", content=b'{"text": "' + b"x" * 100_000_000 + b'"}')
    assert announced.status_code == 413


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(control: Plane) -> None:
    head = f"POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {control.secret('submit')}\r\nContent-Length: 100000000\r\n\r\n"
    with connected(control) as connection:
        connection.sendall(head.encode())
        assert b" 413 " in connection.recv(4000).splitlines()[0]


def connected(control: Plane) -> socket.socket:
    address = urlsplit(control.url)
    return socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=20)


def test_many_that_never_end_their_heads_keep_nobody_else_waiting(control: Plane) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(connected(control)) for _ in range(200)]
        for connection in idle:
            connection.sendall(b"GET /api/v1/jobs HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        with control.client("read") as client:
            assert client.get("/api/v1/jobs?limit=1").status_code == 200
        assert all(b"408" in connection.recv(1000) for connection in idle)


def test_a_body_that_does_not_say_how_long_it_is_ends_at_the_limit(control: Plane) -> None:
    pieces = (b"x" * 65_536 for _ in range(1600))
    with control.client("submit") as client:
        try:
            assert client.post("/api/v1/plays", content=pieces).status_code == 413
        except httpx.WriteError:
            assert client.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("search", "status"),
    [
        ({"population": 1_000_000, "generations": 1_000_000}, 413),
        ({"population": 200, "generations": 501}, 413),
        ({"population": 10**12}, 422),
    ],
)
def test_more_variants_than_a_job_may_try_are_refused(control: Plane, search: dict[str, int], status: int) -> None:
    with control.client("submit") as client:
        assert client.post("/api/v1/jobs", json=control.request(search=search)).status_code == status


def test_a_space_of_a_million_listed_variants_is_refused(control: Plane) -> None:
    values = ", ".join(str(value) for value in range(1, 120_000))
    with control.client("submit") as client:
        answer = client.post("/api/v1/jobs", json=control.request(plays=[{"text": PLAY.replace("[1.0, 2.0, 3.0]", f"[{values}]")}]))
    assert answer.status_code == 422


def test_deep_json_and_bad_json_are_refused(control: Plane) -> None:
    with control.client("submit") as client:
        for body in (b"[" * 100_000, b"{", b"\xff\xfe", b'{"text": "\\ud800"}', b"NaN"):
            answer = client.post("/api/v1/plays", content=body, headers={"content-type": "application/json"})
            assert answer.status_code in (400, 422), body[:20]


@pytest.mark.parametrize("start", [b"GET /health HTTP/1.1\r\nHost: x\r\n", b"", b"POST /api/v1/plays HTTP/1.1\r\n"])
def test_a_client_that_never_ends_its_head_is_hung_up_on(control: Plane, start: bytes) -> None:
    address = urlsplit(control.url)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=20) as connection:
        connection.sendall(start)
        assert b"408" in connection.recv(1000)
        assert connection.recv(1000) == b""


def test_a_client_that_never_ends_its_body_is_hung_up_on(control: Plane) -> None:
    address, secret = urlsplit(control.url), control.secret("submit")
    head = f"POST /api/v1/plays HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nContent-Length: 900\r\n\r\n"
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=20) as connection:
        connection.sendall(head.encode() + b'{"text"')
        answer = connection.recv(4000)
    assert b" 408 " in answer.splitlines()[0]


def test_methods_that_do_not_exist_are_counted_as_one(control: Plane) -> None:
    """Whoever makes up a method for each request, token or not, must not make the server remember them."""
    with control.client("read") as client:
        for number in range(20):
            assert client.request(f"MADEUP{number}", "/health").status_code == 403
        told = client.get("/metrics").text
    assert 'method="other"' in told
    assert "MADEUP" not in told


def test_what_does_not_look_like_a_secret_is_not_looked_up() -> None:
    assert access.is_secret(access.new_secret())
    for text in ("", "swarm_", "nonsense", access.new_secret()[1:], access.new_secret() + "0", "x" * 46):
        assert not access.is_secret(text)


def test_who_asks_too_often_is_told_to_wait() -> None:
    now = [0.0]
    bucket = security.Bucket(rate=2.0, burst=3, clock=lambda: now[0])
    assert [bucket.take("me") for _ in range(4)] == [True, True, True, False]
    assert bucket.take("you")
    now[0] = 0.5
    assert [bucket.take("me"), bucket.take("me")] == [True, False]
    assert LIMITS.requests_per_s > 0


@pytest.fixture(scope="module")
def foreign(control: Plane) -> Iterator[str]:
    """A job of another token."""
    with control.client("submit") as other:
        job = other.post("/api/v1/jobs", json=control.request(campaign="foreign")).json()["id"]
        yield job
        other.post(f"/api/v1/jobs/{job}/cancel")


def test_anothers_job_is_neither_stopped_nor_resumed(control: Plane, foreign: str) -> None:
    with control.client("submit") as client:
        answers = [client.post(f"/api/v1/jobs/{foreign}/{change}") for change in ("cancel", "resume", "terminate")]
        shown = client.get(f"/api/v1/jobs/{foreign}").json()
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert (shown["status"], shown["cancel_requested"]) == ("queued", False)


def test_a_revoked_token_opens_nothing_a_moment_later(control: Plane) -> None:
    secret = control.secret("read")
    with httpx.Client(base_url=control.url, headers={"Authorization": f"Bearer {secret}"}) as client:
        name = client.get("/api/v1/whoami").json()["id"]
        control.context.access.revoke(name, by="test")
        revoked, answer = time.monotonic(), 200
        while answer == 200 and time.monotonic() < revoked + 10.0:
            answer = client.get("/api/v1/whoami").status_code
    assert answer == 401
    assert time.monotonic() - revoked < 2.0
    assert [row.action for row in control.context.access.trail(limit=1000) if row.target == name] == ["token revoke", "token create"]
