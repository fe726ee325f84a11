//! Conversions: how what stands in the source becomes a field's value.

use std::fmt;
use std::str::FromStr;

use super::Place;

/// How a value of the source becomes a field's.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Conversion {
    /// It stays as it stands.
    #[default]
    Verbatim,
    /// Texts stay; numbers and booleans become text as they stand.
    Text,
    /// A UUID of another spelling (`urn:uuid:…`, braces, 32 digits).
    Uuid,
    /// A UUID, version 5, of the texts at some places; without places, of the element's bytes.
    MadeId {
        /// The places.
        of: Vec<Place>,
    },
    /// A time counted from 1970-01-01T00:00:00Z.
    Epoch(EpochUnit),
    /// A time without an offset.
    LocalTime {
        /// The IANA name of its time zone.
        zone: String,
    },
    /// The date of a date or a time.
    Date {
        /// A period that is added.
        plus: Option<Period>,
    },
    /// An ISO 8601 duration, or a number of units, in milliseconds.
    Duration {
        /// The unit of a number; without one a number is an error.
        unit: Option<TimeUnit>,
    },
    /// Money counted in minor units.
    MinorUnits {
        /// The digits after the point: 2 for cents.
        digits: u8,
    },
    /// The share that one number is of another.
    Share {
        /// The part.
        of: Box<Place>,
        /// The whole; the share is absent where it is zero.
        out_of: Box<Place>,
    },
    /// Small letters.
    Lower,
    /// Capital letters.
    Upper,
    /// Words of small letters, joined by `_`.
    SnakeCase,
    /// What follows the last `/` or `#`.
    LastSegment,
    /// A value for each of some texts (or numbers and booleans, by their text).
    OneOf {
        /// The texts with their values.
        table: Vec<(String, Constant)>,
    },
    /// A constant.
    Value(Constant),
}

impl Conversion {
    /// The names of all conversions, as `as` has them.
    pub const NAMES: [&str; 17] = [
        "text",
        "uuid",
        "made_id",
        "epoch_seconds",
        "epoch_milliseconds",
        "epoch_microseconds",
        "local_time",
        "date",
        "duration",
        "minor_units",
        "share",
        "lower",
        "upper",
        "snake_case",
        "last_segment",
        "one_of",
        "value",
    ];

    /// Its name; `None` for a value that stays as it stands.
    pub fn name(&self) -> Option<&'static str> {
        Some(match self {
            Conversion::Verbatim => return None,
            Conversion::Text => "text",
            Conversion::Uuid => "uuid",
            Conversion::MadeId { .. } => "made_id",
            Conversion::Epoch(EpochUnit::Seconds) => "epoch_seconds",
            Conversion::Epoch(EpochUnit::Milliseconds) => "epoch_milliseconds",
            Conversion::Epoch(EpochUnit::Microseconds) => "epoch_microseconds",
            Conversion::LocalTime { .. } => "local_time",
            Conversion::Date { .. } => "date",
            Conversion::Duration { .. } => "duration",
            Conversion::MinorUnits { .. } => "minor_units",
            Conversion::Share { .. } => "share",
            Conversion::Lower => "lower",
            Conversion::Upper => "upper",
            Conversion::SnakeCase => "snake_case",
            Conversion::LastSegment => "last_segment",
            Conversion::OneOf { .. } => "one_of",
            Conversion::Value(_) => "value",
        })
    }
}

/// The unit of a time counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
}

impl EpochUnit {
    /// How many decimal places a number of them is shifted to become seconds.
    pub(crate) const fn decimals(self) -> u32 {
        match self {
            EpochUnit::Seconds => 0,
            EpochUnit::Milliseconds => 3,
            EpochUnit::Microseconds => 6,
        }
    }
}

/// The unit of a duration that is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Thousandths of a millisecond.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
}

impl TimeUnit {
    /// Every unit, the smallest first.
    pub const ALL: [TimeUnit; 5] = [
        TimeUnit::Microseconds,
        TimeUnit::Milliseconds,
        TimeUnit::Seconds,
        TimeUnit::Minutes,
        TimeUnit::Hours,
    ];

    /// Its name in a mapping.
    pub const fn name(self) -> &'static str {
        match self {
            TimeUnit::Microseconds => "microseconds",
            TimeUnit::Milliseconds => "milliseconds",
            TimeUnit::Seconds => "seconds",
            TimeUnit::Minutes => "minutes",
            TimeUnit::Hours => "hours",
        }
    }

    /// Microseconds of one.
    pub(crate) const fn microseconds(self) -> u64 {
        match self {
            TimeUnit::Microseconds => 1,
            TimeUnit::Milliseconds => 1_000,
            TimeUnit::Seconds => 1_000_000,
            TimeUnit::Minutes => 60_000_000,
            TimeUnit::Hours => 3_600_000_000,
        }
    }
}

/// A value that stands in the mapping itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Number(f64),
    /// True or false.
    Boolean(bool),
}

impl fmt::Display for Constant {
    /// As JSON; of a text, the characters that need an escape stand with one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Constant::Text(text) => {
                let mut json = Vec::new();
                crate::json::write_string(text.as_bytes(), &mut json);
                f.write_str(&String::from_utf8_lossy(&json))
            }
            Constant::Integer(number) => write!(f, "{number}"),
            Constant::Number(number) => write!(f, "{number:?}"),
            Constant::Boolean(value) => write!(f, "{value}"),
        }
    }
}

/// A period of the calendar: ISO 8601, of years, months, weeks and days (`P1M`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Months, those of years counted in.
    pub months: u32,
    /// Days, those of weeks counted in.
    pub days: u32,
}

/// A text that is no period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeriodError;

impl fmt::Display for PeriodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an ISO 8601 period of years, months, weeks and days, like P1M or P1Y6M")
    }
}

impl std::error::Error for PeriodError {}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Period, PeriodError> {
        let mut rest = text.strip_prefix('P').ok_or(PeriodError)?;
        let mut period = Period { months: 0, days: 0 };
        // Units come in this order, each at most once.
        let mut units = [('Y', 12, 0), ('M', 1, 0), ('W', 0, 7), ('D', 0, 1)].into_iter();
        if rest.is_empty() {
            return Err(PeriodError);
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number: u32 =
                rest[..digits].parse().ok().filter(|number| *number < 100_000).ok_or(PeriodError)?;
            let unit = rest[digits..].chars().next().ok_or(PeriodError)?;
            let (_, months, days) = units.find(|(name, ..)| *name == unit).ok_or(PeriodError)?;
            period.months += number * months;
            period.days += number * days;
            rest = &rest[digits + 1..];
        }
        Ok(period)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P")?;
        if self.months > 0 {
            write!(f, "{}M", self.months)?;
        }
        if self.days > 0 || self.months == 0 {
            write!(f, "{}D", self.days)?;
        }
        Ok(())
    }
}
