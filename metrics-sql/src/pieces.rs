//! Pieces that marts are put together from: activity, money, segments, spans of days.

use event_schema::registry::{EVENTS, SESSIONS, TASK_RESULTS};

use crate::intermediate;
use crate::model::ModelRef;
use crate::sql::{Expr, Relation, Select, Var, array, call, col, int, text, tuple, var};
use crate::staging;

/// The date of an instant in the reporting zone.
pub fn reporting_date(instant: Expr) -> Expr {
    call("toDate", [instant, var(Var::ReportingTimezone)])
}

/// Whether a date counts at all: events dated later are left out of every mart.
pub fn is_reported(date: Expr) -> Expr {
    date.at_most(var(Var::AsOfDate))
}

/// The staging models whose rows are activity. Purchases, refunds and assignments are not.
pub fn activity_models() -> [ModelRef; 3] {
    [&EVENTS, &TASK_RESULTS, &SESSIONS].map(staging::events_of)
}

/// Days of activity up to the as-of date, from the compact table under an alias, without items.
pub fn reported_activity(alias: &'static str) -> Select {
    Select::from(Relation::from(intermediate::user_activity_daily()).alias(alias))
        .filter(is_reported(col("activity_date").of(alias)))
}

/// Whether a row of `stg_purchases` is money paid: a purchase, no trial, of more than nothing.
pub fn is_paid_purchase() -> Expr {
    col("kind").equals(text("purchase")).and(!col("is_trial")).and(col("amount").greater(int(0)))
}

/// Whether a row of `stg_purchases` is money given back.
pub fn is_refund() -> Expr {
    col("kind").equals(text("refund"))
}

/// One way to cut a mart: all users together, or by the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// What `segment` holds.
    pub name: &'static str,
    /// The column with the values; `None` for all together.
    pub column: Option<&'static str>,
}

impl Segment {
    /// All users together.
    pub const OVERALL: Segment = Segment { name: "overall", column: None };
    /// By platform.
    pub const PLATFORM: Segment = Segment { name: "platform", column: Some("platform") };
    /// By country.
    pub const COUNTRY: Segment = Segment { name: "country", column: Some("country") };
    /// By course.
    pub const COURSE: Segment = Segment { name: "course", column: Some("course_id") };
    /// By the plan bought.
    pub const PLAN: Segment = Segment { name: "plan", column: Some("plan") };

    /// The segment and the value that a row belongs to.
    fn pair(self) -> Expr {
        tuple([text(self.name), self.column.map_or_else(|| text(""), col)])
    }
}

/// The segment values that a row belongs to, as an array of pairs to be joined: a user counts in each
/// segment value in which they have a row.
pub fn segment_pairs(segments: &[Segment]) -> Expr {
    array(segments.iter().map(|segment| segment.pair()))
}

/// A number of users that holds over a span of days, as two steps: up on the first day, down on the day
/// after the last.
///
/// The sum of all steps up to a day is the number on that day. With spans that end where the same user's
/// next one begins, each user is counted once: exact distinct counts over sliding windows, at the cost of
/// two steps a span instead of one row a user, day and window.
#[derive(Debug, Clone, PartialEq)]
pub struct Presence {
    /// The measure's name.
    pub measure: &'static str,
    /// How many users.
    pub users: Expr,
    /// The first day.
    pub from: Expr,
    /// The day after the last.
    pub until: Expr,
}

/// The two steps of each presence, as an array of (date, measure, change) to be joined.
pub fn steps(presences: &[Presence]) -> Expr {
    array(presences.iter().flat_map(|presence| {
        let users = call("toInt64", [presence.users.clone()]);
        [
            tuple([presence.from.clone(), text(presence.measure), users.clone()]),
            tuple([presence.until.clone(), text(presence.measure), -users]),
        ]
    }))
}
