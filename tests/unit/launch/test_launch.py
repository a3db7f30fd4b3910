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
import kubernetes_validate
import pytest
import ray
import yaml

from cluster.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
LAUNCH = ROOT / "cluster" / "launch"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: Mapping[str, Any] = COMPOSE["services"]
KUBERNETES = "1.33"
OBJECTS = [
    (path.name, entry)
    for path in sorted((LAUNCH / "kubernetes").glob("*.yaml"))
    for entry in yaml.safe_load_all(path.read_text())
    if entry["kind"] != "Kustomization"
]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_watched_limited_and_restarted(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", ["head", "worker", "control"])
def test_our_services_have_no_rights_that_they_do_not_need(name: str) -> None:
    service = SERVICES[name]
    assert (service["user"], service["read_only"], service["cap_drop"]) == ("1000", True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_nothing_is_published_beyond_this_machine() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_services_refer_to_exists() -> None:
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= set(SERVICES)
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"])
        assert set(service["networks"]) <= set(COMPOSE["networks"])


def test_no_password_is_in_the_files_and_the_folder_of_secrets_is_never_committed() -> None:
    assert "/.secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    assert all(re.match(r"\./\.secrets/", secret["file"]) for secret in COMPOSE["secrets"].values())


def test_settings_that_services_are_given_are_settings() -> None:
    known = {f"COINSWARM_{name.upper()}" for name in Settings.model_fields}
    scripted = set(re.findall(r"COINSWARM_[A-Z_]+", (LAUNCH / "node.sh").read_text()))
    given = {name for service in SERVICES.values() for name in service.get("environment", {}) if name.startswith("COINSWARM_")}
    assert given <= known | scripted


@pytest.mark.parametrize("name", ["aws", "gcp"])
def test_a_cluster_file_fits_the_schema_of_ray(name: str) -> None:
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text())
    found = jsonschema.Draft7Validator(schema).iter_errors(yaml.safe_load((LAUNCH / f"{name}.yaml").read_text()))
    assert [error.message for error in found] == []


@pytest.mark.parametrize(("file", "entry"), OBJECTS, ids=[f"{name}/{entry['kind']}" for name, entry in OBJECTS])
def test_a_kubernetes_object_fits_its_schema(file: str, entry: Mapping[str, Any]) -> None:
    if entry["kind"] == "RayCluster":
        pods = [entry["spec"]["headGroupSpec"]["template"], *(group["template"] for group in entry["spec"]["workerGroupSpecs"])]
        for pod in pods:
            kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "ray"}, **pod}, KUBERNETES, strict=True)
        assert entry["spec"]["rayVersion"] == ray.__version__, file
    else:
        kubernetes_validate.validate(dict(entry), KUBERNETES, strict=True)


def test_the_kustomization_lists_every_manifest_but_the_example_of_secrets() -> None:
    listed = yaml.safe_load((LAUNCH / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    there = {path.name for path in (LAUNCH / "kubernetes").glob("*.yaml")}
    assert set(listed) == there - {"kustomization.yaml", "secrets.example.yaml"}


def test_the_entrypoint_is_a_shell_script_without_mistakes() -> None:
    shell = shutil.which("sh")
    assert shell is not None
    assert subprocess.run([shell, "-n", LAUNCH / "node.sh"], check=False).returncode == 0
    refused = subprocess.run([shell, LAUNCH / "node.sh", "nurse"], check=False, capture_output=True, text=True)
    assert (refused.returncode, refused.stderr.strip()) == (2, "node: head, worker or control, found nurse")
