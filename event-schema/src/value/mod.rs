//! Scalar values of the contract: times, dates, amounts, UUIDs, bounded strings. Readers and writers of events share them.
//!
//! Functions named `parse_…` take the unescaped bytes of a JSON string (or the text of a JSON number) and return the stored
//! value, or the [`Reason`](crate::Reason) of the violation. Faster implementations are tested against them.

mod amount;
mod civil;
mod date;
mod text;
mod timestamp;
mod uuid;

#[cfg(test)]
mod tests;

pub use amount::{Amount, AmountError, parse_amount};
pub use date::{Date, DateError, parse_date};
pub use text::{
    Country, Currency, Letters, LettersError, Text, TextError, check_text, is_control, is_invisible,
    is_upper_letters, visible,
};
pub use timestamp::{Timestamp, TimestampError, parse_rfc3339, rfc3339};
pub use uuid::parse_uuid;

/// The number of the two ASCII digits at `at`; `None` if these are not digits.
fn two_digits(text: &[u8], at: usize) -> Option<u32> {
    let tens = text.get(at)?.wrapping_sub(b'0');
    let ones = text.get(at + 1)?.wrapping_sub(b'0');
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}
