//! Numbers of events by date, to detect a file that is loaded under a wrong date.

use std::collections::BTreeMap;
use std::fmt;

use event_schema::value::{Date, parse_rfc3339};
use memchr::memmem;

use crate::batch::Reject;

/// Milliseconds of a day.
const DAY_MILLIS: i64 = 86_400_000;
/// The dates that a message names; of the others it gives the number.
const SHOWN_DATES: usize = 3;
/// The field with an event's date.
const EVENT_TIME: &str = "event_time";

/// Events by the date (in UTC) of their `event_time`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventDates(BTreeMap<Date, u64>);

impl EventDates {
    /// Adds events of a date.
    pub fn add(&mut self, date: Date, events: u64) {
        *self.0.entry(date).or_default() += events;
    }

    /// Adds the numbers of others.
    pub fn add_all(&mut self, others: &EventDates) {
        for (date, events) in &others.0 {
            self.add(*date, *events);
        }
    }

    /// Adds events by their times, in milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) fn add_times(&mut self, times: &[i64]) {
        // Events of a file are mostly of one date: those that follow of the same are counted by two comparisons each.
        let mut rest = times;
        while let Some(first) = rest.first() {
            let day = first.div_euclid(DAY_MILLIS);
            let of_the_day = day * DAY_MILLIS..(day + 1) * DAY_MILLIS;
            let length = rest.iter().position(|time| !of_the_day.contains(time)).unwrap_or(rest.len());
            if let Ok(day) = u16::try_from(day) {
                self.add(Date::from_days(day), length as u64);
            }
            rest = &rest[length..];
        }
    }

    /// Events of that date.
    pub fn of(&self, date: Date) -> u64 {
        self.0.get(&date).copied().unwrap_or_default()
    }

    /// Events of the dates before that one.
    pub fn before(&self, date: Date) -> u64 {
        self.0.range(..date).map(|(_, events)| events).sum()
    }

    /// Events of all dates.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Whether there are events, and none of them is of that date or a date beside it.
    pub fn are_all_far_from(&self, date: Date) -> bool {
        let first = date.plus_days(-1).unwrap_or(Date::MIN);
        let last = date.plus_days(1).unwrap_or(Date::MAX);
        !self.0.is_empty() && self.0.range(first..=last).next().is_none()
    }

    /// Whether under half of the events are of that date.
    pub fn are_mostly_not_of(&self, date: Date) -> bool {
        self.of(date).saturating_mul(2) < self.total()
    }

    /// The dates with the most events first.
    fn by_size(&self) -> Vec<(Date, u64)> {
        let mut dates: Vec<_> = self.0.iter().map(|(date, events)| (*date, *events)).collect();
        dates.sort_by_key(|(date, events)| (std::cmp::Reverse(*events), *date));
        dates
    }
}

/// `2026-04-05`, or `2026-04-05 (70), 2026-04-04 (20), 2026-04-03 (5) and 2 other dates (5)`.
impl fmt::Display for EventDates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dates = self.by_size();
        if let [(date, _)] = dates.as_slice() {
            return write!(f, "{date}");
        }
        let (shown, others) = dates.split_at(dates.len().min(SHOWN_DATES));
        let shown: Vec<String> = shown.iter().map(|(date, events)| format!("{date} ({events})")).collect();
        write!(f, "{}", shown.join(", "))?;
        if others.is_empty() {
            return Ok(());
        }
        let events: u64 = others.iter().map(|(_, events)| events).sum();
        let dates = if others.len() == 1 { "date" } else { "dates" };
        write!(f, " and {} other {dates} ({events})", others.len())
    }
}

/// The date of a line that was rejected because its `event_time` is a time out of the range of the day file; `None` for any
/// other line.
pub(crate) fn date_out_of_range(reject: &Reject) -> Option<Date> {
    let is_out_of_range = reject.violations.iter().any(|violation| {
        violation.reason == event_schema::Reason::OutOfRange && violation.field == EVENT_TIME
    });
    if !is_out_of_range {
        return None;
    }
    // Only a message depends on it: a key that is written with escapes may be missed.
    memmem::find_iter(&reject.raw, EVENT_TIME).find_map(|at| {
        let after = reject.raw[at + EVENT_TIME.len()..].strip_prefix(b"\"")?.trim_ascii_start();
        let value = after.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
        let end = memchr::memchr(b'"', value)?;
        let time = parse_rfc3339(&value[..end]).ok()?;
        u16::try_from(time.div_euclid(DAY_MILLIS)).ok().map(Date::from_days)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn dates(counts: &[(&str, u64)]) -> EventDates {
        let mut dates = EventDates::default();
        for (day, events) in counts {
            dates.add(date(day), *events);
        }
        dates
    }

    #[test]
    fn times_are_counted_by_their_date_in_utc() {
        let start = date("2026-03-01").start_millis();
        let mut counted = EventDates::default();
        counted.add_times(&[start, start + DAY_MILLIS - 1, start - 1, start + DAY_MILLIS, start]);
        assert_eq!(counted, dates(&[("2026-02-28", 1), ("2026-03-01", 3), ("2026-03-02", 1)]));
        assert_eq!((counted.total(), counted.before(date("2026-03-02"))), (5, 4));
    }

    #[test]
    fn a_date_is_wrong_where_no_event_is_near_it_and_doubtful_where_most_are_of_others() {
        let counted = dates(&[("2026-03-01", 2), ("2026-03-02", 2)]);
        for (day, is_far, is_doubtful) in [
            ("2026-02-27", true, true),
            ("2026-02-28", false, true),
            ("2026-03-01", false, false),
            ("2026-03-03", false, true),
            ("2026-03-04", true, true),
        ] {
            let found = (counted.are_all_far_from(date(day)), counted.are_mostly_not_of(date(day)));
            assert_eq!(found, (is_far, is_doubtful), "{day}");
        }
        let none = EventDates::default();
        assert!(!none.are_all_far_from(Date::MIN) && !none.are_mostly_not_of(Date::MAX));
    }

    #[test]
    fn a_message_names_the_largest_dates() {
        assert_eq!(dates(&[("2026-03-01", 7)]).to_string(), "2026-03-01");
        let many = dates(&[
            ("2026-03-01", 7),
            ("2026-03-02", 9),
            ("2026-03-03", 7),
            ("2026-03-04", 1),
            ("2026-03-05", 2),
        ]);
        assert_eq!(many.to_string(), "2026-03-02 (9), 2026-03-01 (7), 2026-03-03 (7) and 2 other dates (3)");
    }
}
