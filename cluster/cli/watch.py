"""`coinswarm watch`: follow a job from any terminal or machine until it ends."""

from __future__ import annotations

from cluster.cli import jobs

command = jobs.watch_job
