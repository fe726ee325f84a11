//! Intermediate models of task results: what each user tried a day, and what that adds up to.

use event_schema::registry::{ColumnType, Scalar, TASK_RESULTS};

use super::{task_success_daily, user_tasks_daily};
use crate::model::{Build, Column, Followed, Follows, Model, Role, Slices};
use crate::pieces::{Segment, reporting_date, segment_pairs};
use crate::sql::{Changed, Expr, Relation, Select, SqlType, call, col, int, tuple};
use crate::staging;

/// How what is tried is cut.
pub const TASK_SEGMENTS: [Segment; 4] =
    [Segment::OVERALL, Segment::PLATFORM, Segment::COUNTRY, Segment::COURSE];

/// What a row of `int_user_tasks_daily` is.
const USER_TASK: [&str; 6] = ["activity_date", "user_id", "task_id", "platform", "country", "course_id"];

/// The intermediate models of tasks.
pub(super) fn models() -> Vec<Model> {
    vec![build_user_tasks_daily(), build_task_success_daily()]
}

fn build_user_tasks_daily() -> Model {
    let low_cardinality =
        |name: &'static str, doc| Column::key(name, SqlType::LowCardinality, doc, col(name));
    let text = |name: &'static str, doc| Column::key(name, SqlType::String, doc, col(name));
    let count = |name, doc, value| Column::count(name, "attempts", doc, value);
    let is_first = || col("attempt").equals(int(1));
    let date = || reporting_date(col("event_time"));
    Model {
        id: user_tasks_daily(),
        build: Build::of_users_days([staging::events_of(&TASK_RESULTS)], "activity_date", true),
        description:
            "The tasks each user tried a day, by where and in which course. Days after `as_of_date` are \
                      included; readers leave them out."
                .to_owned(),
        grain: USER_TASK.map(Into::into).into(),
        sorted_by: USER_TASK.map(Into::into).into(),
        columns: vec![
            Column::activity_date(date()),
            text("user_id", "Who tried."),
            text("task_id", "The task."),
            low_cardinality("platform", "Where; empty where unknown."),
            low_cardinality("country", "From which country; empty where unknown."),
            text("course_id", "In which course; empty where unknown."),
            count("attempts", "Task results.", call("count", [])),
            count("solved", "Of them, the correct ones.", call("countIf", [col("is_correct")])),
            count("first_attempts", "Of them, those with `attempt` = 1.", call("countIf", [is_first()])),
            count(
                "first_attempts_solved",
                "Of those, the correct ones.",
                call("countIf", [is_first().and(col("is_correct"))]),
            ),
            Column::attribute(
                "durations_ms",
                SqlType::Raw(ColumnType::Array(Scalar::UInt32)),
                "The durations that are known, ascending.",
                call("arraySort", [call("groupArray", [col("duration_ms")])]),
            )
            .unit(Some("milliseconds")),
        ],
        checks: Vec::new(),
        ctes: Vec::new(),
        rows: Select::from(staging::events_of(&TASK_RESULTS))
            .only_changed(Changed::Events)
            .group_by(std::iter::once(date()).chain(USER_TASK.into_iter().skip(1).map(col))),
    }
}

fn build_task_success_daily() -> Model {
    // Some columns here have the names of what they are made from.
    let tried = |name: &'static str| col(name).of("tried");
    let part_of_segment = |place| col("pair").element(place);
    let key = |name: &'static str, ty: SqlType, doc, value: Expr| {
        Column::key(name, ty.clone(), doc, value.cast(ty))
    };
    let pairs = || tuple([tried("user_id"), tried("task_id")]);
    let total = |name: &'static str, doc| Column::count(name, "attempts", doc, call("sum", [tried(name)]));
    let middle = |function| call("toFloat64", [call(function, [tried("durations_ms")])]);
    Model {
        id: task_success_daily(),
        build: Build::FollowsChanges(Follows {
            models: vec![Followed::same_day(user_tasks_daily())],
            changed_by: vec!["activity_date".into()],
            is_followed: false,
            is_append_only: false,
            slices: Slices::Rows("activity_date"),
        }),
        description: "What fct_task_success_daily shows of days with attempts, whatever `as_of_date` is."
            .to_owned(),
        grain: ["activity_date", "segment", "segment_value"].map(Into::into).into(),
        sorted_by: ["activity_date", "segment", "segment_value"].map(Into::into).into(),
        columns: vec![
            Column::activity_date(tried("activity_date")),
            key("segment", SqlType::LowCardinality, "How attempts are cut.", part_of_segment(1)),
            key(
                "segment_value",
                SqlType::String,
                "The value; empty for overall, and where it is unknown.",
                part_of_segment(2),
            ),
            total("attempts", "Task results."),
            total("solved", "Of them, the correct ones."),
            Column::count("learners", "users", "Distinct users.", call("uniqExact", [tried("user_id")])),
            Column::count(
                "tasks_attempted",
                "user × task",
                "Distinct pairs of a user and a task.",
                call("uniqExact", [pairs()]),
            ),
            Column::count(
                "tasks_solved",
                "user × task",
                "Of them, those solved at least once.",
                call("uniqExactIf", [pairs(), tried("solved").greater(int(0))]),
            ),
            total("first_attempts", "Attempts with `attempt` = 1."),
            total("first_attempts_solved", "Of them, the correct ones."),
            Column {
                role: Role::Measure,
                ..Column::attribute(
                    "median_duration_ms",
                    SqlType::Float64.nullable(),
                    "The median of the known durations; NULL where none is.",
                    (middle("medianExactLowOrNullArray") + middle("medianExactHighOrNullArray")) / int(2),
                )
            }
            .unit(Some("milliseconds")),
        ],
        checks: Vec::new(),
        ctes: Vec::new(),
        rows: Select::from(Relation::from(user_tasks_daily()).alias("tried"))
            .only_changed(Changed::Days)
            .array_join(segment_pairs(&TASK_SEGMENTS), "pair")
            .group_by([tried("activity_date"), part_of_segment(1), part_of_segment(2)]),
    }
}
