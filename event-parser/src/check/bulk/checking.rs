//! The first pass: reads values, and finds the rows of which nothing can be said here.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions and each payload")]

use event_schema::registry::Rule;
use event_schema::value::Timestamp;

use super::super::input::Input;
use super::super::time::TimeReader;
use super::reading::{
    Amounts, Booleans, CheckLengths, CheckLetters, Dates, Integers, ReadEach, ReadUuids, ReadValue, Shares,
    Times, check_objects, check_order,
};
use super::{Integer, Pass, Read};
use crate::arch::Simd;
use crate::columns::{Dictionary, Fixed, Nullable, Strings};
use crate::sheet::{SheetColumn, SheetRow};
use crate::walk::Known;

pub(super) struct Checking<'a, S> {
    pub(super) rows: CheckedRows<'a, S>,
    pub(super) times: &'a mut TimeReader,
}

/// Rows, and what has been found out about them.
pub(super) struct CheckedRows<'a, S> {
    pub(super) simd: S,
    pub(super) bytes: &'a [u8],
    pub(super) rows: &'a [SheetRow],
    /// What was read, a stretch of all rows' values after another.
    pub(super) values: &'a mut Vec<u64>,
    /// A byte a row.
    pub(super) is_odd: &'a mut [u8],
}

impl<'a, S: Simd> CheckedRows<'a, S> {
    #[inline(always)]
    fn column(&self, place: usize) -> SheetColumn<'a> {
        SheetColumn { bytes: self.bytes, rows: self.rows, place }
    }

    /// Room for a field's values.
    #[inline(always)]
    fn stretch(&mut self) -> usize {
        let first = self.values.len();
        self.values.resize(first + self.rows.len(), 0);
        first
    }

    /// Reads a field of every row.
    #[inline(always)]
    fn read_each<R: ReadValue>(&mut self, input: Input, reader: R) -> Read {
        let (first, column) = (self.stretch(), self.column(input.place()));
        let (values, is_required) = (&mut self.values[first..], input.field.required);
        self.simd.run(ReadEach { column, is_required, reader, values, is_odd: self.is_odd });
        Read { first, place: input.place() }
    }

    /// Texts from `min` bytes to the field's longest.
    #[inline(always)]
    fn lengths(&mut self, input: Input, min: u32) {
        let (column, max) = (self.column(input.place()), input.field.rule.max_bytes() as u32);
        self.simd.run(CheckLengths { column, min, max, is_odd: self.is_odd });
    }
}

impl<S: Simd> Pass for Checking<'_, S> {
    #[inline(always)]
    fn uuids(&mut self, input: Input, _: &mut Fixed<u128>) {
        let rows = &mut self.rows;
        let (first, second, column) = (rows.stretch(), rows.stretch(), rows.column(input.place()));
        let (upper, lower) = rows.values[first..].split_at_mut(second - first);
        rows.simd.run(ReadUuids { column, upper, lower, is_odd: rows.is_odd });
    }

    #[inline(always)]
    fn type_name(&mut self, _: Known, _: &mut Dictionary) {}

    #[inline(always)]
    fn texts(&mut self, input: Input, required: bool, _: &mut Strings) {
        self.rows.lengths(input, u32::from(required));
    }

    #[inline(always)]
    fn names(&mut self, input: Input, _: &mut Dictionary) {
        self.rows.lengths(input, u32::from(input.field.required));
    }

    #[inline(always)]
    fn letters(&mut self, input: Input, _: &mut Dictionary) {
        let Rule::Letters(count) = input.field.rule else { unreachable!("{} is no code", input.field.name) };
        let rows = &mut self.rows;
        let (column, is_required) = (rows.column(input.place()), input.field.required);
        rows.simd.run(CheckLetters { column, count, is_required, is_odd: rows.is_odd });
    }

    #[inline(always)]
    fn times(&mut self, input: Input, end: i64, _: &mut Fixed<i64>) -> Read {
        self.rows.read_each(input, Times { reader: self.times, end })
    }

    #[inline(always)]
    fn optional_times(&mut self, input: Input, _: &mut Nullable<i64>) -> Read {
        self.rows.read_each(input, Times { reader: self.times, end: Timestamp::END_MILLIS })
    }

    #[inline(always)]
    fn dates(&mut self, input: Input, _: &mut Nullable<u16>) -> Read {
        self.rows.read_each(input, Dates)
    }

    #[inline(always)]
    fn in_order(&mut self, known: Known, earlier: Read, later: Read) {
        let Some(order) = known.event_type().order else { return };
        let CheckedRows { bytes, rows, values, is_odd, .. } = &mut self.rows;
        let of = |Read { first, place }| (&values[first..], SheetColumn { bytes, rows, place });
        check_order(of(earlier), of(later), order, is_odd);
    }

    #[inline(always)]
    fn amounts(&mut self, input: Input, _: &mut Fixed<i64>) {
        self.rows.read_each(input, Amounts);
    }

    #[inline(always)]
    fn booleans(&mut self, input: Input, _: &mut Fixed<u8>) {
        self.rows.read_each(input, Booleans);
    }

    #[inline(always)]
    fn integers<T: Integer>(&mut self, input: Input, _: &mut Nullable<T>) {
        let range = input.field.rule.integer_range();
        self.rows.read_each(input, Integers { range });
    }

    #[inline(always)]
    fn shares(&mut self, input: Input, _: &mut Nullable<f64>) {
        self.rows.read_each(input, Shares);
    }

    /// Events of all types have a payload: of those without one, which are few, nothing is said here.
    #[inline(always)]
    fn objects(&mut self, input: Input) {
        check_objects(self.rows.column(input.place()), self.rows.is_odd);
    }

    #[inline(always)]
    fn payloads(&mut self, _: Input, _: &mut Strings) {}
    #[inline(always)]
    fn no_texts(&mut self, _: &mut Dictionary) {}
    #[inline(always)]
    fn no_dates(&mut self, _: &mut Nullable<u16>) {}
    #[inline(always)]
    fn no_booleans(&mut self, _: &mut Fixed<u8>) {}
    #[inline(always)]
    fn extra(&mut self, _: &mut Strings) {}
    #[inline(always)]
    fn origins(&mut self, _: &mut Dictionary, _: &mut Fixed<u64>) {}
}
