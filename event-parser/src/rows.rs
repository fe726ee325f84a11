//! What stage 2 hands to stage 3: rows of one type of event, one after another.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

use crate::index::{Index, IndexedLine};
use crate::walk::{Known, Place, Row, Shelf, Unknown};

/// Rows that are read one at a time, where the last one stood.
pub(crate) trait RowStream {
    /// The name that all rows' types of event have, if they have one.
    fn type_name(&self) -> Option<&[u8]>;
    /// Has to be `#[inline(always)]`.
    fn next(&mut self) -> Option<ReadRow<'_>>;
}

/// A row, and its members that nobody knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadRow<'a> {
    pub(crate) row: &'a Row,
    pub(crate) unknown: &'a [Unknown],
}

/// The rows of lines that were walked, as many as a chunk has.
#[derive(Debug, Default)]
pub(crate) struct WalkedRows {
    /// Longer than `count`: lines are read where their rows are to stand.
    rows: Vec<Row>,
    count: usize,
    /// The rows of each known type, and last those of all others.
    by_type: [Vec<u32>; Known::ALL.len() + 1],
    pub(crate) shelf: Shelf,
}

impl WalkedRows {
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
        let group = self.rows[self.count].known.map_or(Known::ALL.len(), |known| known as usize);
        self.by_type[group].push(self.count as u32);
        self.count += 1;
    }

    /// The rows of a type, in the order of the lines.
    pub(crate) fn of(&self, known: Option<Known>) -> WalkedRowsOfType<'_> {
        let group = known.map_or(Known::ALL.len(), |known| known as usize);
        WalkedRowsOfType { known, numbers: self.by_type[group].iter(), rows: &self.rows, shelf: &self.shelf }
    }
}

/// The rows of one type of event.
#[derive(Debug)]
pub(crate) struct WalkedRowsOfType<'a> {
    known: Option<Known>,
    numbers: std::slice::Iter<'a, u32>,
    rows: &'a [Row],
    shelf: &'a Shelf,
}

impl WalkedRowsOfType<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.numbers.len() == 0
    }
}

impl RowStream for WalkedRowsOfType<'_> {
    fn type_name(&self) -> Option<&[u8]> {
        self.known.map(|known| known.event_type().name.as_bytes())
    }

    #[inline(always)]
    fn next(&mut self) -> Option<ReadRow<'_>> {
        let row = &self.rows[*self.numbers.next()? as usize];
        Some(ReadRow { row, unknown: self.shelf.unknown(row) })
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
    /// Where a line stands whose text ends at `end`.
    #[inline(always)]
    pub(crate) fn place(self, line: &IndexedLine, end: u32) -> Place {
        Place {
            number: self.first_line + u64::from(line.number),
            byte_offset: self.byte_offset + u64::from(line.start),
            start: line.start,
            end,
        }
    }
}

/// Where a line's text ends: a `\r` before its newline is no part of it.
#[inline(always)]
pub(crate) fn text_end(bytes: &[u8], line: &IndexedLine) -> u32 {
    let has_return = line.has_newline && line.end > line.start && bytes[line.end as usize - 1] == b'\r';
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
