//! Numbers that the walk has found to be JSON: what they are worth.

use event_schema::Reason;

use crate::span::Span;

/// An integer of a number's text, in a range.
#[inline]
pub(super) fn read_integer(text: Span<'_>, (min, max): (u32, u32)) -> Result<u32, Reason> {
    let (is_negative, digits) = match text.bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Reason::WrongType);
    }
    // JSON has no leading zeros: more than ten digits are past 32 bits.
    let value = match digits.len() {
        0..=10 => digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')),
        _ => u64::MAX,
    };
    let in_range = (u64::from(min)..=u64::from(max)).contains(&value) && (!is_negative || value == 0);
    if in_range { Ok(value as u32) } else { Err(Reason::OutOfRange) }
}

/// A number from 0 to 1, as the nearest 64-bit float.
#[inline]
pub(super) fn read_share(text: Span<'_>) -> Result<f64, Reason> {
    let value: f64 = std::str::from_utf8(&text)
        .ok()
        .and_then(|text| text.parse().ok())
        .expect("a JSON number is a number in Rust");
    // Adding zero makes -0 a plain 0.
    if (0.0..=1.0).contains(&value) { Ok(value + 0.0) } else { Err(Reason::OutOfRange) }
}
