//! The rule over two fields of a payload: the later one has the greater value.

#![expect(clippy::inline_always, reason = "compiled for each instruction set and event type")]

use event_schema::registry::Order;

use super::{BulkCheck, CheckedField, ColumnValues, RowCheck};
use crate::arch::Simd;
use crate::check::bulk::CheckedRows;
use crate::column_batch::SpanColumn;
use crate::payload_kind::PayloadKind;

/// Checks two values of one row where both are valid alone; the violation is the later field's.
#[inline(always)]
pub(in super::super) fn check_order<S: Simd, T: Ord>(
    row: &mut RowCheck<'_, S>,
    kind: PayloadKind,
    earlier: Option<T>,
    (later, value): (CheckedField, Option<T>),
) {
    let (Some(order), Some(earlier), Some(value)) = (kind.event_type().order, earlier, value) else {
        return;
    };
    debug_assert_eq!(later.name(), order.later);
    if earlier > value || (earlier == value && !order.may_be_equal) {
        row.add_order_violation(order, later);
    }
}

/// Marks the rows where both values are there and not in order.
#[inline(always)]
pub(in super::super) fn check_order_of_columns<S: Simd>(
    check: &mut BulkCheck<'_, S>,
    kind: PayloadKind,
    earlier: ColumnValues,
    later: ColumnValues,
) {
    let Some(order) = kind.event_type().order else { return };
    let CheckedRows { bytes, rows, values, needs_slow_path, .. } = &mut check.rows;
    let of = |ColumnValues { first, slot }| (&values[first..], SpanColumn { bytes, rows, slot });
    mark_unordered(of(earlier), of(later), order, needs_slow_path);
}

/// The values that were read of a field, and where they stood.
type Values<'a> = (&'a [u64], SpanColumn<'a>);

/// A function of its own, which the compiler shares between event types.
fn mark_unordered(
    (earlier, earlier_column): Values<'_>,
    (later, later_column): Values<'_>,
    order: Order,
    needs_slow_path: &mut [u8],
) {
    let spans = earlier_column.values().zip(later_column.values());
    for (((earlier, later), spans), needs_slow_path) in
        earlier.iter().zip(later).zip(spans).zip(needs_slow_path)
    {
        let are_both_present = !spans.0.is_empty() && !spans.1.is_empty();
        // What was read is not before 1970: unsigned numbers have the same order.
        let is_in_order = earlier < later || (earlier == later && order.may_be_equal);
        *needs_slow_path |= u8::from(are_both_present && !is_in_order);
    }
}
