//! Payloads of the event types that the contract knows.

use std::num::NonZeroU16;

use serde::{Serialize, Serializer};

use super::{CustomType, Properties};
use crate::value::{Amount, Currency, Date, Text, Timestamp};

/// What an event's type adds to its envelope.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Payload {
    /// A plan is bought, renewed or tried.
    Purchase(Purchase),
    /// Money of a purchase is given back.
    Refund(Refund),
    /// A user answers a task.
    TaskResult(TaskResult),
    /// A user is in the product for a while.
    Session(Session),
    /// A user is put into a variant of an experiment.
    AbTestAssignment(AbTestAssignment),
    /// Anything else.
    Custom {
        /// The event's type.
        event_type: CustomType,
        /// Its payload.
        properties: Properties,
    },
}

impl Payload {
    /// The value of `event_type`.
    pub fn event_type(&self) -> &str {
        match self {
            Payload::Purchase(_) => "purchase",
            Payload::Refund(_) => "refund",
            Payload::TaskResult(_) => "task_result",
            Payload::Session(_) => "session",
            Payload::AbTestAssignment(_) => "ab_test_assignment",
            Payload::Custom { event_type, .. } => event_type,
        }
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Payload::Purchase(payload) => payload.serialize(serializer),
            Payload::Refund(payload) => payload.serialize(serializer),
            Payload::TaskResult(payload) => payload.serialize(serializer),
            Payload::Session(payload) => payload.serialize(serializer),
            Payload::AbTestAssignment(payload) => payload.serialize(serializer),
            Payload::Custom { properties, .. } => properties.serialize(serializer),
        }
    }
}

/// Two values that must be in order and are not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {rule}, found {earlier} and {later}")]
pub struct OrderError {
    rule: &'static str,
    earlier: String,
    later: String,
}

/// The days a purchase pays for: from `start` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    start: Date,
    end: Date,
}

impl Period {
    /// A period of at least one day.
    pub fn new(start: Date, end: Date) -> Result<Period, OrderError> {
        if start < end {
            Ok(Period { start, end })
        } else {
            Err(OrderError {
                rule: "period_end after period_start",
                earlier: start.to_string(),
                later: end.to_string(),
            })
        }
    }

    /// The first day.
    pub const fn start(self) -> Date {
        self.start
    }

    /// The day after the last.
    pub const fn end(self) -> Date {
        self.end
    }
}

/// A plan is bought, renewed or tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Purchase {
    purchase_id: Text<1, 256>,
    plan: Text<1, 64>,
    amount: Amount,
    currency: Currency,
    period_start: Date,
    period_end: Date,
    is_trial: bool,
}

impl Purchase {
    /// A purchase that is no trial.
    pub fn new(
        purchase_id: Text<1, 256>,
        plan: Text<1, 64>,
        amount: Amount,
        currency: Currency,
        period: Period,
    ) -> Purchase {
        Purchase {
            purchase_id,
            plan,
            amount,
            currency,
            period_start: period.start,
            period_end: period.end,
            is_trial: false,
        }
    }

    /// The same as a trial.
    #[must_use]
    pub fn trial(mut self) -> Purchase {
        self.is_trial = true;
        self
    }
}

/// Money of a purchase is given back, all or in part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refund {
    /// The purchase the money belongs to.
    pub purchase_id: Text<1, 256>,
    /// The money given back (positive).
    pub amount: Amount,
    /// Its currency.
    pub currency: Currency,
}

/// A user answers a task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskResult {
    /// The task.
    pub task_id: Text<1, 256>,
    /// Whether it was solved.
    pub is_correct: bool,
    /// The task's course.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub course_id: Option<Text<1, 256>>,
    /// The task's lesson.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lesson_id: Option<Text<1, 256>>,
    /// How well, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<Share>,
    /// Which attempt it was, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<NonZeroU16>,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u32>,
    /// How many hints were opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hints_used: Option<u16>,
}

impl TaskResult {
    /// A result of the required fields; set the others where they are known.
    pub fn new(task_id: Text<1, 256>, is_correct: bool) -> TaskResult {
        TaskResult {
            task_id,
            is_correct,
            course_id: None,
            lesson_id: None,
            score: None,
            attempt: None,
            duration_ms: None,
            hints_used: None,
        }
    }
}

/// A number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Share(f64);

/// A number that is no [`Share`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("expected a number from 0 to 1, found {found}")]
pub struct ShareError {
    found: f64,
}

impl Share {
    /// A share of `value`.
    pub fn new(value: f64) -> Result<Share, ShareError> {
        if (0.0..=1.0).contains(&value) { Ok(Share(value)) } else { Err(ShareError { found: value }) }
    }

    /// The number.
    pub const fn value(self) -> f64 {
        self.0
    }
}

/// A user is in the product for a while.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Session {
    #[serde(skip)]
    session_id: Text<1, 256>,
    started_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    /// The device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Text<1, 128>>,
    /// Its operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<Text<1, 64>>,
    /// Where the user came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<Text<1, 2048>>,
}

impl Session {
    /// A session whose end is not known.
    pub fn new(session_id: Text<1, 256>, started_at: Timestamp) -> Session {
        Session { session_id, started_at, ended_at: None, device: None, os: None, referrer: None }
    }

    /// The same with its end, which is not before its start.
    pub fn ended_at(mut self, ended_at: Timestamp) -> Result<Session, OrderError> {
        if ended_at < self.started_at {
            return Err(OrderError {
                rule: "ended_at not before started_at",
                earlier: self.started_at.to_string(),
                later: ended_at.to_string(),
            });
        }
        self.ended_at = Some(ended_at);
        Ok(self)
    }

    /// The session's id, which is written in the envelope.
    pub fn session_id(&self) -> &Text<1, 256> {
        &self.session_id
    }
}

/// A user is put into a variant of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AbTestAssignment {
    /// The experiment.
    pub experiment_id: Text<1, 256>,
    /// The variant the user sees.
    pub variant: Text<1, 128>,
}
