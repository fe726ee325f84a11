//! The fast path: many rows of one type of event, column by column.
//!
//! Two passes visit the columns of a table in the same order. The first ([`BulkCheck`]) reads values into one list and
//! marks the rows that it cannot decide: those that break a rule, and those whose values are valid but in an unusual
//! form. Marked rows take the slow path, row by row ([`super::row`]). The second pass ([`BulkAppend`]) appends the others,
//! a loop for each column.
//!
//! What a pass does with a field is in the file of its rule: [`super::rules`].

#![expect(clippy::inline_always, reason = "compiled for each instruction set and event type")]

use super::row::CheckedField;
use super::rules::{Object, RuleKind, StoredIn, Text, TimeReader, check_order_of_columns};
use super::{Checker, Limits, extra, payloads};
use crate::arch::{Simd, Task};
use crate::batch::Batch;
use crate::column_batch::{SpanColumn, SpanRow, ValueSpan};
use crate::columns::{Column, Dictionary, Fixed, Nullable, Strings};
use crate::payload_kind::PayloadKind;
use crate::reader::UnknownMember;
use crate::slot_rows::{ChunkOrigin, SlotRows};
use crate::span::Span;

/// The memory of the two passes, reused from chunk to chunk.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// What the first pass has read: for each field that is read, one value a row.
    values: Vec<u64>,
    /// One byte a row: 1 where the row takes the slow path.
    needs_slow_path: Vec<u8>,
}

/// A pass through the columns of a table. All functions have to be `#[inline(always)]`.
pub(super) trait ColumnPass {
    /// A field of the event type, and the column that it fills.
    fn field<R: StoredIn<C>, C>(&mut self, field: CheckedField, column: &mut C) -> ColumnValues;

    /// The event's type: read for events of other types, one name for those of a known type.
    fn event_type(&mut self, kind: Option<PayloadKind>, field: CheckedField, column: &mut Dictionary);

    /// A column that holds the name of the event's type.
    fn type_name(&mut self, kind: PayloadKind, column: &mut Dictionary);

    /// A column for which this event type has no field.
    fn absent(&mut self, column: &mut impl Column);

    /// Two values have to be in order.
    fn order(&mut self, kind: PayloadKind, earlier: ColumnValues, later: ColumnValues);

    /// A field that has to be an object and fills no column.
    fn object(&mut self, field: CheckedField);

    /// The column of the payload, byte for byte.
    fn payload(&mut self, field: CheckedField, column: &mut Strings);

    /// The column of unknown members.
    fn extra(&mut self, column: &mut Strings);

    /// The columns that say where the row comes from.
    fn origin(&mut self, source_file: &mut Dictionary, source_line: &mut Fixed<u64>);
}

/// Where the values of a field begin in the list of those that were read, and the field's slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct ColumnValues {
    pub(super) first: usize,
    pub(super) slot: usize,
}

impl ColumnValues {
    /// For a field whose values were not read.
    #[inline(always)]
    pub(super) fn unread(field: CheckedField) -> ColumnValues {
        ColumnValues { first: 0, slot: field.slot() }
    }
}

/// The first pass: reads values, and marks the rows that need the slow path.
pub(super) struct BulkCheck<'a, S> {
    pub(super) rows: CheckedRows<'a, S>,
    pub(super) times: &'a mut TimeReader,
    pub(super) limits: &'a Limits,
}

/// The rows of the first pass, and its results.
pub(super) struct CheckedRows<'a, S> {
    pub(super) simd: S,
    pub(super) bytes: &'a [u8],
    pub(super) rows: &'a [SpanRow],
    pub(super) values: &'a mut Vec<u64>,
    pub(super) needs_slow_path: &'a mut [u8],
}

impl<'a, S: Simd> CheckedRows<'a, S> {
    #[inline(always)]
    pub(super) fn column(&self, field: CheckedField) -> SpanColumn<'a> {
        SpanColumn { bytes: self.bytes, rows: self.rows, slot: field.slot() }
    }

    /// Room for one value a row; returns where it begins.
    #[inline(always)]
    pub(super) fn reserve(&mut self) -> usize {
        let first = self.values.len();
        self.values.resize(first + self.rows.len(), 0);
        first
    }

    /// Reads a field of every row.
    #[inline(always)]
    pub(super) fn read_each<R: ReadValue>(&mut self, field: CheckedField, reader: R) -> ColumnValues {
        let (first, column) = (self.reserve(), self.column(field));
        let (values, is_required) = (&mut self.values[first..], field.is_required());
        self.simd.run(ReadEach {
            column,
            is_required,
            reader,
            values,
            needs_slow_path: self.needs_slow_path,
        });
        ColumnValues { first, slot: field.slot() }
    }
}

/// Reads a value of a kind of rule.
pub(super) trait ReadValue {
    /// Whether the field may hold such a value: a number or boolean, unless the rule says otherwise.
    #[inline(always)]
    fn accepts(value: ValueSpan) -> bool {
        !value.is_string()
    }

    /// The value as 64 bits; `None` where the row needs the slow path. Has to be `#[inline(always)]`.
    fn read(&mut self, span: Span<'_>) -> Option<u64>;
}

/// Reads a field of every row; 0 where it is absent. Marks the rows that need the slow path.
struct ReadEach<'a, R> {
    column: SpanColumn<'a>,
    is_required: bool,
    reader: R,
    values: &'a mut [u64],
    needs_slow_path: &'a mut [u8],
}

impl<R: ReadValue> Task for ReadEach<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let ReadEach { column, is_required, mut reader, values, needs_slow_path } = self;
        for ((span, value), needs_slow_path) in column.values().zip(values).zip(needs_slow_path) {
            if span.is_empty() {
                // An empty string counts as absent only where a string is allowed.
                let is_valid = !is_required && (span.is_absent() || R::accepts(span));
                *needs_slow_path |= u8::from(!is_valid);
                continue;
            }
            let read = if R::accepts(span) { reader.read(span.span(column.bytes)) } else { None };
            match read {
                Some(read) => *value = read,
                None => *needs_slow_path = 1,
            }
        }
    }
}

impl<S: Simd> ColumnPass for BulkCheck<'_, S> {
    #[inline(always)]
    fn field<R: StoredIn<C>, C>(&mut self, field: CheckedField, _: &mut C) -> ColumnValues {
        R::check_column(self, field)
    }

    #[inline(always)]
    fn event_type(&mut self, kind: Option<PayloadKind>, field: CheckedField, _: &mut Dictionary) {
        if kind.is_none() {
            Text::check_column(self, field);
        }
    }

    #[inline(always)]
    fn type_name(&mut self, _: PayloadKind, _: &mut Dictionary) {}

    #[inline(always)]
    fn absent(&mut self, _: &mut impl Column) {}

    #[inline(always)]
    fn order(&mut self, kind: PayloadKind, earlier: ColumnValues, later: ColumnValues) {
        check_order_of_columns(self, kind, earlier, later);
    }

    #[inline(always)]
    fn object(&mut self, field: CheckedField) {
        Object::check_column(self, field);
    }

    #[inline(always)]
    fn payload(&mut self, _: CheckedField, _: &mut Strings) {}

    #[inline(always)]
    fn extra(&mut self, _: &mut Strings) {}

    #[inline(always)]
    fn origin(&mut self, _: &mut Dictionary, _: &mut Fixed<u64>) {}
}

/// The second pass: appends to the columns what the first has found valid.
pub(super) struct BulkAppend<'a, S> {
    pub(super) simd: S,
    bytes: &'a [u8],
    /// The rows that are left.
    rows: &'a [SpanRow],
    /// What the first pass has read and this one has not appended yet …
    values: &'a [u64],
    /// … with so many values a field, of which the first are those of the rows that are left.
    stride: usize,
    /// The source's name.
    source: Span<'a>,
    /// The number of the chunk's first line.
    first_line: u64,
    /// The unknown members of all rows.
    unknown: &'a [UnknownMember],
}

impl<'a, S: Simd> BulkAppend<'a, S> {
    #[inline(always)]
    pub(super) fn column(&self, field: CheckedField) -> SpanColumn<'a> {
        SpanColumn { bytes: self.bytes, rows: self.rows, slot: field.slot() }
    }

    /// The values of the next field that was read.
    #[inline(always)]
    pub(super) fn next_values(&mut self) -> &'a [u64] {
        let (next, rest) = self.values.split_at(self.stride);
        self.values = rest;
        &next[..self.rows.len()]
    }

    /// Appends the values of the next field, NULL where the field is absent.
    #[inline(always)]
    pub(super) fn nullable<T: bytemuck::Pod>(
        &mut self,
        field: CheckedField,
        column: &mut Nullable<T>,
        of: impl Fn(u64) -> T,
    ) {
        let values = self.next_values().iter().map(|value| of(*value));
        column.extend(values, self.column(field).values().map(ValueSpan::is_empty));
    }

    /// Appends the values of the next field as signed numbers.
    #[inline(always)]
    pub(super) fn signed(&mut self, column: &mut Fixed<i64>) {
        column.extend(self.next_values().iter().map(|value| value.cast_signed()));
    }
}

impl<S: Simd> ColumnPass for BulkAppend<'_, S> {
    #[inline(always)]
    fn field<R: StoredIn<C>, C>(&mut self, field: CheckedField, column: &mut C) -> ColumnValues {
        R::append_column(self, field, column);
        ColumnValues::unread(field)
    }

    #[inline(always)]
    fn event_type(&mut self, kind: Option<PayloadKind>, field: CheckedField, column: &mut Dictionary) {
        match kind {
            Some(kind) => self.type_name(kind, column),
            None => Text::append_column(self, field, column),
        }
    }

    #[inline(always)]
    fn type_name(&mut self, kind: PayloadKind, column: &mut Dictionary) {
        column.push_times(Span::from(kind.event_type().name.as_bytes()), self.rows.len());
    }

    #[inline(always)]
    fn absent(&mut self, column: &mut impl Column) {
        column.push_absent(self.rows.len());
    }

    #[inline(always)]
    fn order(&mut self, _: PayloadKind, _: ColumnValues, _: ColumnValues) {}

    #[inline(always)]
    fn object(&mut self, _: CheckedField) {}

    #[inline(always)]
    fn payload(&mut self, field: CheckedField, column: &mut Strings) {
        Object::append_column(self, field, column);
    }

    #[inline(always)]
    fn extra(&mut self, column: &mut Strings) {
        if !self.rows.iter().any(SpanRow::has_unknown) {
            return column.push_empties(self.rows.len());
        }
        for row in self.rows {
            match &self.unknown[row.unknown.0 as usize..row.unknown.1 as usize] {
                [] => column.push_empty(),
                unknown => extra::push(self.bytes, unknown, column),
            }
        }
    }

    #[inline(always)]
    fn origin(&mut self, source_file: &mut Dictionary, source_line: &mut Fixed<u64>) {
        source_file.push_times(self.source, self.rows.len());
        source_line.extend(self.rows.iter().map(|row| self.first_line + u64::from(row.number)));
    }
}

impl Checker {
    /// Appends the rows of a column batch to `batch`; those that need the slow path join the slot rows.
    #[inline(always)]
    pub(crate) fn check_column_batch<S: Simd>(
        &mut self,
        simd: S,
        (bytes, origin): (&[u8], ChunkOrigin),
        kind: Option<PayloadKind>,
        span_rows: &mut Vec<SpanRow>,
        slot_rows: &mut SlotRows,
        batch: &mut Batch,
    ) {
        let Checker { source, limits, times, buffers: Buffers { values, needs_slow_path } } = self;
        let stride = span_rows.len();
        values.clear();
        needs_slow_path.clear();
        needs_slow_path.resize(stride, 0);
        let rows = CheckedRows { simd, bytes, rows: span_rows, values, needs_slow_path };
        payloads::pass_columns(&mut BulkCheck { rows, times, limits }, kind, batch);

        // The last row takes the place of a marked one: the order of rows in a batch is not defined.
        for at in (0..stride).rev().filter(|at| needs_slow_path[*at] != 0) {
            slot_rows.add(span_rows.swap_remove(at).to_slots(bytes, kind, origin));
            for values in values.chunks_exact_mut(stride) {
                values[at] = values[span_rows.len()];
            }
        }
        let (rows, unknown) = (&**span_rows, &slot_rows.arena.unknown);
        let (source, first_line) = (Span::from(source.as_bytes()), origin.first_line);
        let mut append = BulkAppend { simd, bytes, rows, values, stride, source, first_line, unknown };
        payloads::pass_columns(&mut append, kind, batch);
    }
}
