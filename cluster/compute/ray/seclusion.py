"""How a local Ray cluster is kept from the other accounts of a machine.

Ray runs what it is asked to run, so all that it listens to asks for a token, which is in a file of the home folder that only its owner
reads. What it writes and its sockets are in a folder that only its owner enters, for Ray opens the folders that it makes to everyone. Its
metrics are the one thing it would tell without a token, so they are off.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import psutil
from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

from cluster import machine, private

_MUTE = {"RAY_enable_metrics_collection": "0", "AUTOSCALER_METRIC_PORT": "-1", "DASHBOARD_METRIC_PORT": "-1"}
"""Metrics of nodes, of the autoscaler and of the dashboard; the latter two are exported unless their port cannot be listened at."""
_SESSION = "/session_2026-01-31_23-59-59_999999_9999999/sockets/dash_MetricsHead"
"""The longest path that Ray makes of the folder it is given."""


def options(home: Path) -> dict[str, Any]:
    """What Ray is started with, after this process and its children have the token in their environment.

    The user's own settings of a token are for clusters that others start: for one of ours they would let in those who know it.

    Args:
        home: folder of this user, in which the token is.
    """
    token = home / "ray.token"
    private.kept_secret(token)
    token_variables = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_AUTH_TOKEN": None}
    machine.impose(token_variables | _MUTE)
    Config.initialize("")  # Ray reads its environment once, when it is imported
    AuthenticationTokenLoader.instance().reset_cache()
    folder = place(home)
    _sweep(folder)
    return {"_temp_dir": str(folder)}


def place(home: Path) -> Path:
    """The folder for what Ray writes: in the home folder, or among temporary files where paths of sockets would be too long."""
    return private.socket_folder(home, "ray", len("/t") + len(_SESSION)) / "t"


def _sweep(folder: Path) -> None:
    """Remove what clusters have left whose drivers are gone; their names end with the driver's process id."""
    for session in folder.glob("session_*_*"):
        pid = session.name.rpartition("_")[2]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)) and not session.is_symlink():
            shutil.rmtree(session, ignore_errors=True)
