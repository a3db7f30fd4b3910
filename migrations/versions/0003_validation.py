"""Splits of campaigns, openings of the vault, verdicts of the gates and the lifecycle of plays.

What may not happen is refused here, by triggers, and not only by the programs that write: a job that reaches behind its campaign's fence,
a split declared after its vault was seen, a verdict that does not follow from its document, a step that no arrow allows. Their errors
carry SQLSTATE VT001 (refused) or VT002 (conflict).
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE campaign_splits (
    campaign text COLLATE "C" PRIMARY KEY,
    markets json NOT NULL,
    train_start timestamptz NOT NULL,
    train_end timestamptz NOT NULL,
    validation_start timestamptz NOT NULL,
    validation_end timestamptz NOT NULL,
    vault_start timestamptz NOT NULL,
    vault_end timestamptz NOT NULL,
    validation_share double precision NOT NULL,
    vault_share double precision NOT NULL,
    purge_bars integer NOT NULL CHECK (purge_bars >= 0),
    embargo_bars integer NOT NULL CHECK (embargo_bars >= 0),
    who text NOT NULL,
    declared timestamptz NOT NULL,
    CHECK (train_start < train_end AND train_end <= validation_start AND validation_start < validation_end
           AND validation_end <= vault_start AND vault_start < vault_end)
);
COMMENT ON TABLE campaign_splits IS
    'How each campaign cuts time, declared once; its jobs see no bar that closes after validation_end.';

CREATE TABLE vault_openings (
    id text COLLATE "C" PRIMARY KEY,
    campaign text COLLATE "C" NOT NULL REFERENCES campaign_splits (campaign),
    evaluation text COLLATE "C" NOT NULL,
    who text NOT NULL CHECK (btrim(who) <> ''),
    why text NOT NULL CHECK (btrim(why) <> ''),
    opened timestamptz NOT NULL,
    seen_by integer NOT NULL,
    figures json
);
CREATE INDEX vault_openings_campaign ON vault_openings (campaign);
COMMENT ON TABLE vault_openings IS
    'Every look into a vault, each charged as a trial; seen_by counts jobs of other campaigns that had seen those bars before.';

CREATE TABLE verdict_evidence (
    hash text COLLATE "C" PRIMARY KEY,
    text text NOT NULL,
    CHECK (hash = encode(sha256(convert_to(text, 'UTF8')), 'hex'))
);
COMMENT ON TABLE verdict_evidence IS 'Texts of gates and report cards that verdicts were reached on, by their SHA-256.';

CREATE FUNCTION verdict_passes(document text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT
RETURN coalesce((
    SELECT bool_and(coalesce((result.value ->> 'passed')::boolean, false))
    FROM jsonb_array_elements(document::jsonb -> 'results') AS result
), false);
COMMENT ON FUNCTION verdict_passes IS 'Whether a verdict has results and all of them passed.';

CREATE TABLE verdicts (
    hash text COLLATE "C" PRIMARY KEY,
    evaluation text COLLATE "C" NOT NULL,
    campaign text COLLATE "C" NOT NULL,
    gates_hash text COLLATE "C" NOT NULL REFERENCES verdict_evidence (hash),
    card_hash text COLLATE "C" NOT NULL REFERENCES verdict_evidence (hash),
    passed boolean NOT NULL,
    document text NOT NULL,
    who text NOT NULL,
    reached timestamptz NOT NULL,
    CHECK (hash = encode(sha256(convert_to(document, 'UTF8')), 'hex')),
    CHECK (passed = verdict_passes(document)),
    CHECK (evaluation = document::jsonb ->> 'evaluation' AND campaign = document::jsonb ->> 'campaign'
           AND gates_hash = document::jsonb ->> 'gates_hash' AND card_hash = document::jsonb ->> 'card_hash')
);
CREATE INDEX verdicts_evaluation ON verdicts (evaluation);
COMMENT ON TABLE verdicts IS 'What the gates said of variants, with the hashes of the gates and the card; document is the verdict in full.';

CREATE TABLE lifecycle_arrows (
    source text COLLATE "C" NOT NULL,
    target text COLLATE "C" NOT NULL,
    evidence text NOT NULL CHECK (evidence IN ('verdict', 'why', 'later')),
    reason text NOT NULL,
    PRIMARY KEY (source, target)
);
COMMENT ON TABLE lifecycle_arrows IS 'The steps that exist and what must be shown for each; later: nothing can show it yet.';

CREATE TABLE lifecycle (
    evaluation text COLLATE "C" NOT NULL,
    step integer NOT NULL,
    source text COLLATE "C" NOT NULL,
    target text COLLATE "C" NOT NULL,
    who text NOT NULL,
    taken timestamptz NOT NULL,
    why text NOT NULL,
    verdict text COLLATE "C" NOT NULL,
    gates_hash text COLLATE "C" NOT NULL,
    card_hash text COLLATE "C" NOT NULL,
    PRIMARY KEY (evaluation, step),
    FOREIGN KEY (source, target) REFERENCES lifecycle_arrows (source, target)
);
COMMENT ON TABLE lifecycle IS 'The steps each variant has taken, with their evidence; a variant without one is a candidate.';

CREATE TABLE vetted_plays (
    sha256 text COLLATE "C" NOT NULL,
    verdict text COLLATE "C" NOT NULL REFERENCES verdicts (hash),
    name text NOT NULL,
    text text NOT NULL,
    evaluation text COLLATE "C" NOT NULL,
    card_hash text COLLATE "C" NOT NULL,
    tags json NOT NULL,
    who text NOT NULL,
    vetted timestamptz NOT NULL,
    PRIMARY KEY (sha256, verdict),
    CHECK (sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex'))
);
CREATE INDEX vetted_plays_evaluation ON vetted_plays (evaluation);
COMMENT ON TABLE vetted_plays IS 'The library: plays with everything fixed that the gates let through.';
"""

ARROWS = """
INSERT INTO lifecycle_arrows (source, target, evidence, reason) VALUES
    ('candidate', 'validated', 'verdict', ''),
    ('validated', 'demo', 'later', 'a demo needs an account that trades on paper, and there is none yet'),
    ('demo', 'vetted', 'later', 'vetting needs the record of a demo, and no demo can be run yet'),
    ('vetted', 'live_test', 'later', 'a live test needs a venue for orders, and there is none yet'),
    ('live_test', 'production', 'later', 'production needs the record of a live test, and no live test can be run yet'),
    ('candidate', 'rework', 'why', ''), ('validated', 'rework', 'why', ''), ('demo', 'rework', 'why', ''), ('vetted', 'rework', 'why', ''),
    ('live_test', 'rework', 'why', ''), ('production', 'rework', 'why', ''),
    ('candidate', 'disabled', 'why', ''), ('validated', 'disabled', 'why', ''), ('demo', 'disabled', 'why', ''),
    ('vetted', 'disabled', 'why', ''), ('live_test', 'disabled', 'why', ''), ('production', 'disabled', 'why', ''),
    ('rework', 'disabled', 'why', ''), ('rework', 'candidate', 'why', ''), ('disabled', 'rework', 'why', '');
"""

GUARDS = """
CREATE FUNCTION bar_length(timeframe text) RETURNS interval LANGUAGE sql IMMUTABLE STRICT
RETURN (substring(timeframe from '^[0-9]+')::bigint) * CASE substring(timeframe from '[a-z]+$')
    WHEN 'ms' THEN interval '1 millisecond' WHEN 's' THEN interval '1 second' WHEN 'm' THEN interval '1 minute'
    WHEN 'h' THEN interval '1 hour' WHEN 'd' THEN interval '24 hours' WHEN 'w' THEN interval '168 hours' END;
COMMENT ON FUNCTION bar_length IS 'The length of a bar: 5m, 1h, 1d, 1w.';

CREATE FUNCTION reaches_behind(hashes text[], fence timestamptz) RETURNS boolean LANGUAGE sql STABLE STRICT
RETURN EXISTS (
    SELECT 1 FROM data_sets
    WHERE content_hash = ANY (hashes) AND coalesce(last_bar + bar_length(timeframe) > fence, true)
);
COMMENT ON FUNCTION reaches_behind IS 'Whether one of these data sets has a bar that closes after a time.';

CREATE FUNCTION guard_job() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    fence timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('vault of ' || NEW.campaign, 0));
    SELECT validation_end INTO fence FROM campaign_splits WHERE campaign = NEW.campaign;
    IF fence IS NOT NULL AND reaches_behind(NEW.data_hashes, fence) THEN
        RAISE EXCEPTION 'job % of campaign % must not see bars that close after %, where its vault begins', NEW.id, NEW.campaign, fence
            USING ERRCODE = 'VT001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER jobs_vault BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION guard_job();
CREATE TRIGGER jobs_vault_changed BEFORE UPDATE ON jobs FOR EACH ROW
    WHEN (OLD.campaign IS DISTINCT FROM NEW.campaign OR OLD.data_hashes IS DISTINCT FROM NEW.data_hashes) EXECUTE FUNCTION guard_job();

CREATE FUNCTION guard_split() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    job text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('vault of ' || NEW.campaign, 0));
    SELECT id INTO job FROM jobs WHERE campaign = NEW.campaign AND reaches_behind(data_hashes, NEW.validation_end) ORDER BY id LIMIT 1;
    IF job IS NOT NULL AND NOT EXISTS (SELECT 1 FROM campaign_splits WHERE campaign = NEW.campaign) THEN
        RAISE EXCEPTION 'bars of a vault must be unseen, and job % of campaign % has seen them', job, NEW.campaign
            USING ERRCODE = 'VT001', HINT = 'declare it for a new campaign';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER campaign_splits_unseen BEFORE INSERT ON campaign_splits FOR EACH ROW EXECUTE FUNCTION guard_split();

CREATE FUNCTION guard_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken integer;
    standing text;
    arrow lifecycle_arrows;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('steps of ' || NEW.evaluation, 0));
    SELECT count(*), coalesce((array_agg(target ORDER BY step DESC))[1], 'candidate') INTO taken, standing
    FROM lifecycle WHERE evaluation = NEW.evaluation;
    IF NEW.step <> taken OR NEW.source <> standing THEN
        RAISE EXCEPTION '% must still be % after % step(s), was % after %', NEW.evaluation, NEW.source, NEW.step, standing, taken
            USING ERRCODE = 'VT002';
    END IF;
    SELECT * INTO arrow FROM lifecycle_arrows WHERE source = NEW.source AND target = NEW.target;
    IF arrow.evidence IS NULL THEN
        RAISE EXCEPTION 'no step leads from % to %', NEW.source, NEW.target USING ERRCODE = 'VT001';
    ELSIF arrow.evidence = 'later' THEN
        RAISE EXCEPTION '% stays %: %', NEW.evaluation, NEW.source, arrow.reason USING ERRCODE = 'VT001';
    ELSIF btrim(NEW.who) = '' OR btrim(NEW.why) = '' THEN
        RAISE EXCEPTION 'a step says who takes it and why' USING ERRCODE = 'VT001';
    ELSIF arrow.evidence = 'verdict' AND NOT EXISTS (
        SELECT 1 FROM verdicts JOIN campaign_splits ON campaign_splits.campaign = verdicts.campaign
        WHERE verdicts.hash = NEW.verdict AND verdicts.evaluation = NEW.evaluation AND verdicts.passed
          AND verdicts.gates_hash = NEW.gates_hash AND verdicts.card_hash = NEW.card_hash
    ) THEN
        RAISE EXCEPTION 'a step to % needs a verdict that passed, of %, in a campaign with a vault', NEW.target, NEW.evaluation
            USING ERRCODE = 'VT001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lifecycle_arrow BEFORE INSERT ON lifecycle FOR EACH ROW EXECUTE FUNCTION guard_step();

CREATE FUNCTION guard_vetted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce((SELECT target FROM lifecycle WHERE evaluation = NEW.evaluation ORDER BY step DESC LIMIT 1), '') <> 'validated'
        OR NOT EXISTS (
            SELECT 1 FROM verdicts
            WHERE hash = NEW.verdict AND evaluation = NEW.evaluation AND passed AND card_hash = NEW.card_hash
        ) THEN
        RAISE EXCEPTION 'the library takes plays that are validated, with a verdict that passed' USING ERRCODE = 'VT001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER vetted_plays_validated BEFORE INSERT ON vetted_plays FOR EACH ROW EXECUTE FUNCTION guard_vetted();

CREATE FUNCTION guard_opening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.figures IS NULL AND (OLD.id, OLD.campaign, OLD.evaluation, OLD.who, OLD.why, OLD.opened, OLD.seen_by)
        = (NEW.id, NEW.campaign, NEW.evaluation, NEW.who, NEW.why, NEW.opened, NEW.seen_by) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an opening of the vault stays as it was' USING ERRCODE = 'VT001';
END $$;
CREATE TRIGGER vault_openings_once BEFORE UPDATE ON vault_openings FOR EACH ROW EXECUTE FUNCTION guard_opening();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what % holds is never changed or taken back', TG_TABLE_NAME USING ERRCODE = 'VT001';
END $$;
"""

KEPT = ("campaign_splits", "verdict_evidence", "verdicts", "lifecycle", "lifecycle_arrows", "vetted_plays")

VIEWS = """
CREATE VIEW lifecycle_states AS
SELECT DISTINCT ON (evaluation) evaluation, target AS state, step + 1 AS steps, taken AS since, who, why, verdict
FROM lifecycle ORDER BY evaluation, step DESC;
COMMENT ON VIEW lifecycle_states IS 'Where each variant that has taken a step stands; all others are candidates.';

CREATE VIEW library AS
SELECT vetted_plays.name, vetted_plays.sha256, vetted_plays.evaluation, coalesce(lifecycle_states.state, 'candidate') AS state,
       vetted_plays.tags, vetted_plays.verdict, vetted_plays.card_hash, vetted_plays.who, vetted_plays.vetted
FROM vetted_plays LEFT JOIN lifecycle_states ON lifecycle_states.evaluation = vetted_plays.evaluation;
COMMENT ON VIEW library IS 'Vetted plays and where their variants stand now.';

ALTER VIEW trial_counts RENAME TO evaluated_trials;
COMMENT ON VIEW evaluated_trials IS 'How much each campaign has evaluated: distinct pairs of variant and data, failed ones included.';

CREATE VIEW trial_counts AS
SELECT evaluated.campaign,
       evaluated.jobs,
       evaluated.trials + coalesce(looks.openings, 0) AS trials,
       evaluated.variants,
       evaluated.evaluations,
       evaluated.failures,
       evaluated.synthetic,
       coalesce(looks.openings, 0) AS openings
FROM evaluated_trials AS evaluated
LEFT JOIN (SELECT campaign, count(*) AS openings FROM vault_openings GROUP BY campaign) AS looks ON looks.campaign = evaluated.campaign;
COMMENT ON VIEW trial_counts IS
    'How much each campaign has tried: distinct pairs of variant and data, failed ones included, and every opening of its vault.';
"""


def upgrade() -> None:
    for part in (TABLES, ARROWS, GUARDS, VIEWS):
        op.execute(part.replace(":", r"\:"))
    for table in KEPT:
        op.execute(f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    for table in (*KEPT, "vault_openings"):
        op.execute(f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")
    op.execute("CREATE TRIGGER vault_openings_stay BEFORE DELETE ON vault_openings FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    op.execute("CREATE TRIGGER lifecycle_arrows_fixed BEFORE INSERT ON lifecycle_arrows FOR EACH ROW EXECUTE FUNCTION refuse_change()")
