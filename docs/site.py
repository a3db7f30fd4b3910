"""What the site has beside the pages of this folder, and the rules that its pages keep. A hook of MkDocs, see `mkdocs.yml`.

Pages at the top of the repository are shown as they are. References of commands, kinds and settings are made of the program, and a page of
the notebook. A page that names a file of the repository that is not there is a warning, and `mkdocs build --strict` fails on it; in
`cluster/jobs/KIND/plan.py` the part in capitals stands for any name. So is an example that imports a name that its module does not have.
"""

from __future__ import annotations

import ast
import json
import logging
import os
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
OF_THE_ROOT = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md", "CHANGELOG.md": "changes.md"}
"""Pages at the top of the repository, and where the site has them."""
HISTORY = ("decisions/", "changes.md")
"""Pages that speak of the past; files they name may be gone."""
_LINK = re.compile(r"(!?)\[((?:[^\]\[]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_FILE = re.compile(r"`((?:cluster|coinswarm|tests|plays|migrations|docs)/[\w./-]+\.(?:py|md|yml|json|js|mako|sh|yaml))`")
_OF_THE_SHELL = ("help", "install_completion", "show_completion")
_EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
_MADE = re.compile(r"<!-- makes ([^>]*) -->")
"""Files and folders that a reader makes who follows a page."""
SETTINGS = """A setting comes from its variable, else from the file of settings, else it has its default; a variable that is empty counts as
unset. `coinswarm config show` says where each comes from. [Running](../running.md#settings) has the rules of the file."""
_log = logging.getLogger("mkdocs.plugins.coinswarm")


def on_config(config: Any) -> Any:
    """List every decision in the navigation."""
    decisions = next(section["Decisions"] for section in config.nav if "Decisions" in section)
    decisions += [f"decisions/{path.name}" for path in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages of the top of the repository, and the references that are made of the program."""
    pages = {site: (ROOT / name).read_text("utf-8") for name, site in OF_THE_ROOT.items()}
    pages |= {"reference/commands.md": commands(), "reference/kinds.md": kinds(), "reference/settings.md": settings()}
    pages |= {"reference/indicators.md": indicators()}
    pages |= {"notebook.md": notebook(json.loads((ROOT / "docs" / "notebook.ipynb").read_text("utf-8")))}
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:  # noqa: ARG001 - the signature of a hook
    """Point links at where the site has their pages; refuse names of files that are not there."""
    site = page.file.src_uri
    if not site.startswith(HISTORY):
        made = tuple(" ".join(_MADE.findall(markdown)).split())
        for name in sorted(set(_FILE.findall(markdown))):
            if not ((ROOT / name).exists() or _is_pattern(name) or name.startswith(made)):
                _log.warning("%s names %s, which is not there", site, name)
        for name in sorted(_lacking(markdown, made)):
            _log.warning("an example of %s imports %s, which is not there", site, name)
    return _LINK.sub(lambda match: _linked(match, site, files), markdown)


def _lacking(markdown: str, made: tuple[str, ...]) -> Iterator[str]:
    """Names that examples import from the program and that it does not have; modules that a reader makes are left out."""
    for block in _EXAMPLE.findall(markdown):
        try:
            tree = ast.parse(block)
        except SyntaxError:  # a line of a list or a dictionary
            continue
        for node in (each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)):
            module = node.module or ""
            is_ours = module.startswith(("cluster.", "coinswarm.")) and not _is_made(module, made)
            if is_ours:
                yield from (f"{module}.{alias.name}" for alias in node.names if not _has(module, alias.name))


def _is_made(module: str, made: tuple[str, ...]) -> bool:
    path = module.replace(".", "/")
    return any(f"{path}.py".startswith(one) or f"{path}/" == one for one in made)


def _has(module: str, name: str) -> bool:
    path = ROOT / module.replace(".", "/")
    if not (path.is_dir() or path.with_suffix(".py").is_file()):
        return False
    loaded = import_module(module)
    return hasattr(loaded, name) or (hasattr(loaded, "__path__") and find_spec(f"{module}.{name}") is not None)


def _is_pattern(name: str) -> bool:
    return any(PurePosixPath(part).stem.isupper() for part in PurePosixPath(name).parts)


def _linked(match: re.Match[str], site: str, files: Files) -> str:
    """A link of a page, as the site needs it: to one of its pages, or nothing but the text where it leads to a file of the repository."""
    image, text, target = match.groups()
    path, _, anchor = target.partition("#")
    if "://" in target or target.startswith("mailto:") or not path:
        return match.group()
    at_root = {there: name for name, there in OF_THE_ROOT.items()}
    source = PurePosixPath(at_root[site]) if site in at_root else PurePosixPath("docs") / site
    named = os.path.normpath(source.parent / path)
    there = OF_THE_ROOT.get(named) or (named.removeprefix("docs/") if named.startswith("docs/") else None)
    if named in ("docs/decisions", "docs/how-to"):
        there = f"{there}/README.md"
    if there is not None and files.get_file_from_path(there) is not None:
        moved = os.path.relpath(there, PurePosixPath(site).parent)
        return f"{image}[{text}]({moved}{'#' if anchor else ''}{anchor})"
    if not (ROOT / named).exists():
        _log.warning("%s links to %s, which is not there", site, target)
    return text


def commands() -> str:
    """Every command with its arguments and options, as `--help` has them."""
    from cluster.cli import app

    parts = [
        "# Commands",
        "As `--help` prints them. Results go to stdout, progress to stderr; exit codes are 0 done, 1 failed, 2 bad input.",
    ]
    for name in sorted(app.summaries()):
        parts += _command(app.load(name), f"coinswarm {name}", app.summaries()[name][1], level=2)
    return "\n\n".join(parts) + "\n"


def _command(command: Any, words: str, summary: str, *, level: int) -> Iterator[str]:
    yield f"{'#' * level} {words}"
    yield _escaped(" ".join((command.help or summary).split()))
    rows = [
        _row(parameter) for parameter in command.params if parameter.name not in _OF_THE_SHELL and not getattr(parameter, "hidden", False)
    ]
    if rows:
        yield "\n".join(["| | what it does |", "|---|---|", *rows])
    if command.epilog:
        yield f"```sh\n{command.epilog}\n```"
    for name, inner in getattr(command, "commands", {}).items():
        yield from _command(inner, f"{words} {name}", inner.help or "", level=level + 1)


def _row(parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    names = ", ".join([*parameter.opts, *parameter.secondary_opts]) if is_option else parameter.metavar or parameter.name.upper()
    return f"| `{names.replace('|', chr(92) + '|')}` | {_escaped(' '.join((parameter.help or '').split()))} |"


def indicators() -> str:
    """Every indicator and structure with parameters, outputs, warm-up and an example."""
    from coinswarm.indicators import reference

    parts = [
        "# Indicators and structures",
        "What a play may name, as `coinswarm play indicators NAME` prints it; [the play language](../play-language.md) says how.",
        "The warm-up is that of the defaults at the usual tolerance, in bars of the feature's own timeframe.",
    ]
    for one in reference.entries():
        rows = [f"| `{each.name}` | {each.default} | {_escaped(each.may_be)} |" for each in one.parameters]
        outputs = ", ".join(f"`{each.name}`" + ("" if each.holds == "number" else f" ({each.holds})") for each in one.outputs)
        warm = "depends on what is given" if one.warm_up is None else f"{one.warm_up:,} bars"
        source = "; takes a `source`" if one.takes_source else ""
        parts += [f"## {one.name}", _escaped(f"{one.summary} {one.details}".strip())]
        parts += ["\n".join(["| parameter | default | may be |", "|---|---|---|", *rows])] if rows else []
        parts += [f"Outputs: {outputs}. Warm-up: {warm}{source}. From: {_escaped(one.cite)}.", f"```yaml\n{one.example}```"]
    return "\n\n".join(parts) + "\n"


def kinds() -> str:
    """Every kind of job with the settings of its request."""
    from cluster.jobs import registry

    parts = [
        "# Kinds of jobs",
        "Settings are the body of `POST /api/v1/jobs` and, but for a few, options of the command. `GET /api/v1/kinds` has their schemas.",
    ]
    for words, name in registry.commands().items():
        parts += [f"## {name}", f"`coinswarm {' '.join(words)}`: {_escaped(registry.summary(name))}"]
        settings = registry.options(name).settings
        rows = [f"| `{path}` | {_cell(default)} | {_escaped(text)} |" for path, default, text in _settings(settings)]
        parts.append("\n".join(["| setting | default | what it says |", "|---|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def notebook(found: Any) -> str:
    """A notebook as a page: its words, its code, and what each cell shows."""
    parts = []
    for cell in found["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        parts += [_output(output) for output in cell.get("outputs", ())]
    file = "[This page as a notebook](notebook.ipynb), with what its cells show: `docs/run_notebook.py` runs them."
    return "\n\n".join([*parts, file]) + "\n"


def _output(output: Any) -> str:
    forms = output.get("data", {})
    if "text/html" in forms:
        return f'<div class="output">{"".join(forms["text/html"])}</div>'
    return f"```text\n{''.join(output.get('text') or forms['text/plain']).rstrip()}\n```"


def settings() -> str:
    """Every setting of a machine: its name in a file, its variable, what it may be, its default and what it is."""
    from cluster import machine

    names = machine.MachineSettings.model_fields
    file = f"| | `{machine.CONFIG}`, `coinswarm --config` | a path | `config.yaml` in the home folder | the file of settings |"
    table = ["| in the file | variable | must be | default | what it is |", "|---|---|---|---|---|", *map(_setting, names), file]
    return "\n\n".join(["# Settings of a machine", SETTINGS, "\n".join(table)]) + "\n"


def _setting(name: str) -> str:
    from cluster import machine

    field, is_home = machine.MachineSettings.model_fields[name], name == "home"  # which no file can say
    variables = ", ".join(f"`{each}`" for each in machine.variables_of(name))
    default = _cell("~/.coinswarm" if is_home else field.get_default())
    return f"| {'' if is_home else f'`{name}`'} | {variables} | {machine.domain(name)} | {default} | {_escaped(field.description or '')} |"


def _settings(model: Any, prefix: str = "") -> Iterator[tuple[str, Any, str]]:
    from pydantic import BaseModel

    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _settings(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", "needed" if field.is_required() else field.get_default(), field.description or ""


def _cell(default: Any) -> str:
    if not isinstance(default, (str, int, float, bool, type(None))) and default:
        return "see `GET /api/v1/defaults`"
    return {"needed": "needed", "None": "none", "()": "none", "{}": "none"}.get(str(default), f"`{default}`")


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[").replace("*", "\\*")
