//! Dates, and periods that are added to them.

use event_schema::Reason;
use event_schema::value::{Date, parse_date, parse_rfc3339};

use super::{Failed, Input};
use crate::definition::Period;

/// The date of a date or a time, as `YYYY-MM-DD`; of a time with an offset its date in UTC, of one without that which it
/// names. With a period, the date that much later.
pub(crate) fn write_date(input: Input<'_>, plus: Option<Period>, out: &mut String) -> Result<(), Failed> {
    let text = input.text()?;
    let date = match parse_date(text.as_bytes()) {
        Ok(days) => Date::from_days(days),
        // The contract says of which range a date is.
        Err(Reason::OutOfRange) if plus.is_none() => {
            out.push_str(text);
            return Ok(());
        }
        Err(_) => date_of_time(text)?,
    };
    let date = match plus {
        Some(period) => add(date, period).ok_or(Failed)?,
        None => date,
    };
    let (year, month, day) = date.ymd();
    for (number, digits) in [(year as u32, 4), (month, 2), (day, 2)] {
        if digits == 2 {
            out.push('-');
        }
        for place in (0..digits).rev() {
            out.push(char::from(b'0' + (number / 10_u32.pow(place) % 10) as u8));
        }
    }
    Ok(())
}

fn date_of_time(text: &str) -> Result<Date, Failed> {
    if let Ok(millis) = parse_rfc3339(text.as_bytes()) {
        let days = u16::try_from(millis.div_euclid(86_400_000)).map_err(|_| Failed)?;
        return Ok(Date::from_days(days));
    }
    let (date, time) = text.as_bytes().split_at_checked(10).ok_or(Failed)?;
    let is_time = matches!(time, [b'T' | b't' | b' ', digit, ..] if digit.is_ascii_digit())
        && time[1..].iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
    if !is_time {
        return Err(Failed);
    }
    parse_date(date).map(Date::from_days).map_err(|_| Failed)
}

/// A date so much later: months first, clipped to the month's last day, then days.
fn add(date: Date, period: Period) -> Option<Date> {
    let (year, month, day) = date.ymd();
    let months = u32::try_from(year).ok()? * 12 + (month - 1) + period.months;
    let (year, month) = ((months / 12) as i32, months % 12 + 1);
    let later = (0..4).find_map(|clip| Date::new(year, month, day.checked_sub(clip)?).ok())?;
    later.plus_days(i32::try_from(period.days).ok()?)
}
