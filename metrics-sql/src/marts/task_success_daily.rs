//! `fct_task_success_daily`: how much is tried, and how much of it succeeds.

use crate::intermediate::{TASK_SEGMENTS, calendar, task_success_daily};
use crate::model::{Build, Check, Column, ColumnTest, Layer, Model, ModelRef, Role};
use crate::pieces::{Segment, is_reported};
use crate::sql::{Cte, Expr, JoinKind, Query, Relation, Select, SqlType, col, int, text};

/// What is copied from the intermediate table.
const MEASURES: [&str; 8] = [
    "attempts",
    "solved",
    "learners",
    "tasks_attempted",
    "tasks_solved",
    "first_attempts",
    "first_attempts_solved",
    "median_duration_ms",
];

/// The mart's definition.
pub(super) fn model() -> Model {
    Model {
        id: ModelRef::new(Layer::Mart, "fct_task_success_daily"),
        build: Build::Table,
        description:
            "Tasks tried and solved a day, overall and by platform, country and course. Every day of the \
                      calendar has its overall row; other segment values have rows on days with attempts."
                .to_owned(),
        grain: ["activity_date", "segment", "segment_value"].map(Into::into).into(),
        sorted_by: ["segment", "segment_value", "activity_date"].map(Into::into).into(),
        columns: columns(),
        checks: checks(),
        ctes: vec![
            Cte::new("overall", "What is known of all together.", overall()),
            Cte::new("daily", "Every day has its overall row; days without attempts have zeros.", daily()),
        ],
        rows: Select::from(Relation::cte("daily")),
    }
}

fn overall() -> Query {
    Select::from(task_success_daily())
        .columns(["activity_date"])
        .columns(MEASURES)
        .filter(col("segment").equals(text(Segment::OVERALL.name)))
        .into()
}

fn daily() -> Query {
    let mut of_calendar = Select::from(Relation::from(calendar()).alias("calendar"))
        .item(col("calendar_date").of("calendar"), "activity_date")
        .item(text(Segment::OVERALL.name), "segment")
        .item(text(""), "segment_value")
        .join(
            JoinKind::Left,
            Relation::cte("overall").alias("overall"),
            col("activity_date").of("overall").equals(col("calendar_date").of("calendar")),
        );
    for measure in MEASURES {
        of_calendar = of_calendar.item(col(measure).of("overall"), measure);
    }
    let of_segments = Select::from(task_success_daily())
        .columns(["activity_date", "segment", "segment_value"])
        .columns(MEASURES)
        .filter(col("segment").differs(text(Segment::OVERALL.name)))
        .filter(is_reported(col("activity_date")));
    vec![of_calendar, of_segments].into()
}

fn columns() -> Vec<Column> {
    let segments = TASK_SEGMENTS.map(|segment| segment.name.to_owned()).into();
    let count = |name: &'static str, unit, doc| Column::count(name, unit, doc, col(name));
    let share = |name, doc, part: &'static str, whole: &'static str| {
        Column::ratio(name, doc, col(part), col(whole)).tested(ColumnTest::Within(0, 1))
    };
    let low_cardinality = |name: &'static str| -> Expr { col(name).cast(SqlType::LowCardinality) };
    vec![
        Column::activity_date(col("activity_date"),
        ),
        Column::key(
            "segment",
            SqlType::LowCardinality,
            "How attempts are cut: overall, by platform, by country or by course.",
            low_cardinality("segment"),
        )
        .tested(ColumnTest::OneOf(segments)),
        Column::key(
            "segment_value",
            SqlType::LowCardinality,
            "The platform, country or course; empty for overall, and where it is unknown.",
            low_cardinality("segment_value"),
        ),
        count("attempts", "attempts", "Task results that day."),
        count("solved", "attempts", "Of them, the correct ones."),
        share("success_rate", "solved ÷ attempts; NULL where there are none.", "solved", "attempts"),
        count("learners", "users", "Distinct users with an attempt."),
        count("tasks_attempted", "user × task", "Distinct pairs of a user and a task they tried."),
        count(
            "tasks_solved",
            "user × task",
            "Of them, those with at least one correct attempt that day, in this segment value.",
        ),
        share(
            "task_success_rate",
            "tasks_solved ÷ tasks_attempted; NULL where there are none.",
            "tasks_solved",
            "tasks_attempted",
        ),
        count("first_attempts", "attempts", "Attempts that the producer counted as the first (`attempt` = 1)."),
        share(
            "first_attempt_success_rate",
            "The correct ones of first_attempts ÷ first_attempts; NULL where there are none.",
            "first_attempts_solved",
            "first_attempts",
        ),
        Column {
            role: Role::Measure,
            ..Column::attribute(
                "median_duration_ms",
                SqlType::Float64.nullable(),
                "The exact median of the durations that are known, the mean of the middle two where they are even in \
                 number; NULL where none is.",
                col("median_duration_ms"),
            )
        }
        .unit(Some("milliseconds")),
    ]
}

fn checks() -> Vec<Check> {
    let at_most = |name, part: &'static str, whole: &'static str| Check {
        name,
        condition: col(part).at_most(col(whole)),
    };
    vec![
        at_most("solved_at_most_attempts", "solved", "attempts"),
        at_most("tasks_solved_at_most_attempted", "tasks_solved", "tasks_attempted"),
        at_most("tasks_attempted_at_most_attempts", "tasks_attempted", "attempts"),
        at_most("learners_at_most_tasks_attempted", "learners", "tasks_attempted"),
        at_most("first_attempts_at_most_attempts", "first_attempts", "attempts"),
        Check {
            name: "segment_rows_have_attempts",
            condition: col("segment").equals(text(Segment::OVERALL.name)).or(col("attempts").greater(int(0))),
        },
    ]
}
