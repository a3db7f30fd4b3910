"""A file of settings: YAML that names values as the variables do, in lower case and without their prefix.

    workers: 4
    database_url_file: postgres.url

Paths that are not absolute begin at the folder of the file. Secrets stand in files of their own, which this one names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cluster import private
from coinswarm import errors

NAME = "config.yaml"
"""In the home folder, where no other file is named."""
SECRETS = {"token": "token_file", "database_url": "database_url_file"}
"""What a file may not hold, and the setting that names a file with it; an address of a database may stand there without its password."""
_MOST_BYTES = 100_000
_PASSWORD = re.compile(r"password\s*=", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class FileEntry:
    """One setting of a file, as YAML has it, and its line."""

    value: object
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FileContents:
    """What a file says: values by name, and every mistake in how it is written."""

    path: Path
    entries: dict[str, FileEntry]
    problems: tuple[errors.PlayProblem, ...] = ()


def read(path: Path, names: Collection[str]) -> FileContents:
    """The settings in a file.

    Args:
        path: of the file; an empty one, and the null device, hold none.
        names: settings that there are; any other is a mistake.

    Raises:
        BadSetting: it cannot be read, or other accounts can change it.
    """
    mistakes: list[errors.PlayProblem] = []
    entries = dict(_entries(path, _text(path), mistakes))
    mistakes += [problem for name, entry in entries.items() for problem in _refused(path, name, entry, names)]
    usable = {name: entry for name, entry in entries.items() if name in names and name != "home" and entry.value is not None}
    return FileContents(path=path, entries=usable, problems=tuple(mistakes))


def _text(path: Path) -> str:
    if path == Path(os.devnull):
        return ""
    if path.is_dir():
        raise errors.BadSetting("a file of settings must be a file", found=f"the folder {path}", hint=f"name a file in it, {path / NAME}")
    try:
        _refuse_writers(path)
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise errors.BadSetting("a file of settings must be readable", found=f"{path} ({error.strerror})") from None
    if len(raw) > _MOST_BYTES:
        raise errors.BadSetting(f"a file of settings has at most {_MOST_BYTES} bytes", found=f"more in {path}")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise errors.BadSetting("a file of settings must be text in UTF-8", found=f"other bytes in {path}") from None


def _refuse_writers(path: Path) -> None:
    rule = "a file of settings must be one that no other account can change"
    if private.is_anothers(path):
        raise errors.BadSetting(rule, found=f"{path} of the account {path.stat().st_uid}", hint="copy it, and name the copy")
    if writers := private.writers(path):
        raise errors.BadSetting(rule, found=f"{path}, which {' and '.join(writers)} can write", hint=f"`chmod go-w {path}`")


def _entries(path: Path, text: str, mistakes: list[errors.PlayProblem]) -> Iterator[tuple[str, FileEntry]]:
    import yaml

    def mistake(rule: str, found: object, line: int) -> None:
        mistakes.append(errors.PlayProblem(path="YAML", rule=rule, found=str(found), line=line, file=str(path)))

    loader = yaml.SafeLoader(text)
    try:
        root: Any = loader.get_single_node()
        if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
            return
        if not isinstance(root, yaml.MappingNode):
            mistake("a file of settings has lines such as `workers: 4`", f"a {root.id}", root.start_mark.line + 1)
            return
        lines: dict[str, int] = {}
        for key, value in root.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in lines:
                mistake("a setting stands once", f"{name} again (first on line {lines[name]})", line)
                continue
            lines[name] = line
            yield name, FileEntry(value=loader.construct_object(value, deep=True), line=line)
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        mistake("a file of settings must be valid YAML", error.problem or error.context, mark.line + 1 if mark else 1)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mistake("a file of settings must be valid YAML", str(error).splitlines()[0] if str(error) else type(error).__name__, 1)


def _refused(path: Path, name: str, entry: FileEntry, names: Collection[str]) -> Iterator[errors.PlayProblem]:
    rule = ""
    suggestions: tuple[str, ...] = ()
    if name == "home":
        rule = "the home folder is where this file is looked for, so it is set by COINSWARM_HOME"
    elif name not in names:
        rule, suggestions = "there is no such setting", errors.nearest(name, [each for each in names if each != "home"])
    elif name == "token" or (name == "database_url" and _has_password(entry.value)):
        rule = f"a secret stands in a file of its own that {SECRETS[name]} names"
    if rule:
        yield errors.PlayProblem(path=name, rule=rule, line=entry.line, file=str(path), suggestions=suggestions)


def _has_password(address: object) -> bool:
    try:
        return urlsplit(str(address)).password is not None or _PASSWORD.search(str(address)) is not None
    except ValueError:  # no address at all; better kept to itself
        return True
