"""Files that come with the program: example plays, published rules, planted rules and the default gates.

They lie in `plays/` at the top of the repository, to which `coinswarm/plays` is a link, and inside the package in a wheel.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from coinswarm import errors


def play(path: str | Path) -> Path:
    """A play, or a folder of them: as it is named, or what comes with the program where `plays/…` names that and nothing here."""
    file = Path(path)
    shipped = Path(str(resources.files("coinswarm") / file))
    return shipped if file.parts[:1] == ("plays",) and not file.exists() and shipped.exists() else file


def plays(kind: str) -> Path:
    """The folder of one kind of plays: `examples`, `templates`, `technical`, `academic`, `worlds` or `gates`.

    Raises:
        Unavailable: it was not installed.
    """
    folder = Path(str(resources.files("coinswarm") / "plays" / kind))
    if not folder.is_dir():
        raise errors.Unavailable(f"the plays `{kind}` must be installed with the program", found="none", hint="install coinswarm again")
    return folder
