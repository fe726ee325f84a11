//! `fct_retention`: of those who came first in a day, week or month, how many come back, and how many stay.

use crate::model::{Build, Check, Column, ColumnTest, Layer, Model, ModelRef};
use crate::pieces::reported_activity;
use crate::sql::{
    Bound, Cte, Expr, Frame, FrameUnit, Order, Query, Relation, Select, SqlType, Var, WindowSpec, array,
    call, case, col, int, lambda, text, tuple, var,
};

/// A length of periods: cohorts are of one, and come back in the same.
struct Period {
    /// What `cohort_period` holds.
    name: &'static str,
    /// The last index shown.
    last_index: i64,
    /// The first day of the period that a date is in.
    start: fn(Expr) -> Expr,
    /// How many periods a period's start lies after a cohort's; both are starts of periods.
    index: fn(Expr, Expr) -> Expr,
    /// The last day of the period of that index after a cohort's start.
    end: fn(Expr, Expr) -> Expr,
}

const PERIODS: [Period; 3] = [
    Period {
        name: "day",
        last_index: 90,
        start: |date| date,
        index: |cohort, start| start - cohort,
        end: |cohort, index| cohort + index,
    },
    Period {
        name: "week",
        last_index: 52,
        start: |date| call("toMonday", [date]),
        index: |cohort, start| call("intDiv", [start - cohort, int(7)]),
        end: |cohort, index| cohort + index * int(7) + int(6),
    },
    Period {
        name: "month",
        last_index: 24,
        start: |date| call("toStartOfMonth", [date]),
        index: |cohort, start| call("dateDiff", [text("month"), cohort, start]),
        end: |cohort, index| call("addMonths", [cohort, index + int(1)]) - int(1),
    },
];

/// The columns that name a cohort.
const COHORT: [&str; 2] = ["cohort_period", "cohort_start"];

/// The mart's definition.
pub(super) fn model() -> Model {
    Model {
        id: ModelRef::new(Layer::Mart, "fct_retention"),
        build: Build::Table,
        description: "Retention of cohorts: users by the day, week (from Monday) or month they were first active in. \
                      Both readings of it stand side by side: active in exactly that period, and active in it or any \
                      later one. A row for each period begun by `as_of_date`, up to 90 days, 52 weeks and 24 months; \
                      periods in which nobody was first active are no cohort."
            .to_owned(),
        grain: ["cohort_period", "cohort_start", "period_index"].map(Into::into).into(),
        sorted_by: ["cohort_period", "cohort_start", "period_index"].map(Into::into).into(),
        columns: columns(),
        checks: checks(),
        ctes: vec![
            Cte::new("users", "The days each user was active.", users()),
            Cte::new(
                "cohort_members",
                "Each user in a cohort of each length, with the periods they were active in, counted from its own.",
                cohort_members(),
            ),
            Cte::new(
                "active_periods",
                "How many members are active so long after, and for how many it is the last time.",
                active_periods(),
            ),
            Cte::new("cohorts", "These numbers of each cohort, by period.", cohorts()),
            Cte::new(
                "counted",
                "The periods of each cohort that have begun, with those who came for the last time before. Everyone \
                 is active in the first.",
                counted(),
            ),
        ],
        rows: Select::from(Relation::cte("counted")),
    }
}

/// The value for the period of the row.
fn by_period(value: impl Fn(&Period) -> Expr) -> Expr {
    let [day, week, month] = PERIODS;
    let is = |period: &Period| col("cohort_period").equals(text(period.name));
    case([(is(&day), value(&day)), (is(&week), value(&week))], value(&month))
}

fn columns() -> Vec<Column> {
    let users = |name, doc, value| Column::count(name, "users", doc, value);
    let share = |name, doc, part| {
        Column::ratio(name, doc, part, col("cohort_users")).tested(ColumnTest::Within(0, 1))
    };
    let retained_or_later = || col("cohort_users") - col("gone_users");
    let periods = PERIODS.map(|period| period.name.to_owned()).into();
    let end = by_period(|period| (period.end)(col("cohort_start"), col("period_index")));
    vec![
        Column::key(
            "cohort_period",
            SqlType::LowCardinality,
            "How long the cohort's periods are: day, week (from Monday) or month.",
            col("cohort_period").cast(SqlType::LowCardinality),
        )
        .tested(ColumnTest::OneOf(periods)),
        Column::key(
            "cohort_start",
            SqlType::Date,
            "The first day of the period in which the cohort's users were first active, in the reporting time zone.",
            col("cohort_start"),
        ),
        Column::key(
            "period_index",
            SqlType::UInt64,
            "How many periods after the first one; 0 is the first.",
            call("toUInt64", [col("period_index")]),
        )
        .unit(Some("periods")),
        users("cohort_users", "Users first active in the cohort's period.", col("cohort_users")),
        users("retained_users", "Of them, those active in exactly this period.", col("retained_users")),
        share("retention_rate", "retained_users ÷ cohort_users.", col("retained_users")),
        users(
            "retained_or_later_users",
            "Of them, those active in this period or in any later one.",
            retained_or_later(),
        ),
        share("rolling_retention_rate", "retained_or_later_users ÷ cohort_users.", retained_or_later()),
        Column::attribute(
            "is_complete",
            SqlType::Bool,
            "Whether the period ended by `as_of_date`; until then its figures still grow.",
            end.at_most(var(Var::AsOfDate)).cast(SqlType::Bool),
        ),
    ]
}

fn checks() -> Vec<Check> {
    let is_first = || col("period_index").equals(int(0));
    vec![
        Check { name: "cohort_has_users", condition: col("cohort_users").greater(int(0)) },
        Check {
            name: "first_period_is_the_cohort",
            condition: (!is_first()).or(col("retained_users").equals(col("cohort_users"))),
        },
        Check {
            name: "retained_at_most_retained_or_later",
            condition: col("retained_users").at_most(col("retained_or_later_users")),
        },
        Check {
            name: "retained_or_later_at_most_cohort",
            condition: col("retained_or_later_users").at_most(col("cohort_users")),
        },
    ]
}

/// The table is sorted by user: one after the other is read, and forgotten.
fn users() -> Query {
    let date = || col("activity_date").of("active");
    reported_activity("active")
        .item(call("min", [date()]), "first_date")
        .item(call("groupUniqArray", [date()]), "active_dates")
        .group_by([col("user_id").of("active")])
        .into()
}

fn cohort_members() -> Query {
    let cohorts = PERIODS.map(|Period { name, start, index, .. }| {
        let cohort_start = || start(col("first_date"));
        let indices = lambda("date", |date| call("toUInt16", [index(cohort_start(), start(date))]));
        let indices = call("arrayDistinct", [call("arrayMap", [indices, col("active_dates")])]);
        tuple([text(name), cohort_start(), indices])
    });
    Select::from(Relation::cte("users"))
        .item(col("cohort").element(1), "cohort_period")
        .item(col("cohort").element(2), "cohort_start")
        .item(col("cohort").element(3), "active_indices")
        .item(call("arrayMax", [col("cohort").element(3)]), "last_index")
        .array_join(array(cohorts), "cohort")
        .into()
}

fn active_periods() -> Query {
    Select::from(Relation::cte("cohort_members"))
        .columns(COHORT)
        .columns(["period_index"])
        .item(call("count", []), "active_users")
        .item(call("countIf", [col("period_index").equals(col("last_index"))]), "last_seen_users")
        .array_join(col("active_indices"), "period_index")
        .group_by(COHORT.map(col))
        .group_by([col("period_index")])
        .into()
}

fn cohorts() -> Query {
    let by_index = |users: &'static str| {
        let arrays = ["period_index", users].map(|name| call("groupArray", [col(name)]));
        call("mapFromArrays", arrays)
    };
    Select::from(Relation::cte("active_periods"))
        .columns(COHORT)
        .item(by_index("active_users"), "active")
        .item(by_index("last_seen_users"), "last_seen")
        .group_by(COHORT.map(col))
        .into()
}

fn counted() -> Query {
    let begun = by_period(|period| {
        let reached = (period.index)(col("cohort_start"), (period.start)(var(Var::AsOfDate)));
        call("least", [call("toInt64", [reached]), int(period.last_index)])
    });
    let of = |users: &'static str, index: Expr| call("arrayElement", [col(users), index]);
    let earlier = WindowSpec {
        partition_by: COHORT.map(col).into(),
        order_by: vec![Order::by(col("period_index"))],
        frame: Some(Frame {
            unit: FrameUnit::Rows,
            start: Bound::UnboundedPreceding,
            end: Bound::Preceding(1),
        }),
    };
    Select::from(Relation::cte("cohorts"))
        .columns(COHORT)
        .columns(["period_index"])
        .item(of("active", int(0)), "cohort_users")
        .item(of("active", col("period_index")), "retained_users")
        .item(call("sum", [of("last_seen", col("period_index"))]).over(earlier), "gone_users")
        .array_join(call("range", [call("toUInt16", [begun + int(1)])]), "period_index")
        .into()
}
