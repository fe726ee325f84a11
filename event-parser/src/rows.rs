//! Rows: what stage 2 hands to stage 3 of lines that are read one by one.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

use crate::index::{Index, IndexedLine};
use crate::walk::{Known, Place, Row, Shelf};

/// The rows of a chunk, and what they hold besides their slots.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// Longer than `count`: lines are read where their rows are to stand.
    rows: Vec<Row>,
    count: usize,
    /// The rows of each group.
    by_type: [Vec<u32>; Known::GROUPS],
    pub(crate) shelf: Shelf,
}

impl Rows {
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.by_type.iter_mut().for_each(Vec::clear);
        self.shelf.clear();
    }

    /// Where the next row is to be read, emptied, and the shelf.
    pub(crate) fn next(&mut self, place: Place) -> (&mut Row, &mut Shelf) {
        if self.count == self.rows.len() {
            self.rows.resize(self.count * 2 + 64, Row::default());
        }
        let row = &mut self.rows[self.count];
        *row = Row { place, ..Row::default() };
        (row, &mut self.shelf)
    }

    /// Keeps the row that was read last.
    pub(crate) fn keep(&mut self) {
        let group = Known::group(self.rows[self.count].known);
        self.by_type[group].push(self.count as u32);
        self.count += 1;
    }

    /// Keeps a row.
    pub(crate) fn add(&mut self, row: Row) {
        *self.next(row.place).0 = row;
        self.keep();
    }

    /// The rows of a type.
    pub(crate) fn of(&self, known: Option<Known>) -> impl ExactSizeIterator<Item = &Row> {
        self.by_type[Known::group(known)].iter().map(|number| &self.rows[*number as usize])
    }
}

/// Where a chunk stands in its source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    /// The number of its first line, from 1.
    pub(crate) first_line: u64,
    /// Where it begins.
    pub(crate) byte_offset: u64,
}

impl Origin {
    /// Where a line of the chunk stands: its number there, from 0, and where its text starts and ends.
    #[inline(always)]
    pub(crate) fn place(self, number: u32, start: u32, end: u32) -> Place {
        Place {
            number: self.first_line + u64::from(number),
            byte_offset: self.byte_offset + u64::from(start),
            start,
            end,
        }
    }
}

/// Where a line's text ends: a `\r` before its newline is no part of it.
#[inline(always)]
pub(crate) fn text_end(bytes: &[u8], line: &IndexedLine) -> u32 {
    // A `\r` is odd. Most lines have nothing odd, and need not be looked at.
    let has_return = line.has_odd() && line.has_newline && bytes[line.end as usize - 1] == b'\r';
    line.end - u32::from(has_return)
}

/// The backslashes and control characters of a line's text, which ends at `end`.
#[inline(always)]
pub(crate) fn text_odd<'a>(index: &'a Index, line: &IndexedLine, end: u32) -> &'a [u32] {
    match index.odd(line) {
        // The `\r` before the newline.
        [odd @ .., last] if *last >= end => odd,
        odd => odd,
    }
}
