//! What happened, before it is spelt: small copies that are sorted by time, and the visit they share.

use crate::experiment::Enrolment;
use crate::money::Money;
use crate::plan::Day;
use crate::style::Style;

/// One event, short of what it shares with the others of its visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fact {
    /// When it reaches the day file, in milliseconds from its day's start: lines stand in this order.
    pub(crate) order: u32,
    /// Its own time, in milliseconds from the start of its visit's day; some run past midnight.
    pub(crate) at: u32,
    /// Where its id, spelling and details come from.
    pub(crate) key: u64,
    /// Its visit's place in [`Slots`](crate::visit::Slots).
    pub(crate) slot: u32,
    /// Whether the file, or an earlier one, has the same line already.
    pub(crate) is_copy: bool,
    pub(crate) kind: Kind,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain(Plain),
    Task(Task),
    Visit { started: u32, has_end: bool },
    Money(Money),
    Assignment(Enrolment),
}

/// An event of the product's own types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plain {
    pub(crate) what: What,
    pub(crate) course: u8,
    pub(crate) lesson: u8,
}

/// The product's own event types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    AppOpened,
    PageViewed,
    LessonOpened,
    VideoWatched,
    LessonCompleted,
    SearchPerformed,
    NotificationOpened,
    AchievementUnlocked,
    FeedbackSent,
}

impl What {
    pub(crate) const fn event_type(self) -> &'static str {
        match self {
            What::AppOpened => "app_opened",
            What::PageViewed => "page_viewed",
            What::LessonOpened => "lesson_opened",
            What::VideoWatched => "video_watched",
            What::LessonCompleted => "lesson_completed",
            What::SearchPerformed => "search_performed",
            What::NotificationOpened => "notification_opened",
            What::AchievementUnlocked => "achievement_unlocked",
            What::FeedbackSent => "feedback_sent",
        }
    }
}

/// An answer to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) course: u8,
    pub(crate) lesson: u8,
    pub(crate) task: u8,
    pub(crate) attempt: u8,
    pub(crate) is_correct: bool,
    /// In hundredths.
    pub(crate) score: Option<u8>,
    pub(crate) duration_ms: Option<u32>,
    pub(crate) hints: Option<u8>,
    /// Old clients leave the course out.
    pub(crate) names_course: bool,
}

impl Kind {
    /// Index into the registry's `ENTITIES` of the table that takes the event.
    pub(crate) const fn table(&self) -> usize {
        match self {
            Kind::Plain(_) => 0,
            Kind::Money(_) => 1,
            Kind::Task(_) => 2,
            Kind::Visit { .. } => 3,
            Kind::Assignment(_) => 4,
        }
    }
}

/// What the events of a visit share, in the form that is written. Reused from visit to visit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visit {
    /// The day it began on.
    pub(crate) day: Day,
    /// From here purchases have their ids.
    pub(crate) person_key: u64,
    pub(crate) user_id: String,
    /// Empty where nobody was there, as when a plan renews itself.
    pub(crate) session_id: String,
    pub(crate) platform: Option<&'static str>,
    pub(crate) app_version: String,
    pub(crate) country: Option<&'static str>,
    pub(crate) device: &'static str,
    pub(crate) os: &'static str,
    pub(crate) referrer: Option<&'static str>,
    pub(crate) style: Style,
    /// `"user_id":"…","event_time":"`, and from `time_at` on what stands from the time's end to the
    /// payload's start.
    pub(crate) shared: Vec<u8>,
    pub(crate) time_at: usize,
    /// Events not written yet.
    pub(crate) left: u32,
}
