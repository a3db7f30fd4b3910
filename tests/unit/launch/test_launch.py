"""Files that start a cluster where there is no cluster to start: checked against the schemas of those who read them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import ray
import yaml

from cluster.machine import MachineSettings

ROOT = Path(__file__).resolve().parents[3]
LAUNCH = ROOT / "cluster" / "launch"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: Mapping[str, Any] = COMPOSE["services"]
TLS = yaml.safe_load((LAUNCH / "docker-compose.tls.yml").read_text())
GUARDED: Mapping[str, Any] = SERVICES | {"proxy": TLS["services"]["proxy"]}


@pytest.mark.parametrize("name", sorted(GUARDED))
def test_a_service_is_watched_limited_and_restarted(name: str) -> None:
    service = GUARDED[name]
    assert service["healthcheck"]["test"]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert service["restart"] == "unless-stopped"
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}


@pytest.mark.parametrize("name", sorted(GUARDED))
def test_a_service_has_no_rights_that_it_does_not_need(name: str) -> None:
    service = GUARDED[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    account, added = {"postgres": ("999:999", []), "proxy": (None, ["NET_BIND_SERVICE"])}.get(name, ("1000", []))
    assert (service.get("user"), service.get("cap_add", [])) == (account, added)


@pytest.mark.parametrize("name", ["head", "worker", "control"])
def test_kernels_are_compiled_to_where_a_read_only_service_can_write(name: str) -> None:
    folder = SERVICES[name]["environment"]["NUMBA_CACHE_DIR"]
    assert [
        mount for mount in SERVICES[name]["tmpfs"] if folder.startswith(f"{mount.split(':')[0]}/")
    ]  # below it: what is mounted is empty


def test_nothing_is_published_beyond_this_machine() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_database_is_reached_by_those_who_use_it_and_reaches_nothing() -> None:
    assert COMPOSE["networks"]["database"] == {"internal": True}
    assert {name for name, service in SERVICES.items() if "database" in service["networks"]} == {"postgres", "control", "backup"}
    assert SERVICES["postgres"]["networks"] == ["database"]
    assert "ports" not in SERVICES["postgres"]


def test_the_database_asks_everyone_for_a_password() -> None:
    environment = SERVICES["postgres"]["environment"]
    assert environment["POSTGRES_HOST_AUTH_METHOD"] == "scram-sha-256"
    assert environment["POSTGRES_INITDB_ARGS"].split() == ["--auth-local=scram-sha-256", "--auth-host=scram-sha-256"]
    assert "POSTGRES_PASSWORD" not in environment


def test_accounts_of_containers_can_read_secrets_and_others_of_the_machine_cannot() -> None:
    made = (ROOT / "Makefile").read_text()
    assert made.count("mkdir -p -m 700 .secrets") == made.count("\n.secrets/")
    assert "chmod 644 .secrets/*" in made


def test_with_tls_only_the_proxy_is_published_and_it_sees_the_api_only() -> None:
    assert {name: service.get("ports") for name, service in TLS["services"].items()} == {"control": None, "proxy": ["80:80", "443:443"]}
    assert TLS["services"]["control"] == {"networks": ["front"]}
    assert (TLS["services"]["proxy"]["networks"], TLS["networks"]["front"]) == (["front", "outside"], {"internal": True})
    assert set(TLS["networks"]).isdisjoint(COMPOSE["networks"])
    (target,) = re.findall(r"reverse_proxy \{\$COINSWARM_API:(.+)\}", (LAUNCH / "Caddyfile").read_text())
    assert [f"127.0.0.1:{target.removeprefix('control:')}:8321"] == SERVICES["control"]["ports"]


def test_backups_are_kept_in_a_volume_of_their_own_and_old_ones_are_no_health() -> None:
    backup = SERVICES["backup"]
    assert set(backup["volumes"]) == {"bars:/data", "backups:/backups"}
    (minutes,) = re.findall(r"-mmin -(\d+)", backup["healthcheck"]["test"][1])
    assert 1 < int(minutes) / 60 / int(backup["environment"]["COINSWARM_BACKUP_HOURS"]) < 2
    assert int(backup["environment"]["COINSWARM_BACKUP_KEEP"]) > 1


def test_what_services_refer_to_exists() -> None:
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= set(SERVICES)
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"])
        assert set(service["networks"]) <= set(COMPOSE["networks"])


def test_services_that_the_page_for_operators_names_exist() -> None:
    text = re.sub(r" --(entrypoint|volume) \S+", "", (ROOT / "docs" / "running.md").read_text())
    commands = re.findall(r"docker compose (stop|start|up|run|exec) ([^`&\n]+)", text)
    assert {command for command, _ in commands} == {"stop", "start", "up", "run", "exec"}
    for command, words in commands:
        named = [word for word in words.split() if not word.startswith("-")]
        assert set(named if command in {"stop", "start", "up"} else named[:1]) <= set(SERVICES)


def test_no_password_is_in_the_files_and_the_folder_of_secrets_is_never_committed() -> None:
    assert "/.secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    assert all(re.match(r"\./\.secrets/", secret["file"]) for secret in COMPOSE["secrets"].values())


def test_settings_that_services_are_given_are_settings() -> None:
    known = {f"COINSWARM_{name.upper()}" for name in MachineSettings.model_fields}
    scripted = set(re.findall(r"COINSWARM_[A-Z_]+", (LAUNCH / "node.sh").read_text()))
    given = {name for service in SERVICES.values() for name in service.get("environment", {}) if name.startswith("COINSWARM_")}
    assert given <= known | scripted


@pytest.mark.parametrize("name", ["aws", "gcp"])
def test_a_cluster_file_fits_the_schema_of_ray(name: str) -> None:
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text())
    found = jsonschema.Draft7Validator(schema).iter_errors(yaml.safe_load((LAUNCH / f"{name}.yaml").read_text()))
    assert [error.message for error in found] == []


TOKEN = {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH"}
"""What a node needs to show who it is, and to ask it of others."""


@pytest.mark.parametrize("name", ["head", "worker", "control"])
def test_every_node_of_the_containers_shows_the_token_of_the_cluster(name: str) -> None:
    service = SERVICES[name]
    assert set(service["environment"]) >= TOKEN
    assert service["environment"]["RAY_AUTH_TOKEN_PATH"] == "/run/secrets/ray_token"
    assert "ray_token" in service["secrets"]
    assert ".secrets/ray_token" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("name", ["aws", "gcp"])
def test_every_node_of_a_cloud_shows_the_token_of_the_cluster(name: str) -> None:
    described = yaml.safe_load((LAUNCH / f"{name}.yaml").read_text())
    given = dict(option.removeprefix("-e ").split("=", 1) for option in described["docker"]["run_options"] if option.startswith("-e "))
    assert given["RAY_AUTH_MODE"] == "token"
    assert described["file_mounts"] == {given["RAY_AUTH_TOKEN_PATH"]: ".secrets/ray_token"}


@pytest.mark.parametrize("name", ["aws", "gcp"])
def test_ray_can_start_a_shell_in_the_image_and_keeps_the_data_of_the_head(name: str) -> None:
    docker = yaml.safe_load((LAUNCH / f"{name}.yaml").read_text())["docker"]
    assert "--entrypoint=" in docker["run_options"]
    assert any(option.endswith(":/data") for option in docker["head_run_options"])


def test_no_secret_goes_into_an_image() -> None:
    ignored = set((ROOT / ".dockerignore").read_text().splitlines())
    assert ignored >= {".git", ".secrets", ".venv", "**/*.duckdb"}
    copied = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "constraints.txt", "coinswarm", "cluster", "migrations", "plays")
    assert ignored.isdisjoint(copied)


def test_the_image_has_the_folders_that_volumes_are_put_at() -> None:
    (made,) = re.findall(r"mkdir --mode=0700 (.+) && chown swarm (.+)", (LAUNCH / "Dockerfile").read_text())
    folders = {volume.split(":")[1] for service in SERVICES.values() if "build" in service for volume in service.get("volumes", [])}
    assert [set(each.split()) for each in made] == [folders, folders]


@pytest.mark.parametrize("program", ["ssh", "rsync", "wget"])
def test_the_image_has_what_ray_and_its_operator_call(program: str) -> None:
    (line,) = (line for line in (LAUNCH / "Dockerfile").read_text().splitlines() if "apt-get install" in line)
    assert program in line


def test_the_entrypoint_is_a_shell_script_without_mistakes() -> None:
    shell = shutil.which("sh")
    assert shell is not None
    assert subprocess.run([shell, "-n", LAUNCH / "node.sh"], check=False).returncode == 0
    refused = subprocess.run([shell, LAUNCH / "node.sh", "nurse"], check=False, capture_output=True, text=True)
    assert (refused.returncode, refused.stderr.strip()) == (2, "node: head, worker, control or backup, found nurse")
