//! Pieces that marts are put together from: activity, money, segments, periods.

use event_schema::registry::{EVENTS, SESSIONS, TASK_RESULTS};

use crate::model::ModelRef;
use crate::sql::{Expr, Var, array, call, case, col, int, text, tuple, var};
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

/// A length of time that marts give figures for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A date.
    Day,
    /// Seven days; which day begins them is an option.
    Week,
    /// A calendar month.
    Month,
}

impl Period {
    /// All of them.
    pub const ALL: [Period; 3] = [Period::Day, Period::Week, Period::Month];

    /// What marts call it.
    pub fn name(self) -> &'static str {
        match self {
            Period::Day => "day",
            Period::Week => "week",
            Period::Month => "month",
        }
    }

    /// The first day of the period that a date is in.
    pub fn start(self, date: Expr) -> Expr {
        match self {
            Period::Day => date,
            Period::Week => call("toStartOfWeek", [date, var(Var::WeekStart)]),
            Period::Month => call("toStartOfMonth", [date]),
        }
    }

    /// The first day of the period so many periods after the one that begins on `start`; a number below zero is one
    /// before it.
    pub fn nth(self, start: Expr, number: Expr) -> Expr {
        match self {
            Period::Day => start + number,
            Period::Week => start + number * int(7),
            Period::Month => call("addMonths", [start, number]),
        }
    }
}

/// The periods that a date is in, as an array of pairs of name and first day to be joined.
pub fn periods_of(date: &Expr) -> Expr {
    array(Period::ALL.map(|period| tuple([text(period.name()), period.start(date.clone())])))
}

/// The value for the period whose name an expression is.
pub fn by_period(name: &Expr, value: impl Fn(Period) -> Expr) -> Expr {
    let is = |period: Period| name.clone().equals(text(period.name()));
    let branches = [Period::Day, Period::Week].map(|period| (is(period), value(period)));
    case(branches, value(Period::Month))
}

/// The set of nobody.
pub fn nobody() -> Expr {
    call("bitmapBuild", [call("emptyArrayUInt32", [])])
}
