//! Many rows of one type of event at once, column by column: the short way for values that are as nearly all are.
//!
//! Two passes go through a table's columns in the same order. The first ([`Checking`]) reads what has to be read, into
//! one list of values, and says of which rows nothing can be said here: something in them breaks a rule, or is right but
//! unusual. Those go row by row ([`super::rows`]), which says what is wrong. The second pass ([`Pushing`]) appends the
//! others to the columns, a loop a column.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions and each payload")]

mod checking;
mod pushing;
mod reading;
mod tables;

use super::Checker;
use super::input::Input;
use crate::arch::Simd;
use crate::batch::Batch;
use crate::columns::{Dictionary, Fixed, Nullable, Strings};
use crate::rows::{Origin, Rows};
use crate::sheet::SheetRow;
use crate::span::Span;
use crate::walk::Known;
use checking::{CheckedRows, Checking};
use pushing::Pushing;

/// What checking many rows works with. Its memory is reused.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// What the first pass has read, a stretch of all rows' values after another.
    values: Vec<u64>,
    /// A byte a row: whether it has to be read row by row.
    is_odd: Vec<u8>,
}

/// A pass through the columns of a table.
trait Pass {
    fn uuids(&mut self, input: Input, column: &mut Fixed<u128>);
    fn type_name(&mut self, known: Known, column: &mut Dictionary);
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
    /// What has to be an object.
    fn objects(&mut self, input: Input);
    /// Objects, as they stand.
    fn payloads(&mut self, input: Input, column: &mut Strings);
    /// What no event has a field for.
    fn no_texts(&mut self, column: &mut Dictionary);
    fn no_dates(&mut self, column: &mut Nullable<u16>);
    fn no_booleans(&mut self, column: &mut Fixed<u8>);
    fn extra(&mut self, column: &mut Strings);
    fn origins(&mut self, source_file: &mut Dictionary, source_line: &mut Fixed<u64>);
}

/// Where the values of a field begin among those that were read, and its place in a row.
#[derive(Debug, Clone, Copy)]
struct Read {
    first: usize,
    place: usize,
}

impl Read {
    /// For a pass that does not look at what was read.
    fn of(input: Input) -> Read {
        Read { first: 0, place: input.place() }
    }
}

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
    /// Puts a sheet's rows into the batch that are as nearly all are; the others join the rows that are read one by one.
    #[inline(always)]
    pub(crate) fn check_sheet<S: Simd>(
        &mut self,
        simd: S,
        (bytes, origin): (&[u8], Origin),
        known: Option<Known>,
        sheet: &mut Vec<SheetRow>,
        rows: &mut Rows,
        batch: &mut Batch,
    ) {
        let Checker { source, scope, times, buffers: Buffers { values, is_odd } } = self;
        let stretch = sheet.len();
        values.clear();
        is_odd.clear();
        is_odd.resize(stretch, 0);
        let checked = CheckedRows { simd, bytes, rows: sheet, values, is_odd };
        tables::go_through(&mut Checking { rows: checked, times }, known, scope, batch);

        // The last good row takes the place of an odd one: rows of a batch are in no order.
        for at in (0..stretch).rev().filter(|at| is_odd[*at] != 0) {
            rows.add(sheet.swap_remove(at).to_row(bytes, known, origin));
            for values in values.chunks_exact_mut(stretch) {
                values[at] = values[sheet.len()];
            }
        }
        let (rows, unknown, first_line) = (&**sheet, &rows.shelf.unknown, origin.first_line);
        let source = Span::from(source.as_bytes());
        let mut pushing = Pushing { simd, bytes, rows, values, stretch, source, first_line, unknown };
        tables::go_through(&mut pushing, known, scope, batch);
    }
}
