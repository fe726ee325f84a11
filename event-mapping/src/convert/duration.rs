//! Durations, in milliseconds.

use std::fmt::Write;

use super::decimal::Decimal;
use super::{Failed, Input};
use crate::definition::TimeUnit;

/// The longest duration: beyond every range of the contract.
const MOST_MICROSECONDS: i128 = 1 << 60;

/// An ISO 8601 duration of weeks, days, hours, minutes and seconds, or a number of units, as whole milliseconds; finer
/// digits are cut off.
pub(crate) fn write_duration(
    input: Input<'_>,
    unit: Option<TimeUnit>,
    out: &mut String,
) -> Result<(), Failed> {
    let microseconds = match (input, unit) {
        (Input::Text(text), _) if text.starts_with('P') => iso_8601(text)?,
        (_, Some(unit)) => microseconds(input.number()?, unit.microseconds())?,
        _ => return Err(Failed),
    };
    if microseconds > MOST_MICROSECONDS {
        return Err(Failed);
    }
    write!(out, "{}", microseconds.div_euclid(1000)).map_err(|_| Failed)
}

/// Microseconds of a number of units. A negative one is answered as such: the contract's ranges are the contract's.
fn microseconds(number: &str, unit: u64) -> Result<i128, Failed> {
    let number = Decimal::parse(number)?;
    // Digits finer than a picosecond of the unit are cut off.
    let fine = number.floor_at(12).ok_or(Failed)?;
    Ok(fine.checked_mul(i128::from(unit)).ok_or(Failed)?.div_euclid(1_000_000_000_000))
}

fn iso_8601(text: &str) -> Result<i128, Failed> {
    let (days, time) = match text[1..].split_once('T') {
        Some((_, "")) => return Err(Failed),
        Some((days, time)) => (days, time),
        None => (&text[1..], ""),
    };
    if days.is_empty() && time.is_empty() {
        return Err(Failed);
    }
    let day = 24 * TimeUnit::Hours.microseconds();
    let days = parts(days, &[('W', 7 * day), ('D', day)])?;
    let time = parts(
        time,
        &[
            ('H', TimeUnit::Hours.microseconds()),
            ('M', TimeUnit::Minutes.microseconds()),
            ('S', TimeUnit::Seconds.microseconds()),
        ],
    )?;
    Ok(days + time)
}

/// Numbers with their designators, in this order.
fn parts(mut text: &str, designators: &[(char, u64)]) -> Result<i128, Failed> {
    let mut sum = 0_i128;
    let mut designators = designators.iter();
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(Failed)?;
        let designator = text[end..].chars().next().ok_or(Failed)?;
        let (_, unit) = designators.find(|(name, _)| *name == designator).ok_or(Failed)?;
        sum = sum.checked_add(microseconds(&text[..end], *unit)?).ok_or(Failed)?;
        text = &text[end + 1..];
    }
    Ok(sum)
}
