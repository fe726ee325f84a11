CREATE DATABASE IF NOT EXISTS {raw};

CREATE TABLE IF NOT EXISTS {raw}.loads
(
    batch_date Date COMMENT 'The day committed.',
    commit_id UUID COMMENT 'The commit (UUIDv7).',
    committed_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When, by the server''s clock.' CODEC(T64, LZ4),
    load_ids Array(UUID) COMMENT 'The loads that make up the day.',
    sources Array(Tuple(name String, size UInt64, etag String)) COMMENT 'What was loaded: each source''s name, its size in bytes, and its ETag or a hash of its content.',
    lines UInt64 COMMENT 'All lines read, blank ones included.',
    blank_lines UInt64 COMMENT 'Blank lines among them.',
    accepted_rows Map(String, UInt64) COMMENT 'Rows stored, by table.',
    rejected_rows Map(String, UInt64) COMMENT 'Lines rejected, by reason.',
    seconds Float64 COMMENT 'How long the load took.',
    version String COMMENT 'The version of Schoolbell that loaded it.'
)
ENGINE = MergeTree
ORDER BY (batch_date, committed_at, commit_id)
COMMENT 'One row a commit. The latest of a date, by `committed_at` then `commit_id`, holds.';

CREATE TABLE IF NOT EXISTS {raw}.staged_loads
(
    batch_date Date COMMENT 'The date of the day file the row came in.',
    load_id UUID COMMENT 'The load that stored the row (UUIDv7).',
    staged_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When it was complete, by the server''s clock.' CODEC(T64, LZ4),
    sources Array(Tuple(name String, size UInt64, etag String)) COMMENT 'What was loaded, as in `loads`.',
    lines UInt64 COMMENT 'All lines read, blank ones included.',
    blank_lines UInt64 COMMENT 'Blank lines among them.',
    accepted_rows Map(String, UInt64) COMMENT 'Rows stored, by table.',
    rejected_rows Map(String, UInt64) COMMENT 'Lines rejected, by reason.',
    seconds Float64 COMMENT 'How long the load took.',
    version String COMMENT 'The version of Schoolbell that loaded it.'
)
ENGINE = MergeTree
ORDER BY (batch_date, load_id)
TTL toDateTime(staged_at) + INTERVAL 1 YEAR
COMMENT 'Loads that are stored whole and wait for a commit. Kept for a year.';

CREATE TABLE IF NOT EXISTS {raw}.dead_loads
(
    batch_date Date COMMENT 'The date of the day file the row came in.',
    load_id UUID COMMENT 'The load that stored the row (UUIDv7).',
    condemned_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When it was given up, by the server''s clock: it can no longer be committed.' CODEC(T64, LZ4)
)
ENGINE = MergeTree
ORDER BY (load_id)
TTL toDateTime(condemned_at) + INTERVAL 1 YEAR
COMMENT 'Loads given up as dead. Kept for a year.';

CREATE TABLE IF NOT EXISTS {raw}.events_data
(
    batch_date Date COMMENT 'The date of the day file the row came in.',
    event_id UUID COMMENT 'The event''s own id, made by the producer.' CODEC(NONE),
    event_type LowCardinality(String) COMMENT 'What happened; routes the event to its table.',
    user_id String COMMENT 'Who did it.',
    event_time DateTime64(3, 'UTC') COMMENT 'When it happened, in UTC; finer digits than milliseconds are cut off.' CODEC(T64, LZ4),
    session_id String COMMENT 'The session it happened in; empty where unknown.',
    platform LowCardinality(String) COMMENT 'Where it happened: ios, android, web, …; empty where unknown.',
    app_version LowCardinality(String) COMMENT 'The product''s version there; empty where unknown.',
    country LowCardinality(String) COMMENT 'The user''s country, ISO 3166-1 alpha-2; empty where unknown.',
    extra String COMMENT 'Fields the contract does not know, as JSON: envelope keys at the top, payload keys under `properties`; empty where there are none.',
    source_file LowCardinality(String) COMMENT 'The source the row came from, as it was named.',
    source_line UInt64 COMMENT 'The row''s line in that source.' CODEC(T64, LZ4),
    load_id UUID COMMENT 'The load that stored the row (UUIDv7).',
    properties String COMMENT 'The payload as it stood in the line, byte for byte; `{}` where there was none.'
)
ENGINE = MergeTree
PARTITION BY (batch_date, load_id)
ORDER BY (user_id, event_time, event_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {raw}.purchases_data
(
    batch_date Date COMMENT 'The date of the day file the row came in.',
    event_id UUID COMMENT 'The event''s own id, made by the producer.' CODEC(NONE),
    event_type LowCardinality(String) COMMENT 'What happened; routes the event to its table.',
    user_id String COMMENT 'Who did it.',
    event_time DateTime64(3, 'UTC') COMMENT 'When it happened, in UTC; finer digits than milliseconds are cut off.' CODEC(T64, LZ4),
    session_id String COMMENT 'The session it happened in; empty where unknown.',
    platform LowCardinality(String) COMMENT 'Where it happened: ios, android, web, …; empty where unknown.',
    app_version LowCardinality(String) COMMENT 'The product''s version there; empty where unknown.',
    country LowCardinality(String) COMMENT 'The user''s country, ISO 3166-1 alpha-2; empty where unknown.',
    extra String COMMENT 'Fields the contract does not know, as JSON: envelope keys at the top, payload keys under `properties`; empty where there are none.',
    source_file LowCardinality(String) COMMENT 'The source the row came from, as it was named.',
    source_line UInt64 COMMENT 'The row''s line in that source.' CODEC(T64, LZ4),
    load_id UUID COMMENT 'The load that stored the row (UUIDv7).',
    kind LowCardinality(String) COMMENT '`purchase` or `refund`.',
    purchase_id String COMMENT 'The purchase; a refund names the one it gives back.',
    plan LowCardinality(String) COMMENT 'The plan bought; empty for a refund.',
    amount Decimal(18, 4) COMMENT 'The money paid; for a refund the money given back, positive as well.',
    currency LowCardinality(String) COMMENT 'The amount''s currency, ISO 4217.',
    period_start Nullable(Date) COMMENT 'The first day paid for; NULL for a refund.',
    period_end Nullable(Date) COMMENT 'The day after the last day paid for; NULL for a refund.',
    is_trial Bool COMMENT 'Whether it is a trial; false where absent.'
)
ENGINE = MergeTree
PARTITION BY (batch_date, load_id)
ORDER BY (user_id, event_time, event_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {raw}.task_results_data
(
    batch_date Date COMMENT 'The date of the day file the row came in.',
    event_id UUID COMMENT 'The event''s own id, made by the producer.' CODEC(NONE),
    event_type LowCardinality(String) COMMENT 'What happened; routes the event to its table.',
    user_id String COMMENT 'Who did it.',
    event_time DateTime64(3, 'UTC') COMMENT 'When it happened, in UTC; finer digits than milliseconds are cut off.' CODEC(T64, LZ4),
    session_id String COMMENT 'The session it happened in; empty where unknown.',
    platform LowCardinality(String) COMMENT 'Where it happened: ios, android, web, …; empty where unknown.',
    app_version LowCardinality(String) COMMENT 'The product''s version there; empty where unknown.',
    country LowCardinality(String) COMMENT 'The user''s country, ISO 3166-1 alpha-2; empty where unknown.',
    extra String COMMENT 'Fields the contract does not know, as JSON: envelope keys at the top, payload keys under `properties`; empty where there are none.',
    source_file LowCardinality(String) COMMENT 'The source the row came from, as it was named.',
    source_line UInt64 COMMENT 'The row''s line in that source.' CODEC(T64, LZ4),
    load_id UUID COMMENT 'The load that stored the row (UUIDv7).',
    task_id String COMMENT 'The task tried.',
    course_id String COMMENT 'The task''s course; empty where unknown.',
    lesson_id String COMMENT 'The task''s lesson; empty where unknown.',
    is_correct Bool COMMENT 'Whether it was solved.',
    score Nullable(Float64) COMMENT 'How well, from 0 to 1.',
    attempt Nullable(UInt16) COMMENT 'Which attempt of this user at this task it was.',
    duration_ms Nullable(UInt32) COMMENT 'How long it took.',
    hints_used Nullable(UInt16) COMMENT 'How many hints were opened.'
)
ENGINE = MergeTree
PARTITION BY (batch_date, load_id)
ORDER BY (user_id, event_time, event_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {raw}.sessions_data
(
    batch_date Date COMMENT 'The date of the day file the row came in.',
    event_id UUID COMMENT 'The event''s own id, made by the producer.' CODEC(NONE),
    event_type LowCardinality(String) COMMENT 'What happened; routes the event to its table.',
    user_id String COMMENT 'Who did it.',
    event_time DateTime64(3, 'UTC') COMMENT 'When it happened, in UTC; finer digits than milliseconds are cut off.' CODEC(T64, LZ4),
    session_id String COMMENT 'The session it happened in; empty where unknown.',
    platform LowCardinality(String) COMMENT 'Where it happened: ios, android, web, …; empty where unknown.',
    app_version LowCardinality(String) COMMENT 'The product''s version there; empty where unknown.',
    country LowCardinality(String) COMMENT 'The user''s country, ISO 3166-1 alpha-2; empty where unknown.',
    extra String COMMENT 'Fields the contract does not know, as JSON: envelope keys at the top, payload keys under `properties`; empty where there are none.',
    source_file LowCardinality(String) COMMENT 'The source the row came from, as it was named.',
    source_line UInt64 COMMENT 'The row''s line in that source.' CODEC(T64, LZ4),
    load_id UUID COMMENT 'The load that stored the row (UUIDv7).',
    started_at DateTime64(3, 'UTC') COMMENT 'When the session began, in UTC.' CODEC(T64, LZ4),
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended, in UTC; NULL where unknown.',
    device LowCardinality(String) COMMENT 'The device; empty where unknown.',
    os LowCardinality(String) COMMENT 'Its operating system; empty where unknown.',
    referrer String COMMENT 'Where the user came from; empty where unknown.'
)
ENGINE = MergeTree
PARTITION BY (batch_date, load_id)
ORDER BY (user_id, event_time, event_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {raw}.ab_test_assignments_data
(
    batch_date Date COMMENT 'The date of the day file the row came in.',
    event_id UUID COMMENT 'The event''s own id, made by the producer.' CODEC(NONE),
    event_type LowCardinality(String) COMMENT 'What happened; routes the event to its table.',
    user_id String COMMENT 'Who did it.',
    event_time DateTime64(3, 'UTC') COMMENT 'When it happened, in UTC; finer digits than milliseconds are cut off.' CODEC(T64, LZ4),
    session_id String COMMENT 'The session it happened in; empty where unknown.',
    platform LowCardinality(String) COMMENT 'Where it happened: ios, android, web, …; empty where unknown.',
    app_version LowCardinality(String) COMMENT 'The product''s version there; empty where unknown.',
    country LowCardinality(String) COMMENT 'The user''s country, ISO 3166-1 alpha-2; empty where unknown.',
    extra String COMMENT 'Fields the contract does not know, as JSON: envelope keys at the top, payload keys under `properties`; empty where there are none.',
    source_file LowCardinality(String) COMMENT 'The source the row came from, as it was named.',
    source_line UInt64 COMMENT 'The row''s line in that source.' CODEC(T64, LZ4),
    load_id UUID COMMENT 'The load that stored the row (UUIDv7).',
    experiment_id LowCardinality(String) COMMENT 'The experiment.',
    variant LowCardinality(String) COMMENT 'The variant the user sees.'
)
ENGINE = MergeTree
PARTITION BY (batch_date, load_id)
ORDER BY (user_id, event_time, event_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {raw}.rejected_events_data
(
    batch_date Date COMMENT 'The date of the day file the row came in.',
    load_id UUID COMMENT 'The load that stored the row (UUIDv7).',
    source_file LowCardinality(String) COMMENT 'The source the row came from, as it was named.',
    source_line UInt64 COMMENT 'The row''s line in that source.' CODEC(T64, LZ4),
    byte_offset UInt64 COMMENT 'Where the line begins in the source.',
    reason LowCardinality(String) COMMENT 'Why it was rejected: its first violation.',
    field String COMMENT 'The field of that violation; empty for the line as a whole.',
    message String COMMENT 'What was expected and what stood there.',
    violations Array(String) COMMENT 'Every violation of the line, each `reason field`.',
    raw String COMMENT 'The line''s bytes; of a line that is too long the first 64 KiB.'
)
ENGINE = MergeTree
PARTITION BY (batch_date, load_id)
ORDER BY (source_file, source_line)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {raw}.replayed_lines_data
(
    batch_date Date COMMENT 'The date of the day file the row came in.',
    load_id UUID COMMENT 'The load that stored the row (UUIDv7).',
    rejected_by UUID COMMENT 'The load that had rejected the line.',
    source_file LowCardinality(String) COMMENT 'The source the row came from, as it was named.',
    source_line UInt64 COMMENT 'The row''s line in that source.' CODEC(T64, LZ4)
)
ENGINE = MergeTree
PARTITION BY (batch_date, load_id)
ORDER BY (rejected_by, source_file, source_line)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE OR REPLACE VIEW {raw}.events_all AS
SELECT
    batch_date,
    event_id,
    event_type,
    user_id,
    event_time,
    session_id,
    platform,
    app_version,
    country,
    extra,
    source_file,
    source_line,
    load_id,
    properties
FROM {raw}.events_data;

CREATE OR REPLACE VIEW {raw}.purchases_all AS
SELECT
    batch_date,
    event_id,
    event_type,
    user_id,
    event_time,
    session_id,
    platform,
    app_version,
    country,
    extra,
    source_file,
    source_line,
    load_id,
    kind,
    purchase_id,
    plan,
    amount,
    currency,
    period_start,
    period_end,
    is_trial
FROM {raw}.purchases_data;

CREATE OR REPLACE VIEW {raw}.task_results_all AS
SELECT
    batch_date,
    event_id,
    event_type,
    user_id,
    event_time,
    session_id,
    platform,
    app_version,
    country,
    extra,
    source_file,
    source_line,
    load_id,
    task_id,
    course_id,
    lesson_id,
    is_correct,
    score,
    attempt,
    duration_ms,
    hints_used
FROM {raw}.task_results_data;

CREATE OR REPLACE VIEW {raw}.sessions_all AS
SELECT
    batch_date,
    event_id,
    event_type,
    user_id,
    event_time,
    session_id,
    platform,
    app_version,
    country,
    extra,
    source_file,
    source_line,
    load_id,
    started_at,
    ended_at,
    device,
    os,
    referrer
FROM {raw}.sessions_data;

CREATE OR REPLACE VIEW {raw}.ab_test_assignments_all AS
SELECT
    batch_date,
    event_id,
    event_type,
    user_id,
    event_time,
    session_id,
    platform,
    app_version,
    country,
    extra,
    source_file,
    source_line,
    load_id,
    experiment_id,
    variant
FROM {raw}.ab_test_assignments_data;

CREATE OR REPLACE VIEW {raw}.rejected_events_all AS
SELECT
    batch_date,
    load_id,
    source_file,
    source_line,
    byte_offset,
    reason,
    field,
    message,
    violations,
    raw
FROM {raw}.rejected_events_data;

CREATE OR REPLACE VIEW {raw}.replayed_lines_all AS
SELECT
    batch_date,
    load_id,
    rejected_by,
    source_file,
    source_line
FROM {raw}.replayed_lines_data;

CREATE OR REPLACE VIEW {raw}.events AS
SELECT
    batch_date,
    event_id,
    event_type,
    user_id,
    event_time,
    session_id,
    platform,
    app_version,
    country,
    extra,
    source_file,
    source_line,
    load_id,
    properties
FROM {raw}.events_all
WHERE load_id IN
(
    arrayConcat((
        SELECT groupArrayArray(load_ids)
        FROM
        (
            SELECT argMax(load_ids, (committed_at, commit_id)) AS load_ids
            FROM {raw}.loads
            GROUP BY batch_date
        )
    ))
);

CREATE OR REPLACE VIEW {raw}.purchases AS
SELECT
    batch_date,
    event_id,
    event_type,
    user_id,
    event_time,
    session_id,
    platform,
    app_version,
    country,
    extra,
    source_file,
    source_line,
    load_id,
    kind,
    purchase_id,
    plan,
    amount,
    currency,
    period_start,
    period_end,
    is_trial
FROM {raw}.purchases_all
WHERE load_id IN
(
    arrayConcat((
        SELECT groupArrayArray(load_ids)
        FROM
        (
            SELECT argMax(load_ids, (committed_at, commit_id)) AS load_ids
            FROM {raw}.loads
            GROUP BY batch_date
        )
    ))
);

CREATE OR REPLACE VIEW {raw}.task_results AS
SELECT
    batch_date,
    event_id,
    event_type,
    user_id,
    event_time,
    session_id,
    platform,
    app_version,
    country,
    extra,
    source_file,
    source_line,
    load_id,
    task_id,
    course_id,
    lesson_id,
    is_correct,
    score,
    attempt,
    duration_ms,
    hints_used
FROM {raw}.task_results_all
WHERE load_id IN
(
    arrayConcat((
        SELECT groupArrayArray(load_ids)
        FROM
        (
            SELECT argMax(load_ids, (committed_at, commit_id)) AS load_ids
            FROM {raw}.loads
            GROUP BY batch_date
        )
    ))
);

CREATE OR REPLACE VIEW {raw}.sessions AS
SELECT
    batch_date,
    event_id,
    event_type,
    user_id,
    event_time,
    session_id,
    platform,
    app_version,
    country,
    extra,
    source_file,
    source_line,
    load_id,
    started_at,
    ended_at,
    device,
    os,
    referrer
FROM {raw}.sessions_all
WHERE load_id IN
(
    arrayConcat((
        SELECT groupArrayArray(load_ids)
        FROM
        (
            SELECT argMax(load_ids, (committed_at, commit_id)) AS load_ids
            FROM {raw}.loads
            GROUP BY batch_date
        )
    ))
);

CREATE OR REPLACE VIEW {raw}.ab_test_assignments AS
SELECT
    batch_date,
    event_id,
    event_type,
    user_id,
    event_time,
    session_id,
    platform,
    app_version,
    country,
    extra,
    source_file,
    source_line,
    load_id,
    experiment_id,
    variant
FROM {raw}.ab_test_assignments_all
WHERE load_id IN
(
    arrayConcat((
        SELECT groupArrayArray(load_ids)
        FROM
        (
            SELECT argMax(load_ids, (committed_at, commit_id)) AS load_ids
            FROM {raw}.loads
            GROUP BY batch_date
        )
    ))
);

CREATE OR REPLACE VIEW {raw}.rejected_events AS
SELECT
    batch_date,
    load_id,
    source_file,
    source_line,
    byte_offset,
    reason,
    field,
    message,
    violations,
    raw
FROM {raw}.rejected_events_all
WHERE load_id IN
(
    arrayConcat((
        SELECT groupArrayArray(load_ids)
        FROM
        (
            SELECT argMax(load_ids, (committed_at, commit_id)) AS load_ids
            FROM {raw}.loads
            GROUP BY batch_date
        )
    ))
)
    AND (load_id, source_file, source_line) NOT IN
    (
        SELECT rejected_by, source_file, source_line
        FROM {raw}.replayed_lines_all
        WHERE load_id IN
(
    arrayConcat((
        SELECT groupArrayArray(load_ids)
        FROM
        (
            SELECT argMax(load_ids, (committed_at, commit_id)) AS load_ids
            FROM {raw}.loads
            GROUP BY batch_date
        )
    ))
)
    );

CREATE OR REPLACE VIEW {raw}.replayed_lines AS
SELECT
    batch_date,
    load_id,
    rejected_by,
    source_file,
    source_line
FROM {raw}.replayed_lines_all
WHERE load_id IN
(
    arrayConcat((
        SELECT groupArrayArray(load_ids)
        FROM
        (
            SELECT argMax(load_ids, (committed_at, commit_id)) AS load_ids
            FROM {raw}.loads
            GROUP BY batch_date
        )
    ))
)
