"""From a case to its report card: each section by itself, so that they can be computed anywhere and in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from coinswarm import errors
from coinswarm.play import variants
from coinswarm.validate import breakdown, capacity, crash, lint, montecarlo, names, odds, paths, plateau, rivals, spans, stress, walkforward
from coinswarm.validate.bench import Bench
from coinswarm.validate.card import ReportCard, Section, assembled, rounded
from coinswarm.validate.case import Case

_SECTIONS: Mapping[str, Callable[[Bench], Section]] = {
    "in_sample": spans.in_sample,
    "validation": spans.validation,
    "walk_forward": walkforward.section,
    "cpcv": paths.section,
    "odds": odds.section,
    "overfitting": rivals.overfitting,
    "superiority": rivals.superiority,
    "plateau": plateau.section,
    "stress": stress.section,
    "montecarlo": montecarlo.section,
    "markets": breakdown.markets,
    "years": breakdown.years,
    "regimes": breakdown.regimes,
    "unseen": breakdown.unseen,
    "crash": crash.section,
    "capacity": capacity.section,
    "lint": lint.section,
}


def section(name: str, case: Case | Bench) -> Section:
    """One section of a case's card; what a rule refuses is a section without figures that says why.

    Raises:
        NotFound: no section is called so.
    """
    if name not in _SECTIONS:
        raise errors.not_found("section of a report card", name, _SECTIONS)
    try:
        return rounded(_SECTIONS[name](case if isinstance(case, Bench) else Bench(case)))
    except (errors.BadInput, errors.NotFound) as error:
        return Section(name=name, title=names.TITLES[name], refused=str(error))


def card(case: Case, *, sections: Iterable[str] = names.SECTIONS, **facts: str) -> ReportCard:
    """The report card of a case.

    Args:
        case: the variant, its bars and what was tried.
        sections: which ones; a gate needs only those it names.
        facts: `campaign`, `job`, `evaluation`, `code_version`, where it has them.

    Raises:
        NotFound: no section is called so.
    """
    bench, later = Bench(case), case.splits.validation
    every = {bars.key: bars for bars in (*case.markets, *case.others.values(), *case.unseen)}
    return assembled(
        [section(name, bench) for name in sections],
        play=case.play.name,
        variant=variants.identities(case.play, case.genome[None, :])[0],
        parameters=case.play.space.decode(case.genome) if len(case.play.space) else {},
        markets=tuple(bars.key for bars in case.markets),
        data={key: bars.content_hash for key, bars in every.items()},
        timeframe=str(case.markets[0].timeframe),
        spans={name: (span.start_ts, span.end_ts) for name, span in (("train", case.splits.train), ("validation", later)) if span},
        seed=case.seed,
        synthetic=any(bars.synthetic for bars in case.markets),
        **facts,
    )
