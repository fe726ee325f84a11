//! Codes of a fixed number of capital letters: countries, currencies.

#![expect(clippy::inline_always, reason = "compiled for each instruction set and event type")]

use event_schema::Reason;
use event_schema::value::is_upper_letters;

use super::text::AppendToDictionary;
use super::{BulkAppend, BulkCheck, CheckedField, ColumnValues, RowCheck, RuleKind, StoredIn};
use crate::arch::{Simd, Task};
use crate::column_batch::SpanColumn;
use crate::columns::Dictionary;
use crate::span::Span;

/// [`Rule::Letters`](event_schema::registry::Rule::Letters).
pub(in super::super) struct Letters;

impl RuleKind for Letters {
    type Value<'a> = Span<'a>;

    #[inline(always)]
    fn read<'a, S: Simd>(row: &mut RowCheck<'a, S>, field: CheckedField) -> Option<Span<'a>> {
        let text = row.string(field)?;
        let is_valid = text.len() == field.rule().letter_count() && is_upper_letters(&text);
        row.accept(field, if is_valid { Ok(text) } else { Err(Reason::InvalidValue) })
    }

    #[inline(always)]
    fn check_column<S: Simd>(check: &mut BulkCheck<'_, S>, field: CheckedField) -> ColumnValues {
        let rows = &mut check.rows;
        let (column, count, is_required) =
            (rows.column(field), field.rule().letter_count(), field.is_required());
        rows.simd.run(CheckLetters { column, count, is_required, needs_slow_path: rows.needs_slow_path });
        ColumnValues::unread(field)
    }
}

impl StoredIn<Dictionary> for Letters {
    #[inline(always)]
    fn append(value: Option<Span<'_>>, column: &mut Dictionary) {
        column.push_span(value.unwrap_or_default());
    }

    #[inline(always)]
    fn append_column<S: Simd>(append: &mut BulkAppend<'_, S>, field: CheckedField, column: &mut Dictionary) {
        append.simd.run(AppendToDictionary { values: append.column(field), column });
    }
}

/// Marks the rows whose value is not a code of `count` capital letters.
struct CheckLetters<'a> {
    column: SpanColumn<'a>,
    count: usize,
    is_required: bool,
    needs_slow_path: &'a mut [u8],
}

impl Task for CheckLetters<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let CheckLetters { column, count, is_required, needs_slow_path } = self;
        for (value, needs_slow_path) in column.values().zip(needs_slow_path) {
            let is_valid = if value.is_empty() {
                !is_required
            } else {
                value.string_length() as usize == count && are_capital_letters(value.span(column.bytes))
            };
            *needs_slow_path |= u8::from(!is_valid);
        }
    }
}

/// The same result as [`is_upper_letters`], for up to four letters at once.
#[inline(always)]
fn are_capital_letters(span: Span<'_>) -> bool {
    const HIGH: u32 = 0x8080_8080;
    let each = |byte: u8| u32::from_le_bytes([byte; 4]);
    match span.wide() {
        Some(wide) if span.len() <= wide.len() => {
            let word = u32::from_le_bytes(*wide);
            // The high bit of every byte that is ASCII, not before A, and not after Z.
            let letters =
                !word & word.wrapping_add(each(0x80 - b'A')) & !word.wrapping_add(each(0x7f - b'Z'));
            let others = !letters & HIGH;
            // Bytes after the text do not count.
            others.trailing_zeros() as usize / 8 >= span.len()
        }
        _ => is_upper_letters(&span),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn capital_letters_are_those_of_the_contract(
            text in prop::collection::vec(prop_oneof![4 => b'A'..=b'Z', 1 => any::<u8>()], 0..6),
            after in prop::collection::vec(any::<u8>(), 0..5),
        ) {
            let bytes = [&text[..], &after].concat();
            prop_assert_eq!(are_capital_letters(Span::new(&bytes, 0, text.len() as u32)), is_upper_letters(&text));
        }
    }
}
