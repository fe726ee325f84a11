//! Intermediate models of users: their numbers, who is active when as sets of these, and when each came first.
//!
//! A set of users is a Roaring bitmap of their numbers. Distinct users of weeks, months and windows, users who are new,
//! return or stay away, and cohorts that come back are operations on such sets; none of them looks at a user's history.

use super::{calendar, user_activity_daily};
use crate::model::{
    BearsOn, Build, Check, Column, ColumnTest, Followed, Follows, Layer, Model, ModelRef, Slices,
};
use crate::pieces::{Period, Segment, is_reported, periods_of, segment_pairs};
use crate::sql::{
    Bound, Changed, Cte, Expr, Frame, FrameUnit, JoinKind, Order, Query, Relation, Select, SqlType, Var,
    WindowSpec, call, col, int, text, var,
};

/// How activity is cut.
pub const ACTIVITY_SEGMENTS: [Segment; 3] = [Segment::OVERALL, Segment::PLATFORM, Segment::COUNTRY];

/// The number of each user.
pub fn user_numbers() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_user_numbers")
}

/// The set of users active on a date, by segment value.
pub fn active_users() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_active_users")
}

/// The set of users first active on a date, by segment value.
pub fn new_users() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_new_users")
}

/// Each user who was ever active.
pub fn users() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_users")
}

/// How many users are active in a day, week and month, by segment value.
pub fn active_periods() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_active_periods")
}

/// The models of users, each after those it reads; the last of them reads the calendar.
pub(super) fn models() -> Vec<Model> {
    vec![build_user_numbers(), build_active_users(), build_new_users(), build_users()]
}

/// The columns of a segment value.
pub fn segment_columns(segment: Expr, value: Expr) -> [Column; 2] {
    let segments = ACTIVITY_SEGMENTS.map(|segment| segment.name.to_owned()).into();
    [
        Column::key(
            "segment",
            SqlType::LowCardinality,
            "How users are cut: overall, by platform or by country.",
            segment.cast(SqlType::LowCardinality),
        )
        .tested(ColumnTest::OneOf(segments)),
        Column::key(
            "segment_value",
            SqlType::LowCardinality,
            "The platform or country; empty for overall, and where it is unknown.",
            value.cast(SqlType::LowCardinality),
        ),
    ]
}

/// The row number of each user in the table `int_user_numbers`.
fn user_number(value: Expr) -> Column {
    Column::attribute(
        "user_number",
        SqlType::UInt32,
        "The user's number: dense, from 0, in the order in which users came.",
        value,
    )
}

fn build_user_numbers() -> Model {
    let candidates = Select::from(user_activity_daily())
        .only_changed(Changed::Days)
        .columns(["user_id"])
        .item(call("min", [col("activity_date")]), "first_date")
        .group_by([col("user_id")]);
    let order = WindowSpec {
        order_by: ["first_date", "user_id"].map(|name| Order::by(col(name))).into(),
        ..Default::default()
    };
    let place = call("row_number", []).over(order);
    Model {
        id: user_numbers(),
        build: Build::FollowsChanges(Follows {
            models: vec![Followed::same_day(user_activity_daily())],
            changed_by: vec!["activity_date".into()],
            is_followed: false,
            is_append_only: true,
            slices: Slices::Rows("activity_date"),
        }),
        description: "The number of each user who ever had an event. Numbers are dense, so that sets of them are \
                      small; they are given once and stay, also where a user's events are taken away again. A full \
                      refresh gives others; marts do not show them."
            .to_owned(),
        grain: vec!["user_id".into()],
        sorted_by: vec!["user_number".into()],
        columns: vec![
            Column::key("user_id", SqlType::String, "The user.", col("user_id")),
            user_number(call("toUInt32", [var(Var::RowsBuilt) + place - int(1)])),
        ],
        checks: Vec::new(),
        ctes: vec![Cte::new("candidates", "Users, who may have a number already.", candidates)],
        rows: Select::from(Relation::cte("candidates"))
            .only_changed(Changed::NotBuilt { column: "user_id", candidates: "candidates" }),
    }
}

/// The set of users that a number stands for, under the name `users`.
fn set_of_users(doc: &str, value: Expr) -> Column {
    Column::attribute("users", SqlType::Users, doc, value).unit(Some("set of user numbers"))
}

fn build_active_users() -> Model {
    let active = Select::from(user_activity_daily()).only_changed(Changed::Days).columns([
        "activity_date",
        "user_id",
        "platform",
        "country",
    ]);
    // Only the users in question: a join with all would hold all of them in memory.
    let of_active = Select::from(Relation::cte("active")).columns(["user_id"]);
    let numbered = Select::from(user_numbers())
        .columns(["user_id", "user_number"])
        .filter(col("user_id").is_in_query(of_active));
    let of_day = |name: &'static str| col(name).of("active");
    let days = ["activity_date", "platform", "country"]
        .into_iter()
        .fold(Select::from(Relation::cte("active").alias("active")), |select, name| {
            select.item(of_day(name), name)
        })
        .item(col("user_number").of("numbered"), "user_number")
        .join(
            JoinKind::Inner,
            Relation::cte("numbered").alias("numbered"),
            col("user_id").of("numbered").equals(of_day("user_id")),
        );
    let [segment, value] = segment_columns(col("pair").element(1), col("pair").element(2));
    Model {
        id: active_users(),
        build: Build::FollowsChanges(Follows {
            models: vec![
                Followed::same_day(user_activity_daily()),
                Followed { model: user_numbers(), bears_on: BearsOn::Nothing },
            ],
            changed_by: vec!["activity_date".into()],
            is_followed: true,
            is_append_only: false,
            slices: Slices::Rows("activity_date"),
        }),
        description:
            "The set of users active on a date: overall, and in each platform and country in which they have \
                      a row. Days after `as_of_date` are included; readers leave them out."
                .to_owned(),
        grain: ["activity_date", "segment", "segment_value"].map(Into::into).into(),
        sorted_by: ["activity_date", "segment", "segment_value"].map(Into::into).into(),
        columns: vec![
            Column::activity_date(col("activity_date")),
            segment,
            value,
            set_of_users("The users.", call("groupBitmapState", [col("user_number")])),
        ],
        checks: vec![Check {
            name: "somebody_is_active",
            condition: call("bitmapCardinality", [col("users")]).greater(int(0)),
        }],
        ctes: vec![
            Cte::new("active", "Who was active where.", active),
            Cte::new("numbered", "The numbers of these users.", numbered),
            Cte::new("days", "The same by number.", days),
        ],
        rows: Select::from(Relation::cte("days"))
            .array_join(segment_pairs(&ACTIVITY_SEGMENTS), "pair")
            .group_by([col("activity_date"), col("pair").element(1), col("pair").element(2)]),
    }
}

/// All days before the one of the row, or after it where they are taken from the last.
fn earlier_days(order: Order) -> WindowSpec {
    WindowSpec {
        partition_by: Vec::new(),
        order_by: vec![order],
        frame: Some(Frame {
            unit: FrameUnit::Rows,
            start: Bound::UnboundedPreceding,
            end: Bound::Preceding(1),
        }),
    }
}

/// Of the users of each day, those who are there on none of the days before it, in that order of days.
pub fn unseen_before(users: Expr, order: Order) -> Expr {
    let before = call("groupBitmapMergeState", [users.clone()]).over(earlier_days(order));
    call("bitmapAndnot", [users, before])
}

fn build_new_users() -> Model {
    let date = || col("activity_date");
    let first_seen = Select::from(active_users())
        .item(date(), "first_active_date")
        .item(unseen_before(col("users"), Order::by(date())), "users")
        .filter(col("segment").equals(text(Segment::OVERALL.name)));
    let of_day = |name: &'static str| col(name).of("active");
    let [segment, value] = segment_columns(of_day("segment"), of_day("segment_value"));
    let first = || call("bitmapAnd", [of_day("users"), col("users").of("first_seen")]);
    Model {
        id: new_users(),
        build: Build::FollowsChanges(Follows {
            models: vec![Followed { model: active_users(), bears_on: BearsOn::LaterDays }],
            changed_by: vec!["first_active_date".into()],
            is_followed: true,
            is_append_only: false,
            slices: Slices::Users("activity_date"),
        }),
        description: "The set of users whose first active date it is: overall, and in each platform and country in \
                      which they have a row on that date. Every user is in the overall set of one date. Days after \
                      `as_of_date` are included; readers leave them out."
            .to_owned(),
        grain: ["first_active_date", "segment", "segment_value"].map(Into::into).into(),
        sorted_by: ["first_active_date", "segment", "segment_value"].map(Into::into).into(),
        columns: vec![
            Column::key(
                "first_active_date",
                SqlType::Date,
                "The day, in the reporting time zone.",
                of_day("activity_date"),
            ),
            segment,
            value,
            set_of_users("The users.", first()),
        ],
        checks: vec![Check {
            name: "somebody_is_new",
            condition: call("bitmapCardinality", [col("users")]).greater(int(0)),
        }],
        ctes: vec![Cte::new("first_seen", "Of each day's users, those of no day before.", first_seen)],
        rows: Select::from(Relation::from(active_users()).alias("active"))
            .join(
                JoinKind::Inner,
                Relation::cte("first_seen").alias("first_seen"),
                col("first_active_date").of("first_seen").equals(of_day("activity_date")),
            )
            .only_changed(Changed::Keys("active.activity_date"))
            .filter(call("bitmapCardinality", [first()]).greater(int(0))),
    }
}

fn build_users() -> Model {
    let values = |segment: Segment| {
        let is_segment = col("segment").equals(text(segment.name));
        call("arraySort", [call("groupArrayIf", [col("segment_value"), is_segment])])
    };
    let first_days = Select::from(new_users())
        .only_changed(Changed::Days)
        .columns(["first_active_date", "user_number"])
        .item(values(Segment::PLATFORM), "platforms")
        .item(values(Segment::COUNTRY), "countries")
        .array_join(call("bitmapToArray", [col("users")]), "user_number")
        .group_by(["first_active_date", "user_number"].map(col));
    let of_first_days = Select::from(Relation::cte("first_days")).columns(["user_number"]);
    let numbered = Select::from(user_numbers())
        .columns(["user_id", "user_number"])
        .filter(col("user_number").is_in_query(of_first_days));
    let of_user = |name: &'static str| col(name).of("first_days");
    let several = || SqlType::Array(Box::new(SqlType::String));
    Model {
        id: users(),
        build: Build::FollowsChanges(Follows {
            models: vec![
                Followed::same_day(new_users()),
                Followed { model: user_numbers(), bears_on: BearsOn::Nothing },
            ],
            changed_by: vec!["first_active_date".into()],
            is_followed: false,
            is_append_only: false,
            slices: Slices::Users("first_active_date"),
        }),
        description: "Each user who was ever active: the number that stands for them in sets of users, and their first \
                      active date, which may lie after `as_of_date`."
            .to_owned(),
        grain: vec!["user_id".into()],
        sorted_by: ["first_active_date", "user_number"].map(Into::into).into(),
        columns: vec![
            Column::key("user_id", SqlType::String, "The user.", col("user_id").of("numbered")),
            user_number(of_user("user_number")),
            Column::attribute(
                "first_active_date",
                SqlType::Date,
                "The first day of activity, anywhere, in the reporting time zone.",
                of_user("first_active_date"),
            ),
            Column::attribute(
                "platforms",
                several(),
                "The platforms of that date, in order.",
                of_user("platforms"),
            ),
            Column::attribute(
                "countries",
                several(),
                "The countries of that date, in order.",
                of_user("countries"),
            ),
        ],
        checks: Vec::new(),
        ctes: vec![
            Cte::new("first_days", "Each user's first day, and where they were.", first_days),
            Cte::new("numbered", "Who they are.", numbered),
        ],
        rows: Select::from(Relation::cte("first_days").alias("first_days")).join(
            JoinKind::Inner,
            Relation::cte("numbered").alias("numbered"),
            col("user_number").of("numbered").equals(of_user("user_number")),
        ),
    }
}

/// The distinct users of periods; to be built after the calendar.
pub(super) fn build_active_periods() -> Model {
    let [segment, value] = segment_columns(col("segment"), col("segment_value"));
    let periods = Period::ALL.map(|period| period.name().to_owned()).into();
    let key = || ["period", "period_start", "segment", "segment_value"];
    let cut: Query = Select::from(active_users())
        .item(col("pair").element(1), "period")
        .item(col("pair").element(2), "period_start")
        .columns(["segment", "segment_value", "users"])
        .array_join(periods_of(&col("activity_date")), "pair")
        .only_changed(Changed::Near { column: "activity_date", before: 0, after: 30 })
        .only_changed(Changed::Keys("period, period_start"))
        .filter(is_reported(col("activity_date")))
        .into();
    Model {
        id: active_periods(),
        build: Build::FollowsChanges(Follows {
            models: vec![
                Followed { model: active_users(), bears_on: BearsOn::Periods },
                Followed { model: calendar(), bears_on: BearsOn::Periods },
            ],
            changed_by: ["period", "period_start"].map(Into::into).into(),
            is_followed: false,
            is_append_only: false,
            slices: Slices::Users("activity_date"),
        }),
        description:
            "How many distinct users are active in each day, week and month, up to `as_of_date`, by segment \
                      value."
                .to_owned(),
        grain: key().map(Into::into).into(),
        sorted_by: key().map(Into::into).into(),
        columns: vec![
            Column::key(
                "period",
                SqlType::LowCardinality,
                "The length of the period: day, week or month.",
                col("period").cast(SqlType::LowCardinality),
            )
            .tested(ColumnTest::OneOf(periods)),
            Column::key(
                "period_start",
                SqlType::Date,
                "The period's first day, in the reporting time zone.",
                col("period_start"),
            ),
            segment,
            value,
            Column::count(
                "active_users",
                "users",
                "Distinct users active in the period.",
                call("groupBitmapMerge", [col("users")]),
            ),
        ],
        checks: Vec::new(),
        ctes: vec![Cte::new("days", "The users of each day, in each period that the day is in.", cut)],
        rows: Select::from(Relation::cte("days")).group_by(key().map(col)),
    }
}
