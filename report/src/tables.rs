//! What is read for the page: a query for each table of figures.
//!
//! Counts and sums are read, not their ratios: the page divides, so that days add up to weeks and months exactly.

use event_schema::generate::Databases;
use event_schema::value::Date;
use metrics_sql::CustomMetric;
use metrics_sql::catalogue::{self, Metric};
use metrics_sql::sql::SqlType;
use serde_json::{Value, json};

/// How many days before the last one are read where no first date is given.
pub(crate) const DEFAULT_DAYS: i32 = 400;
/// How many cohorts of days, weeks and months the retention has.
const COHORTS: [(&str, &str); 3] =
    [("day", "INTERVAL 45 DAY"), ("week", "INTERVAL 40 WEEK"), ("month", "INTERVAL 36 MONTH")];
/// How far back rejected lines and hard tasks are looked at, in days.
const RECENT_DAYS: u32 = 28;
/// A task with fewer attempts is not called hard.
const FEWEST_ATTEMPTS: u32 = 20;
/// How many of the hardest tasks, and of the commonest reasons for rejects, are shown.
const MOST_LISTED: u32 = 20;

/// The marts of Schoolbell's own that the page reads.
pub(crate) const MARTS: [&str; 8] = [
    "fct_ab_test_results",
    "fct_activity_daily",
    "fct_conversion",
    "fct_ltv",
    "fct_retention",
    "fct_revenue",
    "fct_subscription_retention",
    "fct_task_success_daily",
];

/// Which dates are shown. Both bounds are part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first date; `None` for 400 days before the last one.
    pub from: Option<Date>,
    /// The last date: that of the marts, or an earlier one.
    pub to: Date,
}

impl Range {
    /// The first date, also where none is given.
    pub fn first(self) -> Date {
        self.from.or_else(|| self.to.plus_days(-DEFAULT_DAYS)).unwrap_or(self.to).min(self.to)
    }
}

/// A table of figures.
#[derive(Debug, Clone)]
pub struct Table {
    name: String,
    sql: String,
    ranked_by: Option<&'static str>,
}

impl Table {
    /// Its name in the document.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The query that reads it.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The column by which values of a segment are ranked, where only the largest are kept.
    pub(crate) fn ranked_by(&self) -> Option<&'static str> {
        self.ranked_by
    }
}

/// Every table of the page. The user's own metrics come last.
pub fn tables(range: Range, databases: &Databases, custom: &[CustomMetric]) -> Vec<Table> {
    let (raw, staging, marts) = (databases.raw(), databases.staging(), databases.marts());
    let to = range.to;
    let from = format!("toDate('{}')", range.first());
    let dated = |column: &str| format!("{column} BETWEEN {from} AND toDate('{to}')");
    // A period counts where any of its dates is shown.
    let of_periods = |column: &str| format!("{column} > {from} - 31 AND {column} <= toDate('{to}')");
    let table = |name: &str, ranked_by, sql: String| Table { name: name.to_owned(), sql, ranked_by };
    let recent = format!("toDate('{to}') - {RECENT_DAYS}");
    let mut all = vec![
        table(
            "activity",
            Some("mau"),
            format!(
                "SELECT activity_date, segment, segment_value, dau, wau, mau, is_mau_window_full, new_users, \
                 returning_users, resurrected_users, dormant_users FROM {marts}.fct_activity_daily \
                 WHERE {} ORDER BY activity_date, segment, segment_value",
                dated("activity_date")
            ),
        ),
        table(
            "tasks",
            Some("attempts"),
            format!(
                "SELECT activity_date, segment, segment_value, attempts, solved, learners, tasks_attempted, tasks_solved, \
                 first_attempts, first_attempt_success_rate FROM {marts}.fct_task_success_daily \
                 WHERE {} ORDER BY activity_date, segment, segment_value",
                dated("activity_date")
            ),
        ),
        table(
            "revenue",
            Some("gross_revenue"),
            format!(
                "SELECT period, period_start, segment, segment_value, active_users, paying_users, new_paying_users, \
                 purchases, gross_revenue, refunds, net_revenue FROM {marts}.fct_revenue \
                 WHERE {} ORDER BY period, period_start, segment, segment_value",
                of_periods("period_start")
            ),
        ),
        table("retention", Some("cohort_users"), retention(&marts, to)),
        table(
            "conversion",
            None,
            format!(
                "SELECT conversion, cohort_date, horizon_days, cohort_users, converted_users, is_complete \
                 FROM {marts}.fct_conversion WHERE {} ORDER BY conversion, cohort_date, horizon_days",
                of_periods("cohort_date")
            ),
        ),
        table(
            "ltv",
            None,
            format!(
                "SELECT cohort_month, month_index, cohort_users, cumulative_net_revenue, is_complete \
                 FROM {marts}.fct_ltv WHERE cohort_month <= toDate('{to}') ORDER BY cohort_month, month_index"
            ),
        ),
        table(
            "subscriptions",
            Some("cohort_subscribers"),
            format!(
                "SELECT cohort_month, segment, segment_value, month_index, cohort_subscribers, eligible_subscribers, \
                 retained_subscribers FROM {marts}.fct_subscription_retention WHERE cohort_month <= toDate('{to}') \
                 ORDER BY cohort_month, segment, segment_value, month_index"
            ),
        ),
        table(
            "experiments",
            None,
            format!(
                "SELECT * FROM {marts}.fct_ab_test_results ORDER BY experiment_id, metric, method, variant LIMIT 2000"
            ),
        ),
    ];
    all.extend([
        table("hardest_tasks", None, hardest_tasks(&staging, to)),
        table("loads", None, loads(&raw, &from)),
        table(
            "rejects",
            None,
            format!(
                "SELECT reason, field, count() AS lines, max(batch_date) AS latest, \
                 argMax(message, (batch_date, source_line)) AS message, \
                 substringUTF8(toValidUTF8(argMax(raw, (batch_date, source_line))), 1, 200) AS example \
                 FROM {raw}.rejected_events WHERE batch_date >= {recent} \
                 GROUP BY reason, field ORDER BY lines DESC, reason, field LIMIT {MOST_LISTED}"
            ),
        ),
    ]);
    all.extend(
        OwnMetric::all(custom)
            .iter()
            .map(|metric| table(&metric.table, None, metric.sql(&marts, &dated("activity_date")))),
    );
    all
}

fn retention(marts: &str, to: Date) -> String {
    let recent: Vec<String> = COHORTS
        .iter()
        .map(|(period, age)| {
            format!("(cohort_period = '{period}' AND cohort_start > toDate('{to}') - {age})")
        })
        .collect();
    format!(
        "SELECT cohort_period, cohort_start, segment, segment_value, period_index, cohort_users, retained_users, \
         retained_or_later_users, is_complete FROM {marts}.fct_retention \
         WHERE cohort_start <= toDate('{to}') AND period_index <= 30 AND ({}) \
         ORDER BY cohort_period, cohort_start, segment, segment_value, period_index",
        recent.join(" OR ")
    )
}

/// The tasks of the last weeks that the fewest attempts have solved.
fn hardest_tasks(staging: &str, to: Date) -> String {
    let recent = format!("toDate('{to}') - {RECENT_DAYS}");
    format!(
        "SELECT task_id, course_id, count() AS attempts, countIf(is_correct) AS solved, uniqExact(user_id) AS learners \
                 FROM {staging}.stg_task_results WHERE toDate(event_time) BETWEEN {recent} AND toDate('{to}') \
                 GROUP BY task_id, course_id HAVING attempts >= {FEWEST_ATTEMPTS} \
                 ORDER BY solved / attempts, attempts DESC, task_id LIMIT {MOST_LISTED}"
    )
}

/// A row a date that is loaded: rows by table, rejected lines, events of earlier dates.
fn loads(raw: &str, from: &str) -> String {
    const TABLES: [&str; 5] = ["events", "purchases", "task_results", "sessions", "ab_test_assignments"];
    let rows: Vec<String> =
        TABLES.iter().map(|table| format!("accepted_rows['{table}'] AS {table}")).collect();
    let late: Vec<String> = TABLES
        .iter()
        .map(|table| format!("SELECT batch_date, toDate(event_time) < batch_date AS is_late FROM {raw}.{table} WHERE batch_date >= {from}"))
        .collect();
    format!(
        "SELECT batch_date, toString(committed_at) AS committed_at, {}, rejected, late FROM (\
         SELECT batch_date, committed_at, accepted_rows, arraySum(mapValues(rejected_rows)) AS rejected FROM {raw}.loads \
         ORDER BY committed_at DESC, commit_id DESC LIMIT 1 BY batch_date) AS loads \
         LEFT JOIN (SELECT batch_date, countIf(is_late) AS late FROM ({}) GROUP BY batch_date) AS late_events USING (batch_date) \
         WHERE batch_date >= {from} AND notEmpty(accepted_rows) ORDER BY batch_date",
        rows.join(", "),
        late.join(" UNION ALL ")
    )
}

/// A metric that the user has defined, as the page shows it.
#[derive(Debug, Clone)]
pub struct OwnMetric {
    table: String,
    column: String,
    title: String,
    description: String,
    unit: &'static str,
    dimensions: Vec<String>,
}

impl OwnMetric {
    /// Those of the definitions, in their order.
    pub fn all(custom: &[CustomMetric]) -> Vec<OwnMetric> {
        let is_own =
            |metric: &Metric| custom.iter().any(|own| metric.full_name() == format!("fct_{0}.{0}", own.name));
        catalogue::metrics(custom).iter().filter(|metric| is_own(metric)).map(OwnMetric::from).collect()
    }

    fn sql(&self, marts: &str, dated: &str) -> String {
        let OwnMetric { table, column, .. } = self;
        format!(
            "SELECT activity_date, segment, segment_value, {column} FROM {marts}.{table} WHERE {dated} \
             ORDER BY activity_date, segment, segment_value"
        )
    }

    /// As the page reads it.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "table": self.table, "column": self.column, "title": self.title, "description": self.description,
            "unit": self.unit, "date": "activity_date", "dimensions": self.dimensions,
        })
    }
}

impl From<&Metric> for OwnMetric {
    fn from(metric: &Metric) -> OwnMetric {
        let (mart, column) = (metric.mart(), metric.column());
        let words = column.name.as_str().replace('_', " ");
        let (first, rest) = words.split_at(1);
        OwnMetric {
            table: mart.id.name.as_str().to_owned(),
            column: column.name.as_str().to_owned(),
            title: first.to_uppercase() + rest,
            description: column.doc.clone(),
            unit: match column.ty {
                SqlType::Money => "money",
                SqlType::UInt64 => "count",
                _ => "number",
            },
            dimensions: metric.can_be_read_by(),
        }
    }
}
