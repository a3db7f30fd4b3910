-- The schema 0002 with a few rows, by pg_dump --inserts; never changed.
SET check_function_bodies = false;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE SCHEMA chaos_parts;
COMMENT ON SCHEMA chaos_parts IS 'Partitions of chaos_trades, one a job.';
CREATE FUNCTION public.ancestors(evaluation text) RETURNS TABLE(depth integer, ancestor text)
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    layer text[] := ARRAY[evaluation];
    seen text[] := layer;
    level integer := 0;
BEGIN
    WHILE layer IS NOT NULL LOOP
        RETURN QUERY SELECT level, unnest(layer);
        SELECT array_agg(DISTINCT parent.id) INTO layer
        FROM evaluations child
        CROSS JOIN LATERAL unnest(child.parents) AS named(variant)
        JOIN evaluations parent ON parent.id = evaluation_id(child.job, named.variant)
        WHERE child.id = ANY (layer) AND parent.id <> ALL (seen);
        seen := seen || layer;
        level := level + 1;
    END LOOP;
END $$;
COMMENT ON FUNCTION public.ancestors(evaluation text) IS 'An evaluation (depth 0) and its ancestors within its job, each once at its smallest depth.';
CREATE FUNCTION public.evaluation_id(job text, variant text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN "left"(encode(sha256(convert_to(((job || ':'::text) || variant), 'UTF8'::name)), 'hex'::text), 20);
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
CREATE TABLE chaos_parts."chaos-1" (
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
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
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
CREATE TABLE public.chaos_frames (
    job text NOT NULL COLLATE pg_catalog."C",
    markets text[] NOT NULL COLLATE pg_catalog."C",
    features text[] NOT NULL COLLATE pg_catalog."C",
    bar_ms bigint NOT NULL
);
COMMENT ON TABLE public.chaos_frames IS 'What all random trades of a job share: market m is markets[m + 1], features name the state.';
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
CREATE TABLE public.checkpoints (
    job text NOT NULL COLLATE pg_catalog."C",
    island integer NOT NULL,
    generation integer NOT NULL,
    state bytea NOT NULL
);
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
CREATE TABLE public.evaluations (
    id text NOT NULL COLLATE pg_catalog."C",
    job text NOT NULL COLLATE pg_catalog."C",
    variant text NOT NULL COLLATE pg_catalog."C",
    play text NOT NULL COLLATE pg_catalog."C",
    island integer NOT NULL,
    generation integer NOT NULL,
    index bigint NOT NULL,
    genome double precision[] NOT NULL,
    params json NOT NULL,
    fitness double precision,
    objectives double precision[] NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    seed bigint NOT NULL,
    parents text[] NOT NULL COLLATE pg_catalog."C",
    operator text NOT NULL,
    config_hash text NOT NULL COLLATE pg_catalog."C",
    data_hash text NOT NULL COLLATE pg_catalog."C",
    code_version text NOT NULL,
    synthetic boolean NOT NULL,
    stored timestamp with time zone DEFAULT now() NOT NULL
);
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
CREATE TABLE public.plays (
    sha256 text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    text text NOT NULL,
    saved timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.scores (
    evaluation text NOT NULL COLLATE pg_catalog."C",
    data_set text NOT NULL COLLATE pg_catalog."C",
    segment text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL,
    total_return double precision,
    cagr double precision,
    sharpe double precision,
    sortino double precision,
    max_drawdown double precision,
    max_stagnation double precision,
    calmar double precision,
    n_trades double precision,
    win_rate double precision,
    profit_factor double precision,
    expectancy double precision,
    exposure double precision,
    avg_hold double precision,
    turnover double precision,
    fees double precision,
    slippage double precision,
    funding double precision,
    skew double precision,
    kurtosis double precision,
    n_obs double precision,
    n_open double precision,
    n_rejected double precision,
    n_liquidated double precision,
    n_gaps double precision,
    synthetic boolean NOT NULL
);
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
CREATE VIEW public.trial_counts AS
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
COMMENT ON VIEW public.trial_counts IS 'How much each campaign has tried: trials are distinct pairs of variant and data, failed ones included.';
ALTER TABLE ONLY public.chaos_trades ATTACH PARTITION chaos_parts."chaos-1" FOR VALUES IN ('chaos-1');
INSERT INTO chaos_parts."chaos-1" VALUES (0, '2024-01-02 00:00:00+00', '2024-01-02 01:00:00+00', 100, 101, 1, 0.01, 0.005, 0.004, 0.001, 0, 0.1, 0.2, 0.3, 1.5, 0.01, NULL, 300, 12, 0, 1, 5, 0, 1, 'chaos-1', '{4.5}', '{1,2,3,4,5,6,7,8,9}');
INSERT INTO chaos_parts."chaos-1" VALUES (1, '2024-01-02 00:00:00+00', '2024-01-02 01:00:00+00', 100, 101, 1, 0.01, 0.005, 0.004, 0.001, 0, 0.1, 0.2, 0.3, 1.5, 0.01, NULL, 300, 12, 0, 1, 5, 0, 1, 'chaos-1', '{4.5}', '{1,2,3,4,5,6,7,8,9}');
INSERT INTO public.alembic_version VALUES ('0002');
INSERT INTO public.alpha_spending VALUES (false, 0, 'p1', 0.2, 0.01, false, 0.05, 'lond', '2024-03-03 00:00:00+00');
INSERT INTO public.chaos_frames VALUES ('chaos-1', '{binance:BTC/USDT:5m}', '{momentum_1,momentum_5,sma_distance_10,volume_ratio_20,volatility_20,hour_of_day,day_of_week,funding_rate,trend}', 300000);
INSERT INTO public.checkpoints VALUES ('evolve-1', 0, 0, '\x7374617465');
INSERT INTO public.data_sets VALUES ('binance:BTC/USDT:5m', 'dd22', 'binance', 'BTC/USDT', '5m', '2024-01-01 00:00:00+00', '2024-02-01 00:00:00+00', 8929, false, '2024-03-01 00:00:00+00');
INSERT INTO public.evaluations VALUES ('bbf6eda1285bc6e3aa7c', 'evolve-1', 'a', 'aa11', 0, 0, 0, '{1.5,2}', '{"slow": 2, "fast": 1.5}', 1, '{-1}', 'ok', '', 7, '{}', 'sbx', 'cc33', 'dd22', '0.1.0', false, '2024-03-01 00:00:00+00');
INSERT INTO public.evaluations VALUES ('2a3fa86013eac1bd0fab', 'evolve-1', 'b', 'aa11', 0, 0, 1, '{1.5,2}', '{"slow": 2, "fast": 1.5}', 'Infinity', '{-1}', 'ok', '', 7, '{a}', 'sbx', 'cc33', 'dd22', '0.1.0', false, '2024-03-01 00:00:00+00');
INSERT INTO public.evaluations VALUES ('0107e78606cce447ed0d', 'evolve-1', 'c', 'aa11', 0, 0, 2, '{1.5,2}', '{"slow": 2, "fast": 1.5}', NULL, '{-1}', 'error', 'it broke', 7, '{a,b}', 'sbx', 'cc33', 'dd22', '0.1.0', false, '2024-03-01 00:00:00+00');
INSERT INTO public.evaluations VALUES ('d3a96ec2f1933c45cd6e', 'evolve-0', 'a', 'aa11', 0, 0, 0, '{1.5,2}', '{"slow": 2, "fast": 1.5}', 1, '{-1}', 'ok', '', 7, '{}', 'sbx', 'cc33', 'dd22', '0.1.0', false, '2024-03-01 00:00:00+00');
INSERT INTO public.generations VALUES ('evolve-1', 0, 0, 1.5, 0.5, 0.9, 3, 1, 0.25, '{}', 'ee44', false, '2024-03-01 00:00:00+00');
INSERT INTO public.generations VALUES ('chaos-1', 0, -1, NULL, NULL, NULL, 2, 0, 0.1, '{"wins": 1, "gross": 0.02, "net": 0.01}', 'ee45', false, '2024-03-02 00:00:00+00');
INSERT INTO public.jobs VALUES ('evolve-1', 'evolve', 'old campaign', '{aa11}', '{dd22}', 'dd22', '{"seed": 7}', 'cc33', '0.1.0', 7, false, 'running', '2024-03-01 00:00:00+00', '2024-03-01 00:01:00+00', NULL, '', NULL, '', false, 'driver', '2024-03-01 00:02:00+00');
INSERT INTO public.jobs VALUES ('evolve-0', 'evolve', 'old campaign', '{aa11}', '{dd22}', 'dd22', '{"seed": 6}', 'cc32', '0.1.0', 6, false, 'done', '2024-02-29 00:00:00+00', '2024-02-29 00:01:00+00', '2024-02-29 00:09:00+00', '', '{"distinct": 1}', 'ff00', false, '', NULL);
INSERT INTO public.jobs VALUES ('chaos-1', 'chaos', 'old chaos', '{}', '{dd22}', 'dd22', '{"trades": 2}', 'cc34', '0.1.0', 7, false, 'done', '2024-03-02 00:00:00+00', '2024-03-02 00:01:00+00', '2024-03-02 00:02:00+00', '', '{}', 'ff01', false, '', NULL);
INSERT INTO public.patterns VALUES ('p1', 'chaos', 'after a fall', '[{"feature": "momentum_5", "below": -0.01}]', '{"net": 0.004}', 'candidate', 'discover-1', NULL, '2024-03-03 00:00:00+00', '{"level": 0.01}', false);
INSERT INTO public.plays VALUES ('aa11', 'crossover', 'play: crossover', '2024-03-01 00:00:00+00');
INSERT INTO public.scores VALUES ('bbf6eda1285bc6e3aa7c', 'binance:BTC/USDT:5m', 'in_sample', 'ok', 1, 1, 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, false);
INSERT INTO public.scores VALUES ('2a3fa86013eac1bd0fab', 'binance:BTC/USDT:5m', 'in_sample', 'ok', 1, 1, NULL, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, false);
INSERT INTO public.scores VALUES ('2a3fa86013eac1bd0fab', 'binance:BTC/USDT:5m', 'out_of_sample', 'ok', 1, 1, -2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, false);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.alpha_spending
    ADD CONSTRAINT alpha_spending_pkey PRIMARY KEY (synthetic, place);
ALTER TABLE ONLY public.chaos_frames
    ADD CONSTRAINT chaos_frames_pkey PRIMARY KEY (job);
ALTER TABLE ONLY public.checkpoints
    ADD CONSTRAINT checkpoints_pkey PRIMARY KEY (job, island);
ALTER TABLE ONLY public.data_sets
    ADD CONSTRAINT data_sets_pkey PRIMARY KEY (key, content_hash);
ALTER TABLE ONLY public.evaluations
    ADD CONSTRAINT evaluations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.generations
    ADD CONSTRAINT generations_pkey PRIMARY KEY (job, generation, island);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.patterns
    ADD CONSTRAINT patterns_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.plays
    ADD CONSTRAINT plays_pkey PRIMARY KEY (sha256);
ALTER TABLE ONLY public.scores
    ADD CONSTRAINT scores_pkey PRIMARY KEY (evaluation, data_set, segment);
CREATE UNIQUE INDEX "chaos-1_number_idx" ON chaos_parts."chaos-1" USING btree (number);
CREATE UNIQUE INDEX alpha_spending_pattern ON public.alpha_spending USING btree (pattern);
CREATE INDEX data_sets_content_hash ON public.data_sets USING btree (content_hash);
CREATE INDEX evaluations_best ON public.evaluations USING btree (job, fitness DESC, id) WHERE (fitness IS NOT NULL);
CREATE INDEX evaluations_generation ON public.evaluations USING btree (job, generation, island);
CREATE INDEX jobs_campaign ON public.jobs USING btree (campaign);
CREATE INDEX jobs_created ON public.jobs USING btree (created, id);
CREATE INDEX patterns_job ON public.patterns USING btree (job);
CREATE INDEX patterns_status ON public.patterns USING btree (status, discovered_at);
