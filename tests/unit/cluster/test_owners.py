from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cluster.run import owners


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_lease_of_this_process_is_alive() -> None:
    assert not owners.is_dead(owners.new())


def test_a_process_that_was_killed_is_dead_also_before_its_parent_has_heard_of_it(other: subprocess.Popen[bytes]) -> None:
    owner = owners.new(other.pid)
    alive = owners.is_dead(owner)
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    unreaped = owners.is_dead(owner)
    other.wait()
    assert (alive, unreaped, owners.is_dead(owner)) == (False, True, True)


def test_another_process_that_was_given_the_same_id_is_not_the_owner() -> None:
    host, pid, mark, token = owners.new().rsplit(":", 3)
    assert owners.is_dead(f"{host}:{pid}:{mark[:-1]}{'0' if mark[-1] != '0' else '1'}:{token}")


@pytest.mark.parametrize("change", [("elsewhere", 0), ("ffffffff", 2)])
def test_nothing_is_known_of_a_process_of_another_host_or_another_boot(change: tuple[str, int], other: subprocess.Popen[bytes]) -> None:
    parts = owners.new(other.pid).rsplit(":", 3)
    other.kill()
    other.wait()
    word, place = change
    parts[place] = word + parts[place][len(word) :] if place else word
    assert not owners.is_dead(":".join(parts))


@pytest.mark.parametrize("name", ["", "me", "host:1:5c00b2a5", "a:b:c:d", ":::"])
def test_names_of_earlier_programs_and_of_no_program_are_not_dead(name: str) -> None:
    assert not owners.is_dead(name)
