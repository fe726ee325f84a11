//! Calendar dates, in days since 1970-01-01.

#![expect(clippy::inline_always, reason = "compiled for each instruction set and event type")]

use event_schema::value::parse_date;

use super::{BulkAppend, BulkCheck, CheckedField, ColumnValues, RowCheck, RuleKind, StoredIn};
use crate::arch::Simd;
use crate::check::bulk::ReadValue;
use crate::column_batch::ValueSpan;
use crate::columns::Nullable;
use crate::span::Span;

/// [`Rule::Date`](event_schema::registry::Rule::Date).
pub(in super::super) struct Date;

impl RuleKind for Date {
    type Value<'a> = u16;

    #[inline(always)]
    fn read<S: Simd>(row: &mut RowCheck<'_, S>, field: CheckedField) -> Option<u16> {
        row.string(field).and_then(|text| row.accept(field, parse_date(&text)))
    }

    #[inline(always)]
    fn check_column<S: Simd>(check: &mut BulkCheck<'_, S>, field: CheckedField) -> ColumnValues {
        check.rows.read_each(field, ReadDates)
    }
}

impl StoredIn<Nullable<u16>> for Date {
    #[inline(always)]
    fn append(value: Option<u16>, column: &mut Nullable<u16>) {
        column.push(value);
    }

    #[inline(always)]
    fn append_column<S: Simd>(
        append: &mut BulkAppend<'_, S>,
        field: CheckedField,
        column: &mut Nullable<u16>,
    ) {
        append.nullable(field, column, |days| days as u16);
    }
}

struct ReadDates;

impl ReadValue for ReadDates {
    #[inline(always)]
    fn accepts(value: ValueSpan) -> bool {
        value.is_string()
    }

    #[inline(always)]
    fn read(&mut self, span: Span<'_>) -> Option<u64> {
        parse_date(&span).ok().map(u64::from)
    }
}
