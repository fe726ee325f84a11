//! `fct_revenue`: who pays, and how much, by day, week and month.

use crate::intermediate::{active_periods, calendar, money};
use crate::model::{Build, Check, Column, ColumnTest, Layer, Model, ModelRef};
use crate::pieces::{Period, Segment, by_period, is_refund, is_reported, segment_pairs};
use crate::sql::{
    Bound, Cte, Expr, Frame, FrameUnit, Order, Query, Relation, Select, SqlType, Var, WindowSpec, array,
    call, case, col, int, text, tuple, var,
};

/// How money is cut.
const OF_MONEY: [Segment; 4] = [Segment::OVERALL, Segment::PLATFORM, Segment::COUNTRY, Segment::PLAN];

/// So many days before a day lies no period that the day is in.
const LONG_AGO: i64 = 31;

/// The columns that are added up over a period, and whether they are money.
const SUMS: [(&str, bool); 6] = [
    ("active_users", false),
    ("paying_users", false),
    ("new_paying_users", false),
    ("purchases", false),
    ("gross_revenue", true),
    ("refunds", true),
];

/// The mart's definition.
pub(super) fn model() -> Model {
    Model {
        id: ModelRef::new(Layer::Mart, "fct_revenue"),
        build: Build::Table,
        description: "Active and paying users and their money a day, week and month, overall and by \
                      platform, country and plan. A purchase counts where it was made; a refund where the \
                      purchase it names was made, on its own date. Every period from the first activity, or from the \
                      first money where that is earlier, has its overall row; other segment values have rows where \
                      something of their own is not zero. The first period may be partial."
            .to_owned(),
        grain: ["period", "period_start", "segment", "segment_value"].map(Into::into).into(),
        sorted_by: ["period", "segment", "segment_value", "period_start"].map(Into::into).into(),
        columns: columns(),
        checks: checks(),
        ctes: vec![
            Cte::new(
                "present",
                "The days each user pays in a segment value, each with the one before; with one too long ago to \
                 matter where there is none.",
                present(),
            ),
            Cte::new(
                "payers",
                "A user counts on the first day of each period that they pay on, so days add up to weeks and months.",
                payers(),
            ),
            Cte::new("payments", "Money by day.", payments()),
            Cte::new("beginnings", "The first day of activity, and that of money.", beginnings()),
            Cte::new("days", "Every day from the earlier of both on.", days()),
            Cte::new("parts", "What each period is made of; the part of the days by themselves is nothing.", parts()),
            Cte::new("periods", "One row a period and segment value.", periods()),
        ],
        rows: Select::from(Relation::cte("periods").alias("periods")).filter(has_something(of_period)),
    }
}

fn of_period(name: &'static str) -> Expr {
    col(name).of("periods")
}

/// Whether something of the row's own is not zero. A plan has no active users of its own.
fn has_something(of: fn(&'static str) -> Expr) -> Expr {
    of("segment")
        .equals(text(Segment::OVERALL.name))
        .or(of("segment").differs(text(Segment::PLAN.name)).and(of("active_users").greater(int(0))))
        .or(of("paying_users").greater(int(0)))
        .or(of("refunds").greater(int(0)))
}

fn columns() -> Vec<Column> {
    let one_of = |names: Vec<&str>| ColumnTest::OneOf(names.into_iter().map(str::to_owned).collect());
    let low_cardinality = |name: &'static str, doc, value: Expr| {
        Column::key(name, SqlType::LowCardinality, doc, value.cast(SqlType::LowCardinality))
    };
    let users = |name: &'static str, doc| Column::count(name, "users", doc, of_period(name));
    let money = |name: &'static str, doc| Column::money(name, doc, of_period(name));
    let a_user = Some("reporting currency a user");
    // For a plan there is no activity of its own.
    let all_active = call(
        "max",
        [case(
            [(of_period("segment").equals(text(Segment::OVERALL.name)), of_period("active_users"))],
            int(0),
        )],
    )
    .over(WindowSpec {
        partition_by: vec![of_period("period"), of_period("period_start")],
        ..Default::default()
    });
    let is_plan = of_period("segment").equals(text(Segment::PLAN.name));
    let active_users = case([(is_plan, all_active)], of_period("active_users"));
    let net_revenue = || of_period("gross_revenue") - of_period("refunds");
    vec![
        low_cardinality("period", "The length of the period: day, week or month.", of_period("period"))
            .tested(one_of(Period::ALL.map(Period::name).into())),
        Column::key(
            "period_start",
            SqlType::Date,
            "The period's first day, in the reporting time zone.",
            of_period("period_start"),
        ),
        Column::attribute(
            "is_complete",
            SqlType::Bool,
            "Whether the period is over: its last day is `as_of_date` or before.",
            is_reported(next_period() - int(1)).cast(SqlType::Bool),
        ),
        low_cardinality(
            "segment",
            "How users and money are cut: overall, by platform, country or plan.",
            of_period("segment"),
        )
        .tested(one_of(OF_MONEY.map(|segment| segment.name).into())),
        low_cardinality(
            "segment_value",
            "The platform, country or plan; empty for overall, and where it is unknown.",
            of_period("segment_value"),
        ),
        Column::count(
            "active_users",
            "users",
            "Distinct users active in the period. For a plan: those of the overall row.",
            active_users.clone(),
        ),
        users("paying_users", "Distinct users with a paid purchase in the period."),
        users(
            "new_paying_users",
            "Users whose first paid purchase ever was made in the period; they are new where that was made.",
        ),
        Column::count("purchases", "purchases", "Paid purchases.", of_period("purchases")),
        money("gross_revenue", "What paid purchases brought."),
        money("refunds", "What was given back."),
        Column::money("net_revenue", "gross_revenue − refunds.", net_revenue()),
        Column::ratio(
            "conversion_rate",
            "paying_users ÷ active_users; NULL where nobody is active. Above 1 where users pay without being \
             active.",
            of_period("paying_users"),
            active_users.clone(),
        )
        .unit(Some("paying users an active user")),
        Column::ratio(
            "arpu",
            "Average revenue per user: net_revenue ÷ active_users; NULL where nobody is active.",
            net_revenue(),
            active_users,
        )
        .unit(a_user),
        Column::ratio(
            "arppu",
            "Average revenue per paying user: net_revenue ÷ paying_users; NULL where nobody pays.",
            net_revenue(),
            of_period("paying_users"),
        )
        .unit(a_user),
    ]
}

/// The first day after the row's period.
fn next_period() -> Expr {
    by_period(&of_period("period"), |period| period.nth(of_period("period_start"), int(1)))
}

fn checks() -> Vec<Check> {
    vec![
        Check {
            name: "net_is_gross_less_refunds",
            condition: col("net_revenue").equals(col("gross_revenue") - col("refunds")),
        },
        Check {
            name: "money_is_not_negative",
            condition: col("gross_revenue").at_least(int(0)).and(col("refunds").at_least(int(0))),
        },
        Check {
            name: "purchases_bring_money",
            condition: col("purchases").greater(int(0)).equals(col("gross_revenue").greater(int(0))),
        },
        Check {
            name: "new_paying_users_pay",
            condition: col("new_paying_users").at_most(col("paying_users")),
        },
        Check { name: "paying_users_buy", condition: col("paying_users").at_most(col("purchases")) },
        Check { name: "segment_rows_have_something", condition: has_something(col) },
    ]
}

/// The days each user pays in each segment value, with the one before. A window for each segment reads the table in
/// its own order, where grouping would hold every user's days in memory at once.
fn present() -> Query {
    let days = |segment: Segment| {
        let window = WindowSpec {
            partition_by: std::iter::once("user_id").chain(segment.column).map(col).collect(),
            order_by: vec![Order::by(col("event_date"))],
            frame: Some(Frame {
                unit: FrameUnit::Rows,
                start: Bound::Preceding(1),
                end: Bound::Preceding(1),
            }),
        };
        let long_before = col("event_date") - int(LONG_AGO);
        Select::from(money())
            .filter(!is_refund())
            .item(text(segment.name), "segment")
            .item(segment.column.map_or_else(|| text(""), col), "segment_value")
            .item(col("event_date"), "day")
            .item(call("lagInFrame", [col("event_date"), int(1), long_before]).over(window), "previous_day")
    };
    OF_MONEY.map(days).into_iter().collect::<Vec<_>>().into()
}

/// The users who are first seen that day in the period.
fn seen(period: Period) -> String {
    format!("seen_first_in_{}", period.name())
}

fn payers() -> Query {
    let by = ["segment", "segment_value", "day"];
    let mut select = Select::from(Relation::cte("present")).columns(by);
    for period in Period::ALL {
        let is_first = period.start(col("day")).differs(period.start(col("previous_day")));
        select = select.item(call("countIf", [is_first]), seen(period));
    }
    select.group_by(by.map(col)).into()
}

fn payments() -> Query {
    let sum_if = |condition: Expr, sign: i64| {
        let revenue = if sign < 0 { -col("net_revenue") } else { col("net_revenue") };
        call("sumIf", [revenue, condition])
    };
    let by = ["segment", "segment_value", "event_date"];
    Select::from(money())
        .item(col("pair").element(1), "segment")
        .item(col("pair").element(2), "segment_value")
        .columns(["event_date"])
        .item(call("countIf", [col("is_first_purchase")]), "new_paying_users")
        .item(call("countIf", [!is_refund()]), "purchases")
        .item(sum_if(!is_refund(), 1), "gross_revenue")
        .item(sum_if(is_refund(), -1), "refunds")
        .array_join(segment_pairs(&OF_MONEY), "pair")
        .group_by(by.map(col))
        .into()
}

fn beginnings() -> Query {
    let activity = Select::from(calendar()).item(call("min", [col("calendar_date")]), "first_day");
    let moved = Select::from(money()).item(call("min", [col("event_date")]), "first_day");
    // An ungrouped `min` of nothing would make a row.
    let any = || call("count", []).greater(int(0));
    vec![activity.having(any()), moved.having(any())].into()
}

fn days() -> Query {
    let first = Select::from(Relation::cte("beginnings"))
        .item(call("min", [col("first_day")]), "first_day")
        .having(call("count", []).greater(int(0)));
    let days = call("toUInt64", [var(Var::AsOfDate) - col("first_day") + int(1)]);
    Select::from(Query::from(first))
        .item(col("first_day") + col("day_index"), "day")
        .array_join(call("range", [days]), "day_index")
        .into()
}

/// The periods that a day is in, as an array of (length, first day, …) to be joined.
fn periods_of(day: &'static str, more: impl Fn(Period) -> Option<Expr>) -> Expr {
    let of_day = |period: Period| {
        let known = [text(period.name()), period.start(col(day))];
        tuple(known.into_iter().chain(more(period)))
    };
    array(Period::ALL.map(of_day))
}

/// A part of each period: some of the sums, zeros for the others.
fn part(from: Select, periods: Expr, sums: &[(&'static str, Expr)]) -> Select {
    let of_period = from
        .item(col("span").element(1), "period")
        .item(col("span").element(2), "period_start")
        .array_join(periods, "span");
    with_sums(of_period, sums)
}

fn with_sums(mut part: Select, sums: &[(&'static str, Expr)]) -> Select {
    for (name, is_money) in SUMS {
        let given = sums.iter().find(|(given, _)| *given == name).map(|(_, value)| value.clone());
        let zero = if is_money { int(0).cast(SqlType::Money) } else { call("toUInt64", [int(0)]) };
        part = part.item(given.unwrap_or(zero), name);
    }
    part
}

fn parts() -> Query {
    let active = with_sums(
        Select::from(active_periods()).columns(["segment", "segment_value", "period", "period_start"]),
        &[("active_users", col("active_users"))],
    );
    let paying = part(
        Select::from(Relation::cte("payers")).columns(["segment", "segment_value"]),
        periods_of("day", |period| Some(col(seen(period)))),
        &[("paying_users", col("span").element(3))],
    );
    let payments = part(
        Select::from(Relation::cte("payments")).columns(["segment", "segment_value"]),
        periods_of("event_date", |_| None),
        &["new_paying_users", "purchases", "gross_revenue", "refunds"].map(|name| (name, col(name))),
    );
    let nothing = part(
        Select::from(Relation::cte("days"))
            .item(text(Segment::OVERALL.name), "segment")
            .item(text(""), "segment_value"),
        periods_of("day", |_| None),
        &[],
    );
    vec![active, paying, payments, nothing].into()
}

fn periods() -> Query {
    let of_part = |name: &'static str| col(name).of("parts");
    let by = ["period", "period_start", "segment", "segment_value"];
    let mut select = Select::from(Relation::cte("parts").alias("parts"));
    for name in by {
        select = select.item(of_part(name), name);
    }
    for (name, _) in SUMS {
        select = select.item(call("sum", [of_part(name)]), name);
    }
    select.group_by(by.map(of_part)).into()
}
