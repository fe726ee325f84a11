//! Amounts of money: decimals with four digits after the point, never floats.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::Reason;

/// An amount of money from 0 to 99,999,999,999,999.9999, exact to 1/10000 of the currency's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u64);

/// A text or number that is not an [`Amount`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to 14 digits, optionally a point and 1 to 4 digits, found {found:?}")]
pub struct AmountError {
    found: String,
}

impl Amount {
    /// Parts of one unit: four digits after the point.
    pub const SCALE: u64 = 10_000;
    const END: u64 = 100_000_000_000_000 * Self::SCALE;

    /// An amount of `ten_thousandths` / 10000 units; an error from 10¹⁴ units on.
    pub fn from_ten_thousandths(ten_thousandths: u64) -> Result<Amount, AmountError> {
        if ten_thousandths < Self::END {
            Ok(Amount(ten_thousandths))
        } else {
            Err(AmountError { found: format!("{ten_thousandths} / 10000") })
        }
    }

    /// An amount in hundredths of the unit, e.g. cents.
    pub fn from_hundredths(hundredths: u64) -> Result<Amount, AmountError> {
        hundredths
            .checked_mul(100)
            .ok_or_else(|| AmountError { found: format!("{hundredths} / 100") })
            .and_then(Self::from_ten_thousandths)
    }

    /// The amount in 1/10000 of a unit.
    pub const fn ten_thousandths(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Amount {
    /// At least two digits after the point, and more if they are not zero: `9.99`, `0.0001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, part) = (self.0 / Self::SCALE, self.0 % Self::SCALE);
        match part {
            part if part % 100 == 0 => write!(f, "{units}.{:02}", part / 100),
            part if part % 10 == 0 => write!(f, "{units}.{:03}", part / 10),
            part => write!(f, "{units}.{part:04}"),
        }
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Amount, AmountError> {
        parse_amount(text.as_bytes())
            .map(|amount| Amount(amount as u64))
            .map_err(|_| AmountError { found: text.to_owned() })
    }
}

impl Serialize for Amount {
    /// As a JSON string, so that no reader converts it to a float.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An amount's text in 1/10000 of a unit.
///
/// [`Reason::OutOfRange`] for a leading minus, whatever follows; [`Reason::InvalidValue`] for anything else than 1–14
/// digits, optionally with a point and 1–4 digits.
pub fn parse_amount(text: &[u8]) -> Result<i64, Reason> {
    if text.first() == Some(&b'-') {
        return Err(Reason::OutOfRange);
    }
    read_amount(text).ok_or(Reason::InvalidValue)
}

fn read_amount(text: &[u8]) -> Option<i64> {
    let (units, part) = match text.iter().position(|byte| *byte == b'.') {
        Some(point) => (&text[..point], Some(&text[point + 1..])),
        None => (text, None),
    };
    let part = match part {
        None => 0,
        Some(part) => digits(part, 4)? * 10_i64.pow(4 - part.len() as u32),
    };
    Some(digits(units, 14)? * Amount::SCALE as i64 + part)
}

/// One to `max` digits as a number.
fn digits(text: &[u8], max: usize) -> Option<i64> {
    if text.is_empty() || text.len() > max {
        return None;
    }
    text.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}
