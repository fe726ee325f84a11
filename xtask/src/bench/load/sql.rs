//! ClickHouse's own ways into the five tables: a `Null` table, and a materialized view a table behind it.

use event_schema::registry::ENTITIES;

/// The settings of both ways. All else is as the server has it.
const SETTINGS: &str = "date_time_input_format = 'best_effort', input_format_skip_unknown_fields = 1, \
    input_format_json_read_objects_as_strings = 1";

/// The envelope as `JSONEachRow` reads it; payloads stay text.
const ENVELOPE: &str = "event_id UUID, event_type LowCardinality(String), user_id String, \
    event_time DateTime64(3, 'UTC'), session_id String, platform LowCardinality(String), \
    app_version LowCardinality(String), country LowCardinality(String), properties String";

/// What the payloads of each table are read as, the table's own columns made of that (as `p`), and what has to hold
/// of it so that no column loses what it was given.
struct Payload {
    table: &'static str,
    ty: &'static str,
    columns: &'static str,
    check: &'static str,
}

const PAYLOADS: [Payload; 4] = [
    Payload {
        table: "purchases",
        ty: "Tuple(purchase_id String, plan String, amount String, currency String, period_start String, \
             period_end String, is_trial Bool)",
        columns: "event_type AS kind, p.purchase_id AS purchase_id, p.plan AS plan, \
                  toDecimal64OrZero(p.amount, 4) AS amount, p.currency AS currency, \
                  toDateOrNull(p.period_start) AS period_start, toDateOrNull(p.period_end) AS period_end, \
                  p.is_trial AS is_trial",
        check: "p.purchase_id != '' AND isNotNull(toDecimal64OrNull(p.amount, 4)) AND \
                (event_type = 'refund' OR isNotNull(toDateOrNull(p.period_start)))",
    },
    Payload {
        table: "task_results",
        ty: "Tuple(task_id String, course_id String, lesson_id String, is_correct Bool, score Nullable(Float64), \
             attempt Nullable(UInt16), duration_ms Nullable(UInt32), hints_used Nullable(UInt16))",
        columns: "p.task_id AS task_id, p.course_id AS course_id, p.lesson_id AS lesson_id, \
                  p.is_correct AS is_correct, p.score AS score, p.attempt AS attempt, \
                  p.duration_ms AS duration_ms, p.hints_used AS hints_used",
        check: "p.task_id != ''",
    },
    Payload {
        table: "sessions",
        ty: "Tuple(started_at String, ended_at String, device String, os String, referrer String)",
        columns: "assumeNotNull(parseDateTime64BestEffortOrNull(p.started_at, 3, 'UTC')) AS started_at, \
                  parseDateTime64BestEffortOrNull(p.ended_at, 3, 'UTC') AS ended_at, p.device AS device, \
                  p.os AS os, p.referrer AS referrer",
        check: "isNotNull(parseDateTime64BestEffortOrNull(p.started_at, 3, 'UTC'))",
    },
    Payload {
        table: "ab_test_assignments",
        ty: "Tuple(experiment_id String, variant String)",
        columns: "p.experiment_id AS experiment_id, p.variant AS variant",
        check: "p.experiment_id != ''",
    },
];

/// What is run before and what is measured.
pub(super) struct Route {
    pub(super) prepare: Vec<String>,
    pub(super) load: String,
}

/// `JSONEachRow` → `Null` → five views: the way of the documentation. A bad line ends it.
pub(super) fn json_each_row(raw: &str, file: &str, date: &str) -> Route {
    let envelope = "event_id, event_type, user_id, event_time, session_id, platform, app_version, country";
    let views = views(raw, |payload| match payload {
        None => format!(
            "SELECT toDate('{date}') AS batch_date, {envelope}, \
             if(properties = '', '{{}}', properties) AS properties \
             FROM {raw}.incoming WHERE event_type NOT IN ({})",
            all_types()
        ),
        Some(Payload { table, ty, columns, .. }) => format!(
            "WITH JSONExtract(properties, '{ty}') AS p \
             SELECT toDate('{date}') AS batch_date, {envelope}, {columns} \
             FROM {raw}.incoming WHERE event_type IN ({})",
            types(table)
        ),
    });
    let source = format!("file('{file}', 'JSONEachRow', '{}')", ENVELOPE.replace('\'', "\\'"));
    Route {
        prepare: prepared(raw, ENVELOPE, views),
        load: format!("INSERT INTO {raw}.incoming SELECT * FROM {source} SETTINGS {SETTINGS}"),
    }
}

/// Lines as text → `Null` → five views that check what they convert: a bad line is left out.
pub(super) fn checked_text(raw: &str, file: &str, date: &str) -> Route {
    const LINE: &str = "Tuple(event_id String, event_type String, user_id String, event_time String, \
        session_id String, platform String, app_version String, country String)";
    let envelope = "assumeNotNull(toUUIDOrNull(e.event_id)) AS event_id, e.event_type AS event_type, \
        e.user_id AS user_id, assumeNotNull(parseDateTime64BestEffortOrNull(e.event_time, 3, 'UTC')) AS event_time, \
        e.session_id AS session_id, e.platform AS platform, e.app_version AS app_version, e.country AS country";
    let checks = "isValidJSON(line) AND e.event_type != '' AND e.user_id != '' \
        AND isNotNull(toUUIDOrNull(e.event_id)) \
        AND isNotNull(parseDateTime64BestEffortOrNull(e.event_time, 3, 'UTC'))";
    let views = views(raw, |payload| match payload {
        None => format!(
            "WITH JSONExtract(line, '{LINE}') AS e, JSONExtractRaw(line, 'properties') AS text \
             SELECT toDate('{date}') AS batch_date, {envelope}, if(text = '', '{{}}', text) AS properties \
             FROM {raw}.incoming WHERE e.event_type NOT IN ({}) AND {checks}",
            all_types()
        ),
        Some(Payload { table, ty, columns, check }) => format!(
            "WITH JSONExtract(line, '{LINE}') AS e, JSONExtract(line, 'properties', '{ty}') AS p \
             SELECT toDate('{date}') AS batch_date, {envelope}, {columns} \
             FROM {raw}.incoming WHERE e.event_type IN ({}) AND {checks} AND {check}",
            types(table)
        ),
    });
    Route {
        prepare: prepared(raw, "line String", views),
        load: format!(
            "INSERT INTO {raw}.incoming SELECT line FROM file('{file}', 'LineAsString', 'line String')"
        ),
    }
}

/// The views, by their queries: that of `raw.events` has no payload to read.
fn views(raw: &str, query: impl Fn(Option<&Payload>) -> String) -> Vec<String> {
    let view = |table: &str, query: String| {
        format!("CREATE MATERIALIZED VIEW {raw}.to_{table} TO {raw}.{table}_data AS {query}")
    };
    let payloads = PAYLOADS.iter().map(|payload| view(payload.table, query(Some(payload))));
    [view("events", query(None))].into_iter().chain(payloads).collect()
}

fn prepared(raw: &str, columns: &str, views: Vec<String>) -> Vec<String> {
    let incoming = format!("CREATE TABLE {raw}.incoming ({columns}) ENGINE = Null");
    [incoming].into_iter().chain(views).collect()
}

/// The event types of a table, as a list of literals.
fn types(table: &str) -> String {
    let entities = ENTITIES.iter().filter(|entity| entity.table == table);
    quoted(entities.flat_map(|entity| entity.event_types.iter().map(|kind| kind.name)))
}

/// The event types that have a table of their own.
fn all_types() -> String {
    quoted(ENTITIES.iter().flat_map(|entity| entity.event_types.iter().map(|kind| kind.name)))
}

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}
