"""A second account of the machine: what it can list, read, write, connect to and run of what others own there.

Run by root as `python second_account.py`, with a `Target` as JSON on standard input; gives root up before it looks, and prints what it got.
"""

from __future__ import annotations

import dataclasses
import encodings.idna  # noqa: F401 - another account may not be able to import it later
import http.client
import json
import os
import socket
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CALLS = ("/", "/metrics", "/api/jobs/", "/api/version", "/nodes?view=summary", "/api/v0/logs", "/api/v1/jobs", "/api/local_raylet_healthz")
SUBMIT = ("/api/jobs/", "/api/job_agent/jobs/", "/api/v1/jobs", "/get_or_create_runtime_env")
RUN = json.dumps({"entrypoint": "true"}).encode()
GRPC = (
    "NodeManagerService/GetSystemConfig", "NodeManagerService/GetNodeStats", "CoreWorkerService/GetCoreWorkerStats",
    "JobInfoGcsService/GetAllJobInfo", "InternalKVGcsService/InternalKVKeys", "NodeInfoGcsService/GetAllNodeInfo",
    "ReporterService/GetTraceback",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is looked at as account `uid`: paths, processes, ports, with what must not be seen and what may be told to everyone."""

    uid: int
    paths: list[str]
    pids: list[int]
    ports: list[int]
    secrets: list[str]
    public: list[str]
    tokens: list[str]
    database: int


def openings(path: Path) -> list[str]:
    """What can be done with a path that is somebody else's, whose name is known: a folder that one may cross need not be listed."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return []
    if stat.S_ISSOCK(mode):
        return [f"connect {path}"] if _connects(path) else []
    wishes = {"read": os.R_OK, "write": os.W_OK}
    return [] if stat.S_ISLNK(mode) else [f"{word} {path}" for word, wish in wishes.items() if os.access(path, wish)]


def _connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as line:
        return line.connect_ex(str(path)) == 0


def processes(target: Target) -> list[str]:
    """Secrets in lists of processes, and processes that can be looked into or stopped."""
    found: list[str] = []
    for pid in target.pids:
        place = Path("/proc") / str(pid)
        with suppress(OSError):
            said = (place / "cmdline").read_bytes().decode(errors="replace")
            found += [f"a secret among the arguments of {said}" for secret in target.secrets if secret in said]
        for part in ("environ", "mem", "maps"):
            with suppress(OSError):
                (place / part).open("rb").read(1)
                found.append(f"read {part} of {pid}")
        with suppress(OSError):
            os.kill(pid, 0)
            found.append(f"stop {pid}")
    return found


def answers(target: Target) -> list[str]:
    """What web servers tell or do without a token and with a wrong one."""
    found: list[str] = []
    for port in target.ports:
        for token in ({}, *({"Authorization": f"Bearer {token}"} for token in target.tokens)):
            for method, path in (*(("GET", path) for path in CALLS), *(("POST", path) for path in SUBMIT)):
                with suppress(OSError, http.client.HTTPException):
                    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                    line.request(method, path, RUN if method == "POST" else None, {"Content-Type": "application/json", **token})
                    answer = line.getresponse()
                    body = answer.read().decode(errors="replace")
                    if answer.status < 400 and body not in target.public:
                        found.append(f"{method} {port}{path} {answer.status} {body[:100]}")
    return found


def calls(target: Target) -> tuple[list[str], int]:
    """Calls of Ray's own protocol that are answered without a token or with a wrong one, and how many were refused for want of one."""
    import grpc

    found, refused = [], 0
    for port in target.ports:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            for method in GRPC:
                for token in (None, *(("authorization", f"Bearer {token}") for token in target.tokens)):
                    try:
                        channel.unary_unary(f"/ray.rpc.{method}")(b"", timeout=10, metadata=[token] if token else None)
                        found.append(f"call {method} at {port}")
                    except grpc.RpcError as error:
                        refused += error.code() == grpc.StatusCode.UNAUTHENTICATED
                        if error.code() == grpc.StatusCode.UNAVAILABLE:
                            break
    return found, refused


def logins(target: Target) -> list[str]:
    """Roles of the database that let somebody in who does not know a password."""
    import psycopg

    found = []
    for role in ("coinswarm", "coinswarm_reader", "postgres", "root"):
        for password in ("", role, "password"):
            with suppress(psycopg.OperationalError):
                psycopg.connect(f"postgresql://{role}:{password}@127.0.0.1:{target.database}/postgres", connect_timeout=20).close()
                found.append(f"log in as {role}")
    return found


def main() -> None:
    """Look, as another account."""
    import grpc  # noqa: F401 - as above
    import psycopg

    psycopg.pq.version()
    target = Target(**json.load(sys.stdin))
    os.setgroups([])
    os.setgid(target.uid)
    os.setuid(target.uid)
    os.chdir("/")
    called, refused = calls(target)
    got = {
        "paths": [each for path in target.paths for each in openings(Path(path))],
        "processes": processes(target), "answers": answers(target), "calls": called, "logins": logins(target), "refused": refused,
    }  # fmt: skip
    sys.stdout.write(json.dumps(got))


def look(target: Target) -> dict[str, list[str]]:
    """What a process that has become the account of a target gets."""
    import subprocess

    asked = json.dumps(dataclasses.asdict(target))
    done = subprocess.run([sys.executable, __file__], input=asked, capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
