//! `fct_retention`: of those who came first in a day, week or month, how many come back, and how many stay.

use crate::intermediate::{
    active_users, calendar, new_users, segment_columns, unseen_before, user_numbers, users,
};
use crate::model::{
    BearsOn, Build, Check, Column, ColumnTest, Followed, Follows, Layer, Model, ModelRef, Slices,
};
use crate::pieces::{Period, Segment, activity_models, by_period, is_reported, periods_of};
use crate::sql::{
    Bound, Changed, Cte, Frame, FrameUnit, JoinKind, Order, Query, Relation, Select, SqlType, Var,
    WindowSpec, call, col, int, text, var,
};

/// The last index shown of cohorts of a length. The macro `changed_cohorts` of the dbt project knows them, too.
fn last_index(period: Period) -> i64 {
    match period {
        Period::Day => 90,
        Period::Week => 52,
        Period::Month => 24,
    }
}

/// The columns that name a cohort.
const COHORT: [&str; 4] = ["cohort_period", "cohort_start", "segment", "segment_value"];

/// The mart's definition.
pub(super) fn model() -> Model {
    let bearing = |bears_on| move |model| Followed { model, bears_on };
    let followed = [active_users(), new_users(), calendar()].map(bearing(BearsOn::Cohorts));
    // What `changed_cohorts` reads beside these.
    let changed_users = activity_models().map(bearing(BearsOn::Users));
    let read = [users(), user_numbers()].map(bearing(BearsOn::Nothing));
    Model {
        id: ModelRef::new(Layer::Mart, "fct_retention"),
        build: Build::FollowsChanges(Follows {
            models: followed.into_iter().chain(changed_users).chain(read).collect(),
            changed_by: COHORT.map(Into::into).into(),
            is_followed: false,
            is_append_only: false,
            slices: Slices::None,
        }),
        description: "Retention of cohorts: users by the day, week or month they were first active in, overall and by \
                      platform and country of that first day; activity that comes back counts anywhere. Both readings \
                      of retention stand side by side: active in exactly that period, and active in it or any later \
                      one. A row for each period begun by `as_of_date`, up to 90 days, 52 weeks and 24 months; periods \
                      in which nobody was first active are no cohort."
            .to_owned(),
        grain: COHORT.into_iter().chain(["period_index"]).map(Into::into).collect(),
        sorted_by: ["cohort_period", "segment", "segment_value", "cohort_start", "period_index"]
            .map(Into::into)
            .into(),
        columns: columns(),
        checks: checks(),
        ctes: vec![
            Cte::new("days", "The users of each day, and those of them who were never seen after it.", days()),
            Cte::new("periods", "The same of each day, week and month.", periods()),
            Cte::new("cohorts", "Users by the period they were first active in.", cohorts()),
            Cte::new(
                "counted",
                "How many of each cohort are there in each later period, and for how many it is the last time.",
                counted(),
            ),
            Cte::new("running", "With those who came for the last time before.", running()),
        ],
        rows: Select::from(Relation::cte("running")),
    }
}

fn columns() -> Vec<Column> {
    let users = |name, doc, value| Column::count(name, "users", doc, value);
    let share = |name, doc, part| {
        Column::ratio(name, doc, part, col("cohort_users")).tested(ColumnTest::Within(0, 1))
    };
    let retained_or_later = || col("cohort_users") - col("gone_users");
    let periods = Period::ALL.map(|period| period.name().to_owned()).into();
    let end = by_period(&col("cohort_period"), |period| {
        period.nth(col("cohort_start"), col("period_index") + int(1)) - int(1)
    });
    let [segment, value] = segment_columns(col("segment"), col("segment_value"));
    vec![
        Column::key(
            "cohort_period",
            SqlType::LowCardinality,
            "How long the cohort's periods are: day, week or month.",
            col("cohort_period").cast(SqlType::LowCardinality),
        )
        .tested(ColumnTest::OneOf(periods)),
        Column::key(
            "cohort_start",
            SqlType::Date,
            "The first day of the period in which the cohort's users were first active, in the reporting time zone.",
            col("cohort_start"),
        ),
        segment,
        value,
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

fn days() -> Query {
    let date = || col("calendar_date").of("calendar");
    let everybody = Select::from(active_users())
        .columns(["activity_date", "users"])
        .filter(col("segment").equals(text(Segment::OVERALL.name)));
    let active = Query::from(everybody).alias("active");
    let last_seen = unseen_before(col("users").of("active"), Order::latest(date()));
    Select::from(Relation::from(calendar()).alias("calendar"))
        .item(date(), "calendar_date")
        .item(col("users").of("active"), "active_users")
        .item(last_seen, "last_seen_users")
        .join(JoinKind::Left, active, col("activity_date").of("active").equals(date()))
        .into()
}

fn periods() -> Query {
    let all = |users: &'static str| call("groupBitmapMergeState", [col(users)]);
    Select::from(Relation::cte("days"))
        .item(col("pair").element(1), "cohort_period")
        .item(col("pair").element(2), "period_start")
        .item(all("active_users"), "active_users")
        .item(all("last_seen_users"), "last_seen_users")
        .array_join(periods_of(&col("calendar_date")), "pair")
        .group_by(["cohort_period", "period_start"].map(col))
        .into()
}

fn cohorts() -> Query {
    Select::from(new_users())
        .item(col("pair").element(1), "cohort_period")
        .item(col("pair").element(2), "cohort_start")
        .columns(["segment", "segment_value"])
        .item(call("groupBitmapMergeState", [col("users")]), "cohort_users")
        .array_join(periods_of(&col("first_active_date")), "pair")
        .only_changed(Changed::Keys("cohort_period, cohort_start, segment, segment_value"))
        .filter(is_reported(col("first_active_date")))
        .group_by(COHORT.map(col))
        .into()
}

fn counted() -> Query {
    let later = |name: &'static str| col(name).of("later");
    let cohort = |name: &'static str| col(name).of("cohorts");
    let start =
        by_period(&col("cohort_period"), |period| period.nth(col("period_start"), -col("period_index")));
    let shown = by_period(&col("cohort_period"), |period| int(last_index(period) + 1));
    let by_cohort = Select::from(Relation::cte("periods"))
        .columns(["cohort_period", "period_index", "active_users", "last_seen_users"])
        .item(start, "cohort_start")
        .array_join(call("range", [shown]), "period_index");
    let both = |users| call("bitmapAndCardinality", [cohort("cohort_users"), later(users)]);
    let mut select = Select::from(Query::from(by_cohort).alias("later"));
    for name in COHORT {
        select = select.item(cohort(name), name);
    }
    select
        .item(later("period_index"), "period_index")
        .item(call("bitmapCardinality", [cohort("cohort_users")]), "cohort_users")
        .item(both("active_users"), "retained_users")
        .item(both("last_seen_users"), "last_seen_users")
        .join(
            JoinKind::Inner,
            Relation::cte("cohorts").alias("cohorts"),
            cohort("cohort_period")
                .equals(later("cohort_period"))
                .and(cohort("cohort_start").equals(later("cohort_start"))),
        )
        .into()
}

fn running() -> Query {
    let earlier = WindowSpec {
        partition_by: COHORT.map(col).into(),
        order_by: vec![Order::by(col("period_index"))],
        frame: Some(Frame {
            unit: FrameUnit::Rows,
            start: Bound::UnboundedPreceding,
            end: Bound::Preceding(1),
        }),
    };
    Select::from(Relation::cte("counted"))
        .columns(COHORT)
        .columns(["period_index", "cohort_users", "retained_users"])
        .item(call("sum", [col("last_seen_users")]).over(earlier), "gone_users")
        .into()
}
