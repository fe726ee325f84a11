//! The second pass: appends what was found to be good to the columns.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions and each payload")]

use super::super::extra;
use super::super::input::Input;
use super::{Integer, Pass, Read};
use crate::arch::{Simd, Task};
use crate::columns::{Dictionary, Fixed, Nullable, Strings};
use crate::sheet::{Cell, SheetColumn, SheetRow};
use crate::span::Span;
use crate::walk::{Known, Unknown};

pub(super) struct Pushing<'a, S> {
    pub(super) simd: S,
    pub(super) bytes: &'a [u8],
    /// The good rows.
    pub(super) rows: &'a [SheetRow],
    /// What the first pass has read, in stretches …
    pub(super) values: &'a [u64],
    /// … of so many, of which the first are the good rows'.
    pub(super) stretch: usize,
    /// The source's name.
    pub(super) source: Span<'a>,
    /// The number of the chunk's first line.
    pub(super) first_line: u64,
    /// Those of all rows.
    pub(super) unknown: &'a [Unknown],
}

/// Appends strings, or objects as they stand.
struct PushStrings<'a> {
    column: SheetColumn<'a>,
    to: &'a mut Strings,
}

impl Task for PushStrings<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        self.to.extend(self.column.spans());
    }
}

/// Appends strings of which there are few different ones.
struct PushNames<'a> {
    column: SheetColumn<'a>,
    to: &'a mut Dictionary,
}

impl Task for PushNames<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        self.to.extend(self.column.spans());
    }
}

impl<'a, S: Simd> Pushing<'a, S> {
    fn count(&self) -> usize {
        self.rows.len()
    }

    /// The next field's values.
    #[inline(always)]
    fn take(&mut self) -> &'a [u64] {
        let (taken, rest) = self.values.split_at(self.stretch);
        self.values = rest;
        &taken[..self.count()]
    }

    #[inline(always)]
    fn column(&self, input: Input) -> SheetColumn<'a> {
        SheetColumn { bytes: self.bytes, rows: self.rows, place: input.place() }
    }

    #[inline(always)]
    fn nullable<T: bytemuck::Pod>(&mut self, input: Input, to: &mut Nullable<T>, of: impl Fn(u64) -> T) {
        let values = self.take().iter().map(|value| of(*value));
        to.extend(values, self.column(input).cells().map(Cell::is_empty));
    }
}

impl<S: Simd> Pass for Pushing<'_, S> {
    #[inline(always)]
    fn uuids(&mut self, _: Input, to: &mut Fixed<u128>) {
        let (upper, lower) = (self.take(), self.take());
        // The Native layout has the upper half first.
        to.extend(
            upper.iter().zip(lower).map(|(upper, lower)| u128::from(*lower) << 64 | u128::from(*upper)),
        );
    }

    #[inline(always)]
    fn type_name(&mut self, known: Known, to: &mut Dictionary) {
        to.push_times(Span::from(known.event_type().name.as_bytes()), self.count());
    }

    #[inline(always)]
    fn texts(&mut self, input: Input, _: bool, to: &mut Strings) {
        self.simd.run(PushStrings { column: self.column(input), to });
    }

    #[inline(always)]
    fn names(&mut self, input: Input, to: &mut Dictionary) {
        self.simd.run(PushNames { column: self.column(input), to });
    }

    #[inline(always)]
    fn letters(&mut self, input: Input, to: &mut Dictionary) {
        self.simd.run(PushNames { column: self.column(input), to });
    }

    #[inline(always)]
    fn times(&mut self, input: Input, _: i64, to: &mut Fixed<i64>) -> Read {
        to.extend(self.take().iter().map(|millis| millis.cast_signed()));
        Read::of(input)
    }

    #[inline(always)]
    fn optional_times(&mut self, input: Input, to: &mut Nullable<i64>) -> Read {
        self.nullable(input, to, u64::cast_signed);
        Read::of(input)
    }

    #[inline(always)]
    fn dates(&mut self, input: Input, to: &mut Nullable<u16>) -> Read {
        self.nullable(input, to, u16::of);
        Read::of(input)
    }

    #[inline(always)]
    fn in_order(&mut self, _: Known, _: Read, _: Read) {}

    #[inline(always)]
    fn amounts(&mut self, _: Input, to: &mut Fixed<i64>) {
        to.extend(self.take().iter().map(|amount| amount.cast_signed()));
    }

    #[inline(always)]
    fn booleans(&mut self, _: Input, to: &mut Fixed<u8>) {
        to.extend(self.take().iter().map(|value| *value as u8));
    }

    #[inline(always)]
    fn integers<T: Integer>(&mut self, input: Input, to: &mut Nullable<T>) {
        self.nullable(input, to, T::of);
    }

    #[inline(always)]
    fn shares(&mut self, input: Input, to: &mut Nullable<f64>) {
        self.nullable(input, to, f64::from_bits);
    }

    #[inline(always)]
    fn objects(&mut self, _: Input) {}

    #[inline(always)]
    fn payloads(&mut self, input: Input, to: &mut Strings) {
        self.simd.run(PushStrings { column: self.column(input), to });
    }

    #[inline(always)]
    fn no_texts(&mut self, to: &mut Dictionary) {
        to.push_times(Span::EMPTY, self.count());
    }

    #[inline(always)]
    fn no_dates(&mut self, to: &mut Nullable<u16>) {
        to.push_nulls(self.count());
    }

    #[inline(always)]
    fn no_booleans(&mut self, to: &mut Fixed<u8>) {
        to.extend(std::iter::repeat_n(0, self.count()));
    }

    #[inline(always)]
    fn extra(&mut self, to: &mut Strings) {
        if !self.rows.iter().any(SheetRow::has_unknown) {
            return to.push_empties(self.count());
        }
        for row in self.rows {
            match &self.unknown[row.unknown.0 as usize..row.unknown.1 as usize] {
                [] => to.push_empty(),
                unknown => extra::push(self.bytes, unknown, to),
            }
        }
    }

    #[inline(always)]
    fn origins(&mut self, source_file: &mut Dictionary, source_line: &mut Fixed<u64>) {
        source_file.push_times(self.source, self.count());
        source_line.extend(self.rows.iter().map(|row| self.first_line + u64::from(row.number)));
    }
}
