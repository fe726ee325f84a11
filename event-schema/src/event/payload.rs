//! The payloads of the event types that the contract knows.

use std::num::NonZeroU16;

use serde::{Serialize, Serializer};

use super::parse::{self, Object, amount, boolean, date, integer, letters, share, text, time};
use super::{CustomType, Properties};
use crate::Reason;
use crate::value::{Amount, Currency, Date, Text, Timestamp};

/// The fields of an event's type.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Payload {
    /// A plan was bought, renewed or tried.
    Purchase(Purchase),
    /// Money of a purchase was given back.
    Refund(Refund),
    /// A user answered a task.
    TaskResult(TaskResult),
    /// A visit of a user.
    Session(Session),
    /// A user was assigned to a variant of an experiment.
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

/// Two values that are not in order.
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

/// A plan was bought, renewed or tried.
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
    /// A purchase that is not a trial.
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

    /// The same purchase as a trial.
    #[must_use]
    pub fn trial(mut self) -> Purchase {
        self.is_trial = true;
        self
    }

    pub(super) fn parse(object: &Object<'_>) -> parse::Result<Purchase> {
        let (purchase_id, plan) = (object.required("purchase_id", text)?, object.required("plan", text)?);
        let (amount, currency) = (object.required("amount", amount)?, object.required("currency", letters)?);
        let (start, end) = (object.required("period_start", date)?, object.required("period_end", date)?);
        let period = Period::new(start, end)
            .map_err(|error| object.error("period_end", Reason::InvalidValue, error.to_string()))?;
        let purchase = Purchase::new(purchase_id, plan, amount, currency, period);
        let is_trial = object.optional("is_trial", boolean)?.unwrap_or_default();
        Ok(if is_trial { purchase.trial() } else { purchase })
    }
}

/// Money of a purchase was given back, all or in part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refund {
    /// The purchase the money belongs to.
    pub purchase_id: Text<1, 256>,
    /// The money given back (positive).
    pub amount: Amount,
    /// Its currency.
    pub currency: Currency,
}

impl Refund {
    pub(super) fn parse(object: &Object<'_>) -> parse::Result<Refund> {
        Ok(Refund {
            purchase_id: object.required("purchase_id", text)?,
            amount: object.required("amount", amount)?,
            currency: object.required("currency", letters)?,
        })
    }
}

/// A user answered a task.
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
    /// The score, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<Share>,
    /// The number of the attempt, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<NonZeroU16>,
    /// The time it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u32>,
    /// The number of hints opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hints_used: Option<u16>,
}

impl TaskResult {
    /// A result with the required fields. Set the others where they are known.
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

    pub(super) fn parse(object: &Object<'_>) -> parse::Result<TaskResult> {
        let mut result =
            TaskResult::new(object.required("task_id", text)?, object.required("is_correct", boolean)?);
        result.course_id = object.optional("course_id", text)?;
        result.lesson_id = object.optional("lesson_id", text)?;
        result.score = object.optional("score", share)?;
        let attempt = object.optional("attempt", integer::<u16>)?;
        result.attempt = match attempt.map(NonZeroU16::new) {
            Some(None) => return Err(object.invalid("attempt", Reason::OutOfRange, "0")),
            attempt => attempt.flatten(),
        };
        result.duration_ms = object.optional("duration_ms", integer)?;
        result.hints_used = object.optional("hints_used", integer)?;
        Ok(result)
    }
}

/// A number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Share(f64);

/// A number that is not a [`Share`].
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

/// A visit of a user.
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
    /// The page the user came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<Text<1, 2048>>,
}

impl Session {
    /// A session without a known end.
    pub fn new(session_id: Text<1, 256>, started_at: Timestamp) -> Session {
        Session { session_id, started_at, ended_at: None, device: None, os: None, referrer: None }
    }

    /// The same session with its end, which must not be before its start.
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

    /// The session's id, which is written to the envelope.
    pub fn session_id(&self) -> &Text<1, 256> {
        &self.session_id
    }

    pub(super) fn parse(session_id: Text<1, 256>, object: &Object<'_>) -> parse::Result<Session> {
        let mut session = Session::new(session_id, object.required("started_at", time)?);
        if let Some(ended_at) = object.optional("ended_at", time)? {
            session = session
                .ended_at(ended_at)
                .map_err(|error| object.error("ended_at", Reason::InvalidValue, error.to_string()))?;
        }
        session.device = object.optional("device", text)?;
        session.os = object.optional("os", text)?;
        session.referrer = object.optional("referrer", text)?;
        Ok(session)
    }
}

/// A user was assigned to a variant of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AbTestAssignment {
    /// The experiment.
    pub experiment_id: Text<1, 256>,
    /// The variant the user sees.
    pub variant: Text<1, 128>,
}

impl AbTestAssignment {
    pub(super) fn parse(object: &Object<'_>) -> parse::Result<AbTestAssignment> {
        Ok(AbTestAssignment {
            experiment_id: object.required("experiment_id", text)?,
            variant: object.required("variant", text)?,
        })
    }
}
