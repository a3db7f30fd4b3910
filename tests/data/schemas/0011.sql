-- The schema 0011 with a few rows, by pg_dump --inserts; never changed.
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
COMMENT ON TABLE public.data_sets IS 'Bars that jobs were run on: which market, from when to when, and the hash of what they were.';
COMMENT ON COLUMN public.data_sets.key IS 'name: exchange:market:timeframe';
COMMENT ON COLUMN public.data_sets.content_hash IS 'SHA-256 of the bars';
COMMENT ON COLUMN public.data_sets.exchange IS 'exchange that the bars are of';
COMMENT ON COLUMN public.data_sets.symbol IS 'market, such as BTC/USDT';
COMMENT ON COLUMN public.data_sets.timeframe IS 'length of a bar, such as 5m';
COMMENT ON COLUMN public.data_sets.first_bar IS 'open time of the first bar';
COMMENT ON COLUMN public.data_sets.last_bar IS 'open time of the last bar';
COMMENT ON COLUMN public.data_sets.n_bars IS 'bars';
COMMENT ON COLUMN public.data_sets.synthetic IS 'whether the bars behind it were made, not traded';
COMMENT ON COLUMN public.data_sets.saved IS 'when it was first used';
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
COMMENT ON COLUMN public.alpha_spending.synthetic IS 'whether the bars behind it were made, not traded';
COMMENT ON COLUMN public.alpha_spending.place IS 'place in the order of tests, from 0';
COMMENT ON COLUMN public.alpha_spending.pattern IS 'id of the pattern that was tested';
COMMENT ON COLUMN public.alpha_spending.p_value IS 'p-value of the test';
COMMENT ON COLUMN public.alpha_spending.level IS 'level that was left for it';
COMMENT ON COLUMN public.alpha_spending.rejected IS 'whether the null hypothesis was rejected: p_value <= level';
COMMENT ON COLUMN public.alpha_spending.alpha IS 'level of the whole stream of tests';
COMMENT ON COLUMN public.alpha_spending.procedure IS 'procedure that spends the level';
COMMENT ON COLUMN public.alpha_spending.tested_at IS 'when it was tested';
CREATE TABLE public.audit (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    token text NOT NULL COLLATE pg_catalog."C",
    action text NOT NULL,
    target text NOT NULL,
    detail json NOT NULL
);
COMMENT ON TABLE public.audit IS 'Every change made through the control plane: when, by which token, what.';
COMMENT ON COLUMN public.audit.id IS 'order of changes';
COMMENT ON COLUMN public.audit.at IS 'when';
COMMENT ON COLUMN public.audit.token IS 'id of the token that asked';
COMMENT ON COLUMN public.audit.action IS 'what was done';
COMMENT ON COLUMN public.audit.target IS 'what it was done to';
COMMENT ON COLUMN public.audit.detail IS 'what else is known of it';
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
COMMENT ON COLUMN public.batch_parts.batch IS 'number of the batch';
COMMENT ON COLUMN public.batch_parts.part IS 'number of the part within the batch';
COMMENT ON COLUMN public.batch_parts.segment IS 'in_sample, out_of_sample or the name of a fold';
COMMENT ON COLUMN public.batch_parts.data_sets IS 'keys of the data sets, in the order of the figures';
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
COMMENT ON COLUMN public.batches.number IS 'number of the batch';
COMMENT ON COLUMN public.batches.job IS 'id of the job';
COMMENT ON COLUMN public.batches.play IS 'SHA-256 of the play';
COMMENT ON COLUMN public.batches.words IS 'what each gene of a genome stands for';
COMMENT ON COLUMN public.batches.stored IS 'when it was stored';
COMMENT ON COLUMN public.batches.variants IS 'eight bytes of the identity of each trial';
COMMENT ON COLUMN public.batches.failures IS 'trials that failed: invalid, error or timeout';
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
COMMENT ON COLUMN public.campaign_splits.campaign IS 'campaign over whose jobs trials are counted';
COMMENT ON COLUMN public.campaign_splits.markets IS 'data sets the split was declared on, with hashes of their bars';
COMMENT ON COLUMN public.campaign_splits.train_start IS 'first time of the bars that searches see';
COMMENT ON COLUMN public.campaign_splits.train_end IS 'end of the bars that searches see';
COMMENT ON COLUMN public.campaign_splits.validation_start IS 'first time of the bars that validation sees';
COMMENT ON COLUMN public.campaign_splits.validation_end IS 'end of the bars that validation sees';
COMMENT ON COLUMN public.campaign_splits.vault_start IS 'first time of the vault';
COMMENT ON COLUMN public.campaign_splits.vault_end IS 'end of the vault';
COMMENT ON COLUMN public.campaign_splits.validation_share IS 'part of all bars that validation sees, in [0, 1]';
COMMENT ON COLUMN public.campaign_splits.vault_share IS 'part of all bars that is the vault, in [0, 1]';
COMMENT ON COLUMN public.campaign_splits.purge_bars IS 'bars left out before a span, because trades may still be open';
COMMENT ON COLUMN public.campaign_splits.embargo_bars IS 'bars left out after a span, because they remember it';
COMMENT ON COLUMN public.campaign_splits.who IS 'who did it, name@machine or a token';
COMMENT ON COLUMN public.campaign_splits.declared IS 'when it was declared';
CREATE TABLE public.chaos_frames (
    job text NOT NULL COLLATE pg_catalog."C",
    markets text[] NOT NULL COLLATE pg_catalog."C",
    features text[] NOT NULL COLLATE pg_catalog."C",
    bar_ms bigint NOT NULL
);
COMMENT ON TABLE public.chaos_frames IS 'What all random trades of a job share: market m is markets[m + 1], features name the state.';
COMMENT ON COLUMN public.chaos_frames.job IS 'id of the job';
COMMENT ON COLUMN public.chaos_frames.markets IS 'keys of data sets; market of chaos_trades counts in them from 0';
COMMENT ON COLUMN public.chaos_frames.features IS 'names of what state and exit_state hold';
COMMENT ON COLUMN public.chaos_frames.bar_ms IS 'length of a bar, milliseconds';
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
COMMENT ON COLUMN public.chaos_trades.number IS 'which trade of the draw, from 0';
COMMENT ON COLUMN public.chaos_trades.entered IS 'open time of the bar in which it was entered';
COMMENT ON COLUMN public.chaos_trades.exited IS 'open time of the bar at whose open it was closed; of a liquidation, of its bar';
COMMENT ON COLUMN public.chaos_trades.entry_price IS 'fill at the entry, slippage included, quote currency';
COMMENT ON COLUMN public.chaos_trades.exit_price IS 'fill at the exit, slippage included, quote currency';
COMMENT ON COLUMN public.chaos_trades.size IS 'notional at the entry, quote currency';
COMMENT ON COLUMN public.chaos_trades.gross IS 'result before costs, fraction of the notional';
COMMENT ON COLUMN public.chaos_trades.net IS 'result after costs, fraction of the notional';
COMMENT ON COLUMN public.chaos_trades.fees IS 'fees, fraction of the notional';
COMMENT ON COLUMN public.chaos_trades.slippage IS 'slippage, fraction of the notional';
COMMENT ON COLUMN public.chaos_trades.funding IS 'funding paid, fraction of the notional; negative: received';
COMMENT ON COLUMN public.chaos_trades.momentum_1 IS 'close over the close of the bar before, minus 1; fraction, known at the decision';
COMMENT ON COLUMN public.chaos_trades.momentum_5 IS 'close over the close of 5 bars before, minus 1; fraction, known at the decision';
COMMENT ON COLUMN public.chaos_trades.sma_distance_10 IS 'close over its mean of 10 bars, minus 1; fraction, known at the decision';
COMMENT ON COLUMN public.chaos_trades.volume_ratio_20 IS 'volume over its mean of 20 bars; ratio, known at the decision';
COMMENT ON COLUMN public.chaos_trades.volatility_20 IS 'deviation of returns over 20 bars; fraction a bar, known at the decision';
COMMENT ON COLUMN public.chaos_trades.funding_rate IS 'funding rate known at the decision; fraction of the notional';
COMMENT ON COLUMN public.chaos_trades.decision IS 'bar of the market, from 0, at whose close the trade was decided';
COMMENT ON COLUMN public.chaos_trades.hold IS 'bars from entry to exit, as drawn';
COMMENT ON COLUMN public.chaos_trades.market IS 'place among markets of chaos_frames, from 0';
COMMENT ON COLUMN public.chaos_trades.side IS '1 long, -1 short';
COMMENT ON COLUMN public.chaos_trades.reason IS 'how it ended: 5 max_hold, 6 liquidation';
COMMENT ON COLUMN public.chaos_trades.hour_of_day IS 'UTC hour at the decision, 0 to 23';
COMMENT ON COLUMN public.chaos_trades.day_of_week IS 'UTC day at the decision, 0 is Monday';
COMMENT ON COLUMN public.chaos_trades.job IS 'id of the job';
COMMENT ON COLUMN public.chaos_trades.named IS 'other features known at the decision, in the order of features of chaos_frames from the 9th on';
COMMENT ON COLUMN public.chaos_trades.exit_state IS 'features known when it was closed, in the order of features of chaos_frames';
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
COMMENT ON TABLE public.jobs IS 'Every job with all that decides its result, and how far it is.';
COMMENT ON COLUMN public.jobs.id IS 'id of the job, its kind and time first';
COMMENT ON COLUMN public.jobs.kind IS 'kind of job: evolve, chaos, discover, rules, validate, honesty or fetch';
COMMENT ON COLUMN public.jobs.campaign IS 'campaign over whose jobs trials are counted';
COMMENT ON COLUMN public.jobs.plays IS 'SHA-256 of each play';
COMMENT ON COLUMN public.jobs.data_hashes IS 'SHA-256 of the bars of each market';
COMMENT ON COLUMN public.jobs.data_hash IS 'one SHA-256 over all bars of the job';
COMMENT ON COLUMN public.jobs.config IS 'complete settings and what was planned';
COMMENT ON COLUMN public.jobs.config_hash IS 'SHA-256 of the settings of the job';
COMMENT ON COLUMN public.jobs.code_version IS 'version of the program that computed it';
COMMENT ON COLUMN public.jobs.seed IS 'decides every random draw of the job';
COMMENT ON COLUMN public.jobs.synthetic IS 'whether the bars behind it were made, not traded';
COMMENT ON COLUMN public.jobs.status IS 'queued, running, done, failed or cancelled';
COMMENT ON COLUMN public.jobs.created IS 'when it was submitted';
COMMENT ON COLUMN public.jobs.started IS 'when it was first driven';
COMMENT ON COLUMN public.jobs.finished IS 'when it ended';
COMMENT ON COLUMN public.jobs.error IS 'why it failed; empty when it did not';
COMMENT ON COLUMN public.jobs.result IS 'what it came to, as its kind has it';
COMMENT ON COLUMN public.jobs.result_hash IS 'SHA-256 of the result';
COMMENT ON COLUMN public.jobs.cancel_requested IS 'whether it was cancelled and not resumed since';
COMMENT ON COLUMN public.jobs.lease_owner IS 'driver that has it; empty for none';
COMMENT ON COLUMN public.jobs.lease_expires IS 'when its lease ends without another heartbeat';
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
COMMENT ON COLUMN public.chaos.job IS 'id of the job';
COMMENT ON COLUMN public.chaos.campaign IS 'campaign over whose jobs trials are counted';
COMMENT ON COLUMN public.chaos.number IS 'which trade of the draw, from 0';
COMMENT ON COLUMN public.chaos.market IS 'key of the data set';
COMMENT ON COLUMN public.chaos.side IS 'long or short';
COMMENT ON COLUMN public.chaos.entered IS 'open time of the bar in which it was entered';
COMMENT ON COLUMN public.chaos.exited IS 'open time of the bar at whose open it was closed; of a liquidation, of its bar';
COMMENT ON COLUMN public.chaos.hold IS 'bars from entry to exit, as drawn';
COMMENT ON COLUMN public.chaos.held_for IS 'time from entry to exit';
COMMENT ON COLUMN public.chaos.entry_price IS 'fill at the entry, slippage included, quote currency';
COMMENT ON COLUMN public.chaos.exit_price IS 'fill at the exit, slippage included, quote currency';
COMMENT ON COLUMN public.chaos.size IS 'notional at the entry, quote currency';
COMMENT ON COLUMN public.chaos.gross_pct IS 'result before costs, percent of the notional';
COMMENT ON COLUMN public.chaos.net_pct IS 'result after costs, percent of the notional';
COMMENT ON COLUMN public.chaos.gross_sigmas IS 'result before costs over volatility_20 times the root of hold';
COMMENT ON COLUMN public.chaos.net_sigmas IS 'result after costs over volatility_20 times the root of hold';
COMMENT ON COLUMN public.chaos.fees_pct IS 'fees, percent of the notional';
COMMENT ON COLUMN public.chaos.slippage_pct IS 'slippage, percent of the notional';
COMMENT ON COLUMN public.chaos.funding_pct IS 'funding paid, percent of the notional; negative: received';
COMMENT ON COLUMN public.chaos.reason IS 'how it ended: max_hold or liquidation';
COMMENT ON COLUMN public.chaos.momentum_1 IS 'close over the close of the bar before, minus 1; fraction, known at the decision';
COMMENT ON COLUMN public.chaos.momentum_5 IS 'close over the close of 5 bars before, minus 1; fraction, known at the decision';
COMMENT ON COLUMN public.chaos.sma_distance_10 IS 'close over its mean of 10 bars, minus 1; fraction, known at the decision';
COMMENT ON COLUMN public.chaos.volume_ratio_20 IS 'volume over its mean of 20 bars; ratio, known at the decision';
COMMENT ON COLUMN public.chaos.volatility_20 IS 'deviation of returns over 20 bars; fraction a bar, known at the decision';
COMMENT ON COLUMN public.chaos.hour_of_day IS 'UTC hour at the decision, 0 to 23';
COMMENT ON COLUMN public.chaos.day_of_week IS 'UTC day at the decision, 0 is Monday';
COMMENT ON COLUMN public.chaos.funding_rate IS 'funding rate known at the decision; fraction of the notional';
COMMENT ON COLUMN public.chaos.named IS 'other features known at the decision, by name';
COMMENT ON COLUMN public.chaos.exit_state IS 'features known when it was closed, by name; never a condition for an entry';
COMMENT ON COLUMN public.chaos.synthetic IS 'whether the bars behind it were made, not traded';
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
COMMENT ON TABLE public.checkpoints IS 'The newest state of each island or job, from which it is continued.';
COMMENT ON COLUMN public.checkpoints.job IS 'id of the job';
COMMENT ON COLUMN public.checkpoints.island IS 'island, from 0; -1: the job as a whole';
COMMENT ON COLUMN public.checkpoints.generation IS 'generation that the state is of';
COMMENT ON COLUMN public.checkpoints.state IS 'all that is needed to continue';
CREATE TABLE public.coinswarm_version (
    version_num character varying(32) NOT NULL
);
COMMENT ON TABLE public.coinswarm_version IS 'The schema of this database.';
COMMENT ON COLUMN public.coinswarm_version.version_num IS 'number of the newest migration';
CREATE TABLE public.plays (
    sha256 text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    text text NOT NULL,
    saved timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE public.plays IS 'Texts of plays under their SHA-256.';
COMMENT ON COLUMN public.plays.sha256 IS 'SHA-256 of the text';
COMMENT ON COLUMN public.plays.name IS 'name that the text gives';
COMMENT ON COLUMN public.plays.text IS 'the play as YAML';
COMMENT ON COLUMN public.plays.saved IS 'when it was first used';
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
COMMENT ON COLUMN public.trials.id IS 'id of the evaluation, made of job and variant';
COMMENT ON COLUMN public.trials.job IS 'id of the job';
COMMENT ON COLUMN public.trials.variant IS 'identity of the variant, SHA-256 of its canonical form; equal meaning, equal identity';
COMMENT ON COLUMN public.trials.batch IS 'number of the batch it was committed with';
COMMENT ON COLUMN public.trials.island IS 'island, from 0; -1: the job as a whole';
COMMENT ON COLUMN public.trials.generation IS 'generation in which it was made, from 0';
COMMENT ON COLUMN public.trials.index IS 'place within its generation, from 0';
COMMENT ON COLUMN public.trials.genome IS 'the variant as numbers, one a dimension';
COMMENT ON COLUMN public.trials.params IS 'parameters, where the words of the batch do not give them';
COMMENT ON COLUMN public.trials.fitness IS 'first objective, larger for better; NULL for a failed trial';
COMMENT ON COLUMN public.trials.objectives IS 'each objective as the search sees it, larger for better';
COMMENT ON COLUMN public.trials.status IS '0 ok, 1 no_trades, 2 invalid, 3 error, 4 timeout, 5 dropped';
COMMENT ON COLUMN public.trials.reason IS 'why it failed; empty when it did not';
COMMENT ON COLUMN public.trials.parents IS 'identities of the variants it was bred from';
COMMENT ON COLUMN public.trials.operator IS 'what made it: founder, or the operator that bred it';
COMMENT ON COLUMN public.trials.part IS 'part of the batch that the figures are of';
COMMENT ON COLUMN public.trials.figures IS 'for each data set a status code (0 ok, 1 no_trades, 2 invalid, 3 error, 4 timeout, 5 dropped), then the figures of the view scores in its order';
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
    batches.stored,
    COALESCE(plays.name, batches.play) AS play_name
   FROM (((public.trials
     LEFT JOIN public.batches ON ((batches.number = trials.batch)))
     LEFT JOIN public.jobs ON ((jobs.id = trials.job)))
     LEFT JOIN public.plays ON ((plays.sha256 = batches.play)));
COMMENT ON VIEW public.evaluations IS 'Every variant a job has tried, once, with all that decides its result.';
COMMENT ON COLUMN public.evaluations.id IS 'id of the evaluation, made of job and variant';
COMMENT ON COLUMN public.evaluations.job IS 'id of the job';
COMMENT ON COLUMN public.evaluations.variant IS 'identity of the variant, SHA-256 of its canonical form; equal meaning, equal identity';
COMMENT ON COLUMN public.evaluations.play IS 'SHA-256 of the play';
COMMENT ON COLUMN public.evaluations.island IS 'island, from 0; -1: the job as a whole';
COMMENT ON COLUMN public.evaluations.generation IS 'generation in which it was made, from 0';
COMMENT ON COLUMN public.evaluations.index IS 'place within its generation, from 0';
COMMENT ON COLUMN public.evaluations.genome IS 'the variant as numbers, one a dimension';
COMMENT ON COLUMN public.evaluations.params IS 'parameters by the paths of their dimensions';
COMMENT ON COLUMN public.evaluations.fitness IS 'first objective, larger for better; NULL for a failed trial';
COMMENT ON COLUMN public.evaluations.objectives IS 'each objective as the search sees it, larger for better';
COMMENT ON COLUMN public.evaluations.status IS 'ok, no_trades, invalid, error, timeout, or dropped by a race';
COMMENT ON COLUMN public.evaluations.reason IS 'why it failed; empty when it did not';
COMMENT ON COLUMN public.evaluations.seed IS 'decides every random draw of the job';
COMMENT ON COLUMN public.evaluations.parents IS 'identities of the variants it was bred from';
COMMENT ON COLUMN public.evaluations.operator IS 'what made it: founder, or the operator that bred it';
COMMENT ON COLUMN public.evaluations.config_hash IS 'SHA-256 of the settings of the job';
COMMENT ON COLUMN public.evaluations.data_hash IS 'one SHA-256 over all bars of the job';
COMMENT ON COLUMN public.evaluations.code_version IS 'version of the program that computed it';
COMMENT ON COLUMN public.evaluations.synthetic IS 'whether the bars behind it were made, not traded';
COMMENT ON COLUMN public.evaluations.stored IS 'when it was stored';
COMMENT ON COLUMN public.evaluations.play_name IS 'name of the play';
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
COMMENT ON COLUMN public.evaluated_trials.campaign IS 'campaign over whose jobs trials are counted';
COMMENT ON COLUMN public.evaluated_trials.jobs IS 'jobs of the campaign';
COMMENT ON COLUMN public.evaluated_trials.trials IS 'distinct pairs of variant and data, failed ones included: the number that deflates a finding';
COMMENT ON COLUMN public.evaluated_trials.variants IS 'distinct variants, whatever the data';
COMMENT ON COLUMN public.evaluated_trials.evaluations IS 'trials, failed ones included';
COMMENT ON COLUMN public.evaluated_trials.failures IS 'trials that failed: invalid, error or timeout';
COMMENT ON COLUMN public.evaluated_trials.synthetic IS 'whether the bars behind it were made, not traded';
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
COMMENT ON TABLE public.generations IS 'Each generation of each island, and each step of other jobs: one commit.';
COMMENT ON COLUMN public.generations.job IS 'id of the job';
COMMENT ON COLUMN public.generations.generation IS 'generation or step, from 0';
COMMENT ON COLUMN public.generations.island IS 'island, from 0; -1: the job as a whole';
COMMENT ON COLUMN public.generations.best IS 'greatest fitness of the population';
COMMENT ON COLUMN public.generations.median IS 'median fitness of the population';
COMMENT ON COLUMN public.generations.diversity IS 'how unlike the variants of the population are, in [0, 1]';
COMMENT ON COLUMN public.generations.evaluations IS 'trials of this generation';
COMMENT ON COLUMN public.generations.failures IS 'trials of this generation that failed';
COMMENT ON COLUMN public.generations.seconds IS 'wall time, seconds';
COMMENT ON COLUMN public.generations.figures IS 'what else was worth keeping';
COMMENT ON COLUMN public.generations.state_hash IS 'SHA-256 of the state after it';
COMMENT ON COLUMN public.generations.synthetic IS 'whether the bars behind it were made, not traded';
COMMENT ON COLUMN public.generations.committed IS 'when it was committed';
CREATE TABLE public.idempotency_keys (
    token text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    fingerprint text NOT NULL COLLATE pg_catalog."C",
    job text NOT NULL COLLATE pg_catalog."C",
    created timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE public.idempotency_keys IS 'Which job a repeated submission with the same key stands for.';
COMMENT ON COLUMN public.idempotency_keys.token IS 'id of the token that submitted';
COMMENT ON COLUMN public.idempotency_keys.key IS 'key of the submission';
COMMENT ON COLUMN public.idempotency_keys.fingerprint IS 'SHA-256 of what was submitted';
COMMENT ON COLUMN public.idempotency_keys.job IS 'id of the job';
COMMENT ON COLUMN public.idempotency_keys.created IS 'when it was made';
CREATE TABLE public.job_ranks (
    job text NOT NULL COLLATE pg_catalog."C",
    trials bigint NOT NULL,
    floors bytea
);
COMMENT ON TABLE public.job_ranks IS 'How many trials each job has, and the last entry kept of each figure; floors are NULL while there are few.';
COMMENT ON COLUMN public.job_ranks.job IS 'id of the job';
COMMENT ON COLUMN public.job_ranks.trials IS 'trials of the job';
COMMENT ON COLUMN public.job_ranks.floors IS 'the last kept entry of each figure; NULL while there are few trials';
CREATE TABLE public.later_scores (
    evaluation text NOT NULL COLLATE pg_catalog."C",
    data_set text NOT NULL COLLATE pg_catalog."C",
    segment text NOT NULL COLLATE pg_catalog."C",
    figures double precision[] NOT NULL
);
COMMENT ON TABLE public.later_scores IS 'Figures that did not come with their trial, such as those out of sample.';
COMMENT ON COLUMN public.later_scores.evaluation IS 'id of the evaluation';
COMMENT ON COLUMN public.later_scores.data_set IS 'key of the data set, exchange:market:timeframe';
COMMENT ON COLUMN public.later_scores.segment IS 'in_sample, out_of_sample or the name of a fold';
COMMENT ON COLUMN public.later_scores.figures IS 'a status code (0 ok, 1 no_trades, 2 invalid, 3 error, 4 timeout, 5 dropped), then the figures of the view scores in its order';
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
COMMENT ON COLUMN public.score_rows.evaluation IS 'id of the evaluation';
COMMENT ON COLUMN public.score_rows.job IS 'id of the job';
COMMENT ON COLUMN public.score_rows.data_set IS 'key of the data set, exchange:market:timeframe';
COMMENT ON COLUMN public.score_rows.segment IS 'in_sample, out_of_sample or the name of a fold';
COMMENT ON COLUMN public.score_rows.figures IS 'a status code (0 ok, 1 no_trades, 2 invalid, 3 error, 4 timeout, 5 dropped), then the figures of the view scores in its order';
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
COMMENT ON COLUMN public.scores.evaluation IS 'id of the evaluation';
COMMENT ON COLUMN public.scores.data_set IS 'key of the data set, exchange:market:timeframe';
COMMENT ON COLUMN public.scores.segment IS 'in_sample, out_of_sample or the name of a fold';
COMMENT ON COLUMN public.scores.status IS 'ok, no_trades, invalid, error, timeout, or dropped by a race';
COMMENT ON COLUMN public.scores.total_return IS 'what the account gained over the span, after all costs; fraction of the starting equity';
COMMENT ON COLUMN public.scores.cagr IS 'the same gain as a compound rate; fraction a year';
COMMENT ON COLUMN public.scores.sharpe IS 'mean over deviation of bar returns; ratio, a year';
COMMENT ON COLUMN public.scores.sortino IS 'mean over downside deviation of bar returns; ratio, a year';
COMMENT ON COLUMN public.scores.max_drawdown IS 'largest fall of the account from an earlier peak, at bar closes; fraction of the peak';
COMMENT ON COLUMN public.scores.max_stagnation IS 'most bars in a row below an earlier peak; bars';
COMMENT ON COLUMN public.scores.calmar IS 'cagr over max_drawdown; ratio';
COMMENT ON COLUMN public.scores.n_trades IS 'trades that were opened and closed; trades';
COMMENT ON COLUMN public.scores.win_rate IS 'closed trades that gained after costs; fraction of closed trades';
COMMENT ON COLUMN public.scores.profit_factor IS 'sum of gains over sum of losses; NULL without a loss; ratio';
COMMENT ON COLUMN public.scores.expectancy IS 'mean return of a closed trade after costs; fraction of the notional';
COMMENT ON COLUMN public.scores.exposure IS 'bars that end with a position open; fraction of bars';
COMMENT ON COLUMN public.scores.avg_hold IS 'mean holding time of a closed trade; bars';
COMMENT ON COLUMN public.scores.turnover IS 'value traded over mean equity; multiple a year';
COMMENT ON COLUMN public.scores.fees IS 'fees paid; fraction of the starting equity';
COMMENT ON COLUMN public.scores.slippage IS 'what fills were worse than the quoted price; fraction of the starting equity';
COMMENT ON COLUMN public.scores.funding IS 'funding paid; negative: received; fraction of the starting equity';
COMMENT ON COLUMN public.scores.skew IS 'skewness of bar returns; no unit';
COMMENT ON COLUMN public.scores.kurtosis IS 'kurtosis of bar returns; a normal distribution has 3; no unit';
COMMENT ON COLUMN public.scores.n_obs IS 'bars from the first possible decision to the end; bars';
COMMENT ON COLUMN public.scores.n_open IS 'positions still open at the end; positions';
COMMENT ON COLUMN public.scores.n_rejected IS 'entries that the account or the rules did not allow; entries';
COMMENT ON COLUMN public.scores.n_liquidated IS 'positions that lost their margin; positions';
COMMENT ON COLUMN public.scores.n_gaps IS 'bars in a position that follow a gap in the data; bars';
COMMENT ON COLUMN public.scores.synthetic IS 'whether the bars behind it were made, not traded';
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
    jobs.synthetic,
    COALESCE(plays.name, best.play) AS play_name
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
            top.stored,
            top.play_name
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
                    evaluations.stored,
                    evaluations.play_name
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
COMMENT ON COLUMN public.leaderboard.job IS 'id of the job';
COMMENT ON COLUMN public.leaderboard.rank IS 'place by fitness, from 1';
COMMENT ON COLUMN public.leaderboard.evaluation IS 'id of the evaluation';
COMMENT ON COLUMN public.leaderboard.variant IS 'identity of the variant, SHA-256 of its canonical form; equal meaning, equal identity';
COMMENT ON COLUMN public.leaderboard.play IS 'name of the play, as play_name; evaluations.play is its SHA-256';
COMMENT ON COLUMN public.leaderboard.params IS 'parameters by the paths of their dimensions';
COMMENT ON COLUMN public.leaderboard.fitness IS 'first objective, larger for better; NULL for a failed trial';
COMMENT ON COLUMN public.leaderboard.sharpe IS 'mean over deviation of bar returns; mean over data sets, ratio, a year';
COMMENT ON COLUMN public.leaderboard.total_return IS 'what the account gained over the span, after all costs; mean over data sets, fraction of the starting equity';
COMMENT ON COLUMN public.leaderboard.max_drawdown IS 'largest fall of the account from an earlier peak, at bar closes; mean over data sets, fraction of the peak';
COMMENT ON COLUMN public.leaderboard.n_trades IS 'trades that were opened and closed; mean over data sets, trades';
COMMENT ON COLUMN public.leaderboard.oos_sharpe IS 'mean over deviation of bar returns; mean over data sets, ratio, a year; out of sample; NULL until it was scored there';
COMMENT ON COLUMN public.leaderboard.oos_total_return IS 'what the account gained over the span, after all costs; mean over data sets, fraction of the starting equity; out of sample; NULL until it was scored there';
COMMENT ON COLUMN public.leaderboard.oos_max_drawdown IS 'largest fall of the account from an earlier peak, at bar closes; mean over data sets, fraction of the peak; out of sample; NULL until it was scored there';
COMMENT ON COLUMN public.leaderboard.oos_n_trades IS 'trades that were opened and closed; mean over data sets, trades; out of sample; NULL until it was scored there';
COMMENT ON COLUMN public.leaderboard.synthetic IS 'whether the bars behind it were made, not traded';
COMMENT ON COLUMN public.leaderboard.play_name IS 'name of the play';
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
COMMENT ON COLUMN public.lifecycle.evaluation IS 'id of the evaluation';
COMMENT ON COLUMN public.lifecycle.step IS 'which step of the variant, from 0';
COMMENT ON COLUMN public.lifecycle.source IS 'state before';
COMMENT ON COLUMN public.lifecycle.target IS 'state after';
COMMENT ON COLUMN public.lifecycle.who IS 'who did it, name@machine or a token';
COMMENT ON COLUMN public.lifecycle.taken IS 'when it was taken';
COMMENT ON COLUMN public.lifecycle.why IS 'reason that was given';
COMMENT ON COLUMN public.lifecycle.verdict IS 'hash of the verdict';
COMMENT ON COLUMN public.lifecycle.gates_hash IS 'SHA-256 of the gates';
COMMENT ON COLUMN public.lifecycle.card_hash IS 'SHA-256 of the report card';
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
COMMENT ON COLUMN public.lifecycle_states.evaluation IS 'id of the evaluation';
COMMENT ON COLUMN public.lifecycle_states.state IS 'where the variant stands';
COMMENT ON COLUMN public.lifecycle_states.steps IS 'steps it has taken';
COMMENT ON COLUMN public.lifecycle_states.since IS 'when it took the last one';
COMMENT ON COLUMN public.lifecycle_states.who IS 'who did it, name@machine or a token';
COMMENT ON COLUMN public.lifecycle_states.why IS 'reason that was given';
COMMENT ON COLUMN public.lifecycle_states.verdict IS 'hash of the verdict';
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
COMMENT ON COLUMN public.vetted_plays.sha256 IS 'SHA-256 of the text';
COMMENT ON COLUMN public.vetted_plays.verdict IS 'hash of the verdict';
COMMENT ON COLUMN public.vetted_plays.name IS 'name of the play';
COMMENT ON COLUMN public.vetted_plays.text IS 'the play as YAML, nothing varies in it';
COMMENT ON COLUMN public.vetted_plays.evaluation IS 'id of the evaluation';
COMMENT ON COLUMN public.vetted_plays.card_hash IS 'SHA-256 of the report card';
COMMENT ON COLUMN public.vetted_plays.tags IS 'words it is found by';
COMMENT ON COLUMN public.vetted_plays.who IS 'who did it, name@machine or a token';
COMMENT ON COLUMN public.vetted_plays.vetted IS 'when it was vetted';
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
COMMENT ON COLUMN public.library.name IS 'name of the vetted play';
COMMENT ON COLUMN public.library.sha256 IS 'SHA-256 of its text';
COMMENT ON COLUMN public.library.evaluation IS 'id of the evaluation';
COMMENT ON COLUMN public.library.state IS 'where its variant stands now';
COMMENT ON COLUMN public.library.tags IS 'words it is found by';
COMMENT ON COLUMN public.library.verdict IS 'hash of the verdict';
COMMENT ON COLUMN public.library.card_hash IS 'SHA-256 of the report card';
COMMENT ON COLUMN public.library.who IS 'who did it, name@machine or a token';
COMMENT ON COLUMN public.library.vetted IS 'when it was vetted';
CREATE TABLE public.lifecycle_arrows (
    source text NOT NULL COLLATE pg_catalog."C",
    target text NOT NULL COLLATE pg_catalog."C",
    evidence text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT lifecycle_arrows_evidence_check CHECK ((evidence = ANY (ARRAY['verdict'::text, 'why'::text, 'later'::text])))
);
COMMENT ON TABLE public.lifecycle_arrows IS 'The steps that exist and what must be shown for each; later: nothing can show it yet.';
COMMENT ON COLUMN public.lifecycle_arrows.source IS 'state before';
COMMENT ON COLUMN public.lifecycle_arrows.target IS 'state after';
COMMENT ON COLUMN public.lifecycle_arrows.evidence IS 'what must be shown';
COMMENT ON COLUMN public.lifecycle_arrows.reason IS 'why it is asked for';
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
COMMENT ON COLUMN public.lineage.evaluation IS 'id of the evaluation';
COMMENT ON COLUMN public.lineage.depth IS 'generations back: 0 is the evaluation itself';
COMMENT ON COLUMN public.lineage.ancestor IS 'id of the evaluation of the ancestor';
COMMENT ON COLUMN public.lineage.variant IS 'identity of the ancestor';
COMMENT ON COLUMN public.lineage.parents IS 'identities of the variants the ancestor was bred from';
COMMENT ON COLUMN public.lineage.operator IS 'what made it: founder, or the operator that bred it';
COMMENT ON COLUMN public.lineage.island IS 'island, from 0; -1: the job as a whole';
COMMENT ON COLUMN public.lineage.generation IS 'generation in which it was made, from 0';
COMMENT ON COLUMN public.lineage.fitness IS 'fitness of the ancestor';
COMMENT ON COLUMN public.lineage.params IS 'parameters of the ancestor';
COMMENT ON COLUMN public.lineage.synthetic IS 'whether the bars behind it were made, not traded';
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
COMMENT ON COLUMN public.operator_credit.job IS 'id of the job';
COMMENT ON COLUMN public.operator_credit.operator IS 'what made it: founder, or the operator that bred it';
COMMENT ON COLUMN public.operator_credit.children IS 'trials it made';
COMMENT ON COLUMN public.operator_credit.failures IS 'trials that failed: invalid, error or timeout';
COMMENT ON COLUMN public.operator_credit.better_than_parents IS 'trials fitter than the fittest parent';
COMMENT ON COLUMN public.operator_credit.mean_fitness IS 'mean fitness of its trials';
COMMENT ON COLUMN public.operator_credit.best_fitness IS 'greatest fitness of its trials';
COMMENT ON COLUMN public.operator_credit.synthetic IS 'whether the bars behind it were made, not traded';
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
COMMENT ON COLUMN public.patterns.id IS 'id, made of the conditions';
COMMENT ON COLUMN public.patterns.source IS 'chaos, technical or academic';
COMMENT ON COLUMN public.patterns.name IS 'how a person reads it';
COMMENT ON COLUMN public.patterns.conditions IS 'what must hold';
COMMENT ON COLUMN public.patterns.figures IS 'what it was worth, by segment';
COMMENT ON COLUMN public.patterns.status IS 'candidate, confirmed, rejected or retired';
COMMENT ON COLUMN public.patterns.job IS 'job that found it';
COMMENT ON COLUMN public.patterns.p_confirm IS 'p-value on the later segment; NULL while it was not asked there';
COMMENT ON COLUMN public.patterns.discovered_at IS 'when it was found';
COMMENT ON COLUMN public.patterns.evidence IS 'how it was found, the level it was tested at, and under notes what became of it since';
COMMENT ON COLUMN public.patterns.synthetic IS 'whether the bars behind it were made, not traded';
CREATE TABLE public.queue (
    job text NOT NULL COLLATE pg_catalog."C",
    token text NOT NULL COLLATE pg_catalog."C",
    priority integer NOT NULL,
    submitted timestamp with time zone NOT NULL,
    attempts integer NOT NULL,
    not_before timestamp with time zone NOT NULL
);
COMMENT ON TABLE public.queue IS 'Jobs submitted to the control plane, who submitted them, and when each may be tried again.';
COMMENT ON COLUMN public.queue.job IS 'id of the job';
COMMENT ON COLUMN public.queue.token IS 'id of the token that submitted it';
COMMENT ON COLUMN public.queue.priority IS 'larger is sooner';
COMMENT ON COLUMN public.queue.submitted IS 'when it was submitted';
COMMENT ON COLUMN public.queue.attempts IS 'how often it was tried';
COMMENT ON COLUMN public.queue.not_before IS 'when it may be tried next';
CREATE TABLE public.quotas (
    scope text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    quota json NOT NULL,
    CONSTRAINT quotas_scope_check CHECK ((scope = ANY (ARRAY['token'::text, 'campaign'::text])))
);
COMMENT ON TABLE public.quotas IS 'How much all jobs of a token (by its id) or of a campaign may ask for together.';
COMMENT ON COLUMN public.quotas.scope IS 'token or campaign';
COMMENT ON COLUMN public.quotas.name IS 'id of the token, or name of the campaign';
COMMENT ON COLUMN public.quotas.quota IS 'the most of each amount; what is missing is not limited';
CREATE TABLE public.ranked (
    job text NOT NULL COLLATE pg_catalog."C",
    number integer NOT NULL,
    entries bytea NOT NULL
);
ALTER TABLE ONLY public.ranked ALTER COLUMN entries SET STORAGE EXTERNAL;
COMMENT ON TABLE public.ranked IS 'The best trials of large jobs by each figure. An entry: place of the figure (1 byte), evaluation (10), mean in sample (8).';
COMMENT ON COLUMN public.ranked.job IS 'id of the job';
COMMENT ON COLUMN public.ranked.number IS 'number of the row, from 0';
COMMENT ON COLUMN public.ranked.entries IS 'figure (1 byte), evaluation (10), mean in sample (8), again and again';
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
COMMENT ON COLUMN public.tokens.id IS 'what queue and audit call it';
COMMENT ON COLUMN public.tokens.name IS 'name that it was given';
COMMENT ON COLUMN public.tokens.role IS 'what it may do: read, submit or admin';
COMMENT ON COLUMN public.tokens.hash IS 'SHA-256 of the secret';
COMMENT ON COLUMN public.tokens.max_queued IS 'most jobs that wait on its behalf';
COMMENT ON COLUMN public.tokens.max_running IS 'most jobs that run on its behalf';
COMMENT ON COLUMN public.tokens.created IS 'when it was made';
COMMENT ON COLUMN public.tokens.expires IS 'when it opens nothing any more; NULL: never';
COMMENT ON COLUMN public.tokens.revoked IS 'when it was revoked; NULL: it was not';
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
COMMENT ON COLUMN public.vault_openings.id IS 'id of the opening';
COMMENT ON COLUMN public.vault_openings.campaign IS 'campaign over whose jobs trials are counted';
COMMENT ON COLUMN public.vault_openings.evaluation IS 'id of the evaluation';
COMMENT ON COLUMN public.vault_openings.who IS 'who did it, name@machine or a token';
COMMENT ON COLUMN public.vault_openings.why IS 'reason that was given';
COMMENT ON COLUMN public.vault_openings.opened IS 'when';
COMMENT ON COLUMN public.vault_openings.seen_by IS 'jobs of other campaigns that had seen these bars before';
COMMENT ON COLUMN public.vault_openings.figures IS 'what the variant came to in the vault; NULL while it is computed';
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
COMMENT ON COLUMN public.trial_counts.campaign IS 'campaign over whose jobs trials are counted';
COMMENT ON COLUMN public.trial_counts.jobs IS 'jobs of the campaign';
COMMENT ON COLUMN public.trial_counts.trials IS 'distinct pairs of variant and data, failed ones included: the number that deflates a finding; every opening of the vault counts as one';
COMMENT ON COLUMN public.trial_counts.variants IS 'distinct variants, whatever the data';
COMMENT ON COLUMN public.trial_counts.evaluations IS 'trials, failed ones included';
COMMENT ON COLUMN public.trial_counts.failures IS 'trials that failed: invalid, error or timeout';
COMMENT ON COLUMN public.trial_counts.synthetic IS 'whether the bars behind it were made, not traded';
COMMENT ON COLUMN public.trial_counts.openings IS 'looks into the vault of the campaign';
CREATE TABLE public.verdict_evidence (
    hash text NOT NULL COLLATE pg_catalog."C",
    text text NOT NULL,
    CONSTRAINT verdict_evidence_check CHECK ((hash = encode(sha256(convert_to(text, 'UTF8'::name)), 'hex'::text)))
);
COMMENT ON TABLE public.verdict_evidence IS 'Texts of gates and report cards that verdicts were reached on, by their SHA-256.';
COMMENT ON COLUMN public.verdict_evidence.hash IS 'SHA-256 of the text';
COMMENT ON COLUMN public.verdict_evidence.text IS 'gates or a report card, as JSON or YAML';
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
COMMENT ON COLUMN public.verdicts.hash IS 'SHA-256 of the document';
COMMENT ON COLUMN public.verdicts.evaluation IS 'id of the evaluation';
COMMENT ON COLUMN public.verdicts.campaign IS 'campaign over whose jobs trials are counted';
COMMENT ON COLUMN public.verdicts.gates_hash IS 'SHA-256 of the gates';
COMMENT ON COLUMN public.verdicts.card_hash IS 'SHA-256 of the report card';
COMMENT ON COLUMN public.verdicts.passed IS 'whether every rule held';
COMMENT ON COLUMN public.verdicts.document IS 'the verdict in full, as JSON';
COMMENT ON COLUMN public.verdicts.who IS 'who did it, name@machine or a token';
COMMENT ON COLUMN public.verdicts.reached IS 'when it was reached';
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
INSERT INTO public.coinswarm_version VALUES ('0011');
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
