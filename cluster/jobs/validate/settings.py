"""What can be asked of a report card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from cluster.jobs import plays, variants
from cluster.jobs.options import Machine, Option, Options
from cluster.jobs.plays import Overrides
from cluster.jobs.settings import MAX_MARKETS, Campaign, JobName, JobSettings, Name, PlayGiven
from cluster.jobs.typed import BARS
from coinswarm import config, errors
from coinswarm.evolve.settings import OUT_OF_SAMPLE
from coinswarm.validate.case import Effort

MAX_RANK, MAX_PARAMS = 100, 1000
MOST_UNSEEN = 24
_Value = bool | Annotated[float, Field(allow_inf_nan=False)] | Name
_OF_A_PLAY = ("params", "markets", "timeframe", "out_of_sample", "campaign", "warmup_tolerance")


_EFFORT = Effort()


class EffortAsked(config.Settings):
    """How much a report card draws: `coinswarm.validate.case.Effort` with bounds."""

    resamples: Annotated[int, Field(ge=99, le=100_000, description="of each bootstrap")] = _EFFORT.resamples
    lotteries: Annotated[int, Field(ge=19, le=100_000, description="random entries with the variant's exits")] = _EFFORT.lotteries
    neighbours: Annotated[int, Field(ge=1, le=10_000, description="variants drawn around this one")] = _EFFORT.neighbours
    worlds: Annotated[int, Field(ge=1, le=1000, description="runs on resampled bars")] = _EFFORT.worlds
    moments: Annotated[int, Field(ge=1, le=100, description="positions of each market that a crash is put into")] = _EFFORT.moments
    folds: Annotated[int, Field(ge=1, le=200, description="test stretches of the walk forward")] = _EFFORT.folds
    periods: Annotated[int, Field(ge=64, le=100_000, description="most periods that bars are put together to")] = _EFFORT.periods


class ValidateRequest(JobSettings):
    """The report card of an evaluation, of one of the best of a job, or of one variant of a play: see `coinswarm validate --help`."""

    kind: Literal["validate"] = "validate"
    evaluation: Annotated[str, StringConstraints(pattern=r"^[0-9a-z]{4,64}$")] | None = None
    job: JobName | None = None
    rank: Annotated[int, Field(ge=1, le=MAX_RANK, description="of a job: which of its best; 1 is the fittest")] = 1
    plays: Annotated[tuple[PlayGiven, ...], Field(max_length=1, description="one that no search has produced")] = ()
    params: dict[str, _Value] = Field(default_factory=dict, max_length=MAX_PARAMS, description="of a play: all that it leaves open")
    markets: Annotated[tuple[Name, ...], Field(max_length=MAX_MARKETS, description="of a play; none: those it names")] = ()
    timeframe: Annotated[Name, Field(description="of a play: length of a bar; none: the play's")] | None = None
    out_of_sample: Annotated[float, Field(ge=0, le=0.9, description="of a play: share of the bars, the newest, held out")] = OUT_OF_SAMPLE
    campaign: Annotated[Campaign, Field(description="of a play: whose splits it is judged on")] = "default"
    warmup_tolerance: config.WarmupTolerance = config.WARMUP_TOLERANCE
    also: Annotated[tuple[Name, ...], Field(max_length=MAX_MARKETS, description="markets not used in the search")] = ()
    all_unseen: Annotated[bool, Field(description="try every stored market of its timeframe")] = True
    most_unseen: Annotated[int, Field(ge=0, le=MAX_MARKETS, description="the most of those")] = MOST_UNSEEN
    seed: Annotated[int, Field(ge=0, lt=2**31, description="the same seed gives the same card, with any number of workers")] = 0
    effort: EffortAsked = EffortAsked()

    @property
    def subject(self) -> str:
        """Which of `evaluation`, `job` and `plays` is judged.

        Raises:
            InvalidArgument: it is not one of them, or something is said that belongs to another.
        """
        given = [name for name in ("evaluation", "job", "plays") if getattr(self, name)]
        if len(given) != 1:
            rule = "a report card is of one thing: `evaluation`, `job` or `plays`"
            raise errors.InvalidArgument(rule, found=" and ".join(given) or "none of them")
        foreign = {"plays": ("rank",), "job": _OF_A_PLAY, "evaluation": (*_OF_A_PLAY, "rank")}[given[0]]
        for name in foreign:
            if getattr(self, name) != type(self).model_fields[name].get_default(call_default_factory=True):
                raise errors.InvalidArgument(
                    f"`{name}` does not go with `{given[0]}`", hint="what a job found is judged as it was searched"
                )
        return given[0]


_SUBJECT = "subject"


def _compose(settings: Mapping[str, Any], given: Mapping[str, Any], machine: Machine) -> Sequence[Mapping[str, Any]]:
    """A request for a play file or an evaluation, or one for each of the best of a job; ids of jobs begin with their kind and a hyphen."""
    subject = str(given[_SUBJECT])
    is_file = subject.endswith((".yaml", ".yml")) or Path(subject).is_file()
    if given.get("best") and (is_file or "-" not in subject):
        raise errors.InvalidArgument("--best is for a job", found=subject)
    if not settings.get("all_unseen", True) and "most_unseen" in settings:
        raise errors.InvalidArgument("--most-unseen does not go with --no-unseen", hint="leave one of them out")
    if is_file:
        return [{**settings, **_variant(settings, given, machine.plays([Path(subject)])[0])}]
    for name in ("set", "variant"):
        if given.get(name):
            raise errors.InvalidArgument(f"--{name} is for a play; what a job found is judged as it was searched", found=subject)
    for name, option in (("markets", "--symbol"), ("warmup_tolerance", "--warmup-tolerance")):
        if name in settings and settings[name] != ValidateRequest.model_fields[name].default:
            raise errors.InvalidArgument(f"{option} is for a play; what a job found is judged as it was searched", found=subject)
    if "-" not in subject:
        return [{**settings, "evaluation": subject}]
    return [{**settings, "job": subject, "rank": rank} for rank in range(1, int(given.get("best") or 1) + 1)]


def _variant(settings: Mapping[str, Any], given: Mapping[str, Any], file: PlayGiven) -> dict[str, Any]:
    """The play of a file, and a value for each parameter that it leaves open."""
    wanted = plays.read(file, Overrides(), settings.get("timeframe"))
    chosen = variants.choose(wanted, given.get("set") or [], given.get("variant"))
    return {"plays": [file], "params": dict(chosen.parameters)}


OPTIONS = Options(
    settings=ValidateRequest,
    panel="Tests",
    options=(
        Option(names=(_SUBJECT,), type=str, required=True, metavar="EVALUATION|JOB|PLAY",
               help="An evaluation's or job's id or its beginning, or a YAML file."),
        Option(names=("--best",), type=int, help="Of a job: how many of its best, each with a card of its own. Default: 1."),
        Option(names=("--set",), type=list[str], metavar="NAME=VALUE", help="Of a play: a parameter it leaves open; repeat for several."),
        Option(names=("--variant",), type=str, help="Of a play, for parameters not set: first, middle or random:SEED."),
        Option(names=("--symbol", "-s"), fills=("markets",), extends=True, help="Of a play: a market; repeat for several."),
        Option(names=BARS.names, fills=BARS.fills, type=BARS.type, read=BARS.read, extends=True, late=True,
               help="Of a play: a file of candles to import and use; repeat for several."),
        Option(names=("--timeframe", "-t"), fills=("timeframe",)),
        Option(names=("--also",), fills=("also",), help="A market not used in the search; repeat for several."),
        Option(names=("--unseen/--no-unseen",), fills=("all_unseen",), help="Try all stored markets of its timeframe."),
    ),
    left_out={
        "evaluation": "the subject", "job": "the subject", "rank": "of the subject, by --best", "plays": "the subject",
        "params": "by --set and --variant",
    },
    compose=_compose,
    writes_page=True,
)  # fmt: skip
