//! `fct_activity_daily`: how many users are active, and where they are in their life with the product.

use crate::intermediate::{ACTIVITY_SEGMENTS, LIFECYCLE, activity_gaps, calendar};
use crate::model::{Build, Check, Column, ColumnTest, Layer, Model, ModelRef};
use crate::pieces::{Presence, Segment, steps};
use crate::sql::{
    Cte, Expr, JoinKind, Order, Query, Relation, Select, SqlType, WindowSpec, call, case, col, int,
    named_window, text,
};

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
    LONGEST,
];

/// The longest of the windows.
const LONGEST: ActiveWindow =
    ActiveWindow { measure: "mau", days: 30, doc: "Distinct users active in the 30 days ending that day." };

/// The mart's definition.
pub(super) fn model() -> Model {
    Model {
        id: ModelRef::new(Layer::Mart, "fct_activity_daily"),
        build: Build::Table,
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
                "steps",
                "Where each measure rises and falls. A user is present from an active day until the window of it ends; \
                 where the next day begins before that, the rest is taken away again.\nThe calendar adds a step of nothing \
                 a day, so that every day has its overall row.",
                all_steps(),
            ),
            Cte::new("changes", "The steps of a day together.", changes()),
            Cte::new("levels", "Running sums: the measures from that day on, until they change again.", levels()),
            Cte::new("shown", "Segment values appear while someone was active in the longest window.", shown()),
            Cte::new("daily", "One row a day.", days()),
        ],
        rows: Select::from(Relation::cte("daily").alias("daily")).join(
            JoinKind::Inner,
            Relation::from(calendar()).alias("calendar"),
            col("calendar_date").of("calendar").equals(of_day("activity_date")),
        ),
    }
}

fn of_day(name: &'static str) -> Expr {
    col(name).of("daily")
}

fn columns() -> Vec<Column> {
    let segments = ACTIVITY_SEGMENTS.map(|segment| segment.name.to_owned()).into();
    let low_cardinality = |name| of_day(name).cast(SqlType::LowCardinality);
    let users = |name, doc, value| Column::count(name, "users", doc, value);
    let ratio = |name, doc, part, whole| {
        Column::ratio(name, doc, of_day(part), of_day(whole)).tested(ColumnTest::Within(0, 1))
    };
    let mut columns = vec![
        Column::activity_date(of_day("activity_date")),
        Column::key(
            "segment",
            SqlType::LowCardinality,
            "How users are cut: overall, by platform or by country.",
            low_cardinality("segment"),
        )
        .tested(ColumnTest::OneOf(segments)),
        Column::key(
            "segment_value",
            SqlType::LowCardinality,
            "The platform or country; empty for overall, and where it is unknown.",
            low_cardinality("segment_value"),
        ),
    ];
    columns.extend(WINDOWS.map(|window| users(window.measure, window.doc, of_day(window.measure))));
    columns.extend([
        ratio("dau_wau", "dau ÷ wau; NULL where wau is 0.", "dau", "wau"),
        ratio("dau_mau", "dau ÷ mau, the stickiness; NULL where mau is 0.", "dau", "mau"),
        ratio("wau_mau", "wau ÷ mau; NULL where mau is 0.", "wau", "mau"),
        Column::attribute(
            "is_mau_window_full",
            SqlType::Bool,
            "Whether 30 days of data lie behind mau: it is the calendar's thirtieth day or a later one.",
            col("day_index").of("calendar").at_least(int(LONGEST.days - 1)).cast(SqlType::Bool),
        ),
        users("new_users", "Users first active that day, anywhere, ever.", of_day("new_users")),
        users(
            "returning_users",
            "Users active that day who were active the day before, anywhere.",
            of_day("returning_users"),
        ),
        users(
            "resurrected_users",
            "The rest of the users active that day: back after a day or more away.",
            of_day("dau") - of_day("new_users") - of_day("returning_users"),
        ),
        users(
            "dormant_users",
            "Users active the day before in this segment value who were active nowhere that day.",
            of_day("dormant_users"),
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

/// The day so many days after the active one.
fn days_after(days: i64) -> Expr {
    if days == 0 { col("activity_date") } else { col("activity_date") + int(days) }
}

fn presences() -> Vec<Presence> {
    let windows = WINDOWS.map(|window| Presence {
        measure: window.measure,
        users: col("active_users"),
        from: days_after(0),
        until: days_after(window.days),
    });
    // Those whose window of the day before has not ended.
    let gap = || col("days_since_previous");
    let overlaps = WINDOWS.into_iter().filter(|window| window.days > 1).map(|window| Presence {
        measure: window.measure,
        users: -case([(gap().less(int(window.days)), col("active_users"))], int(0)),
        from: days_after(0),
        until: col("activity_date") + call("greatest", [int(window.days) - gap(), int(0)]),
    });
    let lifecycle = LIFECYCLE.map(|stage| Presence {
        measure: stage.measure,
        users: col(stage.measure),
        from: days_after(stage.days_after),
        until: days_after(stage.days_after + 1),
    });
    windows.into_iter().chain(overlaps).chain(lifecycle).collect()
}

fn measures() -> impl Iterator<Item = &'static str> {
    WINDOWS.into_iter().map(|window| window.measure).chain(LIFECYCLE.into_iter().map(|stage| stage.measure))
}

fn all_steps() -> Query {
    let of_users = Select::from(activity_gaps())
        .columns(["segment", "segment_value"])
        .item(col("edge").element(1), "step_date")
        .item(col("edge").element(2), "measure")
        .item(col("edge").element(3), "difference")
        .array_join(steps(&presences()), "edge");
    let of_calendar = Select::from(calendar())
        .item(text(Segment::OVERALL.name), "segment")
        .item(text(""), "segment_value")
        .item(col("calendar_date"), "step_date")
        .item(text(""), "measure")
        .item(int(0), "difference");
    vec![of_users, of_calendar].into()
}

fn changes() -> Query {
    let by = ["segment", "segment_value", "step_date"];
    let mut select = Select::from(Relation::cte("steps")).columns(by);
    for measure in measures() {
        let change = call("sumIf", [col("difference"), col("measure").equals(text(measure))]);
        select = select.item(change, format!("{measure}_change"));
    }
    select.group_by(by.map(col)).into()
}

fn levels() -> Query {
    let mut select = Select::from(Relation::cte("changes"))
        .columns(["segment", "segment_value"])
        .item(col("step_date"), "from_date")
        // The last change of a segment value leaves nobody, so one day is as good as any.
        .item(
            named_window(call("lead", [col("step_date"), int(1), col("step_date") + int(1)]), "timeline"),
            "until_date",
        );
    for measure in measures() {
        let change = col(format!("{measure}_change"));
        select = select.item(named_window(call("sum", [change]), "timeline"), measure);
    }
    let timeline = WindowSpec {
        partition_by: ["segment", "segment_value"].map(col).into(),
        order_by: vec![Order::by(col("step_date"))],
        frame: None,
    };
    select.window("timeline", timeline).into()
}

fn shown() -> Query {
    Select::from(Relation::cte("levels"))
        .columns(["segment", "segment_value", "from_date", "until_date"])
        .columns(measures())
        .filter(col("segment").equals(text(Segment::OVERALL.name)).or(col(LONGEST.measure).greater(int(0))))
        .into()
}

fn days() -> Query {
    Select::from(Relation::cte("shown"))
        .item(col("from_date") + col("day_offset"), "activity_date")
        .columns(["segment", "segment_value"])
        .columns(measures())
        .array_join(call("range", [call("toUInt64", [col("until_date") - col("from_date")])]), "day_offset")
        .into()
}
