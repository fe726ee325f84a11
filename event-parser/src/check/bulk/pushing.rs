//! The second pass: appends what was found to be good to the columns.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions and each payload")]

use super::super::extra;
use super::super::input::Input;
use super::{Integer, Pass, Read};
use crate::columns::{Dictionary, Fixed, Nullable, Strings};
use crate::shapes::{ShapedLines, ValueKind};
use crate::walk::{Known, PROPERTIES, Unknown};

pub(super) struct Pushing<'a> {
    pub(super) shaped: ShapedLines<'a>,
    /// What is left of what the first pass has read.
    pub(super) values: &'a [u64],
    /// The source's name.
    pub(super) source: &'a [u8],
    pub(super) unknown: &'a mut Vec<Unknown>,
}

impl<'a> Pushing<'a> {
    fn count(&self) -> usize {
        self.shaped.lines.len()
    }

    /// The next field's values.
    #[inline(always)]
    fn take(&mut self) -> &'a [u64] {
        let (taken, rest) = self.values.split_at(self.count());
        self.values = rest;
        taken
    }

    fn is_absent(&self, input: Input) -> bool {
        self.shaped.value(input.place()).kind == ValueKind::Absent
    }

    #[inline(always)]
    fn dictionary(&mut self, input: Input, column: &mut Dictionary) {
        if self.is_absent(input) {
            return column.push_times(b"", self.count());
        }
        let value = self.shaped.value(input.place());
        for line in self.shaped.lines {
            column.push_span(self.shaped.span(value, line));
        }
    }

    #[inline(always)]
    fn nullable<T: bytemuck::Pod>(
        &mut self,
        input: Input,
        column: &mut Nullable<T>,
        of: impl Fn(u64) -> T,
    ) -> Read {
        if self.is_absent(input) {
            column.push_nulls(self.count());
        } else {
            column.extend(self.take().iter().map(|value| of(*value)));
        }
        Read(None)
    }
}

impl Pass for Pushing<'_> {
    #[inline(always)]
    fn uuids(&mut self, _: Input, column: &mut Fixed<u128>) {
        let (upper, lower) = (self.take(), self.take());
        // The Native layout has the upper half first.
        column.extend(
            upper.iter().zip(lower).map(|(upper, lower)| u128::from(*lower) << 64 | u128::from(*upper)),
        );
    }

    #[inline(always)]
    fn event_types(&mut self, column: &mut Dictionary) {
        column.push_times(self.shaped.type_name(), self.count());
    }

    #[inline(always)]
    fn texts(&mut self, input: Input, _: bool, column: &mut Strings) {
        if self.is_absent(input) {
            return column.push_empties(self.count());
        }
        let (shaped, value) = (self.shaped, self.shaped.value(input.place()));
        column.extend(shaped.lines.iter().map(|line| shaped.span(value, line)));
    }

    #[inline(always)]
    fn names(&mut self, input: Input, column: &mut Dictionary) {
        self.dictionary(input, column);
    }

    #[inline(always)]
    fn letters(&mut self, input: Input, column: &mut Dictionary) {
        self.dictionary(input, column);
    }

    #[inline(always)]
    fn times(&mut self, _: Input, _: i64, column: &mut Fixed<i64>) -> Read {
        column.extend(self.take().iter().map(|millis| millis.cast_signed()));
        Read(None)
    }

    #[inline(always)]
    fn optional_times(&mut self, input: Input, column: &mut Nullable<i64>) -> Read {
        self.nullable(input, column, u64::cast_signed)
    }

    #[inline(always)]
    fn dates(&mut self, input: Input, column: &mut Nullable<u16>) -> Read {
        self.nullable(input, column, u16::of)
    }

    #[inline(always)]
    fn in_order(&mut self, _: Known, _: Read, _: Read) {}

    #[inline(always)]
    fn amounts(&mut self, _: Input, column: &mut Fixed<i64>) {
        column.extend(self.take().iter().map(|amount| amount.cast_signed()));
    }

    #[inline(always)]
    fn booleans(&mut self, input: Input, column: &mut Fixed<u8>) {
        if self.is_absent(input) {
            return self.no_booleans(column);
        }
        column.extend(self.take().iter().map(|value| *value as u8));
    }

    #[inline(always)]
    fn integers<T: Integer>(&mut self, input: Input, column: &mut Nullable<T>) {
        self.nullable(input, column, T::of);
    }

    #[inline(always)]
    fn shares(&mut self, input: Input, column: &mut Nullable<f64>) {
        self.nullable(input, column, f64::from_bits);
    }

    #[inline(always)]
    fn payloads(&mut self, column: &mut Strings) {
        let (shaped, payload) = (self.shaped, self.shaped.value(PROPERTIES));
        column.extend(shaped.lines.iter().map(|line| shaped.span(payload, line)));
    }

    #[inline(always)]
    fn no_texts(&mut self, column: &mut Dictionary) {
        column.push_times(b"", self.count());
    }

    #[inline(always)]
    fn no_dates(&mut self, column: &mut Nullable<u16>) {
        column.push_nulls(self.count());
    }

    #[inline(always)]
    fn no_booleans(&mut self, column: &mut Fixed<u8>) {
        column.extend(std::iter::repeat_n(0, self.count()));
    }

    #[inline(always)]
    fn extra(&mut self, column: &mut Strings) {
        if !self.shaped.has_unknown() {
            return column.push_empties(self.count());
        }
        for line in self.shaped.lines {
            self.shaped.find_unknown(line, self.unknown);
            extra::push(self.shaped.bytes, self.unknown, column);
        }
    }

    #[inline(always)]
    fn origins(&mut self, source_file: &mut Dictionary, source_line: &mut Fixed<u64>) {
        source_file.push_times(self.source, self.count());
        let first = self.shaped.origin.first_line;
        source_line.extend(self.shaped.lines.iter().map(|line| first + u64::from(line.number)));
    }
}
