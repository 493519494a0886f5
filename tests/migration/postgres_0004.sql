-- PostgreSQL's schema at revision 0004, the first there was, with a little in it: what later revisions are tried on.

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE meta (
    one SMALLINT NOT NULL CONSTRAINT ck_meta_one CHECK (one = 1),
    epoch BIGINT NOT NULL,
    leader VARCHAR(250) COLLATE "C" NOT NULL,
    led_since BIGINT,
    dags_revision BIGINT NOT NULL,
    backfills_revision BIGINT NOT NULL,
    CONSTRAINT pk_meta PRIMARY KEY (one)
);

CREATE TABLE source (
    digest VARCHAR(32) NOT NULL,
    code BYTEA NOT NULL,
    CONSTRAINT pk_source PRIMARY KEY (digest)
);

CREATE TABLE dag_problem (
    file VARCHAR(250) COLLATE "C" NOT NULL,
    position SMALLINT NOT NULL,
    code VARCHAR(250) COLLATE "C" NOT NULL,
    what TEXT NOT NULL,
    line INTEGER NOT NULL,
    "column" INTEGER NOT NULL,
    help TEXT NOT NULL,
    CONSTRAINT pk_dag_problem PRIMARY KEY (file, position)
);

CREATE TABLE pool (
    name VARCHAR(250) COLLATE "C" NOT NULL,
    slots INTEGER NOT NULL CONSTRAINT ck_pool_slots CHECK (slots >= 0),
    CONSTRAINT pk_pool PRIMARY KEY (name)
);

CREATE TABLE task_instance (
    run_id BIGINT NOT NULL,
    task_no BIGINT NOT NULL,
    map_index BIGINT NOT NULL,
    state SMALLINT NOT NULL CONSTRAINT ck_task_instance_state CHECK (state BETWEEN 1 AND 9),
    changed_at BIGINT NOT NULL,
    attempt BIGINT,
    due_at BIGINT,
    waiting_since BIGINT,
    CONSTRAINT pk_task_instance PRIMARY KEY (run_id, task_no, map_index)
);

CREATE TABLE agent (
    number BIGSERIAL NOT NULL,
    name VARCHAR(250) COLLATE "C" NOT NULL,
    CONSTRAINT pk_agent PRIMARY KEY (number),
    CONSTRAINT uq_agent_name UNIQUE (name)
);

CREATE TABLE log_segment (
    number BIGSERIAL NOT NULL,
    name VARCHAR(250) COLLATE "C" NOT NULL,
    CONSTRAINT pk_log_segment PRIMARY KEY (number),
    CONSTRAINT uq_log_segment_name UNIQUE (name)
);

CREATE TABLE attempt (
    attempt BIGINT NOT NULL,
    run_id BIGINT NOT NULL,
    task_no BIGINT NOT NULL,
    map_index BIGINT NOT NULL,
    number INTEGER NOT NULL,
    state SMALLINT NOT NULL CONSTRAINT ck_attempt_state CHECK (state BETWEEN 1 AND 3 OR state BETWEEN 5 AND 7 OR state = 10),
    agent BIGINT NOT NULL,
    queued_at BIGINT NOT NULL,
    started_after BIGINT,
    finished_after BIGINT,
    error_class SMALLINT CONSTRAINT ck_attempt_error_class CHECK (error_class BETWEEN 1 AND 3),
    failure TEXT,
    log_segment BIGINT,
    log_offset BIGINT,
    log_length BIGINT,
    peak_kib BIGINT NOT NULL,
    cpu_ms BIGINT NOT NULL,
    CONSTRAINT pk_attempt PRIMARY KEY (attempt),
    CONSTRAINT ck_attempt_finished CHECK (finished_after IS NULL OR state = 3 OR state BETWEEN 5 AND 7 OR state = 10)
);

CREATE INDEX ix_attempt_fell_short ON attempt (run_id, task_no, map_index) WHERE (state = 3 OR state BETWEEN 6 AND 7 OR state = 10);

CREATE TABLE event (
    run_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    cause SMALLINT NOT NULL CONSTRAINT ck_event_cause CHECK (cause BETWEEN 1 AND 59),
    was SMALLINT NOT NULL CONSTRAINT ck_event_was CHECK (was BETWEEN 0 AND 10),
    becomes SMALLINT NOT NULL CONSTRAINT ck_event_becomes CHECK (becomes BETWEEN 0 AND 10),
    task_no BIGINT,
    map_index BIGINT NOT NULL,
    attempt BIGINT,
    facts TEXT,
    CONSTRAINT pk_event PRIMARY KEY (run_id, seq)
);

CREATE TABLE output (
    run_id BIGINT NOT NULL,
    task_no BIGINT NOT NULL,
    map_index BIGINT NOT NULL,
    value BYTEA NOT NULL,
    CONSTRAINT pk_output PRIMARY KEY (run_id, task_no, map_index)
);

CREATE TABLE item (
    run_id BIGINT NOT NULL,
    scope_no BIGINT NOT NULL,
    map_index BIGINT NOT NULL,
    value BYTEA NOT NULL,
    CONSTRAINT pk_item PRIMARY KEY (run_id, scope_no, map_index)
);

CREATE TABLE outbox (
    outbox_id BIGSERIAL NOT NULL,
    dedup_key VARCHAR(250) COLLATE "C" NOT NULL,
    action VARCHAR(10) NOT NULL CONSTRAINT ck_outbox_action CHECK (action IN ('trigger', 'resolve')),
    severity VARCHAR(10) NOT NULL CONSTRAINT ck_outbox_severity CHECK (severity IN ('critical', 'error', 'warning', 'info')),
    summary TEXT NOT NULL,
    at BIGINT NOT NULL,
    details TEXT NOT NULL,
    tries INTEGER NOT NULL,
    next_at BIGINT,
    delivered_at BIGINT,
    error TEXT NOT NULL,
    CONSTRAINT pk_outbox PRIMARY KEY (outbox_id),
    CONSTRAINT ck_outbox_delivered CHECK (next_at IS NULL OR delivered_at IS NULL)
);

CREATE INDEX ix_outbox_dedup_key ON outbox (dedup_key);

CREATE INDEX ix_outbox_next_at ON outbox (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE dag_version (
    version_no BIGSERIAL NOT NULL,
    version VARCHAR(32) NOT NULL,
    file TEXT NOT NULL,
    source VARCHAR(32) NOT NULL,
    spec BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_dag_version PRIMARY KEY (version_no),
    CONSTRAINT uq_dag_version_version UNIQUE (version),
    CONSTRAINT fk_dag_version_source FOREIGN KEY(source) REFERENCES source (digest)
);

CREATE TABLE dag (
    dag_no BIGSERIAL NOT NULL,
    dag_id VARCHAR(250) COLLATE "C" NOT NULL,
    version_no BIGINT NOT NULL,
    file TEXT NOT NULL,
    paused_at BIGINT,
    paused_by VARCHAR(250) COLLATE "C",
    scheduled_until BIGINT,
    retired_at BIGINT,
    CONSTRAINT pk_dag PRIMARY KEY (dag_no),
    CONSTRAINT uq_dag_dag_id UNIQUE (dag_id),
    CONSTRAINT fk_dag_version_no FOREIGN KEY(version_no) REFERENCES dag_version (version_no)
);

CREATE TABLE backfill (
    backfill_id BIGSERIAL NOT NULL,
    dag_no BIGINT NOT NULL,
    chosen TEXT NOT NULL,
    reprocess VARCHAR(10) NOT NULL CONSTRAINT ck_backfill_reprocess CHECK (reprocess IN ('missing', 'failed', 'all')),
    newest_first SMALLINT NOT NULL,
    batch INTEGER NOT NULL CONSTRAINT ck_backfill_batch CHECK (batch > 0),
    cascade SMALLINT NOT NULL,
    params BYTEA NOT NULL,
    max_active_runs INTEGER NOT NULL CONSTRAINT ck_backfill_max_active_runs CHECK (max_active_runs > 0),
    share FLOAT NOT NULL CONSTRAINT ck_backfill_share CHECK (share BETWEEN 0 AND 1),
    state VARCHAR(10) NOT NULL CONSTRAINT ck_backfill_state CHECK (state IN ('running', 'paused', 'cancelled')),
    created_at BIGINT NOT NULL,
    created_by VARCHAR(250) COLLATE "C" NOT NULL,
    CONSTRAINT pk_backfill PRIMARY KEY (backfill_id),
    CONSTRAINT fk_backfill_dag_no FOREIGN KEY(dag_no) REFERENCES dag (dag_no)
);

CREATE INDEX ix_backfill_dag ON backfill (dag_no);

CREATE TABLE switched_off (
    dag_no BIGINT NOT NULL,
    task_id VARCHAR(250) COLLATE "C" NOT NULL,
    becomes VARCHAR(10) NOT NULL CONSTRAINT ck_switched_off_becomes CHECK (becomes IN ('success', 'skipped')),
    at BIGINT NOT NULL,
    switched_by VARCHAR(250) COLLATE "C" NOT NULL,
    CONSTRAINT pk_switched_off PRIMARY KEY (dag_no, task_id),
    CONSTRAINT fk_switched_off_dag_no FOREIGN KEY(dag_no) REFERENCES dag (dag_no)
);

CREATE TABLE expectation (
    dag_no BIGINT NOT NULL,
    interval_start BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    state VARCHAR(10) NOT NULL CONSTRAINT ck_expectation_state CHECK (state IN ('expected', 'met', 'missed')),
    at BIGINT NOT NULL,
    CONSTRAINT pk_expectation PRIMARY KEY (dag_no, interval_start),
    CONSTRAINT fk_expectation_dag_no FOREIGN KEY(dag_no) REFERENCES dag (dag_no)
);

CREATE INDEX ix_expectation_state ON expectation (state);

CREATE TABLE run (
    run_id BIGSERIAL NOT NULL,
    dag_no BIGINT NOT NULL,
    version_no BIGINT NOT NULL,
    run_key VARCHAR(250) COLLATE "C" NOT NULL,
    kind SMALLINT NOT NULL CONSTRAINT ck_run_kind CHECK (kind BETWEEN 1 AND 4),
    state SMALLINT NOT NULL CONSTRAINT ck_run_state CHECK (state BETWEEN 1 AND 2 OR state BETWEEN 5 AND 7),
    interval_start BIGINT NOT NULL,
    interval_end BIGINT NOT NULL,
    params BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    cancel_requested_at BIGINT,
    cancel_requested_by VARCHAR(250) COLLATE "C",
    backfill_id BIGINT,
    created_by VARCHAR(250) COLLATE "C" NOT NULL,
    parent_run BIGINT,
    parent_task BIGINT,
    parent_map_index BIGINT,
    based_on BIGINT,
    CONSTRAINT pk_run PRIMARY KEY (run_id),
    CONSTRAINT uq_run_dag_no UNIQUE (dag_no, run_key),
    CONSTRAINT ck_run_interval CHECK (interval_start < interval_end),
    CONSTRAINT ck_run_finished CHECK ((state BETWEEN 5 AND 7) = (finished_at IS NOT NULL)),
    CONSTRAINT fk_run_dag_no FOREIGN KEY(dag_no) REFERENCES dag (dag_no),
    CONSTRAINT fk_run_version_no FOREIGN KEY(version_no) REFERENCES dag_version (version_no),
    CONSTRAINT fk_run_backfill_id FOREIGN KEY(backfill_id) REFERENCES backfill (backfill_id)
);

CREATE INDEX ix_run_cancel_requested ON run (state) WHERE cancel_requested_at IS NOT NULL;

CREATE INDEX ix_run_dag_finished ON run (dag_no, finished_at) WHERE finished_at IS NOT NULL;

CREATE INDEX ix_run_state ON run (state);

CREATE INDEX ix_run_backfill ON run (backfill_id, state) WHERE backfill_id IS NOT NULL;

CREATE INDEX ix_run_dag_state ON run (dag_no, state);

CREATE INDEX ix_run_dag_interval ON run (dag_no, interval_start, interval_end);

CREATE TABLE rejected (
    rejected_id BIGSERIAL NOT NULL,
    run_id BIGINT NOT NULL,
    task_no BIGINT NOT NULL,
    map_index BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    at BIGINT NOT NULL,
    asset TEXT NOT NULL,
    partition TEXT NOT NULL,
    path TEXT NOT NULL,
    count BIGINT NOT NULL,
    reasons TEXT NOT NULL,
    CONSTRAINT pk_rejected PRIMARY KEY (rejected_id),
    CONSTRAINT fk_rejected_run_id FOREIGN KEY(run_id) REFERENCES run (run_id),
    CONSTRAINT fk_rejected_attempt FOREIGN KEY(attempt) REFERENCES attempt (attempt)
);

CREATE INDEX ix_rejected_run ON rejected (run_id);

CREATE TABLE intervention (
    intervention_id BIGSERIAL NOT NULL,
    run_id BIGINT NOT NULL,
    task_no BIGINT NOT NULL,
    map_index BIGINT NOT NULL,
    what VARCHAR(20) NOT NULL CONSTRAINT ck_intervention_what CHECK (what IN ('approve', 'decline', 'mark_success', 'mark_failed', 'mark_skipped')),
    decided_by VARCHAR(250) COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT pk_intervention PRIMARY KEY (intervention_id),
    CONSTRAINT fk_intervention_run_id FOREIGN KEY(run_id) REFERENCES run (run_id)
);

INSERT INTO alembic_version VALUES ('0004');
INSERT INTO meta VALUES (1, 4, 'leader', 5, 6, 7);
INSERT INTO pool VALUES ('default', 1024);
INSERT INTO pool VALUES ('gpu', 3);
