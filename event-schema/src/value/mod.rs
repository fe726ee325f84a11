//! What a field's text means: the scalar rules of the contract, shared by readers and writers of events.
//!
//! Functions named `parse_…` take the unescaped bytes of a JSON string (or a JSON number's text) and
//! answer with the stored value, or with the [`Reason`](crate::Reason) of the violation. They are the
//! readable truth that every faster implementation is tested against.

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
    Country, Currency, LettersError, Text, TextError, check_text, is_control, is_invisible, is_upper_letters,
    visible,
};
pub use timestamp::{Timestamp, TimestampError, parse_rfc3339};
pub use uuid::parse_uuid;

/// Two ASCII digits at `at`, as a number; `None` where something else stands.
fn two_digits(text: &[u8], at: usize) -> Option<u32> {
    let tens = text.get(at)?.wrapping_sub(b'0');
    let ones = text.get(at + 1)?.wrapping_sub(b'0');
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}
