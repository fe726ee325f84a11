//! Instants, in UTC to the millisecond.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

use super::{civil, two_digits};
use crate::Reason;

/// An instant from 2000-01-01 to before 2200-01-01 (UTC), to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// An instant outside the range of [`Timestamp`], or a text that is not an instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a time from 2000-01-01 to before 2200-01-01, as RFC 3339 with an offset \
     (2026-03-01T09:30:00.123Z), found {found}"
)]
pub struct TimestampError {
    found: String,
}

impl Timestamp {
    /// 2000-01-01T00:00:00Z, the first instant of the range, in milliseconds since 1970.
    pub const MIN_MILLIS: i64 = 946_684_800_000;
    /// 2200-01-01T00:00:00Z, the first instant after the range, in milliseconds since 1970.
    pub const END_MILLIS: i64 = 7_258_118_400_000;

    /// The instant that is `millis` milliseconds after 1970-01-01T00:00:00Z.
    pub fn from_millis(millis: i64) -> Result<Timestamp, TimestampError> {
        if (Self::MIN_MILLIS..Self::END_MILLIS).contains(&millis) {
            Ok(Timestamp(millis))
        } else {
            Err(TimestampError { found: format!("{millis} ms after 1970-01-01T00:00:00Z") })
        }
    }

    /// The system clock's instant.
    pub fn now() -> Result<Timestamp, TimestampError> {
        SystemTime::now().try_into()
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0
    }
}

impl TryFrom<SystemTime> for Timestamp {
    type Error = TimestampError;

    /// Digits finer than milliseconds are cut off.
    fn try_from(time: SystemTime) -> Result<Timestamp, TimestampError> {
        let millis = time.duration_since(UNIX_EPOCH).map_or(-1, |since| since.as_millis() as i64);
        Timestamp::from_millis(millis)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Timestamp, TimestampError> {
        parse_rfc3339(text.as_bytes())
            .ok()
            .and_then(|millis| Timestamp::from_millis(millis).ok())
            .ok_or_else(|| TimestampError { found: format!("{text:?}") })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = rfc3339(self.0).expect("the range has years of four digits");
        f.write_str(std::str::from_utf8(&text).expect("digits are ASCII"))
    }
}

/// An instant as RFC 3339 in UTC: `2026-03-01T09:30:00.123Z`; `None` outside the years 0000 to 9999.
pub fn rfc3339(millis: i64) -> Option<[u8; 24]> {
    let (year, month, day) = civil::civil(i32::try_from(millis.div_euclid(86_400_000)).ok()?);
    let in_day = millis.rem_euclid(86_400_000) as u32;
    let (seconds, millis) = (in_day / 1000, in_day % 1000);
    let year = u32::try_from(year).ok().filter(|year| *year <= 9999)?;
    let mut text = *b"YYYY-MM-DDTHH:MM:SS.mmmZ";
    let parts = [
        (0..4, year),
        (5..7, month),
        (8..10, day),
        (11..13, seconds / 3600),
        (14..16, seconds / 60 % 60),
        (17..19, seconds % 60),
        (20..23, millis),
    ];
    for (places, mut number) in parts {
        for digit in text[places].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
    }
    Some(text)
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z of an RFC 3339 time with an offset.
///
/// Date and time are separated by `T`, `t` or one space; the offset is `Z`, `z` or `±hh:mm` with hours up to 23 and minutes
/// up to 59; a fraction has one digit or more, and digits finer than milliseconds are cut off (rounded down). Second 60 is
/// an error. Years from 0000 to 9999 are read: the caller checks ranges. The only error is [`Reason::InvalidValue`].
pub fn parse_rfc3339(text: &[u8]) -> Result<i64, Reason> {
    read_rfc3339(text).ok_or(Reason::InvalidValue)
}

fn read_rfc3339(text: &[u8]) -> Option<i64> {
    if text.len() < 20 || !matches!(text[10], b'T' | b't' | b' ') || text[13] != b':' || text[16] != b':' {
        return None;
    }
    let day = i64::from(civil::parse_ymd(text)?);
    let (hour, minute, second) = (two_digits(text, 11)?, two_digits(text, 14)?, two_digits(text, 17)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (millis, rest) = read_fraction(&text[19..])?;
    let offset_minutes = read_offset(rest)?;
    let seconds = day * 86_400 + i64::from(hour * 3600 + minute * 60 + second) - offset_minutes * 60;
    Some(seconds * 1000 + i64::from(millis))
}

/// The milliseconds of `.digits` at the start, 0 without a fraction, and the text after it.
fn read_fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(fraction) = text.strip_prefix(b".") else { return Some((0, text)) };
    let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let millis =
        (0..3).fold(0, |sum, i| sum * 10 + if i < digits { u32::from(fraction[i] - b'0') } else { 0 });
    Some((millis, &fraction[digits..]))
}

/// Minutes east of UTC.
fn read_offset(text: &[u8]) -> Option<i64> {
    match text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (two_digits(text, 1)?, two_digits(text, 4)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = i64::from(hours * 60 + minutes);
            Some(if *sign == b'-' { -minutes } else { minutes })
        }
        _ => None,
    }
}
