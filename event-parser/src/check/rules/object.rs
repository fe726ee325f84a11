//! The payload: an object, which is not stored as a field.

#![expect(clippy::inline_always, reason = "compiled for each instruction set and event type")]

use event_schema::Reason;

use super::text::AppendStrings;
use super::{BulkAppend, BulkCheck, CheckedField, RowCheck};
use crate::arch::Simd;
use crate::columns::Strings;
use crate::reader::SlotKind;
use crate::span::Span;

/// [`Rule::Object`](event_schema::registry::Rule::Object).
pub(in super::super) struct Object;

impl Object {
    /// Whether an object or nothing stands in the field of one row; anything else is a violation.
    #[inline(always)]
    pub(in super::super) fn check<S: Simd>(row: &mut RowCheck<'_, S>, field: CheckedField) -> bool {
        if row.slot(field).kind == SlotKind::Object {
            return true;
        }
        let violations = row.violation_count();
        if row.present(field).is_some() {
            row.add_violation(field, Reason::WrongType);
        }
        row.violation_count() == violations
    }

    /// Marks the rows where no object stands in the field. Nearly all events have a payload: those without one take the
    /// slow path.
    #[inline(always)]
    pub(in super::super) fn check_column<S: Simd>(check: &mut BulkCheck<'_, S>, field: CheckedField) {
        let column = check.rows.column(field);
        for (value, needs_slow_path) in column.values().zip(&mut *check.rows.needs_slow_path) {
            let is_object = !value.is_string() && value.span(column.bytes)[0] == b'{';
            *needs_slow_path |= u8::from(!is_object);
        }
    }

    /// Appends the object of one row byte for byte, `{}` where there is none.
    #[inline(always)]
    pub(in super::super) fn append<S: Simd>(
        row: &RowCheck<'_, S>,
        field: CheckedField,
        column: &mut Strings,
    ) {
        let slot = row.slot(field);
        let is_object = slot.kind == SlotKind::Object;
        column.push_span(if is_object { row.text_of(slot) } else { Span::from(&b"{}"[..]) });
    }

    /// Appends the objects of many rows byte for byte.
    #[inline(always)]
    pub(in super::super) fn append_column<S: Simd>(
        append: &mut BulkAppend<'_, S>,
        field: CheckedField,
        column: &mut Strings,
    ) {
        append.simd.run(AppendStrings { values: append.column(field), column });
    }
}
