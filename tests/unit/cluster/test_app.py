from __future__ import annotations

import errno

import pytest

from cluster.cli import app
from coinswarm import errors


@pytest.mark.parametrize(
    ("raised", "kind", "code"),
    [
        (errors.NotFound("no such thing"), errors.NotFound, 2),
        (errors.Cancelled("stopped"), errors.Cancelled, 1),
        (OSError(errno.ENOSPC, "No space left on device", "/reports"), errors.StorageFull, 2),
        (PermissionError(errno.EACCES, "Permission denied", "/somewhere/x"), errors.BadInput, 2),
        (OSError(errno.EIO, "Input/output error"), errors.CoinswarmError, 1),
        (ZeroDivisionError("division by zero"), errors.CoinswarmError, 1),
    ],
)
def test_everything_a_command_raises_becomes_one_message_and_an_exit_code(raised, kind, code, capsys):
    assert type(app.explain(raised)) is kind
    assert app.report(raised) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1


def test_a_command_whose_module_is_missing_is_told(capsys):
    with pytest.raises(errors.Unavailable, match="cannot be loaded"):
        app.load("no_such_command")
    assert capsys.readouterr().err == ""


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as ended:
        app.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip().count(".") >= 1
