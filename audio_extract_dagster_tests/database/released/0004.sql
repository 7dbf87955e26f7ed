-- The schema as version 0004 left it, with a row of each kind. Never changed: databases have it.

CREATE TABLE conversations (
    conversation_id text CONSTRAINT pk_conversations PRIMARY KEY,
    call_date date NOT NULL,
    conversation_start timestamptz NOT NULL,
    conversation_end timestamptz,
    originating_direction text,
    queue_ids text[] NOT NULL,
    has_agent boolean NOT NULL,
    excluded_reason text,
    payload jsonb NOT NULL
);
CREATE INDEX ix_conversations_call_date ON conversations (call_date);

CREATE TABLE agent_calls (
    conversation_id text CONSTRAINT pk_agent_calls PRIMARY KEY,
    call_date date NOT NULL,
    conversation_start timestamptz NOT NULL,
    direction text,
    agent_ids text[] NOT NULL,
    answered boolean NOT NULL,
    ani text,
    dnis text,
    talk_ms bigint,
    hold_ms bigint,
    acw_ms bigint,
    handle_ms bigint,
    queue_id text,
    wrap_up_code text,
    disconnect_type text,
    recording_sessions integer NOT NULL,
    ended_at timestamptz
);
CREATE INDEX ix_agent_calls_call_date_conversation_start_conversation_id
    ON agent_calls (call_date, conversation_start, conversation_id);

CREATE TABLE daily_report (
    call_date date CONSTRAINT pk_daily_report PRIMARY KEY,
    conversations integer NOT NULL,
    agent_calls integer NOT NULL,
    excluded integer NOT NULL,
    stored integer NOT NULL,
    pending integer NOT NULL,
    missing integer NOT NULL,
    failed integer NOT NULL,
    ignored integer NOT NULL,
    bytes bigint NOT NULL,
    audio_minutes double precision NOT NULL,
    requests integer NOT NULL,
    wait_seconds double precision NOT NULL,
    reasons jsonb NOT NULL
);

CREATE TABLE day_counts (
    asset text,
    call_date date,
    counts jsonb NOT NULL,
    CONSTRAINT pk_day_counts PRIMARY KEY (asset, call_date)
);

CREATE TABLE audio_batches (
    batch_id text CONSTRAINT pk_audio_batches PRIMARY KEY,
    call_date date NOT NULL,
    run_id text NOT NULL,
    batch_number integer NOT NULL,
    genesys_job_id text,
    status text NOT NULL CONSTRAINT ck_audio_batches_status
        CHECK (status IN ('PLANNED', 'SUBMITTED', 'COMPLETED', 'FAILED')),
    requested jsonb NOT NULL,
    requested_count integer NOT NULL,
    expected_count integer,
    result_count integer,
    error_count integer,
    ignored_count integer NOT NULL DEFAULT 0,
    planned_at timestamptz NOT NULL,
    submitted_at timestamptz,
    completed_at timestamptz,
    error text
);
CREATE INDEX ix_audio_batches_call_date ON audio_batches (call_date);
CREATE INDEX ix_audio_batches_status ON audio_batches (status);

CREATE TABLE audio_records (
    conversation_id text,
    recording_id text DEFAULT '',
    part integer DEFAULT 0,
    call_date date NOT NULL,
    batch_id text,
    status text NOT NULL CONSTRAINT ck_audio_records_status
        CHECK (status IN ('STORED', 'PENDING', 'MISSING', 'FAILED')),
    reason text,
    uri text,
    content_type text,
    size_bytes bigint,
    sha256 text,
    duration_seconds double precision,
    attempts integer NOT NULL DEFAULT 0,
    first_requested_at timestamptz,
    stored_at timestamptz,
    updated_at timestamptz NOT NULL,
    may_have_more boolean NOT NULL DEFAULT false,
    CONSTRAINT pk_audio_records PRIMARY KEY (conversation_id, recording_id, part),
    CONSTRAINT ck_audio_records_accounted CHECK (
        CASE WHEN status = 'STORED'
             THEN uri IS NOT NULL AND size_bytes IS NOT NULL AND sha256 IS NOT NULL
             ELSE reason IS NOT NULL END)
);
CREATE INDEX ix_audio_records_call_date_status ON audio_records (call_date, status);
CREATE INDEX ix_audio_records_open ON audio_records (call_date)
    WHERE status IN ('PENDING', 'FAILED') OR may_have_more;

CREATE TABLE extraction_jobs (
    run_id text CONSTRAINT pk_extraction_jobs PRIMARY KEY,
    call_date date NOT NULL,
    status text NOT NULL CONSTRAINT ck_extraction_jobs_status
        CHECK (status IN ('RUNNING', 'SUCCEEDED', 'INCOMPLETE', 'FAILED', 'CANCELED')),
    stage text,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    conversations integer,
    agent_calls integer,
    excluded integer,
    stored integer,
    pending integer,
    missing integer,
    failed integer,
    ignored integer,
    bytes bigint,
    audio_minutes double precision,
    requests integer NOT NULL DEFAULT 0,
    wait_seconds double precision NOT NULL DEFAULT 0,
    reasons jsonb,
    error text
);
CREATE INDEX ix_extraction_jobs_call_date_started_at ON extraction_jobs (call_date, started_at);

CREATE TABLE notifications (
    run_id text,
    status text,
    call_date date,
    kind text NOT NULL,
    subject text NOT NULL,
    title text NOT NULL,
    html text NOT NULL,
    created_at timestamptz NOT NULL,
    next_try_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    sent_at timestamptz,
    last_error text,
    CONSTRAINT pk_notifications PRIMARY KEY (run_id, status)
);
CREATE INDEX ix_notifications_unsent ON notifications (next_try_at) WHERE sent_at IS NULL;

CREATE TABLE request_budget (
    client_id text CONSTRAINT pk_request_budget PRIMARY KEY,
    taken double precision[] NOT NULL,
    due double precision NOT NULL,
    quiet_until double precision NOT NULL
);

CREATE TABLE audio_extract_version (
    version_num varchar(32) CONSTRAINT audio_extract_version_pkc PRIMARY KEY
);
INSERT INTO audio_extract_version VALUES ('0004');

INSERT INTO conversations VALUES
    ('c-1', '2024-02-16', '2024-02-16 15:00+00', '2024-02-16 15:07+00', 'inbound', '{q-1,q-2}', true, NULL,
     '{"conversationId": "c-1"}'),
    ('c-2', '2024-02-16', '2024-02-16 16:00+00', NULL, NULL, '{}', false, 'no_agent', '{}');
INSERT INTO agent_calls VALUES
    ('c-1', '2024-02-16', '2024-02-16 15:00+00', 'inbound', '{a-1}', true, 'tel:+511', 'tel:+512',
     1, 2, 3, 6, 'q-1', 'w-1', 'client', 1, '2024-02-16 15:07+00'),
    ('c-3', '2024-02-16', '2024-02-16 17:00+00', 'inbound', '{a-1}', true, NULL, NULL,
     NULL, NULL, NULL, NULL, 'q-1', NULL, NULL, 1, NULL);
INSERT INTO daily_report VALUES
    ('2024-02-16', 2, 1, 1, 1, 1, 0, 0, 0, 1000, 0.5, 7, 1.5, '{"uploading": 1}');
INSERT INTO day_counts VALUES ('conversations', '2024-02-16', '{"hits": 2, "rows": 2}');
INSERT INTO audio_batches VALUES
    ('b-1', '2024-02-16', 'run-1', 1, 'g-1', 'COMPLETED', '[{"conversationId": "c-1"}]', 1, 1, 1, 0, 0,
     '2024-02-17 11:00+00', '2024-02-17 11:00+00', '2024-02-17 11:03+00', NULL);
INSERT INTO audio_records VALUES
    ('c-1', 'r-1', 0, '2024-02-16', 'b-1', 'STORED', NULL, 'file:///audio/r-1.ogg', 'audio/ogg', 1000, 'ab', 30,
     1, '2024-02-17 11:00+00', '2024-02-17 11:03+00', '2024-02-17 11:03+00', false),
    ('c-1', 'r-2', 0, '2024-02-16', 'b-1', 'PENDING', 'uploading', NULL, NULL, NULL, NULL, NULL,
     1, '2024-02-17 11:00+00', NULL, '2024-02-17 11:03+00', false),
    ('c-3', 'r-3', 0, '2024-02-16', 'b-1', 'STORED', NULL, 'file:///audio/r-3.ogg', 'audio/ogg', 1000, 'ab', 30,
     1, '2024-02-17 11:00+00', '2024-02-17 11:03+00', '2024-02-17 11:03+00', true),
    ('c-3', 'r-4', 0, '2024-02-16', 'b-1', 'MISSING', 'deleted', NULL, NULL, NULL, NULL, NULL,
     1, '2024-02-17 11:00+00', NULL, '2024-02-17 11:03+00', true);
INSERT INTO extraction_jobs VALUES
    ('run-1', '2024-02-16', 'INCOMPLETE', 'report', '2024-02-17 11:00+00', '2024-02-17 11:05+00',
     2, 1, 1, 1, 1, 0, 0, 0, 1000, 0.5, 7, 1.5, '{"uploading": 1}', NULL);
INSERT INTO notifications VALUES
    ('run-1', 'INCOMPLETE', '2024-02-16', 'day', 'subject', 'title', '<p>html</p>',
     '2024-02-17 11:05+00', '2024-02-17 11:05+00', 1, '2024-02-17 11:05+00', NULL);
INSERT INTO request_budget VALUES ('client', '{1,2}', 3, 0);
