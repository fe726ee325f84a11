//! What stands on the page: each part with its query.

use metrics_sql::model::{Layer, ModelRef};
use metrics_sql::sql::{Expr, Literal, Order, Query, Relation, Select, call, col, int, text};

use crate::{Form, Part, Range, Unit};

/// The most cohorts of a grid, the latest ones.
const COHORTS: u64 = 15;
/// The most periods of a grid.
const PERIODS: i64 = 12;

const USERS: &[&str] = &["dau", "wau", "mau"];
const LIFECYCLE: &[&str] = &["new_users", "returning_users", "resurrected_users", "dormant_users"];
const TASKS: &[&str] = &["success_rate", "first_attempt_success_rate", "task_success_rate"];
const REVENUE: &[&str] = &["gross_revenue", "refunds", "net_revenue"];
const ARPU: &[&str] = &["arpu", "arppu"];

/// Every part of the page, in its order.
pub fn parts(range: Range) -> Vec<Part> {
    [activity(range), money(range), vec![ab_tests()]].concat()
}

fn lines(x: &'static str, lines: &'static [&'static str], unit: Unit) -> Form {
    Form::Lines { x, lines, unit }
}

fn activity(range: Range) -> Vec<Part> {
    let activity = |columns: &'static [&'static str]| {
        overall("fct_activity_daily").dated("activity_date", range).figures(&["activity_date"], columns)
    };
    vec![
        Part {
            title: "Active users",
            note: "Distinct users active in the 1, 7 and 30 days ending each day.",
            mart: "fct_activity_daily",
            query: activity(USERS),
            form: lines("activity_date", USERS, Unit::Count),
        },
        Part {
            title: "Stickiness",
            note: "dau ÷ mau: how much of a month's users come on a day.",
            mart: "fct_activity_daily",
            query: activity(&["dau_mau"]),
            form: lines("activity_date", &["dau_mau"], Unit::Share),
        },
        Part {
            title: "Lifecycle",
            note: "New, returning and resurrected users add up to the day's active ones; dormant ones left the day before.",
            mart: "fct_activity_daily",
            query: activity(LIFECYCLE),
            form: lines("activity_date", LIFECYCLE, Unit::Count),
        },
        Part {
            title: "Tasks solved",
            note: "Shares of attempts, of first attempts, and of tasks tried that were solved.",
            mart: "fct_task_success_daily",
            query: overall("fct_task_success_daily")
                .dated("activity_date", range)
                .figures(&["activity_date"], TASKS),
            form: lines("activity_date", TASKS, Unit::Share),
        },
        Part {
            title: "Weekly retention",
            note: "The share of each week's new users who were active in exactly that later week; only weeks that have ended.",
            mart: "fct_retention",
            query: Read::from("fct_retention")
                .filtered(col("cohort_period").equals(text("week")))
                .filtered(col("period_index").at_most(int(PERIODS)))
                .filtered(col("is_complete"))
                .dated("cohort_start", range)
                .figures(&["cohort_start", "period_index"], &["cohort_users", "retention_rate"]),
            form: Form::Cohorts {
                row: "cohort_start",
                size: "cohort_users",
                column: "period_index",
                share: "retention_rate",
            },
        },
    ]
}

fn money(range: Range) -> Vec<Part> {
    let monthly = |columns: &'static [&'static str]| {
        let months = overall("fct_revenue").filtered(col("period").equals(text("month")));
        months.dated("period_start", range).figures(&["period_start"], columns)
    };
    vec![
        Part {
            title: "Revenue by month",
            note: "Paid purchases, refunds, and what is left, in the reporting currency.",
            mart: "fct_revenue",
            query: monthly(REVENUE),
            form: lines("period_start", REVENUE, Unit::Money),
        },
        Part {
            title: "Revenue per user by month",
            note: "Net revenue by active users, and by paying users.",
            mart: "fct_revenue",
            query: monthly(ARPU),
            form: lines("period_start", ARPU, Unit::Money),
        },
        Part {
            title: "Conversion",
            note: "The share of users who paid at most so many days after they were first active, or began a trial; complete cohorts only.",
            mart: "fct_conversion",
            query: conversion(range),
            form: Form::List {
                columns: &[
                    ("conversion", Unit::Text),
                    ("horizon_days", Unit::Count),
                    ("cohort_users", Unit::Count),
                    ("converted_users", Unit::Count),
                    ("conversion_rate", Unit::Share),
                ],
            },
        },
        Part {
            title: "Lifetime value",
            note: "Net revenue of a month's new users up to so many months later, by user.",
            mart: "fct_ltv",
            query: Read::from("fct_ltv")
                .dated("cohort_month", range)
                .figures(&["cohort_month", "month_index"], &["ltv"]),
            form: Form::LinesBy { by: "cohort_month", x: "month_index", y: "ltv", unit: Unit::Money },
        },
        Part {
            title: "Subscription retention",
            note: "The share of a month's new subscribers who are inside a paid period so many months later.",
            mart: "fct_subscription_retention",
            query: overall("fct_subscription_retention")
                .filtered(col("month_index").at_most(int(PERIODS)))
                .dated("cohort_month", range)
                .figures(&["cohort_month", "month_index"], &["cohort_subscribers", "retention_rate"]),
            form: Form::Cohorts {
                row: "cohort_month",
                size: "cohort_subscribers",
                column: "month_index",
                share: "retention_rate",
            },
        },
    ]
}

fn ab_tests() -> Part {
    Part {
        title: "A/B tests",
        note: "Each variant against its control, with CUPED where there is one. A sample ratio mismatch (srm) near 0 means that the assignment is broken.",
        mart: "fct_ab_test_results",
        query: Read::from("fct_ab_test_results").figures(
            &["experiment_id", "metric", "method", "variant"],
            &[
                "users",
                "control_users",
                "value",
                "control_value",
                "relative_lift",
                "p_value_adjusted",
                "srm_p_value",
            ],
        ),
        form: Form::List {
            columns: &[
                ("experiment_id", Unit::Text),
                ("metric", Unit::Text),
                ("method", Unit::Text),
                ("variant", Unit::Text),
                ("users", Unit::Count),
                ("control_users", Unit::Count),
                ("value", Unit::Number),
                ("control_value", Unit::Number),
                ("relative_lift", Unit::Share),
                ("p_value_adjusted", Unit::Number),
                ("srm_p_value", Unit::Number),
            ],
        },
    }
}

/// What is read of a mart.
struct Read(Select);

impl Read {
    fn from(mart: &'static str) -> Read {
        Read(Select::from(Relation::from(ModelRef::new(Layer::Mart, mart))))
    }

    fn filtered(self, condition: Expr) -> Read {
        Read(self.0.filter(condition))
    }

    fn dated(mut self, column: &'static str, range: Range) -> Read {
        let date = |date: event_schema::value::Date| Expr::Literal(Literal::Date(date.to_string()));
        if let Some(from) = range.from {
            self = self.filtered(col(column).at_least(date(from)));
        }
        if let Some(to) = range.to {
            self = self.filtered(col(column).at_most(date(to)));
        }
        self
    }

    fn figures(self, keys: &'static [&'static str], figures: &[&'static str]) -> Query {
        let order = keys.iter().map(|key| Order::by(col(*key)));
        self.0.columns(keys.iter().copied()).columns(figures.iter().copied()).order_by(order).into()
    }
}

/// All users together.
fn overall(mart: &'static str) -> Read {
    Read::from(mart).filtered(col("segment").equals(text("overall")))
}

/// Complete cohorts together.
fn conversion(range: Range) -> Query {
    let keys = ["conversion", "horizon_days"];
    let Read(select) = Read::from("fct_conversion").filtered(col("is_complete")).dated("cohort_date", range);
    let sums = select
        .columns(keys)
        .item(call("sum", [col("cohort_users")]), "users")
        .item(call("sum", [col("converted_users")]), "converted")
        .group_by(keys.map(col));
    Select::from(Query::from(sums))
        .columns(keys)
        .item(col("users"), "cohort_users")
        .item(col("converted"), "converted_users")
        .item(col("converted") / call("nullIf", [col("users"), int(0)]), "conversion_rate")
        .order_by(keys.map(|key| Order::by(col(key))))
        .into()
}

/// The cohorts that a grid shows.
pub(crate) fn shown_cohorts<T>(cohorts: &[T]) -> &[T] {
    &cohorts[cohorts.len().saturating_sub(COHORTS as usize)..]
}
