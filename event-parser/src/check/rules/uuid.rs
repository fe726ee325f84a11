//! UUIDs in their hyphenated form.

#![expect(clippy::inline_always, reason = "compiled for each instruction set and event type")]

use event_schema::Reason;

use super::{BulkAppend, BulkCheck, CheckedField, ColumnValues, RowCheck, RuleKind, StoredIn};
use crate::arch::{Simd, Task};
use crate::column_batch::SpanColumn;
use crate::columns::Fixed;

/// [`Rule::Uuid`](event_schema::registry::Rule::Uuid).
pub(in super::super) struct Uuid;

impl RuleKind for Uuid {
    type Value<'a> = u128;

    #[inline(always)]
    fn read<S: Simd>(row: &mut RowCheck<'_, S>, field: CheckedField) -> Option<u128> {
        let text = row.string(field)?;
        let id = match text.bytes().try_into() {
            Ok(text) => row.simd.uuid(text),
            Err(_) => None,
        };
        row.accept(field, id.ok_or(Reason::InvalidValue))
    }

    #[inline(always)]
    fn check_column<S: Simd>(check: &mut BulkCheck<'_, S>, field: CheckedField) -> ColumnValues {
        let rows = &mut check.rows;
        let (first, second, column) = (rows.reserve(), rows.reserve(), rows.column(field));
        let (upper, lower) = rows.values[first..].split_at_mut(second - first);
        rows.simd.run(ReadUuids { column, upper, lower, needs_slow_path: rows.needs_slow_path });
        ColumnValues { first, slot: field.slot() }
    }
}

impl StoredIn<Fixed<u128>> for Uuid {
    #[inline(always)]
    fn append(value: Option<u128>, column: &mut Fixed<u128>) {
        // The Native layout has the upper half first.
        column.push(value.unwrap_or_default().rotate_left(64));
    }

    #[inline(always)]
    fn append_column<S: Simd>(append: &mut BulkAppend<'_, S>, _: CheckedField, column: &mut Fixed<u128>) {
        let (upper, lower) = (append.next_values(), append.next_values());
        // The Native layout has the upper half first.
        column.extend(
            upper.iter().zip(lower).map(|(upper, lower)| u128::from(*lower) << 64 | u128::from(*upper)),
        );
    }
}

/// Reads UUIDs: the upper halves into one list, the lower halves into another.
struct ReadUuids<'a> {
    column: SpanColumn<'a>,
    upper: &'a mut [u64],
    lower: &'a mut [u64],
    needs_slow_path: &'a mut [u8],
}

impl Task for ReadUuids<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let ReadUuids { column, upper, lower, needs_slow_path } = self;
        let rows = column.values().zip(upper).zip(lower).zip(needs_slow_path);
        for (((value, upper), lower), needs_slow_path) in rows {
            let id = match value.span(column.bytes).wide() {
                Some(text) if value.string_length() == text.len() as u32 => simd.uuid(text),
                _ => None,
            };
            match id {
                Some(id) => (*upper, *lower) = ((id >> 64) as u64, id as u64),
                None => *needs_slow_path = 1,
            }
        }
    }
}
