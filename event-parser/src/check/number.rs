//! Numbers that the walk has found to be JSON: what they are worth.
//!
//! Short ones, of up to eight digits, are read as one word, so that no branch depends on how many there are.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions and each payload")]

use event_schema::Reason;

use crate::span::Span;

/// The most digits of a word.
const WORD_DIGITS: usize = 8;

/// An integer of a number's text, in a range.
#[inline(always)]
pub(super) fn read_integer(text: Span<'_>, (min, max): (u32, u32)) -> Result<u32, Reason> {
    let value = match short_digits(text, 0, text.len()) {
        Some(value) => value,
        None => any_integer(&text)?,
    };
    if (i64::from(min)..=i64::from(max)).contains(&value) {
        Ok(value as u32)
    } else {
        Err(Reason::OutOfRange)
    }
}

/// An integer of any length; one past 32 bits is as good as any other.
#[cold]
fn any_integer(text: &[u8]) -> Result<i64, Reason> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        digits => (1, digits),
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Reason::WrongType);
    }
    // JSON has no leading zeros: more than ten digits are past 32 bits.
    Ok(match digits.len() {
        0..=10 => digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')) * sign,
        _ => i64::MAX * sign,
    })
}

/// A number from 0 to 1, as the nearest 64-bit float.
#[inline(always)]
pub(super) fn read_share(text: Span<'_>) -> Result<f64, Reason> {
    let value = match short_share(text) {
        Some(value) => value,
        None => any_number(&text),
    };
    // Adding zero makes -0 a plain 0.
    if (0.0..=1.0).contains(&value) { Ok(value + 0.0) } else { Err(Reason::OutOfRange) }
}

/// A number with one digit before the point and up to eight after it, or none.
///
/// Both parts of the fraction are integers that a float holds exactly, so that their quotient is the float
/// nearest to the number (William D. Clinger, "How to Read Floating Point Numbers Accurately", 1990, section 3).
#[inline(always)]
fn short_share(text: Span<'_>) -> Option<f64> {
    const POWERS: [f64; WORD_DIGITS + 1] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];
    let first = text.first()?.wrapping_sub(b'0');
    let after_point = text.len().checked_sub(2)?;
    if first > 9 || text[1] != b'.' || after_point > WORD_DIGITS {
        return None;
    }
    let fraction = short_digits(text, 2, after_point)? as f64;
    let power = POWERS[after_point];
    Some((f64::from(first) * power + fraction) / power)
}

#[cold]
fn any_number(text: &[u8]) -> f64 {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.expect("a JSON number is a number in Rust")
}

/// The number of the `length` digits from a place on; `None` where there is something else, none or too many.
#[inline(always)]
fn short_digits(text: Span<'_>, start: usize, length: usize) -> Option<i64> {
    const ALL: u64 = 0x0101_0101_0101_0101;
    if !(1..=WORD_DIGITS).contains(&length) {
        return None;
    }
    let word = match text.wide::<{ WORD_DIGITS + 2 }>() {
        Some(wide) if start <= 2 => u64::from_le_bytes(*wide[start..].first_chunk()?),
        _ => return None,
    };
    // The digits as the last ones of eight, and zeros before them.
    let padding = u64::BITS - 8 * length as u32;
    let digits = (word ^ (ALL * u64::from(b'0'))) << padding;
    if (digits | digits.wrapping_add(ALL * 6)) & (ALL * 0xf0) != 0 {
        return None;
    }
    // Pairs, then fours, then all.
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some(((fours * 10_000 + (fours >> 32)) & 0xffff_ffff) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8192))]

        #[test]
        fn short_and_long_ways_agree(
            number in "-?(0|[1-9][0-9]{0,11})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?",
            after in "[0-9,} a]{0,12}",
            share in "[01]\\.[0-9]{1,9}",
            range in prop_oneof![Just((1, 65_535)), Just((0, u32::MAX))],
        ) {
            for number in [&number, &share] {
                let text = format!("{number}{after}");
                let span = Span::new(text.as_bytes(), 0, number.len() as u32);
                let in_range = |value: i64| (i64::from(range.0)..=i64::from(range.1)).contains(&value);
                let integer = any_integer(number.as_bytes())
                    .and_then(|value| if in_range(value) { Ok(value as u32) } else { Err(Reason::OutOfRange) });
                prop_assert_eq!(read_integer(span, range), integer, "{}", number);
                let exact: f64 = number.parse().unwrap();
                let share = Some(exact).filter(|value| (0.0..=1.0).contains(value)).ok_or(Reason::OutOfRange);
                prop_assert_eq!(read_share(span), share, "{}", number);
            }
        }
    }
}
