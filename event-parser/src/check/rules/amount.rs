//! Amounts of money in 1/10000 of the currency's unit: strings or numbers, read exactly.

#![expect(clippy::inline_always, reason = "compiled for each instruction set and event type")]

use event_schema::Reason;
use event_schema::value::parse_amount;

use super::{BulkAppend, BulkCheck, CheckedField, ColumnValues, RowCheck, RuleKind, StoredIn};
use crate::arch::Simd;
use crate::check::bulk::ReadValue;
use crate::column_batch::ValueSpan;
use crate::columns::Fixed;
use crate::reader::SlotKind;
use crate::span::Span;

/// [`Rule::Amount`](event_schema::registry::Rule::Amount).
pub(in super::super) struct Amount;

impl RuleKind for Amount {
    type Value<'a> = i64;

    #[inline(always)]
    fn read<S: Simd>(row: &mut RowCheck<'_, S>, field: CheckedField) -> Option<i64> {
        let slot = row.present(field)?;
        let read = if slot.kind.is_string() || slot.kind == SlotKind::Number {
            parse_amount(&row.text_of(slot))
        } else {
            Err(Reason::WrongType)
        };
        row.accept(field, read)
    }

    #[inline(always)]
    fn check_column<S: Simd>(check: &mut BulkCheck<'_, S>, field: CheckedField) -> ColumnValues {
        check.rows.read_each(field, ReadAmounts)
    }
}

impl StoredIn<Fixed<i64>> for Amount {
    #[inline(always)]
    fn append(value: Option<i64>, column: &mut Fixed<i64>) {
        column.push(value.unwrap_or_default());
    }

    #[inline(always)]
    fn append_column<S: Simd>(append: &mut BulkAppend<'_, S>, _: CheckedField, column: &mut Fixed<i64>) {
        append.signed(column);
    }
}

struct ReadAmounts;

impl ReadValue for ReadAmounts {
    /// Text that is neither a string nor a number does not parse as an amount either.
    #[inline(always)]
    fn accepts(_: ValueSpan) -> bool {
        true
    }

    #[inline(always)]
    fn read(&mut self, span: Span<'_>) -> Option<u64> {
        parse_amount(&span).ok().map(i64::cast_unsigned)
    }
}
