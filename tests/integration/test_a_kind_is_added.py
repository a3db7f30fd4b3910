"""A kind of job is one folder and one line of the registry: with it come a command, HTTP, resume, estimate and report."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
KIND = ROOT / "tests" / "demo_kind" / "count"
LINE = '    "count",\n'
START = "from cluster.cli.app import main; main()"
REST_S = 8
MARKETS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


class House:
    """A copy of the program with one more kind, and a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.code, home = folder / "code", folder / "home"
        shutil.copytree(ROOT / "cluster", self.code / "cluster", symlinks=False, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(KIND, self.code / "cluster" / "jobs" / "count", ignore=shutil.ignore_patterns("__pycache__"))
        registry = self.code / "cluster" / "jobs" / "registry.py"
        registry.write_text(registry.read_text("utf-8").replace("NAMES = (\n", f"NAMES = (\n{LINE}"), "utf-8")
        left_out = {name for name in os.environ if name.startswith("COINSWARM_")}
        self.environment = {name: value for name, value in os.environ.items() if name not in left_out}
        self.environment |= {"PYTHONPATH": str(self.code), "COINSWARM_HOME": str(home)}

    def touched(self) -> list[str]:
        """Files of the program that differ from ours."""
        here = (path for path in self.code.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return sorted(str(path.relative_to(self.code)) for path in here if not same(path, ROOT / path.relative_to(self.code)))

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """A command that is not waited for."""
        command = [sys.executable, "-P", "-c", START, *words]
        return subprocess.Popen(
            command, env=self.environment, cwd=self.code.parent, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
        )

    def run(self, *words: str) -> str:
        """What a command prints."""
        with self.start(*words) as process:
            out, err = process.communicate(timeout=240)
        assert process.returncode == 0, err
        return out

    def json(self, *words: str) -> Any:
        """What a command prints as JSON."""
        return json.loads(self.run(*words, "--json"))


def same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    made = House(folder)
    made.run("bars", "synthetic", *MARKETS, "--days", "5")
    yield made
    made.run("db", "stop")


def asked(*more: str) -> list[str]:
    return ["count", *(word for market in MARKETS for word in ("--symbol", market)), *more]


def test_only_its_folder_and_one_line_of_the_registry_are_touched(house: House) -> None:
    own = {f"cluster/jobs/count/{path.name}" for path in KIND.glob("*.py")}
    assert house.touched() == sorted({*own, "cluster/jobs/registry.py"})


def test_it_is_a_command_with_its_settings_as_options(house: House) -> None:
    assert "Count the bars of markets that rise" in house.run("--help")
    text = house.run("count", "--help")
    assert all(
        option in text for option in ("--symbol", "--bars", "--pause-s", "--campaign", "--estimate", "--detach", "--server", "--queue")
    )


def test_it_is_estimated(house: House) -> None:
    assert house.json(*asked("--estimate"))["markets"] == 3


def test_it_goes_on_after_it_was_killed(house: House) -> None:
    undisturbed = house.json(*asked())
    process = house.start(*asked("--pause-s", str(REST_S), "--campaign", "killed"))
    job = committed(house, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    resumed = once_the_lease_ran_out(house, job)
    assert (resumed["status"], resumed["steps"], resumed["rising"]) == ("done", 3, undisturbed["rising"])
    assert resumed["result_hash"] == undisturbed["result_hash"]


def committed(house: House, process: subprocess.Popen[str]) -> str:
    """The job that a process runs, while the second of its three steps rests."""
    while process.poll() is None:
        running = [job["job"] for job in house.json("jobs", "list") if job["status"] == "running"]
        if running:
            time.sleep(REST_S)
            return str(running[0])
    raise AssertionError(process.communicate()[1])


def once_the_lease_ran_out(house: House, job: str) -> Any:
    """The job, resumed as soon as that may be."""
    deadline = time.monotonic() + 90
    while True:
        with house.start("jobs", "resume", job, "--json") as process:
            out, err = process.communicate(timeout=240)
        if process.returncode == 0:
            return json.loads(out)
        assert "lease runs out" in err, err
        assert time.monotonic() < deadline
        time.sleep(2)


def test_it_is_reported(house: House) -> None:
    job = house.json("jobs", "list")[0]["job"]
    house.run("jobs", "report", job, "--out", str(house.code.parent / "report.html"))
    text = (house.code.parent / "report.html").read_text("utf-8")
    assert "Bars that rise" in text
    assert "synthetic:BTC/USDT:5m" in text


def test_it_is_asked_for_over_http_and_run_by_the_service(house: House) -> None:
    with house.start("serve", "--port", "0", stdin=subprocess.DEVNULL) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            token = (Path(house.environment["COINSWARM_HOME"]) / "local.token").read_text().strip()
            with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
                served(client)
        finally:
            server.terminate()
            server.communicate(timeout=60)


def served(client: httpx.Client) -> None:
    kind = next(one for one in client.get("/api/v1/kinds").json() if one["name"] == "count")
    assert kind["request"]["properties"]["pause_s"]["maximum"] == 60
    assert "CountRequest" in client.get("/api/v1/openapi.json").json()["components"]["schemas"]
    refused = client.post("/api/v1/jobs", json={"kind": "count", "markets": ["BTC/USDT"], "pause_s": 61})
    assert refused.status_code == 422
    body = {"kind": "count", "markets": list(MARKETS), "campaign": "served"}
    job = client.post("/api/v1/jobs", json=body).raise_for_status().json()["id"]
    deadline = time.monotonic() + 200
    while (found := client.get(f"/api/v1/jobs/{job}").json())["status"] not in ("done", "failed") and time.monotonic() < deadline:
        time.sleep(0.5)
    assert (found["status"], set(found["result"]["rising"])) == ("done", {f"synthetic:{market}:5m" for market in MARKETS}), found["error"]
    assert "Bars that rise" in client.get(f"/api/v1/jobs/{job}/report").text
