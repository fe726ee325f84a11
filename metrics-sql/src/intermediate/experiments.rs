//! A/B tests by user: who was assigned what, and what they did around it. `marts/ab_test_results.rs` compares them.

use event_schema::registry::{AB_TEST_ASSIGNMENTS, ColumnType, Entity, Scalar, TASK_RESULTS};

use super::user_activity_daily;
use crate::model::{Build, Column, Layer, Model, ModelRef};
use crate::pieces::{activity_models, is_reported, reporting_date};
use crate::sql::{
    Aliased, Changed, Cte, Expr, JoinKind, Query, Relation, Select, SqlType, Var, array, call, case, col,
    int, is_in_cte, text, tuple, var,
};
use crate::staging;

/// A moment, to the millisecond.
const INSTANT: SqlType = SqlType::Raw(ColumnType::Plain(Scalar::DateTime));

/// The first time on each day that a user was seen in a variant of an experiment.
pub fn assignments() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_experiment_assignments")
}

/// The attempts at tasks of each user, by day.
pub fn user_attempts_daily() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_user_attempts_daily")
}

/// What each analysed user of an experiment did in the window after the assignment, and in the one before it.
pub fn measures() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_experiment_measures")
}

/// The intermediate models of A/B tests.
pub(super) fn models() -> Vec<Model> {
    vec![build_assignments(), build_user_attempts_daily(), build_measures()]
}

fn build_assignments() -> Model {
    let by = ["experiment_id", "user_id", "variant", "activity_date"];
    let instant = || tuple([col("event_time"), call("toString", [col("event_id")])]);
    Model {
        id: assignments(),
        build: by_user_and_day(&AB_TEST_ASSIGNMENTS),
        description:
            "The first time on each day that a user was seen in a variant of an experiment. Days after \
                      `as_of_date` are included; readers leave them out."
                .to_owned(),
        grain: by.map(Into::into).into(),
        sorted_by: by.map(Into::into).into(),
        columns: vec![
            Column::key("experiment_id", SqlType::LowCardinality, "The experiment.", col("experiment_id")),
            Column::key("user_id", SqlType::String, "Who was assigned.", col("user_id")),
            Column::key("variant", SqlType::LowCardinality, "The variant.", col("variant")),
            Column::activity_date(col("activity_date")),
            Column::attribute(
                "assigned_at",
                INSTANT,
                "The earliest assignment of that day to this variant.",
                call("min", [col("event_time")]),
            ),
            Column::attribute(
                "event_id",
                SqlType::String,
                "The id of that assignment's event, which settles ties of time.",
                call("argMin", [call("toString", [col("event_id")]), instant()]),
            ),
        ],
        checks: Vec::new(),
        ctes: vec![Cte::new("shown", "Every assignment with its day.", {
            with_day(&AB_TEST_ASSIGNMENTS).columns(["experiment_id", "variant", "event_time", "event_id"])
        })],
        rows: Select::from(Relation::cte("shown")).group_by(by.map(col)),
    }
}

fn build_user_attempts_daily() -> Model {
    let attempts = call("arraySort", [call("groupArray", [tuple([col("event_time"), col("is_correct")])])]);
    Model {
        id: user_attempts_daily(),
        build: by_user_and_day(&TASK_RESULTS),
        description:
            "The attempts at tasks of each user and day, in order of time: what windows that begin at any \
                      instant are counted from. Days after `as_of_date` are included; readers leave them out."
                .to_owned(),
        grain: ["user_id", "activity_date"].map(Into::into).into(),
        sorted_by: ["user_id", "activity_date"].map(Into::into).into(),
        columns: vec![
            Column::key("user_id", SqlType::String, "Who tried.", col("user_id")),
            Column::activity_date(col("activity_date")),
            Column::attribute(
                "attempted_at",
                SqlType::Array(Box::new(INSTANT)),
                "When, in ascending order.",
                call("tupleElement", [col("attempts"), int(1)]),
            ),
            Column::attribute(
                "is_correct",
                SqlType::Array(Box::new(SqlType::Bool)),
                "Whether it was solved, in the same order.",
                call("tupleElement", [col("attempts"), int(2)]),
            ),
        ],
        checks: Vec::new(),
        ctes: vec![
            Cte::new("tried", "Every attempt with its day.", {
                with_day(&TASK_RESULTS).columns(["event_time", "is_correct"])
            }),
            Cte::new(
                "days",
                "The attempts of a day together.",
                Select::from(Relation::cte("tried"))
                    .columns(["user_id", "activity_date"])
                    .item(attempts, "attempts")
                    .group_by(["user_id", "activity_date"].map(col)),
            ),
        ],
        rows: Select::from(Relation::cte("days")),
    }
}

/// Only users and days that changed in the staging model of the table are made anew.
fn by_user_and_day(table: &Entity) -> Build {
    Build::of_users_days([staging::events_of(table)], "activity_date", false)
}

/// The events of a table with user and day.
fn with_day(table: &Entity) -> Select {
    Select::from(staging::events_of(table))
        .only_changed(Changed::Events)
        .columns(["user_id"])
        .item(reporting_date(col("event_time")), "activity_date")
}

/// A user's measure on both sides of the assignment: in the window after it, and in the one before it.
struct Measure {
    /// The column of what came after; the column of what came before has [`BEFORE`] in front.
    name: &'static str,
    /// The query that counts it.
    of: &'static str,
    ty: SqlType,
    unit: Option<&'static str>,
    doc: &'static str,
}

/// Begins the names of columns of the window before the assignment.
pub(crate) const BEFORE: &str = "prior_";
/// Whether the window of a user is over.
pub(crate) const IS_WINDOW_OVER: &str = "is_window_over";
/// Whether the seventh day of a user is over.
pub(crate) const IS_D7_OVER: &str = "is_d7_over";

const fn measure(
    name: &'static str,
    of: &'static str,
    ty: SqlType,
    unit: Option<&'static str>,
    doc: &'static str,
) -> Measure {
    Measure { name, of, ty, unit, doc }
}

const MEASURES: [Measure; 5] = [
    measure("paid_purchases", "money", SqlType::UInt64, Some("purchases"), "Paid purchases"),
    measure(
        "net_revenue",
        "money",
        SqlType::Money,
        Some("reporting currency"),
        "Paid purchases minus refunds",
    ),
    measure("active_days", "activity", SqlType::UInt64, Some("days"), "Distinct active dates"),
    measure("attempts", "attempts", SqlType::UInt64, Some("attempts"), "Attempts at tasks"),
    measure("solved", "attempts", SqlType::UInt64, Some("attempts"), "Correct attempts at tasks"),
];

fn of_user(name: &'static str) -> Expr {
    col(name).of("assigned")
}

/// Whether an instant lies in the window after the assignment, or in the one before it.
fn inside(instant: Expr, before: bool) -> Expr {
    let (start, end) = if before { ("prior_start", "assigned_at") } else { ("assigned_at", "window_end") };
    instant.clone().at_least(of_user(start)).and(instant.less(of_user(end)))
}

/// The column that says whether the window after the assignment, or the one before it, begins and ends on one date.
fn is_cut(before: bool) -> &'static str {
    if before { "is_prior_window_cut" } else { "is_window_cut" }
}

fn build_measures() -> Model {
    let mut columns = vec![
        Column::key("experiment_id", SqlType::LowCardinality, "The experiment.", of_user("experiment_id")),
        Column::key("user_id", SqlType::String, "The user.", of_user("user_id")),
        Column::attribute(
            "variant",
            SqlType::LowCardinality,
            "The variant.",
            of_user("variant").cast(SqlType::LowCardinality),
        ),
        Column::attribute(
            IS_WINDOW_OVER,
            SqlType::Bool,
            "Whether the window has ended by the end of `as_of_date`: only then is the user analysed by what was done \
             in it.",
            of_user(IS_WINDOW_OVER).cast(SqlType::Bool),
        ),
        Column::attribute(
            IS_D7_OVER,
            SqlType::Bool,
            "Whether the seventh day after the date of the assignment is `as_of_date` or before: only then is the user \
             analysed by `is_active_d7`.",
            of_user(IS_D7_OVER).cast(SqlType::Bool),
        ),
    ];
    for (before, when) in [(false, "from the assignment on"), (true, "before the assignment")] {
        for Measure { name, of, ty, unit, doc } in MEASURES {
            let name = if before { format!("{BEFORE}{name}") } else { name.to_owned() };
            let counted = |of: &'static str| call("ifNull", [col(name.clone()).of(of), int(0)]);
            let value = match of {
                "activity" => case([(of_user(is_cut(before)), counted("cut_dates"))], counted(of)),
                _ => counted(of),
            };
            let value = value.cast(ty.clone());
            let doc = format!("{doc} in the `ab_window_days` {when}.");
            columns.push(Column::attribute(name, ty, doc, value).unit(unit));
        }
    }
    columns.push(Column::attribute(
        "is_active_d7",
        SqlType::Bool,
        "Whether the user was active on the seventh day after the date of the assignment, whatever the window.",
        call("ifNull", [col("is_active_d7").of("activity"), int(0)]).cast(SqlType::Bool),
    ));
    let sides = ["activity", "cut_dates", "money", "attempts"];
    let rows =
        sides.into_iter().fold(Select::from(Relation::cte("assigned").alias("assigned")), |rows, side| {
            let same = |name: &'static str| col(name).of(side).equals(of_user(name));
            rows.join(
                JoinKind::Left,
                Relation::cte(side).alias(side),
                same("experiment_id").and(same("user_id")),
            )
        });
    Model {
        id: measures(),
        build: Build::Table,
        description: "Users of each experiment who saw one variant only, with what they did in the window of \
                      `ab_window_days` from their assignment on, and in the window of the same length before it. A \
                      window begins at the assignment's instant, and its days have 24 hours. Users of whom neither \
                      the window nor the seventh day is over by `as_of_date` are left out."
            .to_owned(),
        grain: ["experiment_id", "user_id"].map(Into::into).into(),
        sorted_by: ["experiment_id", "user_id"].map(Into::into).into(),
        columns,
        checks: Vec::new(),
        ctes: vec![
            Cte::new("assigned", "Who is analysed, and their windows.", assigned()),
            Cte::new(
                "activity",
                "Active days. A day's first and last moments tell whether the day is inside where the window begins or \
                 ends on it.",
                activity(),
            ),
            Cte::new(
                "cut_users",
                "Users whose window begins and ends on one date, which has more than 24 hours, with its dates in UTC.",
                cut_users(),
            ),
            Cte::new("cut_events", "Their activity: what lies inside, only its own moments tell.", cut_events()),
            Cte::new("cut_dates", "Whether that date is active inside the window.", cut_dates()),
            Cte::new("money", "Purchases and refunds, each at its own time.", money()),
            Cte::new("attempts", "Attempts at tasks.", attempts()),
        ],
        rows,
    }
}

/// Reported assignments, a row a user and experiment: the first variant, and how many were seen.
pub(crate) fn first_assignments() -> Query {
    let order = || tuple([col("assigned_at"), col("event_id")]);
    let reported = Select::from(assignments())
        .columns(["experiment_id", "user_id", "variant", "assigned_at", "event_id"])
        .filter(is_reported(col("activity_date")));
    Select::from(Query::from(reported))
        .columns(["experiment_id", "user_id"])
        .item(call("argMin", [col("variant"), order()]), "first_variant")
        .item(call("min", [col("assigned_at")]), "first_assigned_at")
        .item(call("uniqExact", [col("variant")]), "variants_seen")
        .group_by(["experiment_id", "user_id"].map(col))
        .into()
}

fn assigned() -> Query {
    let days = || call("toIntervalDay", [var(Var::AbWindowDays)]);
    let at = || col("first_assigned_at");
    let last_instant = at() + days() - call("toIntervalMillisecond", [int(1)]);
    let is_one_date = |start, end| reporting_date(start).equals(reporting_date(end));
    let is_window_over = is_reported(reporting_date(last_instant));
    let is_d7_over = is_reported(reporting_date(at()) + int(7));
    Select::from(first_assignments())
        .columns(["experiment_id", "user_id"])
        .item(col("first_variant"), "variant")
        .item(at(), "assigned_at")
        .item(at() + days(), "window_end")
        .item(at() - days(), "prior_start")
        .item(is_one_date(at(), at() + days()), is_cut(false))
        .item(is_one_date(at() - days(), at()), is_cut(true))
        .item(is_window_over.clone(), IS_WINDOW_OVER)
        .item(is_d7_over.clone(), IS_D7_OVER)
        .filter(col("variants_seen").equals(int(1)))
        .filter(is_window_over.or(is_d7_over))
        .into()
}

/// Facts of a user joined with the experiments the user is in, grouped by both.
fn of_assigned(facts: impl Into<Aliased>, alias: &'static str) -> Select {
    Select::from(Aliased { alias: Some(alias.into()), ..facts.into() })
        .item(of_user("experiment_id"), "experiment_id")
        .item(of_user("user_id"), "user_id")
        .join(
            JoinKind::Inner,
            Relation::cte("assigned").alias("assigned"),
            of_user("user_id").equals(col("user_id").of(alias)),
        )
        .group_by(["experiment_id", "user_id"].map(of_user))
}

/// Both sides of a measure.
fn both(select: Select, name: &'static str, value: impl Fn(bool) -> Expr) -> Select {
    select.item(value(false), name).item(value(true), format!("{BEFORE}{name}"))
}

fn activity() -> Query {
    let day = |name: &'static str| col(name).of("day");
    let touched = |before| inside(day("first_event_time"), before).or(inside(day("last_event_time"), before));
    let select = both(of_assigned(user_activity_daily(), "day"), "active_days", |before| {
        call("uniqExactIf", [day("activity_date"), touched(before)])
    });
    let seventh = reporting_date(of_user("assigned_at")) + int(7);
    select.item(call("max", [day("activity_date").equals(seventh)]), "is_active_d7").into()
}

fn cut_users() -> Query {
    let days_around = array([-1, 0, 1].map(int));
    Select::from(Relation::cte("assigned"))
        .columns(["user_id"])
        .item(call("toDate", [col("assigned_at")]) + col("days_later"), "utc_date")
        .array_join(days_around, "days_later")
        .filter(col(is_cut(false)).or(col(is_cut(true))))
        .into()
}

fn cut_events() -> Query {
    let events = activity_models().map(|model| {
        let sorting_key = [call("toDate", [col("event_time")]), col("user_id")];
        Select::from(model).columns(["user_id", "event_time"]).filter(is_in_cte(
            sorting_key,
            "cut_users",
            ["utc_date", "user_id"],
        ))
    });
    Query::from(Vec::from(events))
}

fn cut_dates() -> Query {
    let moment = || col("event_time").of("event");
    both(of_assigned(Relation::cte("cut_events"), "event"), "active_days", |before| {
        call("toUInt64", [call("max", [inside(moment(), before)])])
    })
    .into()
}

fn money() -> Query {
    let fact = |name: &'static str| col(name).of("payment");
    let is_purchase = || fact("kind").equals(text("purchase"));
    let select = both(of_assigned(super::money(), "payment"), "paid_purchases", |before| {
        call("countIf", [is_purchase().and(inside(fact("event_time"), before))])
    });
    both(select, "net_revenue", |before| {
        call("sumIf", [fact("net_revenue"), inside(fact("event_time"), before)])
    })
    .into()
}

fn attempts() -> Query {
    let attempt = |name: &'static str| col(name).of("attempt");
    let each = Select::from(user_attempts_daily())
        .columns(["user_id"])
        .item(col("at"), "at")
        .item(col("correct"), "correct")
        .array_join(col("attempted_at"), "at")
        .array_join(col("is_correct"), "correct");
    let select = both(of_assigned(Query::from(each), "attempt"), "attempts", |before| {
        call("countIf", [inside(attempt("at"), before)])
    });
    both(select, "solved", |before| call("countIf", [attempt("correct").and(inside(attempt("at"), before))]))
        .into()
}
