//! Strings of bounded length without control characters.

#![expect(clippy::inline_always, reason = "compiled for each instruction set and event type")]

use event_schema::Reason;
use event_schema::value::check_text;

use super::{BulkAppend, BulkCheck, CheckedField, ColumnValues, RowCheck, RuleKind, StoredIn};
use crate::arch::{Simd, Task};
use crate::column_batch::SpanColumn;
use crate::columns::{Dictionary, Strings};
use crate::reader::SlotKind;
use crate::span::Span;

/// [`Rule::Text`](event_schema::registry::Rule::Text).
pub(in super::super) struct Text;

impl RuleKind for Text {
    type Value<'a> = Span<'a>;

    #[inline(always)]
    fn read<'a, S: Simd>(row: &mut RowCheck<'a, S>, field: CheckedField) -> Option<Span<'a>> {
        let violations = row.violation_count();
        let text = read_text(row, field);
        if field.is_required_by_type() && text.is_none() && row.violation_count() == violations {
            row.add_missing_for_type(field);
        }
        text
    }

    #[inline(always)]
    fn check_column<S: Simd>(check: &mut BulkCheck<'_, S>, field: CheckedField) -> ColumnValues {
        let rows = &mut check.rows;
        let (column, max) = (rows.column(field), field.rule().max_bytes() as u32);
        let min = u32::from(field.is_required());
        rows.simd.run(CheckLengths { column, min, max, needs_slow_path: rows.needs_slow_path });
        ColumnValues::unread(field)
    }
}

#[inline(always)]
fn read_text<'a, S: Simd>(row: &mut RowCheck<'a, S>, field: CheckedField) -> Option<Span<'a>> {
    let text = row.string(field)?;
    let max = field.rule().max_bytes();
    let is_valid = if row.slot(field).kind == SlotKind::CleanString {
        // The index has seen that there is no control character in the line.
        text.len() <= max
    } else {
        check_text(&text, max).is_ok()
    };
    let is_valid = is_valid && !text.is_empty();
    row.accept(field, if is_valid { Ok(text) } else { Err(Reason::InvalidValue) })
}

impl StoredIn<Strings> for Text {
    #[inline(always)]
    fn append(value: Option<Span<'_>>, column: &mut Strings) {
        column.push_span(value.unwrap_or_default());
    }

    #[inline(always)]
    fn append_column<S: Simd>(append: &mut BulkAppend<'_, S>, field: CheckedField, column: &mut Strings) {
        append.simd.run(AppendStrings { values: append.column(field), column });
    }
}

impl StoredIn<Dictionary> for Text {
    #[inline(always)]
    fn append(value: Option<Span<'_>>, column: &mut Dictionary) {
        column.push_span(value.unwrap_or_default());
    }

    #[inline(always)]
    fn append_column<S: Simd>(append: &mut BulkAppend<'_, S>, field: CheckedField, column: &mut Dictionary) {
        append.simd.run(AppendToDictionary { values: append.column(field), column });
    }
}

/// Marks the rows whose value is shorter or longer than allowed, or no string.
struct CheckLengths<'a> {
    column: SpanColumn<'a>,
    min: u32,
    max: u32,
    needs_slow_path: &'a mut [u8],
}

impl Task for CheckLengths<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let CheckLengths { column, min, max, needs_slow_path } = self;
        for (value, needs_slow_path) in column.values().zip(needs_slow_path) {
            *needs_slow_path |= u8::from(value.string_length().wrapping_sub(min) > max - min);
        }
    }
}

/// Appends strings, or objects as they stand in the lines.
pub(super) struct AppendStrings<'a> {
    pub(super) values: SpanColumn<'a>,
    pub(super) column: &'a mut Strings,
}

impl Task for AppendStrings<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        self.column.extend(self.values.spans());
    }
}

/// Appends strings of which there are few different ones.
pub(super) struct AppendToDictionary<'a> {
    pub(super) values: SpanColumn<'a>,
    pub(super) column: &'a mut Dictionary,
}

impl Task for AppendToDictionary<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        self.column.extend(self.values.spans());
    }
}
