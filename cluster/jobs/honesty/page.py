"""The page of the benchmark: its tables in Markdown and its picture, from the newest finished run of each part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.jobs.honesty import rates_picture
from coinswarm import errors
from coinswarm.ledger.records import Job

Cells = Sequence[Mapping[str, Any]]
_NAMES = {
    "promoted": "promoted", "significant": "significant (family-wise 5 %)",
    "welch bonferroni": "Welch t, Bonferroni", "welch bh": "Welch t, Benjamini-Hochberg",
    "binomial bonferroni": "win rate, Bonferroni", "binomial bh": "win rate, Benjamini-Hochberg",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PagePart:
    """A part of the page: which runs belong to it, and how their cells are told."""

    title: str
    belongs: Callable[[Job], bool]
    told: Callable[[Cells], list[str]]


def write(jobs: Sequence[Job], out: Path) -> list[Path]:
    """Write the page and its picture.

    Args:
        jobs: finished runs, newest first.
        out: the Markdown file; the picture has its name with `.svg`.

    Returns:
        What was written.
    """
    picture = out.with_suffix(".svg")
    out.parent.mkdir(parents=True, exist_ok=True)
    nulls = [job for part in PARTS[:2] for job in _newest(jobs, part)]
    written = [out]
    try:
        if nulls:
            picture.write_text(rates_picture.draw([cell for job in nulls for cell in _cells(job)], _NAMES), "utf-8")
            written.append(picture)
        out.write_text(text(jobs, picture.name if nulls else None), "utf-8")
    except OSError as problem:
        raise errors.BadInput("the page cannot be written", found=str(problem)) from problem
    return written


def text(jobs: Sequence[Job], picture: str | None) -> str:
    """The page in Markdown.

    Args:
        jobs: finished runs, newest first.
        picture: file of the picture beside the page; none: there is none.
    """
    lines = [*_HEAD]
    if picture:
        lines += [f"![Share of null worlds in which something was promoted]({picture})", ""]
    for part in PARTS:
        found = _newest(jobs, part)
        lines += [f"## {part.title}", ""]
        lines += [line for job in found for line in (*part.told(_cells(job)), *_foot(job))] if found else ["Not run yet.", ""]
    return "\n".join([*lines, *_TAIL, ""])


_HEAD = [
    "# How honest is it?",
    "",
    (
        "The pipelines of this project are run on worlds in which there is nothing to find, and on worlds in which something was hidden."
        " `make honesty` runs all of it again and writes this page; worlds follow from the seed, so the counts are the same everywhere."
    ),
    "",
    (
        "Null worlds: **N0** random walk; **N1** GARCH(1,1) with Student t shocks; **N2** real bars in another order; **N3** real bars,"
        " each mirrored or not by a coin, the same for all markets; **N3d** whole days mirrored, which keeps what is linear in a day and"
        " so is a null only for holds well beyond one. Intervals are 95 % after Wilson."
    ),
    "",
]
_TAIL = [
    "## What the words mean",
    "",
    (
        "- *significant*: some pattern's family-wise p, over all that were tested, is at most 5 %. This is the verdict with a nominal rate:"
        " where there is nothing it should be reached in 5 % of worlds, and what was planted should reach it."
    ),
    (
        "- *promoted*, of a pattern: it also made money net of costs, beats its generalisations, and was confirmed on later bars at a level"
        " that the library pays for. Rarer on both sides. Of a play: the winner of the search kept all gates."
    ),
    (
        "- *recovered*: what was promoted is true. A pattern is true when its mean result is above that of random trades and above nothing,"
        " each by two standard errors, in eight fresh worlds of the same process; likeness to the planted rule does not count."
    ),
    "- *false*: something was promoted that is not true.",
    (
        "- Searches pay next to nothing for a trade. With usual costs chance finds nothing that pays for them, so that nothing would be"
        " promoted for a reason that has nothing to do with the gates."
    ),
    (
        "- *best in sample, p < .05*: a t test that takes bars and markets for independent, as is usual. Markets move together, so it"
        " exceeds 5 %."
    ),
]


def _null_table(cells: Cells) -> list[str]:
    names = [*(["promoted"] if "promoted" in cells[0] else []), *cells[0]["flags"]]
    names = [name for name in names if name != "significant and true"]
    lines = [f"| {' | '.join(['judged by', *(cell['cell'] for cell in cells)])} |", f"|---|{'---|' * len(cells)}"]
    lines += [f"| {_NAMES.get(name, name)} | {' | '.join(_share(_rate(cell, name)) for cell in cells)} |" for name in names]
    return [*lines, "", _band(cells), ""]


def _band(cells: Cells) -> str:
    n = int(cells[0]["worlds"])
    low, high = rates_picture.band(n)
    return f"At a true rate of 5 %, {low} to {high} of {n} worlds are to be expected (99 %)."


def _planted_table(cells: Cells) -> list[str]:
    names = (
        "promoted",
        "recovered",
        "false",
        "significant",
        "significant and true",
        "welch bonferroni",
        "binomial bonferroni",
        "leak found",
    )
    known = [name for name in names if any(name in cell or name in cell["flags"] for cell in cells)]
    head = ["world", *known]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for cell in cells:
        shown = [_share(_rate(cell, name)) if name in cell or name in cell["flags"] else "" for name in known]
        lines.append(f"| {cell['cell']} | {' | '.join(shown)} |")
    return [*lines, ""]


def _rate(cell: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = cell[name] if name in cell else cell["flags"][name]
    return found


def _share(rate: Mapping[str, Any]) -> str:
    return f"{100 * rate['rate']:.1f} % ({100 * rate['low']:.1f}-{100 * rate['high']:.1f}), {rate['count']} of {rate['of']}"


def _cells(job: Job) -> Cells:
    found: Cells = (job.result or {}).get("cells", [])
    return found


def _foot(job: Job) -> list[str]:
    config = job.config
    markets = ", ".join(f"{span['key']} ({span['n_bars']:,} bars)" for span in config["like"])
    asked = config["honesty"][config["honesty"]["pipeline"]]
    drawn = (
        f"{asked['trades']:,} trades held {asked['hold']}, to {asked['depth']} conditions, {asked['flips']} flips"
        if "trades" in asked
        else (f"{asked['search']['population']} variants over {asked['search']['generations']} generations")
    )
    costs = asked.get("costs") or {}
    if "taker_bps" in costs:
        drawn += f"; {costs['taker_bps']:g} bps of fees and {costs['slippage_bps']:g} of slippage a side"
    cpu = sum(cell["cpu_s"] for cell in _cells(job)) / max(len(_cells(job)), 1)
    return [f"Like {markets}; {drawn}; seed {job.seed}; {cpu:.2f} CPU seconds a world; code {job.code_version}.", ""]


def _newest(jobs: Sequence[Job], part: PagePart) -> list[Job]:
    return [job for job in jobs if part.belongs(job)][:1]


def _pipeline(job: Job) -> str:
    return str(job.config["honesty"]["pipeline"])


def _of(pipeline: str, kind: str) -> Callable[[Job], bool]:
    return lambda job: _pipeline(job) == pipeline and _kind(_cells(job)) == kind


def _kind(cells: Cells) -> str:
    if all(cell["null"] for cell in cells):
        return "null"
    return "power" if any(cell["plant"] for cell in cells) else "hard"


PARTS = (
    PagePart(title="Patterns where there is nothing", belongs=_of("patterns", "null"), told=_null_table),
    PagePart(title="Searched plays where there is nothing", belongs=_of("evolve", "null"), told=_null_table),
    PagePart(title="Searched plays where one was planted", belongs=_of("evolve", "power"), told=_planted_table),
    PagePart(title="Patterns where something was planted: power", belongs=_of("patterns", "power"), told=_planted_table),
    PagePart(
        title="Worlds made to fool: dying, below cost, losing winners, look-ahead", belongs=_of("patterns", "hard"), told=_planted_table
    ),
)
