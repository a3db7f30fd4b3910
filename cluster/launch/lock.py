"""Writes the lock files of the image: `make lock`, after a change of requirements or constraints.

Pip resolves what the wheel asks for, under the versions of constraints.txt, for Python 3.11 on Linux on both processors that the image is
built for. A lock names versions and SHA-256 sums of their wheels and no place to get them from: that is the business of pip's own settings.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PROCESSORS = ("x86_64", "aarch64")
GLIBC = range(17, 37)
"""Minor versions of glibc that the image's Debian runs wheels for: 2.17 to 2.36."""


def main() -> None:
    """Write `requirements.lock`, what the program needs, and `build.lock`, what makes its wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    _write("requirements", project["project"]["dependencies"])
    _write("build", project["build-system"]["requires"])


def _write(name: str, requirements: list[str]) -> None:
    sums: defaultdict[str, set[str]] = defaultdict(set)
    for processor in PROCESSORS:
        for pin, digest in _resolved(requirements, processor):
            sums[pin].add(digest)
    lines = [" ".join([pin, *(f"--hash=sha256:{digest}" for digest in sorted(sums[pin]))]) for pin in sorted(sums)]
    (HERE / f"{name}.lock").write_text("\n".join([f"# {' and '.join(PROCESSORS)}, made by `make lock`", *lines, ""]))


def _resolved(requirements: list[str], processor: str) -> list[tuple[str, str]]:
    platforms = [f"--platform=manylinux_2_{minor}_{processor}" for minor in GLIBC]
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--disable-pip-version-check",
             "--target", folder, "--only-binary=:all:", "--implementation=cp", "--python-version=3.11", *platforms,
             f"--platform=manylinux2014_{processor}", "--constraint", "constraints.txt", "--report", str(report), *requirements],
            check=True, cwd=ROOT,
        )  # fmt: skip
        found = json.loads(report.read_text())["install"]
    return [
        (
            f"{_canonical(each['metadata']['name'])}=={each['metadata']['version']}",
            each["download_info"]["archive_info"]["hashes"]["sha256"],
        )
        for each in found
    ]


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
