//! `fct_subscription_retention`: how many subscribers are still inside a paid period, month by month.

use crate::intermediate::counted_purchases;
use crate::model::{Build, Check, Column, ColumnTest, Layer, Model, ModelRef};
use crate::pieces::{Segment, is_reported, segment_pairs};
use crate::sql::{Cte, Expr, Query, Relation, Select, SqlType, Var, call, col, int, text, tuple, var};

/// How subscribers are cut.
const SEGMENTS: [Segment; 2] = [Segment::OVERALL, Segment::PLAN];

/// The last month after the first paid period's start.
const LAST_MONTH: i64 = 36;

/// The mart's definition.
pub(super) fn model() -> Model {
    Model {
        id: ModelRef::new(Layer::Mart, "fct_subscription_retention"),
        build: Build::Table,
        description: "Subscribers by the month in which their first paid period starts, overall and by the plan they \
                      bought then, and how many of them are inside a paid period so many months after that \
                      start. A period counts for `grace_days` after its end. A month after the 31st is the last \
                      day of a shorter month. Purchases refunded in full are no paid periods."
            .to_owned(),
        grain: ["cohort_month", "segment", "segment_value", "month_index"].map(Into::into).into(),
        sorted_by: ["segment", "segment_value", "cohort_month", "month_index"].map(Into::into).into(),
        columns: columns(),
        checks: vec![
            Check {
                name: "eligible_are_of_the_cohort",
                condition: col("eligible_subscribers").at_most(col("cohort_subscribers")),
            },
            Check {
                name: "rows_have_eligible_subscribers",
                condition: col("eligible_subscribers").greater(int(0)),
            },
            Check {
                name: "retained_are_eligible",
                condition: col("retained_subscribers").at_most(col("eligible_subscribers")),
            },
            Check {
                name: "all_begin_retained",
                condition: col("month_index")
                    .greater(int(0))
                    .or(col("retained_subscribers").equals(col("eligible_subscribers"))),
            },
        ],
        ctes: vec![
            Cte::new(
                "subscribers",
                "The first paid period of each user, its plan, and all the paid periods.",
                subscribers(),
            ),
            Cte::new("starts", "Subscribers who share a first day and a plan.", starts()),
            Cte::new("paid_periods", "Each paid period by itself.", paid_periods()),
            Cte::new(
                "retained",
                "The months after the first day whose day is inside a paid period, each once a user.",
                retained(),
            ),
            Cte::new("parts", "Who there is and who is retained, month by month.", parts()),
            Cte::new("months", "One row a month of a cohort.", months()),
        ],
        rows: Select::from(Relation::cte("months")).filter(col("eligible").greater(int(0))),
    }
}

fn columns() -> Vec<Column> {
    let segments = SEGMENTS.map(|segment| segment.name.to_owned()).into();
    vec![
        Column::key(
            "cohort_month",
            SqlType::Date,
            "The first day of the month in which the subscribers' first paid period starts.",
            col("cohort_month"),
        ),
        Column::key(
            "segment",
            SqlType::LowCardinality,
            "How subscribers are cut: overall or by plan.",
            col("segment").cast(SqlType::LowCardinality),
        )
        .tested(ColumnTest::OneOf(segments)),
        Column::key(
            "segment_value",
            SqlType::LowCardinality,
            "The plan of the first paid period; empty for overall.",
            col("segment_value").cast(SqlType::LowCardinality),
        ),
        Column::key(
            "month_index",
            SqlType::UInt64,
            "How many months after each subscriber's own first day.",
            col("month_index"),
        )
        .unit(Some("months"))
        .tested(ColumnTest::Within(0, LAST_MONTH)),
        Column::count(
            "cohort_subscribers",
            "users",
            "Subscribers whose first paid period starts in the cohort's month.",
            col("subscribers"),
        ),
        Column::count(
            "eligible_subscribers",
            "users",
            "Those for whom the day so many months after their first day is `as_of_date` or before.",
            col("eligible"),
        ),
        Column::count(
            "retained_subscribers",
            "users",
            "The eligible ones who are inside a paid period on that day: it has started, and not ended `grace_days` ago.",
            col("retained"),
        ),
        Column::ratio(
            "retention_rate",
            "retained_subscribers ÷ eligible_subscribers.",
            col("retained"),
            col("eligible"),
        )
        .tested(ColumnTest::Within(0, 1)),
    ]
}

/// The day so many months after the first one. Periods may reach to the end of the type `Date`: beyond it
/// months are added in a wider type.
fn anniversary() -> Expr {
    call("addMonths", [call("toDate32", [col("first_day")]), col("month_index")])
}

fn subscribers() -> Query {
    let first = tuple([col("period_start"), col("event_time"), call("toString", [col("event_id")])]);
    Select::from(counted_purchases())
        .columns(["user_id"])
        .item(call("assumeNotNull", [call("min", [col("period_start")])]), "first_day")
        .item(call("argMin", [col("plan"), first]), "first_plan")
        .item(
            call(
                "groupUniqArray",
                [tuple([
                    call("assumeNotNull", [col("period_start")]),
                    call("assumeNotNull", [col("period_end")]),
                ])],
            ),
            "periods",
        )
        .filter(col("is_paid"))
        .filter(!col("is_fully_refunded"))
        .group_by([col("user_id")])
        .into()
}

fn starts() -> Query {
    Select::from(Relation::cte("subscribers"))
        .columns(["first_day", "first_plan"])
        .item(call("count", []), "users")
        .group_by(["first_day", "first_plan"].map(col))
        .into()
}

fn paid_periods() -> Query {
    Select::from(Relation::cte("subscribers"))
        .columns(["user_id", "first_day", "first_plan"])
        .item(col("period").element(1), "period_start")
        // A period may reach to the end of the type `Date`, so what comes after it is of a wider type.
        .item(call("toDate32", [col("period").element(2)]) + var(Var::GraceDays), "counts_until")
        .array_join(col("periods"), "period")
        .into()
}

fn retained() -> Query {
    // Only months that the period touches can have their day inside it.
    let months_to = |date| call("dateDiff", [text("month"), col("first_day"), col(date)]);
    let touched = call(
        "range",
        [
            call("toUInt64", [months_to("period_start")]),
            call("toUInt64", [call("least", [months_to("counts_until"), int(LAST_MONTH)]) + int(1)]),
        ],
    );
    Select::from(Relation::cte("paid_periods"))
        .columns(["user_id", "first_day", "first_plan", "month_index"])
        .array_join(touched, "month_index")
        .filter(col("period_start").at_most(anniversary()))
        .filter(anniversary().less(col("counts_until")))
        .distinct()
        .into()
}

fn parts() -> Query {
    let by = ["first_day", "plan", "month_index"];
    let part = |from, users, inside| {
        Select::from(Relation::cte(from))
            .columns(["first_day"])
            .item(col("first_plan"), "plan")
            .columns(["month_index"])
            .item(users, "users")
            .item(inside, "inside")
    };
    let nobody = || call("toUInt64", [int(0)]);
    let months = call("range", [call("toUInt64", [int(LAST_MONTH + 1)])]);
    let all = part("starts", col("users"), nobody()).array_join(months, "month_index");
    let retained = part("retained", nobody(), call("count", [])).group_by(by.map(col));
    vec![all, retained].into()
}

fn months() -> Query {
    let is_eligible = is_reported(anniversary());
    let by = ["cohort_month", "segment", "segment_value", "month_index"];
    Select::from(Relation::cte("parts"))
        .item(call("toStartOfMonth", [col("first_day")]), "cohort_month")
        .item(col("pair").element(1), "segment")
        .item(col("pair").element(2), "segment_value")
        .columns(["month_index"])
        .item(call("sum", [col("users")]), "subscribers")
        .item(call("sumIf", [col("users"), is_eligible.clone()]), "eligible")
        .item(call("sumIf", [col("inside"), is_eligible]), "retained")
        .array_join(segment_pairs(&SEGMENTS), "pair")
        .group_by(by.map(col))
        .into()
}
