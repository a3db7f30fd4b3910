"""The program as users have it: the wheel in a virtual environment in which only what the wheel asks for can be imported.

The distributions are linked from the environment that runs the tests, because installing gigabytes again would test the package index.
Those that tests and developers need besides are not linked, so whatever asks for one of them fails here as it fails for a user.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from email import message_from_bytes
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]


def wheel(folder: Path) -> Path:
    """The wheel of this checkout, built in a folder."""
    source = folder / "source"
    skipped = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "tests")
    shutil.copytree(ROOT, source, ignore=skipped)
    _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source))
    (built,) = folder.glob("coinswarm-*.whl")
    return built


def command(built: Path, folder: Path) -> Path:
    """The `coinswarm` command of a wheel, in a new virtual environment that holds what the wheel asks for and nothing else."""
    python = folder / "bin" / "python"
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    _run(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(built))
    (site,) = folder.glob("lib/python*/site-packages")
    for needed in closure(asked_by(built)):
        _link(needed, site)
    return folder / "bin" / "coinswarm"


def asked_by(built: Path) -> list[str]:
    """What a wheel asks for when it is installed without extras, as pip would read it."""
    with zipfile.ZipFile(built) as archive:
        (name,) = [entry for entry in archive.namelist() if entry.endswith(".dist-info/METADATA")]
        return message_from_bytes(archive.read(name)).get_all("Requires-Dist") or []


def closure(requirements: list[str], machine: Mapping[str, str] = {}) -> Iterator[Distribution]:
    """The distributions that these requirements bring, each with what it asks for itself; `machine` has other markers than here."""
    waiting, known = [(Requirement(text), frozenset[str]()) for text in requirements], set()
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, extras = waiting.pop()
        if requirement.marker and not any(requirement.marker.evaluate({**machine, "extra": extra}) for extra in extras or {""}):
            continue
        found, name = distribution(requirement.name), canonical(requirement.name)
        if name not in known:
            known.add(name)
            yield found
        for extra in {"", *requirement.extras}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += [(Requirement(text), frozenset({extra})) for text in found.requires or []]


def canonical(name: str) -> str:
    """A name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _link(needed: Distribution, site: Path) -> None:
    """Everything of a distribution that lies in the folder of packages, under the same names."""
    for top in {file.parts[0] for file in needed.files or []} - {"..", "__pycache__"}:
        target = site / top
        if not target.exists():
            target.symlink_to(Path(str(needed.locate_file(top))))


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
