"""Which code computed a result: the release and a fingerprint of the science in it."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

import coinswarm

_NUMERIC = ("numpy", "numba", "ta-lib", "scipy", "moocore")


@cache
def code_version() -> str:
    """`0.1.0+3f9c2a71d0b4`: the release, and SHA-256 over every source file of `coinswarm`, which decides what figures come out."""
    root = Path(coinswarm.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{version('coinswarm')}+{digest.hexdigest()[:12]}"


def environment() -> dict[str, str]:
    """Versions of what computes beside us, kept with a job for whoever looks into a difference."""
    return {"python": platform.python_version(), "machine": platform.machine(), **{name: version(name) for name in _NUMERIC}}
