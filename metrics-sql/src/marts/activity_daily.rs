//! `fct_activity_daily`: how many users are active, and where they are in their life with the product.

use crate::intermediate::{LONGEST_WINDOW_DAYS, active_users, calendar, new_users, segment_columns};
use crate::model::{
    BearsOn, Build, Check, Column, ColumnTest, Followed, Follows, Layer, Model, ModelRef, Slices,
};
use crate::pieces::{Segment, nobody};
use crate::sql::{Changed, Cte, Expr, JoinKind, Query, Relation, Select, SqlType, call, col, int, text};

/// A sliding window: the measure counts users active in that many days, ending with the row's day.
#[derive(Clone, Copy)]
struct ActiveWindow {
    measure: &'static str,
    days: i64,
    doc: &'static str,
}

const WINDOWS: [ActiveWindow; 3] = [
    ActiveWindow { measure: "dau", days: 1, doc: "Distinct users active that day." },
    ActiveWindow { measure: "wau", days: 7, doc: "Distinct users active in the 7 days ending that day." },
    ActiveWindow {
        measure: "mau",
        days: LONGEST_WINDOW_DAYS,
        doc: "Distinct users active in the 30 days ending that day.",
    },
];

/// How many days after an active one it still counts in a window.
const LAST_OFFSET: u32 = LONGEST_WINDOW_DAYS as u32 - 1;

/// The mart's definition.
pub(super) fn model() -> Model {
    let on = |users: &'static str, other: &'static str, date: Expr| col(users).of(other).equals(date);
    let everybody_on = |alias: &'static str, date: Expr| {
        (Relation::cte("everybody").alias(alias), on("activity_date", alias, date))
    };
    let (before, on_day_before) = everybody_on("before", of_window("activity_date") - int(1));
    let (same_day, on_same_day) = everybody_on("same_day", of_window("activity_date"));
    let is_same = |key: &'static str, name: &'static str| col(name).of("new").equals(of_window(key));
    Model {
        id: ModelRef::new(Layer::Mart, "fct_activity_daily"),
        build: Build::FollowsChanges(Follows {
            models: vec![
                Followed { model: active_users(), bears_on: BearsOn::DaysAfter(LAST_OFFSET) },
                Followed::same_day(new_users()),
                Followed::same_day(calendar()),
            ],
            changed_by: vec!["activity_date".into()],
            is_followed: false,
            is_append_only: false,
            slices: Slices::Users("activity_date"),
        }),
        description: "Active users a day, over 1, 7 and 30 days, and their lifecycle, overall and by platform and \
                      country. A user counts in each segment value in which they have a row. Every day of the \
                      calendar (`int_calendar`) has its overall row; other segment values have rows while someone \
                      was active in the last 30 days."
            .to_owned(),
        grain: ["activity_date", "segment", "segment_value"].map(Into::into).into(),
        sorted_by: ["segment", "segment_value", "activity_date"].map(Into::into).into(),
        columns: columns(),
        checks: checks(),
        ctes: vec![
            Cte::new(
                "present",
                "The users of each day, on every day whose windows they count in. The calendar adds nobody a day, so \
                 that every day has its overall row.",
                present(),
            ),
            Cte::new("windows", "Distinct users of each window, and who was there that day and the day before.", windows()),
            Cte::new("everybody", "The users of each day, anywhere.", everybody()),
        ],
        rows: Select::from(Relation::cte("windows").alias("windows"))
            .join(
                JoinKind::Inner,
                Relation::from(calendar()).alias("calendar"),
                col("calendar_date").of("calendar").equals(of_window("activity_date")),
            )
            .join(JoinKind::Left, before, on_day_before)
            .join(JoinKind::Left, same_day, on_same_day)
            .join(
                JoinKind::Left,
                Relation::from(new_users()).alias("new"),
                is_same("activity_date", "first_active_date")
                    .and(is_same("segment", "segment"))
                    .and(is_same("segment_value", "segment_value")),
            ),
    }
}

fn of_window(name: &'static str) -> Expr {
    col(name).of("windows")
}

fn new() -> Expr {
    call("bitmapCardinality", [col("users").of("new")])
}

/// Users of the row's day who were there the day before, anywhere.
fn returning() -> Expr {
    call("bitmapAndCardinality", [of_window("today"), col("users").of("before")])
}

fn columns() -> Vec<Column> {
    let users = |name, doc, value| Column::count(name, "users", doc, value);
    let ratio = |name, doc, part, whole| {
        Column::ratio(name, doc, of_window(part), of_window(whole)).tested(ColumnTest::Within(0, 1))
    };
    let mut columns = vec![Column::activity_date(of_window("activity_date"))];
    columns.extend(segment_columns(of_window("segment"), of_window("segment_value")));
    columns.extend(WINDOWS.map(|window| users(window.measure, window.doc, of_window(window.measure))));
    columns.extend([
        ratio("dau_wau", "dau ÷ wau; NULL where wau is 0.", "dau", "wau"),
        ratio("dau_mau", "dau ÷ mau, the stickiness; NULL where mau is 0.", "dau", "mau"),
        ratio("wau_mau", "wau ÷ mau; NULL where mau is 0.", "wau", "mau"),
        Column::attribute(
            "is_mau_window_full",
            SqlType::Bool,
            "Whether 30 days of data lie behind mau: it is the calendar's thirtieth day or a later one.",
            col("is_mau_window_full").of("calendar"),
        ),
        users("new_users", "Users first active that day, anywhere, ever.", new()),
        users(
            "returning_users",
            "Users active that day who were active the day before, anywhere.",
            returning(),
        ),
        users(
            "resurrected_users",
            "The rest of the users active that day: back after a day or more away.",
            of_window("dau") - new() - returning(),
        ),
        users(
            "dormant_users",
            "Users active the day before in this segment value who were active nowhere that day.",
            call("bitmapAndnotCardinality", [of_window("yesterday"), col("users").of("same_day")]),
        ),
    ]);
    columns
}

fn checks() -> Vec<Check> {
    vec![
        Check { name: "dau_at_most_wau", condition: col("dau").at_most(col("wau")) },
        Check { name: "wau_at_most_mau", condition: col("wau").at_most(col("mau")) },
        Check {
            name: "lifecycle_adds_up_to_dau",
            condition: (col("new_users") + col("returning_users") + col("resurrected_users"))
                .equals(col("dau")),
        },
        Check {
            name: "segment_rows_have_activity",
            condition: col("segment").equals(text(Segment::OVERALL.name)).or(col("mau").greater(int(0))),
        },
    ]
}

/// The days that a day's users are counted on, as an offset.
fn present() -> Query {
    let of_users = Select::from(active_users())
        .item(col("activity_date") + col("days_after"), "counted_on")
        .columns(["segment", "segment_value", "days_after", "users"])
        .array_join(call("range", [int(LONGEST_WINDOW_DAYS)]), "days_after")
        .only_changed(Changed::Near { column: "activity_date", before: LAST_OFFSET, after: 0 })
        .only_changed(Changed::Keys("counted_on"));
    let of_calendar = Select::from(calendar())
        .item(col("calendar_date"), "counted_on")
        .item(text(Segment::OVERALL.name), "segment")
        .item(text(""), "segment_value")
        .item(int(0), "days_after")
        .item(nobody(), "users")
        .only_changed(Changed::Keys("calendar_date"));
    vec![of_users, of_calendar].into()
}

fn windows() -> Query {
    let after = |days: i64| col("days_after").equals(int(days));
    let mut select = Select::from(Relation::cte("present"))
        .item(col("counted_on"), "activity_date")
        .columns(["segment", "segment_value"]);
    for window in WINDOWS {
        let is_inside = col("days_after").less(int(window.days));
        select = select.item(call("groupBitmapMergeIf", [col("users"), is_inside]), window.measure);
    }
    select
        .item(call("groupBitmapMergeStateIf", [col("users"), after(0)]), "today")
        .item(call("groupBitmapMergeStateIf", [col("users"), after(1)]), "yesterday")
        .group_by(["counted_on", "segment", "segment_value"].map(col))
        .into()
}

fn everybody() -> Query {
    Select::from(active_users())
        .columns(["activity_date", "users"])
        .only_changed(Changed::Near { column: "activity_date", before: 1, after: 0 })
        .filter(col("segment").equals(text(Segment::OVERALL.name)))
        .into()
}
