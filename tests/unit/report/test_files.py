from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from coinswarm import errors
from coinswarm.report import files


def test_a_file_is_written_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "report.html"
    assert files.write_whole(path, b"first") == path
    files.write_whole(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_is_written_again_keeps_the_mode_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    files.write_whole(path, b"first")
    path.chmod(0o640)
    files.write_whole(path, b"second")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_full_disk_keeps_what_was_there_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(b"the old report")
    script = """
        import pathlib, resource, sys
        from coinswarm import errors
        from coinswarm.report import files
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        try:
            files.write_whole(pathlib.Path(sys.argv[1]), b"x" * 100_000)
        except errors.StorageFull as error:
            sys.exit(str(error))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(path)], capture_output=True, text=True, check=False)
    assert "there is no room to write" in done.stderr
    assert path.read_bytes() == b"the old report"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_that_is_full_is_said_to_be_full() -> None:
    full = Path("/dev/full")
    if not full.is_char_device():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(errors.StorageFull, match="no room"):
        files.write_whole(full, b"x")
    assert full.is_char_device()


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.BadInput, match="written to a file"):
        files.write_whole(tmp_path, b"x")


def test_a_path_through_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(errors.BadInput, match="must be writable"):
        files.write_whole(tmp_path / "file" / "report.html", b"x")


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.BadInput, match="must be writable"):
        files.write_whole(tmp_path / ("x" * 300), b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_link_keeps_pointing_at_the_file(tmp_path: Path) -> None:
    real, link = tmp_path / "real.html", tmp_path / "link.html"
    real.write_bytes(b"old")
    link.symlink_to(real)
    files.write_whole(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
