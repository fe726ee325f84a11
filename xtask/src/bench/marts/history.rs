//! The days that marts are built of, made by the engine itself: as many events as wanted, in little time.
//!
//! Each day has as many events as any other. Users sign up every day; a day's active ones are mostly new and recent,
//! some of them as old as the product. One event in a hundred is up to three days late, one in five hundred stands in
//! the next day's file again.

use std::fmt::Write as _;

/// The first batch date.
const START: &str = "2025-01-01";
/// Milliseconds a day.
const DAY_MS: u64 = 86_400_000;

/// How much happens a day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Volume {
    /// A day's events are these thousandths of 210,000.
    pub(super) thousandths: u64,
}

/// A table of `raw`: its events a day, and how the columns beyond the envelope are made.
struct Table {
    name: &'static str,
    rows_a_day: u64,
    /// Which of the day's active users a line is of.
    slot: &'static str,
    columns: &'static [(&'static str, &'static str)],
}

const TABLES: [Table; 5] = [
    Table {
        name: "sessions",
        rows_a_day: 50_000,
        slot: "line",
        columns: &[
            ("event_type", "'session'"),
            ("started_at", "event_time"),
            ("ended_at", "event_time + toIntervalSecond(g % 3000)"),
            ("device", "'phone'"),
            ("os", "'android'"),
            ("referrer", "''"),
        ],
    },
    Table {
        name: "task_results",
        rows_a_day: 120_000,
        slot: "intDiv(line, 3)",
        columns: &[
            ("event_type", "'task_result'"),
            ("course_id", "concat('course-', toString(u % 60))"),
            ("lesson_id", "concat('lesson-', toString((intDiv(day, 3) + u) % 50))"),
            ("task_id", "concat(course_id, '-', lesson_id, '-', toString(h % 12))"),
            ("is_correct", "g % 10 < 7"),
            ("score", "CAST(NULL AS Nullable(Float64))"),
            ("attempt", "toUInt16(1 + g % 3)"),
            ("duration_ms", "toUInt32(1000 + pow(g % 1000, 2) / 5)"),
            ("hints_used", "toUInt16(h % 3)"),
        ],
    },
    Table {
        name: "events",
        rows_a_day: 38_000,
        slot: "line",
        columns: &[
            ("event_type", "['lesson_opened', 'video_played', 'page_viewed', 'search'][1 + g % 4]"),
            ("properties", "concat('{\"lesson\":', toString(h % 3000), '}')"),
        ],
    },
    Table {
        name: "purchases",
        rows_a_day: 1_200,
        slot: "line * 29",
        columns: &[
            ("event_type", "if(g % 33 = 0, 'refund', 'purchase')"),
            ("kind", "event_type"),
            // A refund names a purchase of three days before.
            (
                "purchase_id",
                "concat(toString(day - 3 * (kind = 'refund')), '-', toString(line + (kind = 'refund')))",
            ),
            (
                "plan",
                "if(kind = 'refund', '', ['monthly', 'monthly', 'yearly', 'family', 'lite'][1 + u % 5])",
            ),
            ("amount", "toDecimal64(if(plan = 'yearly', 79, 9), 4)"),
            ("currency", "['USD', 'EUR', 'KZT'][1 + u % 3]"),
            ("period_start", "if(kind = 'refund', NULL, toDate(event_time))"),
            ("period_end", "if(kind = 'refund', NULL, toDate(event_time) + if(plan = 'yearly', 365, 30))"),
            ("is_trial", "kind = 'purchase' AND h % 5 = 0"),
        ],
    },
    Table {
        name: "ab_test_assignments",
        rows_a_day: 800,
        slot: "line",
        columns: &[
            ("event_type", "'ab_test_assignment'"),
            ("experiment_id", "concat('experiment-', toString(intDiv(day, 30)))"),
            ("variant", "['control', 'treatment'][1 + u % 2]"),
        ],
    },
];

/// The envelope's columns of a line.
const ENVELOPE: [(&str, &str); 8] = [
    ("event_id", "reinterpretAsUUID(sipHash128('{table}', day, line))"),
    ("user_id", "lower(concat('user-', hex(u)))"),
    (
        "event_time",
        "fromUnixTimestamp64Milli(toInt64(toUnixTimestamp({start})) * 1000 \
         + (day - if(g % 100 = 0, 1 + intDiv(g, 100) % 3, 0)) * {day_ms} + toInt64(h % {day_ms}), 'UTC')",
    ),
    ("session_id", "lower(hex(cityHash64('session', day, slot)))"),
    // One row in ten is of another platform than the user's own.
    (
        "platform",
        "['android', 'android', 'ios', 'ios', 'web', 'web', 'web', ''][1 + (u + if(g % 10 = 1, g, 0)) % 8]",
    ),
    ("app_version", "concat('3.', toString(intDiv(day, 14)))"),
    (
        "country",
        "substring('USKZINBRIDDEFRGBPLTRMXJPESITUZNGEGPHVNZACOARCAKESEMANLROPKBD', \
         1 + 2 * toUInt64(pow(u % 1000 / 1000., 2) * 30), 2)",
    ),
    ("source_line", "line + 1"),
];

impl Volume {
    /// Events of a day.
    pub(super) fn events_a_day(self) -> u64 {
        TABLES.iter().map(|table| self.of(table.rows_a_day)).sum()
    }

    fn of(self, a_day: u64) -> u64 {
        (a_day * self.thousandths).div_ceil(1000)
    }

    /// The statements that load the day so many days after the first, as `schoolbell load` leaves it.
    pub(super) fn load(self, raw: &str, day: u64) -> Vec<String> {
        let date = format!("toDate('{START}') + {day}");
        let load_id = format!("toUUID('00000000-0000-7000-8000-{day:012}')");
        let mut statements: Vec<String> =
            TABLES.iter().map(|table| self.insert(raw, table, day, &date, &load_id)).collect();
        let accepted: Vec<String> =
            TABLES.iter().map(|table| format!("'{}', {}", table.name, self.of(table.rows_a_day))).collect();
        statements.push(format!(
            "INSERT INTO {raw}.loads (batch_date, commit_id, load_ids, lines, accepted_rows) \
             SELECT {date}, generateUUIDv7(), [{load_id}], {}, map({})",
            self.events_a_day(),
            accepted.join(", ")
        ));
        statements
    }

    fn insert(self, raw: &str, table: &Table, day: u64, date: &str, load_id: &str) -> String {
        let (rows, active, signups) = (self.of(table.rows_a_day), self.of(42_000), self.of(3_000));
        let fixed = [
            ("batch_date", date.to_owned()),
            ("load_id", load_id.to_owned()),
            ("source_file", format!("concat('s3://events/', toString({date}), '.jsonl')")),
        ];
        let made = ENVELOPE.iter().chain(table.columns).map(|(name, value)| {
            let value = value
                .replace("{table}", table.name)
                .replace("{start}", &format!("toDate('{START}')"))
                .replace("{day_ms}", &DAY_MS.to_string());
            (*name, value)
        });
        let (mut names, mut values) = (String::new(), String::new());
        for (name, value) in fixed.into_iter().chain(made) {
            let comma = if names.is_empty() { "" } else { ", " };
            let _ = write!(names, "{comma}{name}");
            let _ = write!(values, "{comma}{value} AS {name}");
        }
        // `h` and `g` are random numbers of the line, `u` one of the user.
        format!(
            "INSERT INTO {raw}.{name}_data ({names}) SELECT {names} FROM (SELECT {values} FROM (
                SELECT
                    number AS line,
                    if({day} > 0 AND line % 500 = 499, {day} - 1, {day}) AS day,
                    {slot} % {active} AS slot,
                    {earlier} + {signups} * (day + 1) AS population,
                    cityHash64('user', day, slot) / 18446744073709551616. AS r,
                    population - 1 - if(slot < {signups}, slot, toUInt64(pow(r, 3) * population)) AS user,
                    cityHash64('of user', user) AS u,
                    cityHash64('{name}', day, line) AS h,
                    cityHash64('more', h) AS g
                FROM numbers({rows})))",
            name = table.name,
            slot = table.slot,
            earlier = 20 * signups,
        )
    }
}
