-- The schema 0010 with a few rows, by pg_dump --inserts; never changed.
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
CREATE FUNCTION public.ancestors(evaluation text) RETURNS TABLE(depth integer, ancestor text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'public'
    AS $$
DECLARE
    layer text[] := ARRAY[evaluation];
    seen text[] := layer;
    level integer := 0;
BEGIN
    WHILE layer IS NOT NULL LOOP
        RETURN QUERY SELECT level, unnest(layer);
        SELECT array_agg(DISTINCT parent.id) INTO layer
        FROM trials child
        CROSS JOIN LATERAL unnest(child.parents) AS named(variant)
        JOIN trials parent ON parent.id = evaluation_id(child.job, named.variant)
        WHERE child.id = ANY (layer) AND parent.id <> ALL (seen);
        seen := seen || layer;
        level := level + 1;
    END LOOP;
END $$;
COMMENT ON FUNCTION public.ancestors(evaluation text) IS 'An evaluation (depth 0) and its ancestors within its job, each once at its smallest depth.';
CREATE FUNCTION public.bar_length(timeframe text) RETURNS interval
    LANGUAGE sql IMMUTABLE STRICT
    RETURN ((("substring"(timeframe, '^[0-9]+'::text))::bigint)::double precision * CASE "substring"(timeframe, '[a-z]+$'::text) WHEN 'ms'::text THEN '00:00:00.001'::interval WHEN 's'::text THEN '00:00:01'::interval WHEN 'm'::text THEN '00:01:00'::interval WHEN 'h'::text THEN '01:00:00'::interval WHEN 'd'::text THEN '24:00:00'::interval WHEN 'w'::text THEN '168:00:00'::interval ELSE NULL::interval END);
COMMENT ON FUNCTION public.bar_length(timeframe text) IS 'The length of a bar: 5m, 1h, 1d, 1w.';
CREATE FUNCTION public.evaluation_id(job text, variant text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN "left"(encode(sha256(convert_to(((job || ':'::text) || variant), 'UTF8'::name)), 'hex'::text), 20);
CREATE FUNCTION public.guard_job() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    AS $$
DECLARE
    fence timestamptz;
BEGIN
    PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA), true);
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('vault of ' || NEW.campaign || ' in ' || TG_TABLE_SCHEMA, 0));
    SELECT validation_end INTO fence FROM campaign_splits WHERE campaign = NEW.campaign;
    IF fence IS NOT NULL AND reaches_behind(NEW.data_hashes, fence) THEN
        RAISE EXCEPTION 'job % of campaign % must not see bars that close after %, where its vault begins', NEW.id, NEW.campaign, fence
            USING ERRCODE = 'VT001';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION public.guard_opening() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF OLD.figures IS NULL AND (OLD.id, OLD.campaign, OLD.evaluation, OLD.who, OLD.why, OLD.opened, OLD.seen_by)
        = (NEW.id, NEW.campaign, NEW.evaluation, NEW.who, NEW.why, NEW.opened, NEW.seen_by) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an opening of the vault stays as it was' USING ERRCODE = 'VT001';
END $$;
CREATE FUNCTION public.guard_split() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    AS $$
DECLARE
    job text;
BEGIN
    PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA), true);
    PERFORM pg_advisory_xact_lock(hashtextextended('vault of ' || NEW.campaign || ' in ' || TG_TABLE_SCHEMA, 0));
    SELECT id INTO job FROM jobs WHERE campaign = NEW.campaign AND reaches_behind(data_hashes, NEW.validation_end) ORDER BY id LIMIT 1;
    IF job IS NOT NULL AND NOT EXISTS (SELECT 1 FROM campaign_splits WHERE campaign = NEW.campaign) THEN
        RAISE EXCEPTION 'bars of a vault must be unseen, and job % of campaign % has seen them', job, NEW.campaign
            USING ERRCODE = 'VT001', HINT = 'declare it for a new campaign';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION public.guard_step() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    AS $$
DECLARE
    taken integer;
    standing text;
    arrow record;
BEGIN
    PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA), true);
    PERFORM pg_advisory_xact_lock(hashtextextended('steps of ' || NEW.evaluation || ' in ' || TG_TABLE_SCHEMA, 0));
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
CREATE FUNCTION public.guard_vetted() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    AS $$
BEGIN
    PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA), true);
    IF coalesce((SELECT target FROM lifecycle WHERE evaluation = NEW.evaluation ORDER BY step DESC LIMIT 1), '') <> 'validated'
        OR NOT EXISTS (
            SELECT 1 FROM verdicts
            WHERE hash = NEW.verdict AND evaluation = NEW.evaluation AND passed AND card_hash = NEW.card_hash
        ) THEN
        RAISE EXCEPTION 'the library takes plays that are validated, with a verdict that passed' USING ERRCODE = 'VT001';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION public.in_words(words json, genome double precision[]) RETURNS json
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
    SELECT coalesce(json_object_agg(said.gene ->> 0, CASE
        WHEN json_typeof(said.gene -> 1) = 'array' THEN said.gene -> 1 -> round(genome[said.place])::integer
        WHEN said.gene ->> 1 = 'int' THEN to_json(trunc(genome[said.place])::bigint)
        WHEN genome[said.place] = trunc(genome[said.place]) AND abs(genome[said.place]) < 1e15
            THEN (genome[said.place]::text || '.0')::json
        ELSE to_json(genome[said.place]) END ORDER BY said.place), '{}')
    FROM json_array_elements(words) WITH ORDINALITY AS said (gene, place)
$$;
COMMENT ON FUNCTION public.in_words(words json, genome double precision[]) IS 'The parameters a genome stands for.';
CREATE TABLE public.data_sets (
    key text NOT NULL COLLATE pg_catalog."C",
    content_hash text NOT NULL COLLATE pg_catalog."C",
    exchange text NOT NULL,
    symbol text NOT NULL,
    timeframe text NOT NULL,
    first_bar timestamp with time zone NOT NULL,
    last_bar timestamp with time zone NOT NULL,
    n_bars bigint NOT NULL,
    synthetic boolean NOT NULL,
    saved timestamp with time zone DEFAULT now() NOT NULL
);
CREATE FUNCTION public.reaches_behind(hashes text[], fence timestamp with time zone) RETURNS boolean
    LANGUAGE sql STABLE STRICT
    RETURN (EXISTS (SELECT 1 FROM public.data_sets WHERE ((data_sets.content_hash = ANY (reaches_behind.hashes)) AND COALESCE(((data_sets.last_bar + public.bar_length(data_sets.timeframe)) > reaches_behind.fence), true))));
COMMENT ON FUNCTION public.reaches_behind(hashes text[], fence timestamp with time zone) IS 'Whether one of these data sets has a bar that closes after a time.';
CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'what % holds is never changed or taken back', TG_TABLE_NAME USING ERRCODE = 'VT001';
END $$;
CREATE FUNCTION public.verdict_passes(document text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT
    RETURN COALESCE((SELECT bool_and(COALESCE(((result.value ->> 'passed'::text))::boolean, false)) AS bool_and FROM jsonb_array_elements(((verdict_passes.document)::jsonb -> 'results'::text)) result(value)), false);
COMMENT ON FUNCTION public.verdict_passes(document text) IS 'Whether a verdict has results and all of them passed.';
CREATE TABLE public.alpha_spending (
    synthetic boolean NOT NULL,
    place bigint NOT NULL,
    pattern text NOT NULL COLLATE pg_catalog."C",
    p_value double precision NOT NULL,
    level double precision NOT NULL,
    rejected boolean NOT NULL,
    alpha double precision NOT NULL,
    procedure text NOT NULL,
    tested_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE public.alpha_spending IS 'Every test of the library in order and the level that was left for it; patterns of synthetic bars have a stream of their own.';
CREATE TABLE public.audit (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    token text NOT NULL COLLATE pg_catalog."C",
    action text NOT NULL,
    target text NOT NULL,
    detail json NOT NULL
);
COMMENT ON TABLE public.audit IS 'Every change made through the control plane: when, by which token, what.';
ALTER TABLE public.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.batch_parts (
    batch bigint NOT NULL,
    part smallint NOT NULL,
    segment text NOT NULL COLLATE pg_catalog."C",
    data_sets text[] NOT NULL COLLATE pg_catalog."C"
);
COMMENT ON TABLE public.batch_parts IS 'Which segment and data sets the figures of trials of a batch are of.';
CREATE TABLE public.batches (
    number bigint NOT NULL,
    job text NOT NULL COLLATE pg_catalog."C",
    play text NOT NULL COLLATE pg_catalog."C",
    words json,
    stored timestamp with time zone DEFAULT now() NOT NULL,
    variants bytea DEFAULT '\x'::bytea NOT NULL,
    failures integer DEFAULT 0 NOT NULL
);
ALTER TABLE ONLY public.batches ALTER COLUMN variants SET STORAGE EXTERNAL;
COMMENT ON TABLE public.batches IS 'What trials that were committed together share; words says what each gene of their genomes stands for, variants has eight bytes of the identity of each trial, failures counts those that failed.';
ALTER TABLE public.batches ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.batches_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.campaign_splits (
    campaign text NOT NULL COLLATE pg_catalog."C",
    markets json NOT NULL,
    train_start timestamp with time zone NOT NULL,
    train_end timestamp with time zone NOT NULL,
    validation_start timestamp with time zone NOT NULL,
    validation_end timestamp with time zone NOT NULL,
    vault_start timestamp with time zone NOT NULL,
    vault_end timestamp with time zone NOT NULL,
    validation_share double precision NOT NULL,
    vault_share double precision NOT NULL,
    purge_bars integer NOT NULL,
    embargo_bars integer NOT NULL,
    who text NOT NULL,
    declared timestamp with time zone NOT NULL,
    CONSTRAINT campaign_splits_check CHECK (((train_start < train_end) AND (train_end <= validation_start) AND (validation_start < validation_end) AND (validation_end <= vault_start) AND (vault_start < vault_end))),
    CONSTRAINT campaign_splits_embargo_bars_check CHECK ((embargo_bars >= 0)),
    CONSTRAINT campaign_splits_purge_bars_check CHECK ((purge_bars >= 0))
);
COMMENT ON TABLE public.campaign_splits IS 'How each campaign cuts time, declared once; its jobs see no bar that closes after validation_end.';
CREATE TABLE public.chaos_frames (
    job text NOT NULL COLLATE pg_catalog."C",
    markets text[] NOT NULL COLLATE pg_catalog."C",
    features text[] NOT NULL COLLATE pg_catalog."C",
    bar_ms bigint NOT NULL
);
COMMENT ON TABLE public.chaos_frames IS 'What all random trades of a job share: market m is markets[m + 1], features name the state.';
CREATE TABLE public.chaos_trades (
    number bigint NOT NULL,
    entered timestamp with time zone NOT NULL,
    exited timestamp with time zone NOT NULL,
    entry_price double precision NOT NULL,
    exit_price double precision NOT NULL,
    size double precision NOT NULL,
    gross double precision NOT NULL,
    net double precision NOT NULL,
    fees double precision NOT NULL,
    slippage double precision NOT NULL,
    funding double precision NOT NULL,
    momentum_1 double precision,
    momentum_5 double precision,
    sma_distance_10 double precision,
    volume_ratio_20 double precision,
    volatility_20 double precision,
    funding_rate double precision,
    decision integer NOT NULL,
    hold integer NOT NULL,
    market smallint NOT NULL,
    side smallint NOT NULL,
    reason smallint NOT NULL,
    hour_of_day smallint NOT NULL,
    day_of_week smallint NOT NULL,
    job text NOT NULL COLLATE pg_catalog."C",
    named double precision[] NOT NULL,
    exit_state real[] NOT NULL
)
PARTITION BY LIST (job);
COMMENT ON TABLE public.chaos_trades IS 'Random trades and what became of them: results as fractions of the notional, the state as known at the decision; see the view chaos.';
CREATE TABLE public.jobs (
    id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    campaign text NOT NULL,
    plays text[] NOT NULL COLLATE pg_catalog."C",
    data_hashes text[] NOT NULL COLLATE pg_catalog."C",
    data_hash text NOT NULL COLLATE pg_catalog."C",
    config json NOT NULL,
    config_hash text NOT NULL COLLATE pg_catalog."C",
    code_version text NOT NULL,
    seed bigint NOT NULL,
    synthetic boolean NOT NULL,
    status text NOT NULL,
    created timestamp with time zone NOT NULL,
    started timestamp with time zone,
    finished timestamp with time zone,
    error text NOT NULL,
    result json,
    result_hash text NOT NULL,
    cancel_requested boolean NOT NULL,
    lease_owner text NOT NULL,
    lease_expires timestamp with time zone,
    CONSTRAINT jobs_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'done'::text, 'failed'::text, 'cancelled'::text])))
);
CREATE VIEW public.chaos AS
 SELECT trade.job,
    jobs.campaign,
    trade.number,
    frame.markets[(trade.market + 1)] AS market,
        CASE
            WHEN (trade.side > 0) THEN 'long'::text
            ELSE 'short'::text
        END AS side,
    trade.entered,
    trade.exited,
    trade.hold,
    (((trade.hold * frame.bar_ms))::double precision * '00:00:00.001'::interval) AS held_for,
    trade.entry_price,
    trade.exit_price,
    trade.size,
    ((100)::double precision * trade.gross) AS gross_pct,
    ((100)::double precision * trade.net) AS net_pct,
    (trade.gross / NULLIF((trade.volatility_20 * sqrt((trade.hold)::double precision)), (0)::double precision)) AS gross_sigmas,
    (trade.net / NULLIF((trade.volatility_20 * sqrt((trade.hold)::double precision)), (0)::double precision)) AS net_sigmas,
    ((100)::double precision * trade.fees) AS fees_pct,
    ((100)::double precision * trade.slippage) AS slippage_pct,
    ((100)::double precision * trade.funding) AS funding_pct,
        CASE trade.reason
            WHEN 5 THEN 'max_hold'::text
            WHEN 6 THEN 'liquidation'::text
            ELSE NULL::text
        END AS reason,
    trade.momentum_1,
    trade.momentum_5,
    trade.sma_distance_10,
    trade.volume_ratio_20,
    trade.volatility_20,
    trade.hour_of_day,
    trade.day_of_week,
    trade.funding_rate,
    ( SELECT COALESCE(jsonb_object_agg(known.name, NULLIF(known.value, 'NaN'::double precision)), '{}'::jsonb) AS "coalesce"
           FROM UNNEST(frame.features[9:], trade.named) known(name, value)) AS named,
    ( SELECT jsonb_object_agg(known.name, NULLIF(known.value, 'NaN'::real)) AS jsonb_object_agg
           FROM UNNEST(frame.features, trade.exit_state) known(name, value)) AS exit_state,
    jobs.synthetic
   FROM ((public.chaos_trades trade
     JOIN public.chaos_frames frame ON ((frame.job = trade.job)))
     JOIN public.jobs ON ((jobs.id = trade.job)));
COMMENT ON VIEW public.chaos IS 'Random trades in words and percent; sigmas are results over volatility_20 times the root of the bars held; missing values are null.';
CREATE TABLE public."chaos_trades_chaos-1" (
    number bigint CONSTRAINT chaos_trades_number_not_null NOT NULL,
    entered timestamp with time zone CONSTRAINT chaos_trades_entered_not_null NOT NULL,
    exited timestamp with time zone CONSTRAINT chaos_trades_exited_not_null NOT NULL,
    entry_price double precision CONSTRAINT chaos_trades_entry_price_not_null NOT NULL,
    exit_price double precision CONSTRAINT chaos_trades_exit_price_not_null NOT NULL,
    size double precision CONSTRAINT chaos_trades_size_not_null NOT NULL,
    gross double precision CONSTRAINT chaos_trades_gross_not_null NOT NULL,
    net double precision CONSTRAINT chaos_trades_net_not_null NOT NULL,
    fees double precision CONSTRAINT chaos_trades_fees_not_null NOT NULL,
    slippage double precision CONSTRAINT chaos_trades_slippage_not_null NOT NULL,
    funding double precision CONSTRAINT chaos_trades_funding_not_null NOT NULL,
    momentum_1 double precision,
    momentum_5 double precision,
    sma_distance_10 double precision,
    volume_ratio_20 double precision,
    volatility_20 double precision,
    funding_rate double precision,
    decision integer CONSTRAINT chaos_trades_decision_not_null NOT NULL,
    hold integer CONSTRAINT chaos_trades_hold_not_null NOT NULL,
    market smallint CONSTRAINT chaos_trades_market_not_null NOT NULL,
    side smallint CONSTRAINT chaos_trades_side_not_null NOT NULL,
    reason smallint CONSTRAINT chaos_trades_reason_not_null NOT NULL,
    hour_of_day smallint CONSTRAINT chaos_trades_hour_of_day_not_null NOT NULL,
    day_of_week smallint CONSTRAINT chaos_trades_day_of_week_not_null NOT NULL,
    job text CONSTRAINT chaos_trades_job_not_null NOT NULL COLLATE pg_catalog."C",
    named double precision[] CONSTRAINT chaos_trades_named_not_null NOT NULL,
    exit_state real[] CONSTRAINT chaos_trades_exit_state_not_null NOT NULL
);
CREATE TABLE public.checkpoints (
    job text NOT NULL COLLATE pg_catalog."C",
    island integer NOT NULL,
    generation integer NOT NULL,
    state bytea NOT NULL
);
ALTER TABLE ONLY public.checkpoints ALTER COLUMN state SET STORAGE EXTERNAL;
CREATE TABLE public.coinswarm_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.trials (
    id text NOT NULL COLLATE pg_catalog."C",
    job text NOT NULL COLLATE pg_catalog."C",
    variant text NOT NULL COLLATE pg_catalog."C",
    batch bigint NOT NULL,
    island integer NOT NULL,
    generation integer NOT NULL,
    index bigint NOT NULL,
    genome double precision[] NOT NULL,
    params json,
    fitness double precision,
    objectives double precision[] NOT NULL,
    status smallint NOT NULL,
    reason text NOT NULL,
    parents text[] NOT NULL COLLATE pg_catalog."C",
    operator text NOT NULL,
    part smallint,
    figures double precision[]
)
WITH (toast_tuple_target='8160');
ALTER TABLE ONLY public.trials ALTER COLUMN figures SET STORAGE EXTERNAL;
COMMENT ON TABLE public.trials IS 'One row a variant of a job, read through the views evaluations and scores; figures: for each data set its status and 24 figures.';
CREATE VIEW public.evaluations AS
 SELECT trials.id,
    trials.job,
    trials.variant,
    batches.play,
    trials.island,
    trials.generation,
    trials.index,
    trials.genome,
    COALESCE(trials.params, public.in_words(batches.words, trials.genome)) AS params,
    trials.fitness,
    trials.objectives,
    ('{ok,no_trades,invalid,error,timeout,dropped}'::text[])[(trials.status + 1)] AS status,
    trials.reason,
    jobs.seed,
    trials.parents,
    trials.operator,
    jobs.config_hash,
    jobs.data_hash,
    jobs.code_version,
    jobs.synthetic,
    batches.stored
   FROM ((public.trials
     LEFT JOIN public.batches ON ((batches.number = trials.batch)))
     LEFT JOIN public.jobs ON ((jobs.id = trials.job)));
COMMENT ON VIEW public.evaluations IS 'Every variant a job has tried, once, with all that decides its result.';
CREATE VIEW public.evaluated_trials AS
 WITH draws AS (
         SELECT jobs.campaign,
            evaluations.variant,
            evaluations.data_hash,
            count(*) AS evaluations,
            count(*) FILTER (WHERE (evaluations.status = ANY (ARRAY['invalid'::text, 'error'::text, 'timeout'::text]))) AS failures
           FROM (public.jobs
             JOIN public.evaluations ON ((evaluations.job = jobs.id)))
          GROUP BY jobs.campaign, evaluations.variant, evaluations.data_hash
        ), variants AS (
         SELECT draws.campaign,
            draws.variant,
            count(*) AS trials,
            sum(draws.evaluations) AS evaluations,
            sum(draws.failures) AS failures
           FROM draws
          GROUP BY draws.campaign, draws.variant
        ), counts AS (
         SELECT variants.campaign,
            sum(variants.trials) AS trials,
            count(*) AS variants,
            sum(variants.evaluations) AS evaluations,
            sum(variants.failures) AS failures
           FROM variants
          GROUP BY variants.campaign
        ), campaigns AS (
         SELECT jobs.campaign,
            count(*) AS jobs,
            bool_or(jobs.synthetic) AS synthetic
           FROM public.jobs
          GROUP BY jobs.campaign
        )
 SELECT campaigns.campaign,
    campaigns.jobs,
    (COALESCE(counts.trials, (0)::numeric))::bigint AS trials,
    COALESCE(counts.variants, (0)::bigint) AS variants,
    (COALESCE(counts.evaluations, (0)::numeric))::bigint AS evaluations,
    (COALESCE(counts.failures, (0)::numeric))::bigint AS failures,
    campaigns.synthetic
   FROM (campaigns
     LEFT JOIN counts ON ((counts.campaign = campaigns.campaign)));
COMMENT ON VIEW public.evaluated_trials IS 'How much each campaign has evaluated: distinct pairs of variant and data, failed ones included.';
CREATE TABLE public.generations (
    job text NOT NULL COLLATE pg_catalog."C",
    generation integer NOT NULL,
    island integer NOT NULL,
    best double precision,
    median double precision,
    diversity double precision,
    evaluations integer NOT NULL,
    failures integer NOT NULL,
    seconds double precision,
    figures json NOT NULL,
    state_hash text NOT NULL COLLATE pg_catalog."C",
    synthetic boolean NOT NULL,
    committed timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.idempotency_keys (
    token text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    fingerprint text NOT NULL COLLATE pg_catalog."C",
    job text NOT NULL COLLATE pg_catalog."C",
    created timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE public.idempotency_keys IS 'Which job a repeated submission with the same key stands for.';
CREATE TABLE public.job_ranks (
    job text NOT NULL COLLATE pg_catalog."C",
    trials bigint NOT NULL,
    floors bytea
);
COMMENT ON TABLE public.job_ranks IS 'How many trials each job has, and the last entry kept of each figure; floors are NULL while there are few.';
CREATE TABLE public.later_scores (
    evaluation text NOT NULL COLLATE pg_catalog."C",
    data_set text NOT NULL COLLATE pg_catalog."C",
    segment text NOT NULL COLLATE pg_catalog."C",
    figures double precision[] NOT NULL
);
COMMENT ON TABLE public.later_scores IS 'Figures that did not come with their trial, such as those out of sample.';
CREATE TABLE public.plays (
    sha256 text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    text text NOT NULL,
    saved timestamp with time zone DEFAULT now() NOT NULL
);
CREATE VIEW public.score_rows AS
 SELECT trials.id AS evaluation,
    trials.job,
    part.data_sets[place.market] AS data_set,
    part.segment,
    trials.figures[((25 * (place.market - 1)) + 1):(25 * place.market)] AS figures
   FROM ((public.trials
     JOIN public.batch_parts part ON (((part.batch = trials.batch) AND (part.part = trials.part))))
     CROSS JOIN LATERAL generate_series(1, cardinality(part.data_sets)) place(market))
UNION ALL
 SELECT later.evaluation,
    trials.job,
    later.data_set,
    later.segment,
    later.figures
   FROM (public.later_scores later
     JOIN public.trials ON ((trials.id = later.evaluation)));
COMMENT ON VIEW public.score_rows IS 'Scores with their figures as they are stored: a status code, then those of the view scores in its order.';
CREATE VIEW public.scores AS
 SELECT rows.evaluation,
    rows.data_set,
    rows.segment,
    ('{ok,no_trades,invalid,error,timeout,dropped}'::text[])[((rows.figures[1])::integer + 1)] AS status,
        CASE
            WHEN ((rows.figures[2] > '-Infinity'::double precision) AND (rows.figures[2] < 'Infinity'::double precision)) THEN rows.figures[2]
            ELSE NULL::double precision
        END AS total_return,
        CASE
            WHEN ((rows.figures[3] > '-Infinity'::double precision) AND (rows.figures[3] < 'Infinity'::double precision)) THEN rows.figures[3]
            ELSE NULL::double precision
        END AS cagr,
        CASE
            WHEN ((rows.figures[4] > '-Infinity'::double precision) AND (rows.figures[4] < 'Infinity'::double precision)) THEN rows.figures[4]
            ELSE NULL::double precision
        END AS sharpe,
        CASE
            WHEN ((rows.figures[5] > '-Infinity'::double precision) AND (rows.figures[5] < 'Infinity'::double precision)) THEN rows.figures[5]
            ELSE NULL::double precision
        END AS sortino,
        CASE
            WHEN ((rows.figures[6] > '-Infinity'::double precision) AND (rows.figures[6] < 'Infinity'::double precision)) THEN rows.figures[6]
            ELSE NULL::double precision
        END AS max_drawdown,
        CASE
            WHEN ((rows.figures[7] > '-Infinity'::double precision) AND (rows.figures[7] < 'Infinity'::double precision)) THEN rows.figures[7]
            ELSE NULL::double precision
        END AS max_stagnation,
        CASE
            WHEN ((rows.figures[8] > '-Infinity'::double precision) AND (rows.figures[8] < 'Infinity'::double precision)) THEN rows.figures[8]
            ELSE NULL::double precision
        END AS calmar,
        CASE
            WHEN ((rows.figures[9] > '-Infinity'::double precision) AND (rows.figures[9] < 'Infinity'::double precision)) THEN rows.figures[9]
            ELSE NULL::double precision
        END AS n_trades,
        CASE
            WHEN ((rows.figures[10] > '-Infinity'::double precision) AND (rows.figures[10] < 'Infinity'::double precision)) THEN rows.figures[10]
            ELSE NULL::double precision
        END AS win_rate,
        CASE
            WHEN ((rows.figures[11] > '-Infinity'::double precision) AND (rows.figures[11] < 'Infinity'::double precision)) THEN rows.figures[11]
            ELSE NULL::double precision
        END AS profit_factor,
        CASE
            WHEN ((rows.figures[12] > '-Infinity'::double precision) AND (rows.figures[12] < 'Infinity'::double precision)) THEN rows.figures[12]
            ELSE NULL::double precision
        END AS expectancy,
        CASE
            WHEN ((rows.figures[13] > '-Infinity'::double precision) AND (rows.figures[13] < 'Infinity'::double precision)) THEN rows.figures[13]
            ELSE NULL::double precision
        END AS exposure,
        CASE
            WHEN ((rows.figures[14] > '-Infinity'::double precision) AND (rows.figures[14] < 'Infinity'::double precision)) THEN rows.figures[14]
            ELSE NULL::double precision
        END AS avg_hold,
        CASE
            WHEN ((rows.figures[15] > '-Infinity'::double precision) AND (rows.figures[15] < 'Infinity'::double precision)) THEN rows.figures[15]
            ELSE NULL::double precision
        END AS turnover,
        CASE
            WHEN ((rows.figures[16] > '-Infinity'::double precision) AND (rows.figures[16] < 'Infinity'::double precision)) THEN rows.figures[16]
            ELSE NULL::double precision
        END AS fees,
        CASE
            WHEN ((rows.figures[17] > '-Infinity'::double precision) AND (rows.figures[17] < 'Infinity'::double precision)) THEN rows.figures[17]
            ELSE NULL::double precision
        END AS slippage,
        CASE
            WHEN ((rows.figures[18] > '-Infinity'::double precision) AND (rows.figures[18] < 'Infinity'::double precision)) THEN rows.figures[18]
            ELSE NULL::double precision
        END AS funding,
        CASE
            WHEN ((rows.figures[19] > '-Infinity'::double precision) AND (rows.figures[19] < 'Infinity'::double precision)) THEN rows.figures[19]
            ELSE NULL::double precision
        END AS skew,
        CASE
            WHEN ((rows.figures[20] > '-Infinity'::double precision) AND (rows.figures[20] < 'Infinity'::double precision)) THEN rows.figures[20]
            ELSE NULL::double precision
        END AS kurtosis,
        CASE
            WHEN ((rows.figures[21] > '-Infinity'::double precision) AND (rows.figures[21] < 'Infinity'::double precision)) THEN rows.figures[21]
            ELSE NULL::double precision
        END AS n_obs,
        CASE
            WHEN ((rows.figures[22] > '-Infinity'::double precision) AND (rows.figures[22] < 'Infinity'::double precision)) THEN rows.figures[22]
            ELSE NULL::double precision
        END AS n_open,
        CASE
            WHEN ((rows.figures[23] > '-Infinity'::double precision) AND (rows.figures[23] < 'Infinity'::double precision)) THEN rows.figures[23]
            ELSE NULL::double precision
        END AS n_rejected,
        CASE
            WHEN ((rows.figures[24] > '-Infinity'::double precision) AND (rows.figures[24] < 'Infinity'::double precision)) THEN rows.figures[24]
            ELSE NULL::double precision
        END AS n_liquidated,
        CASE
            WHEN ((rows.figures[25] > '-Infinity'::double precision) AND (rows.figures[25] < 'Infinity'::double precision)) THEN rows.figures[25]
            ELSE NULL::double precision
        END AS n_gaps,
    jobs.synthetic
   FROM (public.score_rows rows
     LEFT JOIN public.jobs ON ((jobs.id = rows.job)));
COMMENT ON VIEW public.scores IS 'The figures of each evaluation on each data set and segment; one that does not exist or is infinite is NULL.';
CREATE VIEW public.leaderboard AS
 SELECT jobs.id AS job,
    best.rank,
    best.id AS evaluation,
    best.variant,
    COALESCE(plays.name, best.play) AS play,
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
    jobs.synthetic
   FROM ((((public.jobs
     CROSS JOIN LATERAL ( SELECT row_number() OVER (ORDER BY top.fitness DESC, top.id) AS rank,
            top.id,
            top.job,
            top.variant,
            top.play,
            top.island,
            top.generation,
            top.index,
            top.genome,
            top.params,
            top.fitness,
            top.objectives,
            top.status,
            top.reason,
            top.seed,
            top.parents,
            top.operator,
            top.config_hash,
            top.data_hash,
            top.code_version,
            top.synthetic,
            top.stored
           FROM ( SELECT evaluations.id,
                    evaluations.job,
                    evaluations.variant,
                    evaluations.play,
                    evaluations.island,
                    evaluations.generation,
                    evaluations.index,
                    evaluations.genome,
                    evaluations.params,
                    evaluations.fitness,
                    evaluations.objectives,
                    evaluations.status,
                    evaluations.reason,
                    evaluations.seed,
                    evaluations.parents,
                    evaluations.operator,
                    evaluations.config_hash,
                    evaluations.data_hash,
                    evaluations.code_version,
                    evaluations.synthetic,
                    evaluations.stored
                   FROM public.evaluations
                  WHERE ((evaluations.job = jobs.id) AND (evaluations.fitness IS NOT NULL))
                  ORDER BY evaluations.fitness DESC, evaluations.id
                 LIMIT 1000) top) best)
     LEFT JOIN public.plays ON ((plays.sha256 = best.play)))
     LEFT JOIN LATERAL ( SELECT avg(scores.sharpe) AS sharpe,
            avg(scores.total_return) AS total_return,
            avg(scores.max_drawdown) AS max_drawdown,
            avg(scores.n_trades) AS n_trades
           FROM public.scores
          WHERE ((scores.evaluation = best.id) AND (scores.segment = 'in_sample'::text))) seen ON (true))
     LEFT JOIN LATERAL ( SELECT avg(scores.sharpe) AS sharpe,
            avg(scores.total_return) AS total_return,
            avg(scores.max_drawdown) AS max_drawdown,
            avg(scores.n_trades) AS n_trades
           FROM public.scores
          WHERE ((scores.evaluation = best.id) AND (scores.segment = 'out_of_sample'::text))) unseen ON (true))
  ORDER BY jobs.id, best.rank;
COMMENT ON VIEW public.leaderboard IS 'The thousand fittest variants of each job; figures are means over the data sets, oos_ ones are out of sample.';
CREATE TABLE public.lifecycle (
    evaluation text NOT NULL COLLATE pg_catalog."C",
    step integer NOT NULL,
    source text NOT NULL COLLATE pg_catalog."C",
    target text NOT NULL COLLATE pg_catalog."C",
    who text NOT NULL,
    taken timestamp with time zone NOT NULL,
    why text NOT NULL,
    verdict text NOT NULL COLLATE pg_catalog."C",
    gates_hash text NOT NULL COLLATE pg_catalog."C",
    card_hash text NOT NULL COLLATE pg_catalog."C"
);
COMMENT ON TABLE public.lifecycle IS 'The steps each variant has taken, with their evidence; a variant without one is a candidate.';
CREATE VIEW public.lifecycle_states AS
 SELECT DISTINCT ON (evaluation) evaluation,
    target AS state,
    (step + 1) AS steps,
    taken AS since,
    who,
    why,
    verdict
   FROM public.lifecycle
  ORDER BY evaluation, step DESC;
COMMENT ON VIEW public.lifecycle_states IS 'Where each variant that has taken a step stands; all others are candidates.';
CREATE TABLE public.vetted_plays (
    sha256 text NOT NULL COLLATE pg_catalog."C",
    verdict text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    text text NOT NULL,
    evaluation text NOT NULL COLLATE pg_catalog."C",
    card_hash text NOT NULL COLLATE pg_catalog."C",
    tags json NOT NULL,
    who text NOT NULL,
    vetted timestamp with time zone NOT NULL,
    CONSTRAINT vetted_plays_check CHECK ((sha256 = encode(sha256(convert_to(text, 'UTF8'::name)), 'hex'::text)))
);
COMMENT ON TABLE public.vetted_plays IS 'The library: plays with everything fixed that the gates let through.';
CREATE VIEW public.library AS
 SELECT vetted_plays.name,
    vetted_plays.sha256,
    vetted_plays.evaluation,
    COALESCE(lifecycle_states.state, 'candidate'::text) AS state,
    vetted_plays.tags,
    vetted_plays.verdict,
    vetted_plays.card_hash,
    vetted_plays.who,
    vetted_plays.vetted
   FROM (public.vetted_plays
     LEFT JOIN public.lifecycle_states ON ((lifecycle_states.evaluation = vetted_plays.evaluation)));
COMMENT ON VIEW public.library IS 'Vetted plays and where their variants stand now.';
CREATE TABLE public.lifecycle_arrows (
    source text NOT NULL COLLATE pg_catalog."C",
    target text NOT NULL COLLATE pg_catalog."C",
    evidence text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT lifecycle_arrows_evidence_check CHECK ((evidence = ANY (ARRAY['verdict'::text, 'why'::text, 'later'::text])))
);
COMMENT ON TABLE public.lifecycle_arrows IS 'The steps that exist and what must be shown for each; later: nothing can show it yet.';
CREATE VIEW public.lineage AS
 SELECT start.id AS evaluation,
    found.depth,
    relative.id AS ancestor,
    relative.variant,
    relative.parents,
    relative.operator,
    relative.island,
    relative.generation,
    relative.fitness,
    relative.params,
    relative.synthetic
   FROM ((public.evaluations start
     CROSS JOIN LATERAL public.ancestors(start.id) found(depth, ancestor))
     JOIN public.evaluations relative ON ((relative.id = found.ancestor)));
COMMENT ON VIEW public.lineage IS 'Family trees: ask for one with WHERE evaluation = ''...''.';
CREATE VIEW public.operator_credit AS
 SELECT child.job,
    child.operator,
    count(*) AS children,
    count(*) FILTER (WHERE (child.status = ANY (ARRAY['invalid'::text, 'error'::text, 'timeout'::text]))) AS failures,
    count(*) FILTER (WHERE (child.fitness > parent.fitness)) AS better_than_parents,
    avg(child.fitness) AS mean_fitness,
    max(child.fitness) AS best_fitness,
    bool_or(child.synthetic) AS synthetic
   FROM (public.evaluations child
     LEFT JOIN LATERAL ( SELECT max(named.fitness) AS fitness
           FROM (unnest(child.parents) parent_1(variant)
             JOIN public.evaluations named ON ((named.id = public.evaluation_id(child.job, parent_1.variant))))) parent ON (true))
  GROUP BY child.job, child.operator;
COMMENT ON VIEW public.operator_credit IS 'What each operator of a job brought: children, and how many were fitter than the fittest parent.';
CREATE TABLE public.patterns (
    id text NOT NULL COLLATE pg_catalog."C",
    source text NOT NULL,
    name text NOT NULL,
    conditions json NOT NULL,
    figures json NOT NULL,
    status text NOT NULL,
    job text NOT NULL COLLATE pg_catalog."C",
    p_confirm double precision,
    discovered_at timestamp with time zone NOT NULL,
    evidence json NOT NULL,
    synthetic boolean NOT NULL,
    CONSTRAINT patterns_source_check CHECK ((source = ANY (ARRAY['chaos'::text, 'technical'::text, 'academic'::text]))),
    CONSTRAINT patterns_status_check CHECK ((status = ANY (ARRAY['candidate'::text, 'confirmed'::text, 'rejected'::text, 'retired'::text])))
);
COMMENT ON TABLE public.patterns IS 'The library: conditions that were found or known, what they were worth, and whether later bars confirmed them.';
COMMENT ON COLUMN public.patterns.p_confirm IS 'p-value on the later segment; null while it was not asked there';
COMMENT ON COLUMN public.patterns.evidence IS 'how it was found, the level it was tested at, and under notes what became of it since';
CREATE TABLE public.queue (
    job text NOT NULL COLLATE pg_catalog."C",
    token text NOT NULL COLLATE pg_catalog."C",
    priority integer NOT NULL,
    submitted timestamp with time zone NOT NULL,
    attempts integer NOT NULL,
    not_before timestamp with time zone NOT NULL
);
COMMENT ON TABLE public.queue IS 'Jobs submitted to the control plane, who submitted them, and when each may be tried again.';
CREATE TABLE public.quotas (
    scope text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    quota json NOT NULL,
    CONSTRAINT quotas_scope_check CHECK ((scope = ANY (ARRAY['token'::text, 'campaign'::text])))
);
COMMENT ON TABLE public.quotas IS 'How much all jobs of a token (by its id) or of a campaign may ask for together.';
CREATE TABLE public.ranked (
    job text NOT NULL COLLATE pg_catalog."C",
    number integer NOT NULL,
    entries bytea NOT NULL
);
ALTER TABLE ONLY public.ranked ALTER COLUMN entries SET STORAGE EXTERNAL;
COMMENT ON TABLE public.ranked IS 'The best trials of large jobs by each figure. An entry: place of the figure (1 byte), evaluation (10), mean in sample (8).';
CREATE TABLE public.tokens (
    id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    role text NOT NULL,
    hash text NOT NULL COLLATE pg_catalog."C",
    max_queued integer NOT NULL,
    max_running integer NOT NULL,
    created timestamp with time zone NOT NULL,
    expires timestamp with time zone,
    revoked timestamp with time zone,
    CONSTRAINT tokens_role_check CHECK ((role = ANY (ARRAY['read'::text, 'submit'::text, 'admin'::text])))
);
COMMENT ON TABLE public.tokens IS 'Who may use the control plane: the SHA-256 of each bearer token, never the token itself.';
CREATE TABLE public.vault_openings (
    id text NOT NULL COLLATE pg_catalog."C",
    campaign text NOT NULL COLLATE pg_catalog."C",
    evaluation text NOT NULL COLLATE pg_catalog."C",
    who text NOT NULL,
    why text NOT NULL,
    opened timestamp with time zone NOT NULL,
    seen_by integer NOT NULL,
    figures json,
    CONSTRAINT vault_openings_who_check CHECK ((btrim(who) <> ''::text)),
    CONSTRAINT vault_openings_why_check CHECK ((btrim(why) <> ''::text))
);
COMMENT ON TABLE public.vault_openings IS 'Every look into a vault, each charged as a trial; seen_by counts jobs of other campaigns that had seen those bars before.';
CREATE VIEW public.trial_counts AS
 SELECT evaluated.campaign,
    evaluated.jobs,
    (evaluated.trials + COALESCE(looks.openings, (0)::bigint)) AS trials,
    evaluated.variants,
    evaluated.evaluations,
    evaluated.failures,
    evaluated.synthetic,
    COALESCE(looks.openings, (0)::bigint) AS openings
   FROM (public.evaluated_trials evaluated
     LEFT JOIN ( SELECT vault_openings.campaign,
            count(*) AS openings
           FROM public.vault_openings
          GROUP BY vault_openings.campaign) looks ON ((looks.campaign = evaluated.campaign)));
COMMENT ON VIEW public.trial_counts IS 'How much each campaign has tried: distinct pairs of variant and data, failed ones included, and every opening of its vault.';
CREATE TABLE public.verdict_evidence (
    hash text NOT NULL COLLATE pg_catalog."C",
    text text NOT NULL,
    CONSTRAINT verdict_evidence_check CHECK ((hash = encode(sha256(convert_to(text, 'UTF8'::name)), 'hex'::text)))
);
COMMENT ON TABLE public.verdict_evidence IS 'Texts of gates and report cards that verdicts were reached on, by their SHA-256.';
CREATE TABLE public.verdicts (
    hash text NOT NULL COLLATE pg_catalog."C",
    evaluation text NOT NULL COLLATE pg_catalog."C",
    campaign text NOT NULL COLLATE pg_catalog."C",
    gates_hash text NOT NULL COLLATE pg_catalog."C",
    card_hash text NOT NULL COLLATE pg_catalog."C",
    passed boolean NOT NULL,
    document text NOT NULL,
    who text NOT NULL,
    reached timestamp with time zone NOT NULL,
    CONSTRAINT verdicts_check CHECK ((hash = encode(sha256(convert_to(document, 'UTF8'::name)), 'hex'::text))),
    CONSTRAINT verdicts_check1 CHECK ((passed = public.verdict_passes(document))),
    CONSTRAINT verdicts_check2 CHECK (((evaluation = ((document)::jsonb ->> 'evaluation'::text)) AND (campaign = ((document)::jsonb ->> 'campaign'::text)) AND (gates_hash = ((document)::jsonb ->> 'gates_hash'::text)) AND (card_hash = ((document)::jsonb ->> 'card_hash'::text))))
);
COMMENT ON TABLE public.verdicts IS 'What the gates said of variants, with the hashes of the gates and the card; document is the verdict in full.';
ALTER TABLE ONLY public.chaos_trades ATTACH PARTITION public."chaos_trades_chaos-1" FOR VALUES IN ('chaos-1');
INSERT INTO public.alpha_spending VALUES (false, 0, 'p1', 0.2, 0.01, false, 0.05, 'lond', '2024-03-03 00:00:00+00');
INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES (1, '2026-11-21 06:31:42.686109+00', 't1', 'submit', 'evolve-2', '{}');
INSERT INTO public.batch_parts VALUES (2, 0, 'in_sample', '{binance:BTC/USDT:5m}');
INSERT INTO public.batches OVERRIDING SYSTEM VALUE VALUES (1, 'evolve-1', 'aa11', NULL, '2024-03-01 00:00:00+00', '\x2e7d2c03a9507ae23e23e8160039594aca978112ca1bbdca', 1);
INSERT INTO public.batches OVERRIDING SYSTEM VALUE VALUES (2, 'evolve-0', 'aa11', '[["fast","float"],["slow","int"]]', '2024-03-01 00:00:00+00', '\xca978112ca1bbdca', 0);
INSERT INTO public.campaign_splits VALUES ('careful', '["binance:BTC/USDT:5m"]', '2024-01-01 00:00:00+00', '2024-02-02 00:00:00+00', '2024-02-02 00:00:00+00', '2024-02-10 00:00:00+00', '2024-02-10 00:00:00+00', '2024-03-01 00:00:00+00', 0.2, 0.2, 0, 0, 'me', '2024-03-01 00:00:00+00');
INSERT INTO public.chaos_frames VALUES ('chaos-1', '{binance:BTC/USDT:5m}', '{momentum_1,momentum_5,sma_distance_10,volume_ratio_20,volatility_20,hour_of_day,day_of_week,funding_rate,trend}', 300000);
INSERT INTO public."chaos_trades_chaos-1" VALUES (0, '2024-01-02 00:00:00+00', '2024-01-02 01:00:00+00', 100, 101, 1, 0.01, 0.005, 0.004, 0.001, 0, 0.1, 0.2, 0.3, 1.5, 0.01, NULL, 300, 12, 0, 1, 5, 0, 1, 'chaos-1', '{4.5}', '{1,2,3,4,5,6,7,8,9}');
INSERT INTO public."chaos_trades_chaos-1" VALUES (1, '2024-01-02 00:00:00+00', '2024-01-02 01:00:00+00', 100, 101, 1, 0.01, 0.005, 0.004, 0.001, 0, 0.1, 0.2, 0.3, 1.5, 0.01, NULL, 300, 12, 0, 1, 5, 0, 1, 'chaos-1', '{4.5}', '{1,2,3,4,5,6,7,8,9}');
INSERT INTO public.checkpoints VALUES ('evolve-1', 0, 0, '\x7374617465');
INSERT INTO public.coinswarm_version VALUES ('0010');
INSERT INTO public.data_sets VALUES ('binance:BTC/USDT:5m', 'dd22', 'binance', 'BTC/USDT', '5m', '2024-01-01 00:00:00+00', '2024-02-01 00:00:00+00', 8929, false, '2024-03-01 00:00:00+00');
INSERT INTO public.generations VALUES ('evolve-1', 0, 0, 1.5, 0.5, 0.9, 3, 1, 0.25, '{}', 'ee44', false, '2024-03-01 00:00:00+00');
INSERT INTO public.generations VALUES ('chaos-1', 0, -1, NULL, NULL, NULL, 2, 0, 0.1, '{"wins": 1, "gross": 0.02, "net": 0.01}', 'ee45', false, '2024-03-02 00:00:00+00');
INSERT INTO public.job_ranks VALUES ('evolve-0', 1, NULL);
INSERT INTO public.job_ranks VALUES ('evolve-1', 3, NULL);
INSERT INTO public.jobs VALUES ('evolve-1', 'evolve', 'old campaign', '{aa11}', '{dd22}', 'dd22', '{"seed": 7}', 'cc33', '0.1.0', 7, false, 'running', '2024-03-01 00:00:00+00', '2024-03-01 00:01:00+00', NULL, '', NULL, '', false, 'driver', '2024-03-01 00:02:00+00');
INSERT INTO public.jobs VALUES ('evolve-0', 'evolve', 'old campaign', '{aa11}', '{dd22}', 'dd22', '{"seed": 6}', 'cc32', '0.1.0', 6, false, 'done', '2024-02-29 00:00:00+00', '2024-02-29 00:01:00+00', '2024-02-29 00:09:00+00', '', '{"distinct": 1}', 'ff00', false, '', NULL);
INSERT INTO public.jobs VALUES ('chaos-1', 'chaos', 'old chaos', '{}', '{dd22}', 'dd22', '{"trades": 2}', 'cc34', '0.1.0', 7, false, 'done', '2024-03-02 00:00:00+00', '2024-03-02 00:01:00+00', '2024-03-02 00:02:00+00', '', '{}', 'ff01', false, '', NULL);
INSERT INTO public.jobs VALUES ('evolve-2', 'evolve', 'careful', '{aa11}', '{dd22}', 'dd22', '{"seed": 8}', 'cc35', '0.1.0', 8, false, 'queued', '2024-03-04 00:00:00+00', NULL, NULL, '', NULL, '', false, '', NULL);
INSERT INTO public.later_scores VALUES ('bbf6eda1285bc6e3aa7c', 'binance:BTC/USDT:5m', 'in_sample', '{0,1,1,0.5,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1}');
INSERT INTO public.later_scores VALUES ('2a3fa86013eac1bd0fab', 'binance:BTC/USDT:5m', 'in_sample', '{0,1,1,NaN,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1}');
INSERT INTO public.later_scores VALUES ('2a3fa86013eac1bd0fab', 'binance:BTC/USDT:5m', 'out_of_sample', '{0,1,1,-2,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1}');
INSERT INTO public.lifecycle VALUES ('any', 0, 'candidate', 'rework', 'me', '2024-03-06 00:00:00+00', 'a doubt', '', '', '');
INSERT INTO public.lifecycle_arrows VALUES ('candidate', 'validated', 'verdict', '');
INSERT INTO public.lifecycle_arrows VALUES ('validated', 'demo', 'later', 'a demo needs an account that trades on paper, and there is none yet');
INSERT INTO public.lifecycle_arrows VALUES ('demo', 'vetted', 'later', 'vetting needs the record of a demo, and no demo can be run yet');
INSERT INTO public.lifecycle_arrows VALUES ('vetted', 'live_test', 'later', 'a live test needs a venue for orders, and there is none yet');
INSERT INTO public.lifecycle_arrows VALUES ('live_test', 'production', 'later', 'production needs the record of a live test, and no live test can be run yet');
INSERT INTO public.lifecycle_arrows VALUES ('candidate', 'rework', 'why', '');
INSERT INTO public.lifecycle_arrows VALUES ('validated', 'rework', 'why', '');
INSERT INTO public.lifecycle_arrows VALUES ('demo', 'rework', 'why', '');
INSERT INTO public.lifecycle_arrows VALUES ('vetted', 'rework', 'why', '');
INSERT INTO public.lifecycle_arrows VALUES ('live_test', 'rework', 'why', '');
INSERT INTO public.lifecycle_arrows VALUES ('production', 'rework', 'why', '');
INSERT INTO public.lifecycle_arrows VALUES ('candidate', 'disabled', 'why', '');
INSERT INTO public.lifecycle_arrows VALUES ('validated', 'disabled', 'why', '');
INSERT INTO public.lifecycle_arrows VALUES ('demo', 'disabled', 'why', '');
INSERT INTO public.lifecycle_arrows VALUES ('vetted', 'disabled', 'why', '');
INSERT INTO public.lifecycle_arrows VALUES ('live_test', 'disabled', 'why', '');
INSERT INTO public.lifecycle_arrows VALUES ('production', 'disabled', 'why', '');
INSERT INTO public.lifecycle_arrows VALUES ('rework', 'disabled', 'why', '');
INSERT INTO public.lifecycle_arrows VALUES ('rework', 'candidate', 'why', '');
INSERT INTO public.lifecycle_arrows VALUES ('disabled', 'rework', 'why', '');
INSERT INTO public.patterns VALUES ('p1', 'chaos', 'after a fall', '[{"feature": "momentum_5", "below": -0.01}]', '{"net": 0.004}', 'candidate', 'discover-1', NULL, '2024-03-03 00:00:00+00', '{"level": 0.01}', false);
INSERT INTO public.plays VALUES ('aa11', 'crossover', 'play: crossover', '2024-03-01 00:00:00+00');
INSERT INTO public.queue VALUES ('evolve-2', 't1', 0, '2024-03-04 00:00:00+00', 0, '2024-03-04 00:00:00+00');
INSERT INTO public.quotas VALUES ('campaign', 'old campaign', '{"trials": 1000000}');
INSERT INTO public.tokens VALUES ('t1', 'owner', 'admin', '5f78', 10, 2, '2024-03-01 00:00:00+00', NULL, NULL);
INSERT INTO public.trials VALUES ('0107e78606cce447ed0d', 'evolve-1', 'c', 1, 0, 0, 2, '{1.5,2}', '{"slow": 2, "fast": 1.5}', NULL, '{-1}', 3, 'it broke', '{a,b}', 'sbx', NULL, NULL);
INSERT INTO public.trials VALUES ('2a3fa86013eac1bd0fab', 'evolve-1', 'b', 1, 0, 0, 1, '{1.5,2}', '{"slow": 2, "fast": 1.5}', 'Infinity', '{-1}', 0, '', '{a}', 'sbx', NULL, NULL);
INSERT INTO public.trials VALUES ('bbf6eda1285bc6e3aa7c', 'evolve-1', 'a', 1, 0, 0, 0, '{1.5,2}', '{"slow": 2, "fast": 1.5}', 1, '{-1}', 0, '', '{}', 'sbx', NULL, NULL);
INSERT INTO public.trials VALUES ('d3a96ec2f1933c45cd6e', 'evolve-0', 'a', 2, 0, 0, 0, '{1.5,2}', NULL, 1, '{-1}', 0, '', '{}', 'sbx', 0, '{0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1}');
INSERT INTO public.vault_openings VALUES ('o1', 'careful', 'any', 'me', 'the end', '2024-03-05 00:00:00+00', 0, NULL);
SELECT pg_catalog.setval('public.audit_id_seq', 1, true);
SELECT pg_catalog.setval('public.batches_number_seq', 2, true);
ALTER TABLE ONLY public.alpha_spending
    ADD CONSTRAINT alpha_spending_pkey PRIMARY KEY (synthetic, place);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.batch_parts
    ADD CONSTRAINT batch_parts_pkey PRIMARY KEY (batch, part);
ALTER TABLE ONLY public.batches
    ADD CONSTRAINT batches_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.campaign_splits
    ADD CONSTRAINT campaign_splits_pkey PRIMARY KEY (campaign);
ALTER TABLE ONLY public.chaos_frames
    ADD CONSTRAINT chaos_frames_pkey PRIMARY KEY (job);
ALTER TABLE ONLY public.checkpoints
    ADD CONSTRAINT checkpoints_pkey PRIMARY KEY (job, island);
ALTER TABLE ONLY public.coinswarm_version
    ADD CONSTRAINT coinswarm_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.data_sets
    ADD CONSTRAINT data_sets_pkey PRIMARY KEY (key, content_hash);
ALTER TABLE ONLY public.generations
    ADD CONSTRAINT generations_pkey PRIMARY KEY (job, generation, island);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (token, key);
ALTER TABLE ONLY public.job_ranks
    ADD CONSTRAINT job_ranks_pkey PRIMARY KEY (job);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.later_scores
    ADD CONSTRAINT later_scores_pkey PRIMARY KEY (evaluation, data_set, segment);
ALTER TABLE ONLY public.lifecycle_arrows
    ADD CONSTRAINT lifecycle_arrows_pkey PRIMARY KEY (source, target);
ALTER TABLE ONLY public.lifecycle
    ADD CONSTRAINT lifecycle_pkey PRIMARY KEY (evaluation, step);
ALTER TABLE ONLY public.patterns
    ADD CONSTRAINT patterns_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.plays
    ADD CONSTRAINT plays_pkey PRIMARY KEY (sha256);
ALTER TABLE ONLY public.queue
    ADD CONSTRAINT queue_pkey PRIMARY KEY (job);
ALTER TABLE ONLY public.quotas
    ADD CONSTRAINT quotas_pkey PRIMARY KEY (scope, name);
ALTER TABLE ONLY public.ranked
    ADD CONSTRAINT ranked_pkey PRIMARY KEY (job, number);
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_hash_key UNIQUE (hash);
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.trials
    ADD CONSTRAINT trials_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.vault_openings
    ADD CONSTRAINT vault_openings_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.verdict_evidence
    ADD CONSTRAINT verdict_evidence_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY public.verdicts
    ADD CONSTRAINT verdicts_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY public.vetted_plays
    ADD CONSTRAINT vetted_plays_pkey PRIMARY KEY (sha256, verdict);
CREATE UNIQUE INDEX alpha_spending_pattern ON public.alpha_spending USING btree (pattern);
CREATE INDEX batches_job ON public.batches USING btree (job);
CREATE UNIQUE INDEX "chaos-1_number_idx" ON public."chaos_trades_chaos-1" USING btree (number);
CREATE INDEX data_sets_content_hash ON public.data_sets USING btree (content_hash);
CREATE INDEX jobs_campaign ON public.jobs USING btree (campaign);
CREATE INDEX jobs_created ON public.jobs USING btree (created, id);
CREATE INDEX jobs_status ON public.jobs USING btree (status) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text]));
CREATE INDEX patterns_job ON public.patterns USING btree (job);
CREATE INDEX patterns_status ON public.patterns USING btree (status, discovered_at);
CREATE INDEX queue_line ON public.queue USING btree (priority DESC, submitted, job);
CREATE INDEX queue_token ON public.queue USING btree (token);
CREATE UNIQUE INDEX tokens_name ON public.tokens USING btree (name) WHERE (revoked IS NULL);
CREATE INDEX trials_best ON public.trials USING btree (job, fitness DESC, id);
CREATE INDEX vault_openings_campaign ON public.vault_openings USING btree (campaign);
CREATE INDEX verdicts_evaluation ON public.verdicts USING btree (evaluation);
CREATE INDEX vetted_plays_evaluation ON public.vetted_plays USING btree (evaluation);
CREATE TRIGGER campaign_splits_kept BEFORE DELETE OR UPDATE ON public.campaign_splits FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER campaign_splits_unseen BEFORE INSERT ON public.campaign_splits FOR EACH ROW EXECUTE FUNCTION public.guard_split();
CREATE TRIGGER campaign_splits_whole BEFORE TRUNCATE ON public.campaign_splits FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER jobs_vault BEFORE INSERT ON public.jobs FOR EACH ROW EXECUTE FUNCTION public.guard_job();
CREATE TRIGGER jobs_vault_changed BEFORE UPDATE ON public.jobs FOR EACH ROW WHEN (((old.campaign IS DISTINCT FROM new.campaign) OR (old.data_hashes IS DISTINCT FROM new.data_hashes))) EXECUTE FUNCTION public.guard_job();
CREATE TRIGGER lifecycle_arrow BEFORE INSERT ON public.lifecycle FOR EACH ROW EXECUTE FUNCTION public.guard_step();
CREATE TRIGGER lifecycle_arrows_fixed BEFORE INSERT ON public.lifecycle_arrows FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER lifecycle_arrows_kept BEFORE DELETE OR UPDATE ON public.lifecycle_arrows FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER lifecycle_arrows_whole BEFORE TRUNCATE ON public.lifecycle_arrows FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER lifecycle_kept BEFORE DELETE OR UPDATE ON public.lifecycle FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER lifecycle_whole BEFORE TRUNCATE ON public.lifecycle FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER vault_openings_once BEFORE UPDATE ON public.vault_openings FOR EACH ROW EXECUTE FUNCTION public.guard_opening();
CREATE TRIGGER vault_openings_stay BEFORE DELETE ON public.vault_openings FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER vault_openings_whole BEFORE TRUNCATE ON public.vault_openings FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER verdict_evidence_kept BEFORE DELETE OR UPDATE ON public.verdict_evidence FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER verdict_evidence_whole BEFORE TRUNCATE ON public.verdict_evidence FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER verdicts_kept BEFORE DELETE OR UPDATE ON public.verdicts FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER verdicts_whole BEFORE TRUNCATE ON public.verdicts FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER vetted_plays_kept BEFORE DELETE OR UPDATE ON public.vetted_plays FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER vetted_plays_validated BEFORE INSERT ON public.vetted_plays FOR EACH ROW EXECUTE FUNCTION public.guard_vetted();
CREATE TRIGGER vetted_plays_whole BEFORE TRUNCATE ON public.vetted_plays FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
ALTER TABLE ONLY public.lifecycle
    ADD CONSTRAINT lifecycle_source_target_fkey FOREIGN KEY (source, target) REFERENCES public.lifecycle_arrows(source, target);
ALTER TABLE ONLY public.vault_openings
    ADD CONSTRAINT vault_openings_campaign_fkey FOREIGN KEY (campaign) REFERENCES public.campaign_splits(campaign);
ALTER TABLE ONLY public.verdicts
    ADD CONSTRAINT verdicts_card_hash_fkey FOREIGN KEY (card_hash) REFERENCES public.verdict_evidence(hash);
ALTER TABLE ONLY public.verdicts
    ADD CONSTRAINT verdicts_gates_hash_fkey FOREIGN KEY (gates_hash) REFERENCES public.verdict_evidence(hash);
ALTER TABLE ONLY public.vetted_plays
    ADD CONSTRAINT vetted_plays_verdict_fkey FOREIGN KEY (verdict) REFERENCES public.verdicts(hash);
