//! Intermediate models: compact tables that marts share, so that no mart reads events again.

pub mod experiments;
mod money;
mod purchases;
mod tasks;
mod users;

use event_schema::registry::{ColumnType, Scalar};

use crate::model::{Build, Column, Layer, Model, ModelRef};
use crate::pieces::{activity_models, is_reported, reporting_date};
use crate::sql::{Changed, Cte, Query, Relation, Select, SqlType, Var, call, col, int, var};

pub use money::{EXCHANGE_RATES, money};
pub use purchases::{counted_purchases, purchases};
pub use tasks::TASK_SEGMENTS;
pub use users::{
    ACTIVITY_SEGMENTS, active_periods, active_users, new_users, segment_columns, unseen_before, user_numbers,
    users,
};

/// The days each user was active, by platform and country.
pub fn user_activity_daily() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_user_activity_daily")
}

/// Every day that marts report.
pub fn calendar() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_calendar")
}

/// The tasks each user tried a day.
pub fn user_tasks_daily() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_user_tasks_daily")
}

/// What was tried and solved a day, by segment.
pub fn task_success_daily() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_task_success_daily")
}

/// Every intermediate model.
pub fn models() -> Vec<Model> {
    [
        vec![build_user_activity_daily()],
        users::models(),
        purchases::models(),
        vec![money::model()],
        tasks::models(),
        vec![build_calendar(), users::build_active_periods()],
        experiments::models(),
    ]
    .concat()
}

fn build_user_activity_daily() -> Model {
    let sources = activity_models().map(|model| {
        Select::from(model)
            .only_changed(Changed::Events)
            .columns(["user_id"])
            .item(reporting_date(col("event_time")), "activity_date")
            .columns(["platform", "country", "event_time"])
    });
    let instant = |name, doc, value| {
        Column::attribute(name, SqlType::Raw(ColumnType::Plain(Scalar::DateTime)), doc, value)
    };
    Model {
        id: user_activity_daily(),
        build: Build::of_users_days(activity_models(), "activity_date", true),
        description: "The days each user was active: an event, a task result or a session. Days after \
                      `as_of_date` are included, so that the table does not depend on it; readers leave \
                      them out."
            .to_owned(),
        grain: ["activity_date", "user_id", "platform", "country"].map(Into::into).into(),
        sorted_by: ["activity_date", "user_id", "platform", "country"].map(Into::into).into(),
        columns: vec![
            Column::key("user_id", SqlType::String, "Who was active.", col("user_id")),
            Column::activity_date(col("activity_date")),
            Column::key("platform", SqlType::LowCardinality, "Where; empty where unknown.", col("platform")),
            Column::key(
                "country",
                SqlType::LowCardinality,
                "From which country; empty where unknown.",
                col("country"),
            ),
            instant(
                "first_event_time",
                "When the first of these events happened, in UTC.",
                call("min", [col("event_time")]),
            ),
            instant(
                "last_event_time",
                "When the last of them happened, in UTC.",
                call("max", [col("event_time")]),
            ),
        ],
        checks: Vec::new(),
        ctes: vec![Cte::new(
            "activity",
            "The kinds of rows that are activity.",
            Query::from(sources.into_iter().collect::<Vec<_>>()),
        )],
        rows: Select::from(Relation::cte("activity"))
            .group_by(["user_id", "activity_date", "platform", "country"].map(col)),
    }
}

/// How many days the longest window of active users has, its last day included.
pub const LONGEST_WINDOW_DAYS: i64 = 30;

fn build_calendar() -> Model {
    let reported = Select::from(active_users())
        .item(call("min", [col("activity_date")]), "first_date")
        .filter(is_reported(col("activity_date")))
        // Without activity there is no calendar, where an ungrouped `min` would make a row.
        .having(call("count", []).greater(int(0)));
    let days = var(Var::AsOfDate) - col("first_date") + int(1);
    Model {
        id: calendar(),
        build: Build::Compared { day: "calendar_date".into() },
        description:
            "Every day that marts report: from the first activity to `as_of_date`. Purchases, refunds and \
                      assignments begin nothing; only `fct_revenue` begins earlier, where money moved before."
                .to_owned(),
        grain: vec!["calendar_date".into()],
        sorted_by: vec!["calendar_date".into()],
        columns: vec![
            Column::key(
                "calendar_date",
                SqlType::Date,
                "The day, in the reporting time zone.",
                col("first_date") + col("day_index"),
            ),
            Column::attribute(
                "is_mau_window_full",
                SqlType::Bool,
                "Whether it is the calendar's thirtieth day or a later one.",
                col("day_index").at_least(int(LONGEST_WINDOW_DAYS - 1)).cast(SqlType::Bool),
            ),
        ],
        checks: Vec::new(),
        ctes: vec![Cte::new("first_day", "The first day of activity that counts.", reported)],
        rows: Select::from(Relation::cte("first_day"))
            .array_join(call("range", [call("toUInt64", [days])]), "day_index"),
    }
}
