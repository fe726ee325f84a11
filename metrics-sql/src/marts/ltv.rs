//! `fct_ltv`: what the users of a month have brought, month by month.

use crate::intermediate::{money, users};
use crate::model::{Build, Check, Column, ColumnTest, Layer, Model, ModelRef};
use crate::pieces::is_reported;
use crate::sql::{
    Cte, Expr, JoinKind, Order, Query, Relation, Select, SqlType, WindowSpec, call, col, int, text,
};

/// The last month after the cohort's own.
const LAST_MONTH: i64 = 36;

/// The mart's definition.
pub(super) fn model() -> Model {
    Model {
        id: ModelRef::new(Layer::Mart, "fct_ltv"),
        build: Build::Table,
        description: "Lifetime value: the net revenue of the users first active in a month, in that calendar month \
                      and the 36 after it, as far as they have begun. Money from before the first activity's \
                      month counts in month 0. Users who were never active have no cohort, and their money is \
                      in no row."
            .to_owned(),
        grain: ["cohort_month", "month_index"].map(Into::into).into(),
        sorted_by: ["cohort_month", "month_index"].map(Into::into).into(),
        columns: columns(),
        checks: vec![Check {
            name: "cohorts_have_users",
            condition: col("cohort_users").greater(int(0)),
        }],
        ctes: vec![
            Cte::new("cohorts", "The month each user is first active in.", cohorts()),
            Cte::new("payments", "What each user brings in a month.", payments()),
            Cte::new("parts", "Users and money of each month of a cohort.", parts()),
            Cte::new("months", "One row a month of a cohort.", months()),
        ],
        rows: Select::from(Relation::cte("months")),
    }
}

fn columns() -> Vec<Column> {
    let so_far = call("sum", [col("month_revenue")]).over(WindowSpec {
        partition_by: vec![col("cohort_month")],
        order_by: vec![Order::by(col("month_index"))],
        frame: None,
    });
    let ended = call("addMonths", [col("cohort_month"), col("month_index") + int(1)]) - int(1);
    vec![
        Column::key(
            "cohort_month",
            SqlType::Date,
            "The first day of the month in which the users were first active, in the reporting time zone.",
            col("cohort_month"),
        ),
        Column::key(
            "month_index",
            SqlType::UInt64,
            "How many calendar months after the cohort's month.",
            col("month_index"),
        )
        .unit(Some("months"))
        .tested(ColumnTest::Within(0, LAST_MONTH)),
        Column::count("cohort_users", "users", "Users first active in the cohort's month.", col("users")),
        Column::money(
            "net_revenue",
            "What they brought in that month, less what they were given back.",
            col("month_revenue"),
        ),
        Column::money(
            "cumulative_net_revenue",
            "What they have brought up to the end of that month.",
            so_far.clone(),
        ),
        Column::ratio("ltv", "cumulative_net_revenue ÷ cohort_users.", so_far, col("users"))
            .unit(Some("reporting currency a user")),
        Column::attribute(
            "is_complete",
            SqlType::Bool,
            "Whether the month is over: its last day is `as_of_date` or before.",
            is_reported(ended).cast(SqlType::Bool),
        ),
    ]
}

fn cohorts() -> Query {
    Select::from(users())
        .columns(["user_id"])
        .item(call("toStartOfMonth", [col("first_active_date")]), "cohort_month")
        .filter(is_reported(col("first_active_date")))
        .into()
}

fn payments() -> Query {
    Select::from(money())
        .columns(["user_id"])
        .item(call("toStartOfMonth", [col("event_date")]), "payment_month")
        .item(call("sum", [col("net_revenue")]), "user_revenue")
        .group_by(["user_id", "payment_month"].map(col))
        .into()
}

fn parts() -> Query {
    let begins = call("addMonths", [col("cohort_month"), col("month_index")]);
    let months = call("range", [call("toUInt64", [int(LAST_MONTH + 1)])]);
    let users = Select::from(Relation::cte("cohorts"))
        .columns(["cohort_month", "month_index"])
        .item(call("count", []), "cohort_users")
        .item(int(0).cast(SqlType::Money), "cohort_revenue")
        .array_join(months, "month_index")
        .filter(is_reported(begins))
        .group_by(["cohort_month", "month_index"].map(col));
    let of_cohort = |name: &'static str| col(name).of("cohorts");
    let of_payment = |name: &'static str| col(name).of("payments");
    let months_later =
        call("dateDiff", [text("month"), of_cohort("cohort_month"), of_payment("payment_month")]);
    let month_index: Expr = call("toUInt64", [call("greatest", [months_later, int(0)])]);
    let money = Select::from(Relation::cte("cohorts").alias("cohorts"))
        .item(of_cohort("cohort_month"), "cohort_month")
        .item(month_index, "month_index")
        .item(call("toUInt64", [int(0)]), "cohort_users")
        .item(call("sum", [of_payment("user_revenue")]), "cohort_revenue")
        .join(JoinKind::Inner, Relation::cte("payments").alias("payments"), {
            of_payment("user_id").equals(of_cohort("user_id"))
        })
        .group_by([of_cohort("cohort_month"), col("month_index")]);
    vec![users, money].into()
}

fn months() -> Query {
    Select::from(Relation::cte("parts"))
        .columns(["cohort_month", "month_index"])
        .item(call("sum", [col("cohort_users")]), "users")
        .item(call("sum", [col("cohort_revenue")]), "month_revenue")
        .filter(col("month_index").at_most(int(LAST_MONTH)))
        .group_by(["cohort_month", "month_index"].map(col))
        .into()
}
