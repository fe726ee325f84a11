//! Booleans.

#![expect(clippy::inline_always, reason = "compiled for each instruction set and event type")]

use event_schema::Reason;

use super::{BulkAppend, BulkCheck, CheckedField, ColumnValues, RowCheck, RuleKind, StoredIn};
use crate::arch::Simd;
use crate::check::bulk::ReadValue;
use crate::columns::Fixed;
use crate::reader::SlotKind;
use crate::span::Span;

/// [`Rule::Boolean`](event_schema::registry::Rule::Boolean).
pub(in super::super) struct Boolean;

impl RuleKind for Boolean {
    type Value<'a> = bool;

    #[inline(always)]
    fn read<S: Simd>(row: &mut RowCheck<'_, S>, field: CheckedField) -> Option<bool> {
        match row.present(field)?.kind {
            SlotKind::True => Some(true),
            SlotKind::False => Some(false),
            _ => row.accept(field, Err(Reason::WrongType)),
        }
    }

    #[inline(always)]
    fn check_column<S: Simd>(check: &mut BulkCheck<'_, S>, field: CheckedField) -> ColumnValues {
        check.rows.read_each(field, ReadBooleans)
    }
}

impl StoredIn<Fixed<u8>> for Boolean {
    #[inline(always)]
    fn append(value: Option<bool>, column: &mut Fixed<u8>) {
        column.push(u8::from(value.unwrap_or_default()));
    }

    #[inline(always)]
    fn append_column<S: Simd>(append: &mut BulkAppend<'_, S>, _: CheckedField, column: &mut Fixed<u8>) {
        column.extend(append.next_values().iter().map(|value| *value as u8));
    }
}

struct ReadBooleans;

impl ReadValue for ReadBooleans {
    #[inline(always)]
    fn read(&mut self, span: Span<'_>) -> Option<u64> {
        // The first byte tells the scalars apart: the template match has checked that it is one.
        matches!(span[0], b't' | b'f').then_some(u64::from(span[0] == b't'))
    }
}
