//! RFC 3339 times with an offset, in milliseconds since 1970-01-01T00:00:00Z.

#![expect(clippy::inline_always, reason = "compiled for each instruction set and event type")]

use event_schema::Reason;
use event_schema::value::Timestamp;

use super::{BulkAppend, BulkCheck, CheckedField, ColumnValues, RowCheck, RuleKind, StoredIn, TimeReader};
use crate::arch::Simd;
use crate::check::bulk::ReadValue;
use crate::column_batch::ValueSpan;
use crate::columns::{Fixed, Nullable};
use crate::span::Span;

/// [`Rule::EventTime`](event_schema::registry::Rule::EventTime): before the batch date + 2 days.
pub(in super::super) struct EventTime;

/// [`Rule::Time`](event_schema::registry::Rule::Time).
pub(in super::super) struct Time;

impl RuleKind for EventTime {
    type Value<'a> = i64;

    #[inline(always)]
    fn read<S: Simd>(row: &mut RowCheck<'_, S>, field: CheckedField) -> Option<i64> {
        read_before(row, field, row.limits.event_time_end)
    }

    #[inline(always)]
    fn check_column<S: Simd>(check: &mut BulkCheck<'_, S>, field: CheckedField) -> ColumnValues {
        let reader = ReadTimes { times: check.times, end: check.limits.event_time_end };
        check.rows.read_each(field, reader)
    }
}

impl RuleKind for Time {
    type Value<'a> = i64;

    #[inline(always)]
    fn read<S: Simd>(row: &mut RowCheck<'_, S>, field: CheckedField) -> Option<i64> {
        read_before(row, field, Timestamp::END_MILLIS)
    }

    #[inline(always)]
    fn check_column<S: Simd>(check: &mut BulkCheck<'_, S>, field: CheckedField) -> ColumnValues {
        check.rows.read_each(field, ReadTimes { times: check.times, end: Timestamp::END_MILLIS })
    }
}

#[inline(always)]
fn read_before<S: Simd>(row: &mut RowCheck<'_, S>, field: CheckedField, end: i64) -> Option<i64> {
    let text = row.string(field)?;
    let in_range = |millis: &i64| (Timestamp::MIN_MILLIS..end).contains(millis);
    let read =
        row.times.read(text).and_then(|millis| Some(millis).filter(in_range).ok_or(Reason::OutOfRange));
    row.accept(field, read)
}

impl StoredIn<Fixed<i64>> for EventTime {
    #[inline(always)]
    fn append(value: Option<i64>, column: &mut Fixed<i64>) {
        column.push(value.unwrap_or_default());
    }

    #[inline(always)]
    fn append_column<S: Simd>(append: &mut BulkAppend<'_, S>, _: CheckedField, column: &mut Fixed<i64>) {
        append.signed(column);
    }
}

impl StoredIn<Fixed<i64>> for Time {
    #[inline(always)]
    fn append(value: Option<i64>, column: &mut Fixed<i64>) {
        column.push(value.unwrap_or_default());
    }

    #[inline(always)]
    fn append_column<S: Simd>(append: &mut BulkAppend<'_, S>, _: CheckedField, column: &mut Fixed<i64>) {
        append.signed(column);
    }
}

impl StoredIn<Nullable<i64>> for Time {
    #[inline(always)]
    fn append(value: Option<i64>, column: &mut Nullable<i64>) {
        column.push(value);
    }

    #[inline(always)]
    fn append_column<S: Simd>(
        append: &mut BulkAppend<'_, S>,
        field: CheckedField,
        column: &mut Nullable<i64>,
    ) {
        append.nullable(field, column, u64::cast_signed);
    }
}

/// Times before an instant.
struct ReadTimes<'a> {
    times: &'a mut TimeReader,
    end: i64,
}

impl ReadValue for ReadTimes<'_> {
    #[inline(always)]
    fn accepts(value: ValueSpan) -> bool {
        value.is_string()
    }

    #[inline(always)]
    fn read(&mut self, span: Span<'_>) -> Option<u64> {
        let millis = self.times.read(span).ok()?;
        (Timestamp::MIN_MILLIS..self.end).contains(&millis).then_some(millis.cast_unsigned())
    }
}
