//! Numbers from 0 to 1, as the nearest 64-bit floats.

#![expect(clippy::inline_always, reason = "compiled for each instruction set and event type")]

use event_schema::Reason;

use super::digits::{WORD_DIGITS, short_digits};
use super::{BulkAppend, BulkCheck, CheckedField, ColumnValues, RowCheck, RuleKind, StoredIn};
use crate::arch::Simd;
use crate::check::bulk::ReadValue;
use crate::columns::Nullable;
use crate::reader::SlotKind;
use crate::span::Span;

/// [`Rule::Share`](event_schema::registry::Rule::Share).
pub(in super::super) struct Share;

impl RuleKind for Share {
    type Value<'a> = f64;

    #[inline(always)]
    fn read<S: Simd>(row: &mut RowCheck<'_, S>, field: CheckedField) -> Option<f64> {
        let slot = row.present(field)?;
        let read = if slot.kind == SlotKind::Number {
            read_share(row.text_of(slot))
        } else {
            Err(Reason::WrongType)
        };
        row.accept(field, read)
    }

    #[inline(always)]
    fn check_column<S: Simd>(check: &mut BulkCheck<'_, S>, field: CheckedField) -> ColumnValues {
        check.rows.read_each(field, ReadShares)
    }
}

impl StoredIn<Nullable<f64>> for Share {
    #[inline(always)]
    fn append(value: Option<f64>, column: &mut Nullable<f64>) {
        column.push(value);
    }

    #[inline(always)]
    fn append_column<S: Simd>(
        append: &mut BulkAppend<'_, S>,
        field: CheckedField,
        column: &mut Nullable<f64>,
    ) {
        append.nullable(field, column, f64::from_bits);
    }
}

/// Reads shares as the bits of floats.
struct ReadShares;

impl ReadValue for ReadShares {
    #[inline(always)]
    fn read(&mut self, span: Span<'_>) -> Option<u64> {
        match span[0] {
            b'0'..=b'9' => read_share(span).ok().map(f64::to_bits),
            _ => None,
        }
    }
}

/// The float of a JSON number, if it is in range.
#[inline(always)]
fn read_share(text: Span<'_>) -> Result<f64, Reason> {
    let value = match short_share(text) {
        Some(value) => value,
        None => any_number(&text),
    };
    // Adding zero turns -0 into 0.
    if (0.0..=1.0).contains(&value) { Ok(value + 0.0) } else { Err(Reason::OutOfRange) }
}

/// A number with one digit before the point and up to eight after it; `None` for any other.
///
/// Both parts of the fraction are integers that a float holds exactly, so their quotient is the float nearest to the
/// number (William D. Clinger, "How to Read Floating Point Numbers Accurately", 1990, section 3).
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8192))]

        #[test]
        fn the_fast_and_the_general_form_agree(
            number in prop_oneof![
                "-?(0|[1-9][0-9]{0,11})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?",
                "[01]\\.[0-9]{1,9}",
            ],
            after in "[0-9,} a]{0,12}",
        ) {
            let text = format!("{number}{after}");
            let span = Span::new(text.as_bytes(), 0, number.len() as u32);
            let exact: f64 = number.parse().unwrap();
            let expected = Some(exact).filter(|value| (0.0..=1.0).contains(value)).ok_or(Reason::OutOfRange);
            prop_assert_eq!(read_share(span), expected, "{}", number);
        }
    }
}
