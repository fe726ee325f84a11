//! The first pass: reads values, and finds the lines of which nothing can be said here.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions and each payload")]

use event_schema::Reason;
use event_schema::registry::Rule;
use event_schema::value::{Timestamp, is_upper_letters, parse_amount, parse_date};

use super::super::input::Input;
use super::super::number::{read_integer, read_share};
use super::super::time::TimeReader;
use super::{Integer, Pass, Read};
use crate::arch::Simd;
use crate::columns::{Dictionary, Fixed, Nullable, Strings};
use crate::shapes::{ShapedLines, ValueKind};
use crate::walk::Known;

pub(super) struct Checking<'a, S> {
    pub(super) simd: S,
    pub(super) shaped: ShapedLines<'a>,
    pub(super) times: &'a mut TimeReader,
    pub(super) values: &'a mut Vec<u64>,
    pub(super) is_odd: &'a mut [u8],
    /// No line can be read here: a required field is absent, or a value has another JSON type.
    pub(super) are_all_odd: bool,
}

/// Reads a field of every line: a loop over its spans, with what is read of each.
macro_rules! read_each {
    ($self:ident, $input:expr, $kind:pat, |$span:ident| $read:expr) => {{
        let value = $self.shaped.value($input.place());
        match value.kind {
            ValueKind::Absent => {
                $self.are_all_odd |= $input.field.required;
                Read(None)
            }
            $kind => {
                let first = $self.values.len();
                $self.values.resize(first + $self.shaped.lines.len(), 0);
                let lines = $self.shaped.lines.iter().zip(&mut $self.values[first..]).zip(&mut *$self.is_odd);
                for ((line, value_read), is_odd) in lines {
                    let $span = $self.shaped.span(value, line);
                    match $read {
                        Some(read) => *value_read = read,
                        None => *is_odd = 1,
                    }
                }
                Read(Some(first))
            }
            _ => {
                $self.are_all_odd = true;
                Read(None)
            }
        }
    }};
}

impl<S: Simd> Checking<'_, S> {
    /// Texts from `min` to `max` bytes.
    #[inline(always)]
    fn lengths(&mut self, input: Input, min: usize) {
        let value = self.shaped.value(input.place());
        match value.kind {
            ValueKind::Absent => self.are_all_odd |= min > 0,
            ValueKind::Text => {
                let max = input.field.rule.max_bytes();
                for (line, is_odd) in self.shaped.lines.iter().zip(&mut *self.is_odd) {
                    let length = self.shaped.length(value, line);
                    *is_odd |= u8::from(length < min) | u8::from(length > max);
                }
            }
            _ => self.are_all_odd = true,
        }
    }

    #[inline(always)]
    fn times_before(&mut self, input: Input, end: i64) -> Read {
        let in_range = Timestamp::MIN_MILLIS..end;
        read_each!(self, input, ValueKind::Text, |span| match self.times.read(&span) {
            Ok(millis) if in_range.contains(&millis) => Some(millis.cast_unsigned()),
            _ => None,
        })
    }
}

impl<S: Simd> Pass for Checking<'_, S> {
    #[inline(always)]
    fn uuids(&mut self, input: Input, _: &mut Fixed<u128>) {
        let value = self.shaped.value(input.place());
        if value.kind != ValueKind::Text {
            self.are_all_odd = true;
            return;
        }
        let (first, count) = (self.values.len(), self.shaped.lines.len());
        self.values.resize(first + 2 * count, 0);
        let (upper, lower) = self.values[first..].split_at_mut(count);
        let lines = self.shaped.lines.iter().zip(upper).zip(lower).zip(&mut *self.is_odd);
        for (((line, upper), lower), is_odd) in lines {
            let id = match self.shaped.span(value, line).bytes().try_into() {
                Ok(text) => self.simd.uuid(text),
                Err(_) => None,
            };
            match id {
                Some(id) => (*upper, *lower) = ((id >> 64) as u64, id as u64),
                None => *is_odd = 1,
            }
        }
    }

    #[inline(always)]
    fn event_types(&mut self, _: &mut Dictionary) {}

    #[inline(always)]
    fn texts(&mut self, input: Input, required: bool, _: &mut Strings) {
        self.lengths(input, usize::from(required));
    }

    #[inline(always)]
    fn names(&mut self, input: Input, _: &mut Dictionary) {
        self.lengths(input, usize::from(input.field.required));
    }

    #[inline(always)]
    fn letters(&mut self, input: Input, _: &mut Dictionary) {
        let Rule::Letters(count) = input.field.rule else { unreachable!("{} is no code", input.field.name) };
        let value = self.shaped.value(input.place());
        match value.kind {
            ValueKind::Absent => self.are_all_odd |= input.field.required,
            ValueKind::Text => {
                for (line, is_odd) in self.shaped.lines.iter().zip(&mut *self.is_odd) {
                    let span = self.shaped.span(value, line);
                    *is_odd |= u8::from(span.len() != count || !is_upper_letters(&span));
                }
            }
            _ => self.are_all_odd = true,
        }
    }

    #[inline(always)]
    fn times(&mut self, input: Input, end: i64, _: &mut Fixed<i64>) -> Read {
        self.times_before(input, end)
    }

    #[inline(always)]
    fn optional_times(&mut self, input: Input, _: &mut Nullable<i64>) -> Read {
        self.times_before(input, Timestamp::END_MILLIS)
    }

    #[inline(always)]
    fn dates(&mut self, input: Input, _: &mut Nullable<u16>) -> Read {
        read_each!(self, input, ValueKind::Text, |span| parse_date(&span).ok().map(u64::from))
    }

    #[inline(always)]
    fn in_order(&mut self, known: Known, earlier: Read, later: Read) {
        let (Some(order), Read(Some(earlier)), Read(Some(later))) =
            (known.event_type().order, earlier, later)
        else {
            return;
        };
        let count = self.is_odd.len();
        let (earlier, later) = (&self.values[earlier..][..count], &self.values[later..][..count]);
        for ((earlier, later), is_odd) in earlier.iter().zip(later).zip(&mut *self.is_odd) {
            // What was read is not before 1970: unsigned numbers have the same order.
            *is_odd |= u8::from(earlier > later) | u8::from(earlier == later && !order.may_be_equal);
        }
    }

    #[inline(always)]
    fn amounts(&mut self, input: Input, _: &mut Fixed<i64>) {
        read_each!(self, input, ValueKind::Text | ValueKind::Scalar, |span| parse_amount(&span)
            .ok()
            .map(i64::cast_unsigned));
    }

    #[inline(always)]
    fn booleans(&mut self, input: Input, _: &mut Fixed<u8>) {
        read_each!(self, input, ValueKind::Scalar, |span| match span.len() {
            // A scalar is what its first byte says.
            4 | 5 if matches!(span[0], b't' | b'f') => Some(u64::from(span[0] == b't')),
            _ => None,
        });
    }

    #[inline(always)]
    fn integers<T: Integer>(&mut self, input: Input, _: &mut Nullable<T>) {
        let range = input.field.rule.integer_range();
        read_each!(self, input, ValueKind::Scalar, |span| read_integer(span, range).ok().map(u64::from));
    }

    #[inline(always)]
    fn shares(&mut self, input: Input, _: &mut Nullable<f64>) {
        read_each!(self, input, ValueKind::Scalar, |span| read_number(span).map(f64::to_bits));
    }

    #[inline(always)]
    fn payloads(&mut self, _: &mut Strings) {}
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

/// A share of a scalar that may be no number.
#[inline(always)]
fn read_number(span: crate::span::Span<'_>) -> Option<f64> {
    let share: Result<f64, Reason> = match span[0] {
        b'0'..=b'9' => read_share(span),
        _ => return None,
    };
    share.ok()
}
