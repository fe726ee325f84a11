//! Times: counted from 1970, or of a time zone.

use event_schema::value::{Timestamp, rfc3339};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::decimal::Decimal;
use super::{Failed, Input};
use crate::definition::EpochUnit;

/// A number of units since 1970-01-01T00:00:00Z, as RFC 3339 in UTC to the millisecond; finer digits are cut off.
pub(crate) fn write_epoch(input: Input<'_>, unit: EpochUnit, out: &mut String) -> Result<(), Failed> {
    let number = Decimal::parse(input.number()?)?;
    let millis = number.floor_at(3 - unit.decimals() as i32).ok_or(Failed)?;
    write_millis(i64::try_from(millis).map_err(|_| Failed)?, out)
}

fn write_millis(millis: i64, out: &mut String) -> Result<(), Failed> {
    let text = rfc3339(millis).ok_or(Failed)?;
    out.push_str(std::str::from_utf8(&text).expect("digits are ASCII"));
    Ok(())
}

/// A time without an offset, of a time zone, as RFC 3339 in UTC. Where the clock shows it twice, the earlier one; where
/// the clock skips it, there is none.
pub(crate) fn write_local_time(input: Input<'_>, zone: &TimeZone, out: &mut String) -> Result<(), Failed> {
    let (local, millis) = parse_local(input.text()?)?;
    let ambiguous = zone.to_ambiguous_timestamp(local);
    if matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
        return Err(Failed);
    }
    let time = ambiguous.earlier().map_err(|_| Failed)?;
    write_millis(time.as_millisecond() + i64::from(millis), out)
}

/// A date and time without an offset, to the second, and its milliseconds.
fn parse_local(text: &str) -> Result<(DateTime, u16), Failed> {
    // The same spelling as with an offset (RFC 3339), whose reading checks it; seconds may be left out.
    let mut with_offset = [0; 40];
    let bytes = text.as_bytes();
    let (head, tail) = if bytes.len() == 16 { (bytes, &b":00Z"[..]) } else { (bytes, &b"Z"[..]) };
    let length = head.len() + tail.len();
    if length > with_offset.len() {
        return Err(Failed);
    }
    with_offset[..head.len()].copy_from_slice(head);
    with_offset[head.len()..length].copy_from_slice(tail);
    let millis = event_schema::value::parse_rfc3339(&with_offset[..length]).map_err(|_| Failed)?;
    let utc = jiff::Timestamp::from_second(millis.div_euclid(1000)).map_err(|_| Failed)?;
    Ok((TimeZone::UTC.to_datetime(utc), millis.rem_euclid(1000) as u16))
}

/// Whether a mapping's constant is a time of the contract.
pub(crate) fn is_time(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok()
}
