"""Every column that a person may read says what it is and in which unit; trials and leaderboards name their play alike.

Figures have the units of `coinswarm.metrics.figures.UNITS`; a test holds both equal. A column that is added later is commented by the
migration that adds it.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATUSES = "'{ok,no_trades,invalid,error,timeout,dropped}'::text[]"
VIEWS = f"""
CREATE OR REPLACE VIEW evaluations AS
SELECT trials.id, trials.job, trials.variant, batches.play, trials.island, trials.generation, trials.index, trials.genome,
       coalesce(trials.params, in_words(batches.words, trials.genome)) AS params,
       trials.fitness, trials.objectives, ({STATUSES})[trials.status + 1] AS status, trials.reason, jobs.seed, trials.parents,
       trials.operator, jobs.config_hash, jobs.data_hash, jobs.code_version, jobs.synthetic, batches.stored,
       coalesce(plays.name, batches.play) AS play_name
FROM trials LEFT JOIN batches ON batches.number = trials.batch LEFT JOIN jobs ON jobs.id = trials.job
LEFT JOIN plays ON plays.sha256 = batches.play;

CREATE OR REPLACE VIEW leaderboard AS
SELECT jobs.id AS job,
       best.rank,
       best.id AS evaluation,
       best.variant,
       coalesce(plays.name, best.play) AS play,
       best.params,
       best.fitness,
       seen.sharpe,
       seen.total_return,
       seen.max_drawdown,
       seen.n_trades,
       unseen.sharpe AS oos_sharpe,
       unseen.total_return AS oos_total_return,
       unseen.max_drawdown AS oos_max_drawdown,
       unseen.n_trades AS oos_n_trades,
       jobs.synthetic,
       coalesce(plays.name, best.play) AS play_name
FROM jobs
CROSS JOIN LATERAL (
    SELECT row_number() OVER (ORDER BY fitness DESC, id) AS rank, *
    FROM (
        SELECT * FROM evaluations
        WHERE evaluations.job = jobs.id AND fitness IS NOT NULL
        ORDER BY fitness DESC, id LIMIT 1000
    ) AS top
) AS best
LEFT JOIN plays ON plays.sha256 = best.play
LEFT JOIN LATERAL (
    SELECT avg(sharpe) AS sharpe, avg(total_return) AS total_return, avg(max_drawdown) AS max_drawdown, avg(n_trades) AS n_trades
    FROM scores WHERE evaluation = best.id AND segment = 'in_sample'
) AS seen ON true
LEFT JOIN LATERAL (
    SELECT avg(sharpe) AS sharpe, avg(total_return) AS total_return, avg(max_drawdown) AS max_drawdown, avg(n_trades) AS n_trades
    FROM scores WHERE evaluation = best.id AND segment = 'out_of_sample'
) AS unseen ON true
ORDER BY jobs.id, best.rank;
"""  # noqa: S608 - names of this module

RELATIONS = {
    "checkpoints": "The newest state of each island or job, from which it is continued.",
    "coinswarm_version": "The schema of this database.",
    "data_sets": "Bars that jobs were run on: which market, from when to when, and the hash of what they were.",
    "generations": "Each generation of each island, and each step of other jobs: one commit.",
    "jobs": "Every job with all that decides its result, and how far it is.",
    "plays": "Texts of plays under their SHA-256.",
}

FIGURES = {
    "total_return": ("what the account gained over the span, after all costs", "fraction of the starting equity"),
    "cagr": ("the same gain as a compound rate", "fraction a year"),
    "sharpe": ("mean over deviation of bar returns", "ratio, a year"),
    "sortino": ("mean over downside deviation of bar returns", "ratio, a year"),
    "max_drawdown": ("largest fall of the account from an earlier peak, at bar closes", "fraction of the peak"),
    "max_stagnation": ("most bars in a row below an earlier peak", "bars"),
    "calmar": ("cagr over max_drawdown", "ratio"),
    "n_trades": ("trades that were opened and closed", "trades"),
    "win_rate": ("closed trades that gained after costs", "fraction of closed trades"),
    "profit_factor": ("sum of gains over sum of losses; NULL without a loss", "ratio"),
    "expectancy": ("mean return of a closed trade after costs", "fraction of the notional"),
    "exposure": ("bars that end with a position open", "fraction of bars"),
    "avg_hold": ("mean holding time of a closed trade", "bars"),
    "turnover": ("value traded over mean equity", "multiple a year"),
    "fees": ("fees paid", "fraction of the starting equity"),
    "slippage": ("what fills were worse than the quoted price", "fraction of the starting equity"),
    "funding": ("funding paid; negative: received", "fraction of the starting equity"),
    "skew": ("skewness of bar returns", "no unit"),
    "kurtosis": ("kurtosis of bar returns; a normal distribution has 3", "no unit"),
    "n_obs": ("bars from the first possible decision to the end", "bars"),
    "n_open": ("positions still open at the end", "positions"),
    "n_rejected": ("entries that the account or the rules did not allow", "entries"),
    "n_liquidated": ("positions that lost their margin", "positions"),
    "n_gaps": ("bars in a position that follow a gap in the data", "bars"),
}

COMMON = {
    "campaign": "campaign over whose jobs trials are counted",
    "card_hash": "SHA-256 of the report card",
    "code_version": "version of the program that computed it",
    "committed": "when it was committed",
    "config_hash": "SHA-256 of the settings of the job",
    "created": "when it was made",
    "data_hash": "one SHA-256 over all bars of the job",
    "data_set": "key of the data set, exchange:market:timeframe",
    "day_of_week": "UTC day at the decision, 0 is Monday",
    "evaluation": "id of the evaluation",
    "evaluations": "trials, failed ones included",
    "exchange": "exchange that the bars are of",
    "failures": "trials that failed: invalid, error or timeout",
    "fitness": "first objective, larger for better; NULL for a failed trial",
    "gates_hash": "SHA-256 of the gates",
    "generation": "generation in which it was made, from 0",
    "genome": "the variant as numbers, one a dimension",
    "hour_of_day": "UTC hour at the decision, 0 to 23",
    "island": "island, from 0; -1: the job as a whole",
    "job": "id of the job",
    "jobs": "jobs of the campaign",
    "objectives": "each objective as the search sees it, larger for better",
    "operator": "what made it: founder, or the operator that bred it",
    "params": "parameters by the paths of their dimensions",
    "parents": "identities of the variants it was bred from",
    "play_name": "name of the play",
    "reason": "why it failed; empty when it did not",
    "seed": "decides every random draw of the job",
    "segment": "in_sample, out_of_sample or the name of a fold",
    "status": "ok, no_trades, invalid, error, timeout, or dropped by a race",
    "stored": "when it was stored",
    "synthetic": "whether the bars behind it were made, not traded",
    "variant": "identity of the variant, SHA-256 of its canonical form; equal meaning, equal identity",
    "variants": "distinct variants, whatever the data",
    "verdict": "hash of the verdict",
    "who": "who did it, name@machine or a token",
    "why": "reason that was given",
}

CHAOS = {
    "campaign": COMMON["campaign"],
    "number": "which trade of the draw, from 0",
    "entered": "open time of the bar in which it was entered",
    "exited": "open time of the bar at whose open it was closed; of a liquidation, of its bar",
    "hold": "bars from entry to exit, as drawn",
    "entry_price": "fill at the entry, slippage included, quote currency",
    "exit_price": "fill at the exit, slippage included, quote currency",
    "size": "notional at the entry, quote currency",
    "momentum_1": "close over the close of the bar before, minus 1; fraction, known at the decision",
    "momentum_5": "close over the close of 5 bars before, minus 1; fraction, known at the decision",
    "sma_distance_10": "close over its mean of 10 bars, minus 1; fraction, known at the decision",
    "volume_ratio_20": "volume over its mean of 20 bars; ratio, known at the decision",
    "volatility_20": "deviation of returns over 20 bars; fraction a bar, known at the decision",
    "funding_rate": "funding rate known at the decision; fraction of the notional",
}

_SPANS = {
    f"{part}_{end}": f"{'first time' if end == 'start' else 'end'} of the {what}"
    for part, what in (("train", "bars that searches see"), ("validation", "bars that validation sees"), ("vault", "vault"))
    for end in ("start", "end")
}

_COUNTS = {"trials": "distinct pairs of variant and data, failed ones included: the number that deflates a finding"}
_CODE = "a status code (0 ok, 1 no_trades, 2 invalid, 3 error, 4 timeout, 5 dropped)"
_UNSEEN = "out of sample; NULL until it was scored there"

COLUMNS: dict[str, dict[str, str]] = {
    "alpha_spending": {
        "place": "place in the order of tests, from 0",
        "pattern": "id of the pattern that was tested",
        "p_value": "p-value of the test",
        "level": "level that was left for it",
        "rejected": "whether the null hypothesis was rejected: p_value <= level",
        "alpha": "level of the whole stream of tests",
        "procedure": "procedure that spends the level",
        "tested_at": "when it was tested",
    },
    "audit": {
        "id": "order of changes",
        "at": "when",
        "token": "id of the token that asked",
        "action": "what was done",
        "target": "what it was done to",
        "detail": "what else is known of it",
    },
    "batch_parts": {
        "batch": "number of the batch",
        "part": "number of the part within the batch",
        "data_sets": "keys of the data sets, in the order of the figures",
    },
    "batches": {
        "number": "number of the batch",
        "play": "SHA-256 of the play",
        "words": "what each gene of a genome stands for",
        "variants": "eight bytes of the identity of each trial",
    },
    "campaign_splits": {
        "markets": "data sets the split was declared on, with hashes of their bars",
        **_SPANS,
        "validation_share": "part of all bars that validation sees, in [0, 1]",
        "vault_share": "part of all bars that is the vault, in [0, 1]",
        "purge_bars": "bars left out before a span, because trades may still be open",
        "embargo_bars": "bars left out after a span, because they remember it",
        "declared": "when it was declared",
    },
    "chaos": {
        **CHAOS,
        "market": "key of the data set",
        "side": "long or short",
        "held_for": "time from entry to exit",
        "gross_pct": "result before costs, percent of the notional",
        "net_pct": "result after costs, percent of the notional",
        "gross_sigmas": "result before costs over volatility_20 times the root of hold",
        "net_sigmas": "result after costs over volatility_20 times the root of hold",
        "fees_pct": "fees, percent of the notional",
        "slippage_pct": "slippage, percent of the notional",
        "funding_pct": "funding paid, percent of the notional; negative: received",
        "reason": "how it ended: max_hold or liquidation",
        "named": "other features known at the decision, by name",
        "exit_state": "features known when it was closed, by name; never a condition for an entry",
    },
    "chaos_frames": {
        "markets": "keys of data sets; market of chaos_trades counts in them from 0",
        "features": "names of what state and exit_state hold",
        "bar_ms": "length of a bar, milliseconds",
    },
    "chaos_trades": {
        **CHAOS,
        "market": "place among markets of chaos_frames, from 0",
        "side": "1 long, -1 short",
        "decision": "bar of the market, from 0, at whose close the trade was decided",
        "gross": "result before costs, fraction of the notional",
        "net": "result after costs, fraction of the notional",
        "fees": "fees, fraction of the notional",
        "slippage": "slippage, fraction of the notional",
        "funding": "funding paid, fraction of the notional; negative: received",
        "reason": "how it ended: 5 max_hold, 6 liquidation",
        "named": "other features known at the decision, in the order of features of chaos_frames from the 9th on",
        "exit_state": "features known when it was closed, in the order of features of chaos_frames",
    },
    "checkpoints": {"generation": "generation that the state is of", "state": "all that is needed to continue"},
    "coinswarm_version": {"version_num": "number of the newest migration"},
    "data_sets": {
        "key": "name: exchange:market:timeframe",
        "content_hash": "SHA-256 of the bars",
        "symbol": "market, such as BTC/USDT",
        "timeframe": "length of a bar, such as 5m",
        "first_bar": "open time of the first bar",
        "last_bar": "open time of the last bar",
        "n_bars": "bars",
        "saved": "when it was first used",
    },
    "evaluated_trials": _COUNTS,
    "evaluations": {
        "id": "id of the evaluation, made of job and variant",
        "play": "SHA-256 of the play",
        "index": "place within its generation, from 0",
    },
    "generations": {
        "generation": "generation or step, from 0",
        "best": "greatest fitness of the population",
        "median": "median fitness of the population",
        "diversity": "how unlike the variants of the population are, in [0, 1]",
        "evaluations": "trials of this generation",
        "failures": "trials of this generation that failed",
        "seconds": "wall time, seconds",
        "figures": "what else was worth keeping",
        "state_hash": "SHA-256 of the state after it",
    },
    "idempotency_keys": {
        "token": "id of the token that submitted",
        "key": "key of the submission",
        "fingerprint": "SHA-256 of what was submitted",
    },
    "job_ranks": {"trials": "trials of the job", "floors": "the last kept entry of each figure; NULL while there are few trials"},
    "jobs": {
        "id": "id of the job, its kind and time first",
        "kind": "kind of job: evolve, chaos, discover, rules, validate, honesty or fetch",
        "plays": "SHA-256 of each play",
        "data_hashes": "SHA-256 of the bars of each market",
        "config": "complete settings and what was planned",
        "status": "queued, running, done, failed or cancelled",
        "created": "when it was submitted",
        "started": "when it was first driven",
        "finished": "when it ended",
        "error": "why it failed; empty when it did not",
        "result": "what it came to, as its kind has it",
        "result_hash": "SHA-256 of the result",
        "cancel_requested": "whether it was cancelled and not resumed since",
        "lease_owner": "driver that has it; empty for none",
        "lease_expires": "when its lease ends without another heartbeat",
    },
    "later_scores": {"figures": f"{_CODE}, then the figures of the view scores in its order"},
    "leaderboard": {
        "rank": "place by fitness, from 1",
        "play": "name of the play, as play_name; evaluations.play is its SHA-256",
    },
    "library": {
        "name": "name of the vetted play",
        "sha256": "SHA-256 of its text",
        "state": "where its variant stands now",
        "tags": "words it is found by",
        "vetted": "when it was vetted",
    },
    "lifecycle": {
        "step": "which step of the variant, from 0",
        "source": "state before",
        "target": "state after",
        "taken": "when it was taken",
    },
    "lifecycle_arrows": {
        "source": "state before",
        "target": "state after",
        "evidence": "what must be shown",
        "reason": "why it is asked for",
    },
    "lifecycle_states": {"state": "where the variant stands", "steps": "steps it has taken", "since": "when it took the last one"},
    "lineage": {
        "depth": "generations back: 0 is the evaluation itself",
        "ancestor": "id of the evaluation of the ancestor",
        "variant": "identity of the ancestor",
        "parents": "identities of the variants the ancestor was bred from",
        "params": "parameters of the ancestor",
        "fitness": "fitness of the ancestor",
    },
    "operator_credit": {
        "children": "trials it made",
        "better_than_parents": "trials fitter than the fittest parent",
        "mean_fitness": "mean fitness of its trials",
        "best_fitness": "greatest fitness of its trials",
    },
    "patterns": {
        "id": "id, made of the conditions",
        "source": "chaos, technical or academic",
        "name": "how a person reads it",
        "conditions": "what must hold",
        "figures": "what it was worth, by segment",
        "status": "candidate, confirmed, rejected or retired",
        "job": "job that found it",
        "p_confirm": "p-value on the later segment; NULL while it was not asked there",
        "discovered_at": "when it was found",
        "evidence": "how it was found, the level it was tested at, and under notes what became of it since",
    },
    "plays": {
        "sha256": "SHA-256 of the text",
        "name": "name that the text gives",
        "text": "the play as YAML",
        "saved": "when it was first used",
    },
    "queue": {
        "token": "id of the token that submitted it",
        "priority": "larger is sooner",
        "submitted": "when it was submitted",
        "attempts": "how often it was tried",
        "not_before": "when it may be tried next",
    },
    "quotas": {
        "scope": "token or campaign",
        "name": "id of the token, or name of the campaign",
        "quota": "the most of each amount; what is missing is not limited",
    },
    "ranked": {"number": "number of the row, from 0", "entries": "figure (1 byte), evaluation (10), mean in sample (8), again and again"},
    "score_rows": {"figures": f"{_CODE}, then the figures of the view scores in its order"},
    "scores": {},
    "tokens": {
        "id": "what queue and audit call it",
        "name": "name that it was given",
        "role": "what it may do: read, submit or admin",
        "hash": "SHA-256 of the secret",
        "max_queued": "most jobs that wait on its behalf",
        "max_running": "most jobs that run on its behalf",
        "expires": "when it opens nothing any more; NULL: never",
        "revoked": "when it was revoked; NULL: it was not",
    },
    "trial_counts": {
        "trials": f"{_COUNTS['trials']}; every opening of the vault counts as one",
        "openings": "looks into the vault of the campaign",
    },
    "trials": {
        "id": "id of the evaluation, made of job and variant",
        "batch": "number of the batch it was committed with",
        "index": "place within its generation, from 0",
        "params": "parameters, where the words of the batch do not give them",
        "status": "0 ok, 1 no_trades, 2 invalid, 3 error, 4 timeout, 5 dropped",
        "part": "part of the batch that the figures are of",
        "figures": f"for each data set {_CODE}, then the figures of the view scores in its order",
    },
    "vault_openings": {
        "id": "id of the opening",
        "opened": "when",
        "seen_by": "jobs of other campaigns that had seen these bars before",
        "figures": "what the variant came to in the vault; NULL while it is computed",
    },
    "verdict_evidence": {"hash": "SHA-256 of the text", "text": "gates or a report card, as JSON or YAML"},
    "verdicts": {
        "hash": "SHA-256 of the document",
        "passed": "whether every rule held",
        "document": "the verdict in full, as JSON",
        "reached": "when it was reached",
    },
    "vetted_plays": {
        "sha256": "SHA-256 of the text",
        "name": "name of the play",
        "text": "the play as YAML, nothing varies in it",
        "tags": "words it is found by",
        "vetted": "when it was vetted",
    },
}  # fmt: skip

NAMES = """
SELECT relname, attname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace JOIN pg_attribute ON attrelid = pg_class.oid
WHERE nspname = current_schema() AND relname = ANY (%(relations)s) AND attnum > 0 AND NOT attisdropped
"""


def upgrade() -> None:
    for statement in VIEWS.split(";\n"):
        if statement.strip():
            op.execute(statement.replace(":", r"\:"))
    for relation, summary in RELATIONS.items():
        op.execute(f"COMMENT ON TABLE {relation} IS '{summary}'")
    found = op.get_bind().exec_driver_sql(NAMES, {"relations": list(COLUMNS)}).all()
    for relation, column in found:
        if text := _text(relation, column):
            op.execute(f"COMMENT ON COLUMN {relation}.\"{column}\" IS '{text}'".replace(":", r"\:"))


def _text(relation: str, column: str) -> str | None:
    if column in COLUMNS[relation]:
        return COLUMNS[relation][column]
    figure = column.removeprefix("oos_")
    if figure in FIGURES and relation in ("scores", "leaderboard"):
        text, unit = FIGURES[figure]
        mean = "mean over data sets, " if relation == "leaderboard" else ""
        return f"{text}; {mean}{unit}" if figure == column else f"{text}; {mean}{unit}; {_UNSEEN}"
    return COMMON.get(column)
