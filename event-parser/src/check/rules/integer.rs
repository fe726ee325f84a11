//! Integers in a range.

#![expect(clippy::inline_always, reason = "compiled for each instruction set and event type")]

use event_schema::Reason;

use super::digits::short_digits;
use super::{BulkAppend, BulkCheck, CheckedField, ColumnValues, RowCheck, RuleKind, StoredIn};
use crate::arch::Simd;
use crate::check::bulk::ReadValue;
use crate::columns::Nullable;
use crate::reader::SlotKind;
use crate::span::Span;

/// [`Rule::Integer`](event_schema::registry::Rule::Integer).
pub(in super::super) struct Integer;

/// The integer of a column; the registry's ranges are those of the columns.
pub(in super::super) trait StoredInteger: bytemuck::Pod {
    /// The value, which is in range.
    fn of(value: u64) -> Self;
}

impl StoredInteger for u16 {
    #[inline(always)]
    fn of(value: u64) -> u16 {
        value as u16
    }
}

impl StoredInteger for u32 {
    #[inline(always)]
    fn of(value: u64) -> u32 {
        value as u32
    }
}

impl RuleKind for Integer {
    type Value<'a> = u32;

    #[inline(always)]
    fn read<S: Simd>(row: &mut RowCheck<'_, S>, field: CheckedField) -> Option<u32> {
        let slot = row.present(field)?;
        let read = if slot.kind == SlotKind::Number {
            read_integer(row.text_of(slot), field.rule().integer_range())
        } else {
            Err(Reason::WrongType)
        };
        row.accept(field, read)
    }

    #[inline(always)]
    fn check_column<S: Simd>(check: &mut BulkCheck<'_, S>, field: CheckedField) -> ColumnValues {
        check.rows.read_each(field, ReadIntegers { range: field.rule().integer_range() })
    }
}

impl<T: StoredInteger> StoredIn<Nullable<T>> for Integer {
    #[inline(always)]
    fn append(value: Option<u32>, column: &mut Nullable<T>) {
        column.push(value.map(|value| T::of(value.into())));
    }

    #[inline(always)]
    fn append_column<S: Simd>(append: &mut BulkAppend<'_, S>, field: CheckedField, column: &mut Nullable<T>) {
        append.nullable(field, column, T::of);
    }
}

struct ReadIntegers {
    range: (u32, u32),
}

impl ReadValue for ReadIntegers {
    #[inline(always)]
    fn read(&mut self, span: Span<'_>) -> Option<u64> {
        read_integer(span, self.range).ok().map(u64::from)
    }
}

/// The integer of a JSON number, if it is in range.
#[inline(always)]
fn read_integer(text: Span<'_>, (min, max): (u32, u32)) -> Result<u32, Reason> {
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

/// An integer of any length; past 32 bits only its sign is exact.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8192))]

        #[test]
        fn the_fast_and_the_general_form_agree(
            number in "-?(0|[1-9][0-9]{0,11})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?",
            after in "[0-9,} a]{0,12}",
            range in prop_oneof![Just((1, 65_535)), Just((0, u32::MAX))],
        ) {
            let text = format!("{number}{after}");
            let span = Span::new(text.as_bytes(), 0, number.len() as u32);
            let in_range = |value: i64| (i64::from(range.0)..=i64::from(range.1)).contains(&value);
            let expected = any_integer(number.as_bytes())
                .and_then(|value| if in_range(value) { Ok(value as u32) } else { Err(Reason::OutOfRange) });
            prop_assert_eq!(read_integer(span, range), expected, "{}", number);
        }
    }
}
