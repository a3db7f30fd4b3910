"""What a person sees of a variant: a self-contained HTML page, and curves drawn in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coinswarm.report.context import Context, MarketReport, Segment

if TYPE_CHECKING:
    from coinswarm.backtest.run import Backtest
    from coinswarm.ledger.patterns import PatternRecord

__all__ = ["Context", "MarketReport", "Segment", "write", "write_many", "write_patterns", "write_rules"]


def write(
    backtest: Backtest,
    path: str | PathLike[str],
    *,
    title: str | None = None,
    context: Context | None = None,
    segments: tuple[Segment, ...] = (),
) -> Path:
    """Write the report of one variant on one market.

    Args:
        backtest: the variant simulated over the whole span that is to be shown.
        path: of the HTML file; missing folders are made, a file that is there is replaced.
        title: heading; the play's name when None.
        context: where the variant comes from and how many were tried.
        segments: parts of the span with figures of their own, such as in sample and held out.

    Returns:
        The path.

    Raises:
        StorageFull: there is no room; nothing is left half-written.
        BadInput: the path may not be written.
    """
    return write_many([MarketReport(backtest=backtest, segments=segments)], path, title=title, context=context)


def write_many(
    markets: Sequence[MarketReport], path: str | PathLike[str], *, title: str | None = None, context: Context | None = None
) -> Path:
    """Write the report of one variant on several markets, one tab each; otherwise as `write`.

    Raises:
        ShapeMismatch: there is no market.
        StorageFull: there is no room; nothing is left half-written.
        BadInput: the path may not be written.
    """
    from coinswarm.report import files, page

    return files.write_whole(Path(path), page.render(markets, title=title, context=context).encode("utf-8"))


def write_patterns(
    found: Mapping[str, Any], records: Sequence[PatternRecord], path: str | PathLike[str], *, job: str, synthetic: bool = False
) -> Path:
    """Write what a search for patterns tried and what survived.

    Args:
        found: what it tried, as `coinswarm.patterns.results.summary` puts it.
        records: what the library made of its findings.
        path: of the HTML file; missing folders are made, a file that is there is replaced.
        job: the search.
        synthetic: whether the bars were made.

    Raises:
        StorageFull: there is no room; nothing is left half-written.
        BadInput: the path may not be written.
    """
    from coinswarm.report import files, patterns

    return files.write_whole(Path(path), patterns.render(found, records, job=job, synthetic=synthetic).encode("utf-8"))


def write_rules(
    result: Mapping[str, Any], config: Mapping[str, Any], path: str | PathLike[str], *, job: str, synthetic: bool = False
) -> Path:
    """Write what a test of known rules came to; arguments and errors as for `write_patterns`.

    Args:
        result: what the job found, see `rules.render`.
        config: what it was asked.
        path: of the HTML file.
        job: its id.
        synthetic: whether the bars were made.
    """
    from coinswarm.report import files, rules

    return files.write_whole(Path(path), rules.render(result, config, job=job, synthetic=synthetic).encode("utf-8"))
