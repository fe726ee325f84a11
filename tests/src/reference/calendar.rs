//! Dates and times, by counting days one year after the other.

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Days from 1970-01-01 to the given day of the Gregorian calendar, negative before it.
pub(crate) fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let whole_years: i64 = if year >= 1970 {
        (1970..year).map(days_in_year).sum()
    } else {
        -(year..1970).map(days_in_year).sum::<i64>()
    };
    let whole_months: i64 = (1..month).map(|month| days_in_month(year, month)).sum();
    whole_years + whole_months + day - 1
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_year(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `YYYY-MM-DD` as days since 1970-01-01, whatever its year; `None` where that is no day.
pub(crate) fn date(text: &[u8]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
    let year = number(&[y1, y2, y3, y4])?;
    let month = number(&[m1, m2])?;
    let day = number(&[d1, d2])?;
    let exists = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    exists.then(|| days_since_epoch(year, month, day))
}

/// An RFC 3339 time with an offset as milliseconds since 1970-01-01T00:00:00Z, finer digits cut off;
/// `None` where the text is no such time.
pub(crate) fn timestamp(text: &[u8]) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    let days = date(day)?;
    let [b'T' | b't' | b' ', h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = rest else { return None };
    let hour = number(&[*h1, *h2]).filter(|hour| *hour <= 23)?;
    let minute = number(&[*m1, *m2]).filter(|minute| *minute <= 59)?;
    let second = number(&[*s1, *s2]).filter(|second| *second <= 59)?;

    let (fraction, zone) = match rest {
        [b'.', rest @ ..] => {
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if count == 0 {
                return None;
            }
            rest.split_at(count)
        }
        _ => (&[][..], rest),
    };
    let mut first_three = [b'0'; 3];
    for (place, digit) in first_three.iter_mut().zip(fraction) {
        *place = *digit;
    }
    let millisecond = number(&first_three)?;

    let offset_minutes = match zone {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let hours = number(&[*h1, *h2]).filter(|hours| *hours <= 23)?;
            let minutes = number(&[*m1, *m2]).filter(|minutes| *minutes <= 59)?;
            let ahead = hours * 60 + minutes;
            if *sign == b'-' { -ahead } else { ahead }
        }
        _ => return None,
    };
    let time_of_day = ((hour * 60 + minute - offset_minutes) * 60 + second) * 1000 + millisecond;
    Some(days * DAY_MS + time_of_day)
}

/// Only ASCII digits, as a number.
fn number(digits: &[u8]) -> Option<i64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The day of a batch and the two instants that bound its events: from 2000-01-01, and before the
/// second midnight (UTC) after the batch date began. In milliseconds since 1970-01-01.
pub(super) fn event_time_range(batch_date: (i32, u32, u32)) -> std::ops::Range<i64> {
    let (year, month, day) = batch_date;
    let batch_day = days_since_epoch(year.into(), month.into(), day.into());
    days_since_epoch(2000, 1, 1) * DAY_MS..(batch_day + 2) * DAY_MS
}

/// The range of a session's own times: from 2000-01-01 and before 2200-01-01, in milliseconds.
pub(super) fn session_time_range() -> std::ops::Range<i64> {
    days_since_epoch(2000, 1, 1) * DAY_MS..days_since_epoch(2200, 1, 1) * DAY_MS
}

/// The range of a subscription's dates: 1970-01-01 to 2149-06-06, in days.
pub(super) fn period_range() -> std::ops::RangeInclusive<i64> {
    days_since_epoch(1970, 1, 1)..=days_since_epoch(2149, 6, 6)
}
