//! Checks of the batch date: against today, the sources' names and the events.

use event_parser::EventDates;
use event_schema::value::{Date, Timestamp};
use event_source::Source;
use serde::Serialize;

use super::LoadOptions;
use crate::LoadError;
use crate::warehouse::Warehouse;

/// How many of a day's events are of its date, and of those before and after it. Whatever is later was rejected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct EventsByDate {
    /// Of the batch date (in UTC).
    pub date: u64,
    /// Of the day before it.
    pub day_before: u64,
    /// Of the day after it.
    pub day_after: u64,
    /// Of all days before these.
    pub earlier: u64,
}

impl EventsByDate {
    /// Counts relative to a batch date.
    pub fn new(batch_date: Date, dates: &EventDates) -> EventsByDate {
        let of = |days| batch_date.plus_days(days).map_or(0, |date| dates.of(date));
        EventsByDate {
            date: dates.of(batch_date),
            day_before: of(-1),
            day_after: of(1),
            earlier: batch_date.plus_days(-1).map_or(0, |day_before| dates.before(day_before)),
        }
    }
}

/// Refuses a batch date that is later than tomorrow by the client's clock and by the server's: one of them may be wrong.
pub async fn refuse_future_date(warehouse: &Warehouse, batch_date: Date) -> Result<(), LoadError> {
    let by_client = Timestamp::now().ok().and_then(|now| date_of(now.millis()));
    let tomorrow = by_client.and_then(|today| today.plus_days(1));
    if tomorrow.is_some_and(|tomorrow| batch_date <= tomorrow) {
        return Ok(());
    }
    let today = warehouse.today().await.map_err(|error| LoadError::Warehouse { batch_date, error })?;
    match today.plus_days(1).max(tomorrow) {
        Some(tomorrow) if batch_date > tomorrow => Err(LoadError::FutureDate { batch_date, tomorrow }),
        _ => Ok(()),
    }
}

/// Refuses a batch date that is later than tomorrow, unless that is allowed.
pub(super) async fn check_batch_date(warehouse: &Warehouse, options: &LoadOptions) -> Result<(), LoadError> {
    if options.allow_misdated { Ok(()) } else { refuse_future_date(warehouse, options.batch_date).await }
}

fn date_of(millis: i64) -> Option<Date> {
    u16::try_from(millis.div_euclid(86_400_000)).ok().map(Date::from_days)
}

/// An error if none of a day's events is near its date.
pub(super) fn check(options: &LoadOptions, dates: &EventDates) -> Result<(), LoadError> {
    if !options.allow_misdated && dates.are_all_far_from(options.batch_date) {
        return Err(LoadError::Misdated { batch_date: options.batch_date, dates: Box::new(dates.clone()) });
    }
    Ok(())
}

/// A warning if most events are of other dates than the batch date.
pub fn misdated_events_warning(batch_date: Date, dates: &EventDates) -> Option<String> {
    let (of_the_date, total) = (dates.of(batch_date), dates.total());
    dates.are_mostly_not_of(batch_date).then(|| {
        format!(
            "only {of_the_date} of the {total} events ({:.1} %) are of {batch_date}; the events are of {dates}: check \
             --batch-date",
            100.0 * of_the_date as f64 / total as f64
        )
    })
}

/// A warning if sources' names hold other dates than the batch date.
pub fn misdated_names_warning(batch_date: Date, sources: &[Source]) -> Option<String> {
    let named = sources.iter().filter_map(|source| {
        let dates = source.dates_in_name();
        let other = *dates.first()?;
        (!dates.contains(&batch_date)).then(|| (source.name(), other))
    });
    let named: Vec<(&str, Date)> = named.collect();
    match named.as_slice() {
        [] => None,
        [(name, other)] if sources.len() == 1 => {
            Some(format!("the name of {name} holds {other}, not {batch_date}: check --batch-date"))
        }
        [(name, other), ..] => Some(format!(
            "the names of {} of {} sources hold another date than {batch_date}, such as {name} ({other}): check \
             --batch-date",
            named.len(),
            sources.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_as_the_batch_date_sees_them() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        let mut dates = EventDates::default();
        for (day, events) in
            [("2026-02-10", 1), ("2026-02-27", 2), ("2026-02-28", 4), ("2026-03-01", 8), ("2026-03-02", 16)]
        {
            dates.add(date(day), events);
        }
        let seen = EventsByDate::new(date("2026-03-01"), &dates);
        assert_eq!(seen, EventsByDate { date: 8, day_before: 4, day_after: 16, earlier: 3 });
        let word = misdated_events_warning(date("2026-03-01"), &dates).unwrap();
        assert!(word.starts_with("only 8 of the 31 events (25.8 %) are of 2026-03-01;"), "{word}");
        assert_eq!(misdated_events_warning(date("2026-03-02"), &dates), None);
    }
}
