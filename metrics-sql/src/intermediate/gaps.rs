//! `int_activity_gaps`: active users by how long ago they were active before, the one look a night takes at all users.

use crate::model::{Build, Check, Column, ColumnTest, Layer, Model, ModelRef};
use crate::pieces::{Segment, reported_activity};
use crate::sql::{
    Cte, Expr, Query, Relation, Select, SqlType, array, call, case, col, int, lambda, text, tuple,
};

/// How activity is cut.
pub const ACTIVITY_SEGMENTS: [Segment; 3] = [Segment::OVERALL, Segment::PLATFORM, Segment::COUNTRY];

/// A gap of so many days is as good as any longer one, and as none: it is longer than every window, week and month.
pub const LONGEST_GAP: i64 = 31;

/// A stage of a user's life, told of an active day.
pub struct Lifecycle {
    /// The column that counts it, here and in the mart.
    pub measure: &'static str,
    /// What it means here.
    doc: &'static str,
    /// Whether it holds for an active day, of the user's days before and after it.
    holds: fn(ActiveDay) -> Expr,
    /// How many days after the active day it is counted in the mart.
    pub days_after: i64,
}

/// An active day and the user's days around it, anywhere; [`nowhere`] where there is none.
struct ActiveDay {
    date: Expr,
    day_before: Expr,
    day_after: Expr,
}

/// The stages that are counted. Resurrected users are the rest of the active ones.
pub const LIFECYCLE: [Lifecycle; 3] = [
    Lifecycle {
        measure: "new_users",
        doc: "Of them, those first active that day, anywhere, ever.",
        holds: |day| day.day_before.equals(nowhere()),
        days_after: 0,
    },
    Lifecycle {
        measure: "returning_users",
        doc: "Of them, those active the day before, anywhere.",
        holds: |day| (day.date - day.day_before).equals(int(1)),
        days_after: 0,
    },
    Lifecycle {
        measure: "dormant_users",
        doc: "Of them, those active nowhere on the day after.",
        holds: |day| (day.day_after - day.date).differs(int(1)),
        days_after: 1,
    },
];

/// Active users by day, segment value and gap.
pub fn activity_gaps() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_activity_gaps")
}

/// A date on which nobody is active: the contract's events begin in 2000.
fn nowhere() -> Expr {
    call("toDate", [int(0)])
}

pub(super) fn model() -> Model {
    let grain = ["activity_date", "segment", "segment_value", "days_since_previous"];
    let segments = ACTIVITY_SEGMENTS.map(|segment| segment.name.to_owned()).into();
    let users = |name, doc, value| Column::count(name, "users", doc, value);
    let mut columns = vec![
        Column::activity_date(col("activity_date")),
        Column::key(
            "segment",
            SqlType::LowCardinality,
            "How users are cut: overall, by platform or by country.",
            col("segment").cast(SqlType::LowCardinality),
        )
        .tested(ColumnTest::OneOf(segments)),
        Column::key(
            "segment_value",
            SqlType::LowCardinality,
            "The platform or country; empty for overall, and where it is unknown.",
            col("segment_value").cast(SqlType::LowCardinality),
        ),
        Column::key(
            "days_since_previous",
            SqlType::UInt64,
            "How many days before the users were last active in this segment value; 31 where it is more or they never \
             were.",
            call("toUInt64", [col("days_since_previous")]),
        )
        .unit(Some("days"))
        .tested(ColumnTest::Within(1, LONGEST_GAP)),
        users("active_users", "Distinct users active that day after such a gap.", call("count", [])),
    ];
    columns.extend(
        LIFECYCLE.map(|stage| users(stage.measure, stage.doc, call("countIf", [col(is_in_stage(&stage))]))),
    );
    Model {
        id: activity_gaps(),
        build: Build::Table,
        description: "Active users up to `as_of_date` by day, segment value and how long ago they were active before. \
                      From these numbers marts add up distinct users of every window, week and month without looking \
                      at users again: a user whose gap reaches back into the period was counted in it already."
            .to_owned(),
        grain: grain.map(Into::into).into(),
        sorted_by: ["segment", "segment_value", "activity_date", "days_since_previous"].map(Into::into).into(),
        columns,
        checks: vec![Check {
            name: "stages_are_of_active_users",
            condition: (col("new_users") + col("returning_users"))
                .at_most(col("active_users"))
                .and(col("dormant_users").at_most(col("active_users"))),
        }],
        ctes: vec![
            Cte::new(
                "users",
                "The days of each user with where they were, in order. The table is sorted by user: one after the \
                 other is read, and forgotten.",
                users_days(),
            ),
            Cte::new("around", "With the days before and after each, anywhere.", around()),
            Cte::new("cut", "The days of a user in a segment value, each once, one value after another.", cut()),
            Cte::new("spells", "With the day before in the same value.", spells()),
        ],
        rows: Select::from(Relation::cte("spells")).group_by(grain.map(col)),
    }
}

/// The name of the flag of a stage.
fn is_in_stage(stage: &Lifecycle) -> String {
    format!("is_of_{}", stage.measure)
}

fn users_days() -> Query {
    let columns = std::iter::once("activity_date").chain(values());
    let row = tuple(columns.map(|name| col(name).of("active")));
    reported_activity("active")
        .item(call("arraySort", [call("groupArray", [row])]), "active_rows")
        .group_by([col("user_id").of("active")])
        .into()
}

/// The columns that activity is cut by.
fn values() -> impl Iterator<Item = &'static str> {
    ACTIVITY_SEGMENTS.into_iter().filter_map(|segment| segment.column)
}

/// Arrays that are as long as `active_rows`: what stands in it, and the user's days around.
fn around() -> Query {
    let dates = || col("active_rows").element(1);
    // Rows of one date stand together: what is next to them lies on another date, and holds for all of them.
    let filled = |fill: &'static str, neighbours: Expr| {
        let is_other = lambda("pair", |pair| pair.clone().element(1).differs(pair.element(2)));
        call(fill, [is_other, call("arrayZip", [neighbours, dates()])]).element(1)
    };
    let before = call("arrayPushFront", [call("arrayPopBack", [dates()]), nowhere()]);
    let after = call("arrayPushBack", [call("arrayPopFront", [dates()]), nowhere()]);
    let mut select = Select::from(Relation::cte("users")).item(dates(), "dates");
    for (place, value) in (2..).zip(values()) {
        select = select.item(col("active_rows").element(place), value);
    }
    select
        .item(filled("arrayFill", before), "days_before")
        .item(filled("arrayReverseFill", after), "days_after")
        .into()
}

fn cut() -> Query {
    let of_segment = |segment: Segment| {
        let arrays = ["dates", "days_before", "days_after"].into_iter().chain(segment.column);
        let day = lambda("day", |day| {
            let value =
                segment.column.map_or_else(|| text(""), |_| call("toString", [day.clone().element(4)]));
            let flags = LIFECYCLE.map(|stage| {
                (stage.holds)(ActiveDay {
                    date: day.clone().element(1),
                    day_before: day.clone().element(2),
                    day_after: day.clone().element(3),
                })
            });
            tuple([value, day.clone().element(1)].into_iter().chain(flags))
        });
        let days = call("arrayMap", [day, call("arrayZip", arrays.map(col))]);
        tuple([text(segment.name), call("arraySort", [call("arrayDistinct", [days])])])
    };
    Select::from(Relation::cte("around"))
        .item(col("part").element(1), "segment")
        .item(col("part").element(2), "active_days")
        .array_join(array(ACTIVITY_SEGMENTS.map(of_segment)), "part")
        .into()
}

fn spells() -> Query {
    let days = || col("active_days");
    // Of the first day no matter which: it is too long ago.
    let first = tuple([text(""), nowhere()].into_iter().chain(LIFECYCLE.map(|_| call("toUInt8", [int(0)]))));
    let previous = call("arrayPushFront", [call("arrayPopBack", [days()]), first]);
    let is_same_value = col("day").element(1).equals(col("previous").element(1));
    let gap = col("day").element(2) - col("previous").element(2);
    let longest = call("toInt32", [int(LONGEST_GAP)]);
    let mut select = Select::from(Relation::cte("cut"))
        .columns(["segment"])
        .item(col("day").element(1), "segment_value")
        .item(col("day").element(2), "activity_date")
        .item(case([(is_same_value, call("least", [gap, longest.clone()]))], longest), "days_since_previous");
    for (place, stage) in (3..).zip(LIFECYCLE) {
        select = select.item(col("day").element(place), is_in_stage(&stage));
    }
    select.array_join(days(), "day").array_join(previous, "previous").into()
}
