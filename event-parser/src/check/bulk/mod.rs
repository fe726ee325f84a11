//! Many lines of one shape at once, column by column: the short way for values that are as nearly all are.
//!
//! Two passes go through a table's columns in the same order. The first ([`Checking`]) reads what has to be read, into
//! one list of values, and says of which lines nothing can be said here: something in them breaks a rule, or is right
//! but unusual. Those go row by row ([`super::rows`]), which says what is wrong. The second pass ([`Pushing`]) appends
//! the others to the columns, a loop a column.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions and each payload")]

mod checking;
mod pushing;
mod tables;

use super::Checker;
use super::input::Input;
use crate::arch::Simd;
use crate::batch::{Batch, Violation};
use crate::columns::{Dictionary, Fixed, Nullable, Strings};
use crate::index::IndexedLine;
use crate::shapes::{ShapedLines, ShapedRows, ValueKind};
use crate::walk::{Known, PROPERTIES, Place, Shelf, Unknown};
use checking::Checking;
use pushing::Pushing;

/// Fewer lines of a shape are read row by row: every column's loop has to begin and end.
const FEWEST_LINES: usize = 8;

/// What checking many lines works with. Its memory is reused.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// What the first pass has read, a stretch of all lines' values after another.
    values: Vec<u64>,
    /// A byte a line: whether it has to be read row by row.
    is_odd: Vec<u8>,
    good: Vec<IndexedLine>,
    odd: Vec<IndexedLine>,
    unknown: Vec<Unknown>,
}

/// A pass through the columns of a table.
trait Pass {
    fn uuids(&mut self, input: Input, column: &mut Fixed<u128>);
    fn event_types(&mut self, column: &mut Dictionary);
    /// Strings up to the field's longest; `required` ones are not empty.
    fn texts(&mut self, input: Input, required: bool, column: &mut Strings);
    /// The same, of which there are few different ones.
    fn names(&mut self, input: Input, column: &mut Dictionary);
    fn letters(&mut self, input: Input, column: &mut Dictionary);
    /// Before an instant in milliseconds since 1970.
    fn times(&mut self, input: Input, end: i64, column: &mut Fixed<i64>) -> Read;
    fn optional_times(&mut self, input: Input, column: &mut Nullable<i64>) -> Read;
    fn dates(&mut self, input: Input, column: &mut Nullable<u16>) -> Read;
    /// The later of two values has to be so.
    fn in_order(&mut self, known: Known, earlier: Read, later: Read);
    fn amounts(&mut self, input: Input, column: &mut Fixed<i64>);
    fn booleans(&mut self, input: Input, column: &mut Fixed<u8>);
    fn integers<T: Integer>(&mut self, input: Input, column: &mut Nullable<T>);
    fn shares(&mut self, input: Input, column: &mut Nullable<f64>);
    fn payloads(&mut self, column: &mut Strings);
    /// What no event has a field for.
    fn no_texts(&mut self, column: &mut Dictionary);
    fn no_dates(&mut self, column: &mut Nullable<u16>);
    fn no_booleans(&mut self, column: &mut Fixed<u8>);
    fn extra(&mut self, column: &mut Strings);
    fn origins(&mut self, source_file: &mut Dictionary, source_line: &mut Fixed<u64>);
}

/// Where the values of a field begin among those that were read; `None` where the field is absent.
#[derive(Debug, Clone, Copy)]
struct Read(Option<usize>);

/// An integer that a column holds, of a value that was found to be in its range.
trait Integer: bytemuck::Pod {
    fn of(value: u64) -> Self;
}

impl Integer for u16 {
    #[inline(always)]
    fn of(value: u64) -> u16 {
        value as u16
    }
}

impl Integer for u32 {
    #[inline(always)]
    fn of(value: u64) -> u32 {
        value as u32
    }
}

impl Checker {
    /// Puts lines of one shape into the batch; those that break a rule go to `reject`, with every violation.
    #[inline(always)]
    pub(crate) fn check_shaped<S: Simd>(
        &mut self,
        simd: S,
        shaped: ShapedLines<'_>,
        aside: &Shelf,
        batch: &mut Batch,
        reject: impl Fn(Place, Vec<Violation>, &mut Batch),
    ) {
        let mut buffers = std::mem::take(&mut self.buffers);
        let odd = if shaped.lines.len() >= FEWEST_LINES {
            self.check_many(simd, shaped, &mut buffers, batch);
            &buffers.odd
        } else {
            shaped.lines
        };
        if !odd.is_empty() {
            let rows = &mut ShapedRows::new(shaped.with_lines(odd), &mut buffers.unknown);
            self.check(simd, (shaped.bytes, aside), shaped.known(), rows, batch, reject);
        }
        self.buffers = buffers;
    }

    /// Puts those of the lines into the batch that are as nearly all are; leaves the odd ones.
    #[inline(always)]
    fn check_many<S: Simd>(
        &mut self,
        simd: S,
        shaped: ShapedLines<'_>,
        buffers: &mut Buffers,
        batch: &mut Batch,
    ) {
        let Buffers { values, is_odd, good, odd, unknown } = buffers;
        values.clear();
        is_odd.clear();
        is_odd.resize(shaped.lines.len(), 0);
        good.clear();
        odd.clear();
        let known = shaped.known();
        let mut checking = Checking {
            simd,
            shaped,
            times: &mut self.times,
            values,
            is_odd,
            // Without a payload something is missing, but for events of other types, which seldom have none.
            are_all_odd: shaped.value(PROPERTIES).kind != ValueKind::Object,
        };
        tables::go_through(&mut checking, known, &self.scope, batch);
        if checking.are_all_odd {
            odd.extend_from_slice(shaped.lines);
            return;
        }
        let lines = if is_odd.iter().all(|is_odd| *is_odd == 0) {
            shaped.lines
        } else {
            part(shaped.lines, is_odd, values, good, odd);
            good
        };
        let shaped = shaped.with_lines(lines);
        let values = values.as_slice();
        let mut pushing = Pushing { shaped, values, source: self.source.as_bytes(), unknown };
        tables::go_through(&mut pushing, known, &self.scope, batch);
    }
}

/// Parts the odd lines from the good ones, whose values move together.
#[cold]
fn part(
    lines: &[IndexedLine],
    is_odd: &[u8],
    values: &mut Vec<u64>,
    good: &mut Vec<IndexedLine>,
    odd: &mut Vec<IndexedLine>,
) {
    for (line, is_odd) in lines.iter().zip(is_odd) {
        if *is_odd == 0 { good.push(*line) } else { odd.push(*line) }
    }
    let mut number = 0;
    values.retain(|_| {
        number += 1;
        is_odd[(number - 1) % lines.len()] == 0
    });
}
