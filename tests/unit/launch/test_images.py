"""What the images are made of: each with a version, and what pip installs with a hash that no file of an index can change."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Mapping
from email import message_from_string
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import installed

ROOT = Path(__file__).resolve().parents[3]
LAUNCH = ROOT / "cluster" / "launch"
PROJECT: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
IMAGES = dict(line.split("=", 1) for line in (ROOT / ".env").read_text().splitlines() if line and not line.startswith("#"))
COMPOSE_FILES = [ROOT / "docker-compose.yml", LAUNCH / "docker-compose.tls.yml"]
PROCESSORS = ["x86_64", "aarch64"]
LINUX = {
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "python_version": "3.11",
    "python_full_version": "3.11.17",
}


def checked(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What `make up` asks of the list of images, of another list."""
    (folder / "images").write_text(text)
    return subprocess.run(["sh", LAUNCH / "images.sh", folder / "images"], check=False, capture_output=True, text=True)


def locked(name: str) -> dict[str, list[str]]:
    """Hashes by `name==version`."""
    lines = [line.split(" ") for line in (LAUNCH / name).read_text().splitlines() if not line.startswith("#")]
    return {pin: hashes for pin, *hashes in lines}


def pinned(found: Distribution) -> str:
    return f"{installed.canonical(found.metadata['Name'])}=={found.version}"


def test_every_image_from_elsewhere_has_a_version(tmp_path: Path) -> None:
    assert checked((ROOT / ".env").read_text(), tmp_path).returncode == 0
    assert "\tsh cluster/launch/images.sh\n" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize(
    "image", ["postgres", "postgres:latest", "postgres:18", "example.org:5000/postgres", "postgres@sha256:" + 64 * "0"]
)
def test_an_image_without_a_version_is_refused_by_name(image: str, tmp_path: Path) -> None:
    found = checked(
        f"# PYTHON_IMAGE=python\nCOINSWARM_SITE=swarm.example.org\nPYTHON_IMAGE=python:3.11.17\nPOSTGRES_IMAGE={image}\n", tmp_path
    )
    assert found.returncode == 1
    assert found.stderr.startswith(f"POSTGRES_IMAGE={image}\nimages: ")


def test_a_version_may_come_from_another_registry_and_have_a_digest(tmp_path: Path) -> None:
    assert checked(f"POSTGRES_IMAGE=example.org:5000/library/postgres:18.6@sha256:{64 * '0'}\n", tmp_path).returncode == 0


def test_containers_name_no_image_but_ours_and_those_of_the_list() -> None:
    services = [
        service for path in COMPOSE_FILES for service in yaml.safe_load(path.read_text())["services"].values() if "image" in service
    ]
    assert len(services) > len(COMPOSE_FILES)
    for service in services:
        named = re.fullmatch(r"\$\{(\w+):\?[^}]+\}", service["image"])
        assert service["image"] == f"coinswarm:{PROJECT['project']['version']}" or (named and named[1] in IMAGES)
        assert service.get("build", {}).get("args", {"PYTHON_IMAGE": "${PYTHON_IMAGE:?}"})["PYTHON_IMAGE"].startswith("${PYTHON_IMAGE:?")
    assert set(re.findall(r"^FROM (\S+)", (LAUNCH / "Dockerfile").read_text(), re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def test_kubernetes_has_the_versions_of_the_list() -> None:
    listed = yaml.safe_load((LAUNCH / "kubernetes" / "kustomization.yaml").read_text())["images"]
    versions = {each["name"]: each["newTag"] + "".join(f"@{digest}" for digest in [each.get("digest")] if digest) for each in listed}
    name, _, version = IMAGES["POSTGRES_IMAGE"].partition(":")
    assert versions == {"coinswarm": PROJECT["project"]["version"], name: version}
    manifests = "".join(path.read_text() for path in (LAUNCH / "kubernetes").glob("*.yaml"))
    assert set(re.findall(r"\bimage: (\S+)", manifests)) == set(versions)


@pytest.mark.parametrize("name", ["aws", "gcp"])
def test_a_cloud_starts_this_release(name: str) -> None:
    docker = yaml.safe_load((LAUNCH / f"{name}.yaml").read_text())["docker"]
    assert docker["image"] == f"coinswarm:{PROJECT['project']['version']}"


@pytest.mark.parametrize("name", ["requirements.lock", "build.lock"])
def test_a_lock_has_hashes_and_no_place_to_get_files_from(name: str) -> None:
    assert locked(name)
    assert all(hashes and all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each) for each in hashes) for hashes in locked(name).values())
    assert not re.search(r"://|^\s*-", (LAUNCH / name).read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", ["requirements.lock", "build.lock"])
def test_a_lock_has_the_versions_of_the_constraints(name: str) -> None:
    pins = [line.partition("==") for line in (ROOT / "constraints.txt").read_text().splitlines()]
    constrained = {f"{installed.canonical(package)}=={version}" for package, _, version in pins}
    assert set(locked(name)) <= constrained


@pytest.mark.parametrize("processor", PROCESSORS)
def test_the_lock_has_all_that_the_program_needs_and_nothing_else(processor: str) -> None:
    needed = installed.closure(PROJECT["project"]["dependencies"], LINUX | {"platform_machine": processor})
    assert {pinned(found) for found in needed} == set(locked("requirements.lock"))


def test_compiled_packages_have_a_hash_for_each_processor() -> None:
    hashes = locked("requirements.lock")
    for found in installed.closure(PROJECT["project"]["dependencies"], LINUX):
        tags = message_from_string(found.read_text("WHEEL") or "").get_all("Tag") or []
        assert len(hashes[pinned(found)]) == (1 if any(tag.endswith("-any") for tag in tags) else len(PROCESSORS)), found.metadata["Name"]


def test_what_builds_the_wheel_is_locked() -> None:
    (asked,) = PROJECT["build-system"]["requires"]
    (pin,) = locked("build.lock")
    assert pin.startswith(asked.partition(">")[0] + "==")
