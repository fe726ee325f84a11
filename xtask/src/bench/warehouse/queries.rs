//! What is asked of `raw`: by dbt's staging models, and by people.

/// A query of a layout's tables.
pub(super) struct Query {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    /// `{db}` stands for the layout's database.
    sql: &'static str,
}

impl Query {
    /// The query of that layout's tables.
    pub(super) fn of(&self, database: &str) -> String {
        self.sql.replace("{db}", database)
    }
}

pub(super) static QUERIES: [Query; 7] = [
    Query {
        name: "staging, a day",
        doc: "`stg_task_results` of one batch date: one row of each event, the earliest",
        sql: "SELECT count(), sum(cityHash64(* EXCEPT load_id)) FROM (SELECT * FROM {db}.task_results \
              WHERE load_id IN (SELECT load_id FROM {db}.task_results WHERE batch_date = '2026-03-02' LIMIT 1) \
              ORDER BY user_id, event_time, event_id, batch_date, source_file, source_line, load_id \
              LIMIT 1 BY user_id, event_time, event_id)",
    },
    Query {
        name: "staging, a month",
        doc: "the same of all batch dates, as `dbt build --full-refresh` does it",
        sql: "SELECT count(), sum(cityHash64(* EXCEPT load_id)) FROM (SELECT * FROM {db}.task_results \
              ORDER BY user_id, event_time, event_id, batch_date, source_file, source_line, load_id \
              LIMIT 1 BY user_id, event_time, event_id)",
    },
    Query {
        name: "ids seen twice",
        doc: "what `stg_event_id_conflicts` reads of `raw`: id, user and time of all rows",
        sql: "SELECT count(), sum(n) FROM (SELECT event_id, uniqExact(user_id, event_time) AS n FROM \
              (SELECT event_id, user_id, event_time FROM {db}.events \
              UNION ALL SELECT event_id, user_id, event_time FROM {db}.task_results) \
              GROUP BY event_id HAVING count() > 1)",
    },
    Query {
        name: "a user",
        doc: "all rows of one user in `raw.events`",
        sql: "SELECT count(), sum(cityHash64(* EXCEPT load_id)) FROM {db}.events \
              WHERE user_id = (SELECT min(user_id) FROM {db}.sessions WHERE batch_date = '2026-03-02')",
    },
    Query {
        name: "a date",
        doc: "events by type of one UTC date, whichever day files they came in",
        sql: "SELECT event_type, count(), uniqExact(user_id) FROM {db}.events \
              WHERE toDate(event_time) = '2026-03-02' GROUP BY event_type ORDER BY event_type",
    },
    Query {
        name: "a type",
        doc: "one type of event in a month",
        sql: "SELECT count(), sum(cityHash64(user_id, properties)) FROM {db}.events \
              WHERE event_type = 'page_viewed'",
    },
    Query {
        name: "an id",
        doc: "one event by its id",
        sql: "SELECT count(), sum(cityHash64(user_id, properties)) FROM {db}.events \
              WHERE event_id = (SELECT min(event_id) FROM {db}.events WHERE batch_date = '2026-03-02')",
    },
];
