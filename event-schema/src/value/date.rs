//! Calendar dates with the range of ClickHouse's `Date`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::civil;
use crate::Reason;

/// A day from 1970-01-01 to 2149-06-06, the range of ClickHouse's `Date`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(u16);

/// A text or number that is not a [`Date`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a date from 1970-01-01 to 2149-06-06 as YYYY-MM-DD, found {found:?}")]
pub struct DateError {
    found: String,
}

impl Date {
    /// 1970-01-01.
    pub const MIN: Date = Date(0);
    /// 2149-06-06.
    pub const MAX: Date = Date(u16::MAX);

    /// The day that is `days` after 1970-01-01.
    pub const fn from_days(days: u16) -> Date {
        Date(days)
    }

    /// A calendar date; an error if the calendar or the range does not have it.
    pub fn new(year: i32, month: u32, day: u32) -> Result<Date, DateError> {
        civil::day_number(year, month, day)
            .and_then(|days| u16::try_from(days).ok())
            .map(Date)
            .ok_or_else(|| DateError { found: format!("{year:04}-{month:02}-{day:02}") })
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> u16 {
        self.0
    }

    /// Milliseconds from 1970-01-01T00:00:00Z to the start of the day in UTC.
    pub const fn start_millis(self) -> i64 {
        self.0 as i64 * 86_400_000
    }

    /// The day `n` days later (earlier where negative), or `None` past either end of the range.
    pub fn plus_days(self, n: i32) -> Option<Date> {
        u16::try_from(i32::from(self.0) + n).ok().map(Date)
    }

    /// Year, month (1–12) and day of month.
    pub fn ymd(self) -> (i32, u32, u32) {
        civil::civil(i32::from(self.0))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Date, DateError> {
        parse_date(text.as_bytes()).map(Date).map_err(|_| DateError { found: text.to_owned() })
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Days since 1970-01-01 of a `YYYY-MM-DD`.
///
/// [`Reason::InvalidValue`] for another form or a day that the calendar does not have, [`Reason::OutOfRange`] outside
/// 1970-01-01 to 2149-06-06.
pub fn parse_date(text: &[u8]) -> Result<u16, Reason> {
    if text.len() != 10 {
        return Err(Reason::InvalidValue);
    }
    let days = civil::parse_ymd(text).ok_or(Reason::InvalidValue)?;
    u16::try_from(days).map_err(|_| Reason::OutOfRange)
}
