//! One event, to be written as a line.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde_json::{Value, json};

/// One event.
#[derive(Debug, Clone)]
pub struct Line {
    /// 128 bits of an id.
    pub event_id: u128,
    /// Its type.
    pub event_type: &'static str,
    /// Who did it.
    pub user: String,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// On which platform, or empty.
    pub platform: String,
    /// In which country, or empty.
    pub country: String,
    /// Its payload.
    pub properties: Value,
}

impl Line {
    /// An event whose id comes from its type, user, time and payload.
    ///
    /// # Panics
    /// Where the time is no RFC 3339 one.
    pub fn new(event_type: &'static str, user: &str, time: &str, properties: Value) -> Line {
        let at = time.parse::<Timestamp>().expect("a time").as_millisecond();
        let mut event_id = 0x018f_2c6e_7b1a_7c3d_9e4f_0123_4567_89ab_u128;
        for byte in format!("{event_type} {user} {time} {properties}").bytes() {
            event_id = event_id.wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b) ^ u128::from(byte);
        }
        Line {
            event_id,
            event_type,
            user: user.to_owned(),
            at,
            platform: String::new(),
            country: String::new(),
            properties,
        }
    }

    /// Its date in UTC.
    pub fn date(&self) -> Date {
        date_of(self.at)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = format!("{:032x}", self.event_id);
        let id = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
        let time = Timestamp::from_millisecond(self.at).map_err(|_| fmt::Error)?;
        let line = json!({
            "event_id": id,
            "event_type": self.event_type,
            "user_id": self.user,
            "event_time": time.to_string(),
            "platform": self.platform,
            "country": self.country,
            "properties": self.properties,
        });
        write!(f, "{line}")
    }
}

/// The UTC date of an instant.
pub(super) fn date_of(at: i64) -> Date {
    let time = Timestamp::from_millisecond(at).expect("tests keep to the contract's times");
    time.to_zoned_datetime(TimeZone::UTC).date()
}

/// The instant that a date begins at in UTC.
pub(super) fn start_of(date: Date) -> i64 {
    let start = date.to_datetime(civil::Time::midnight()).to_zoned_datetime(TimeZone::UTC);
    start.expect("UTC has every instant").timestamp().as_millisecond()
}
