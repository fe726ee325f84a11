//! The lines of a chunk that are checked one at a time, grouped by type of event.

#![expect(clippy::inline_always, reason = "compiled for each instruction set")]

use crate::index::{Index, IndexedLine};
use crate::payload_kind::PayloadKind;
use crate::reader::{Arena, LineLocation, LineSlots};

/// The number of groups of event types: one for each known payload, and the last for all other types.
pub(crate) const GROUPS: usize = PayloadKind::ALL.len() + 1;

/// The group of an event type.
pub(crate) fn group(kind: Option<PayloadKind>) -> usize {
    kind.map_or(PayloadKind::ALL.len(), |kind| kind as usize)
}

/// One type of each group, in the order of the groups.
pub(crate) fn all_kinds() -> impl Iterator<Item = Option<PayloadKind>> {
    PayloadKind::ALL.map(Some).into_iter().chain([None])
}

/// The rows of a chunk, and their side buffers.
#[derive(Debug, Default)]
pub(crate) struct SlotRows {
    /// Longer than `count`: a line is read into the row that it will have.
    rows: Vec<LineSlots>,
    count: usize,
    /// The indices of each group's rows.
    by_group: [Vec<u32>; GROUPS],
    pub(crate) arena: Arena,
}

impl SlotRows {
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.by_group.iter_mut().for_each(Vec::clear);
        self.arena.clear();
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The next row, emptied, and the side buffers. The row counts once it is kept.
    pub(crate) fn next(&mut self, location: LineLocation) -> (&mut LineSlots, &mut Arena) {
        if self.count == self.rows.len() {
            self.rows.resize(self.count * 2 + 64, LineSlots::default());
        }
        let row = &mut self.rows[self.count];
        *row = LineSlots { location, ..LineSlots::default() };
        (row, &mut self.arena)
    }

    /// The row that [`Self::next`] gave last, and the side buffers.
    pub(crate) fn current(&mut self) -> (&mut LineSlots, &mut Arena) {
        (&mut self.rows[self.count], &mut self.arena)
    }

    /// Keeps the row that [`Self::next`] gave last.
    pub(crate) fn keep(&mut self) {
        self.by_group[group(self.rows[self.count].kind)].push(self.count as u32);
        self.count += 1;
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, row: LineSlots) {
        *self.next(row.location).0 = row;
        self.keep();
    }

    /// Removes the rows from `count` on.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.count = count;
        for rows in &mut self.by_group {
            rows.truncate(rows.partition_point(|row| (*row as usize) < count));
        }
    }

    /// The rows of a type of event.
    pub(crate) fn of(&self, kind: Option<PayloadKind>) -> impl ExactSizeIterator<Item = &LineSlots> {
        self.by_group[group(kind)].iter().map(|row| &self.rows[*row as usize])
    }
}

/// Where a chunk stands in its source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkOrigin {
    /// The number of its first line, from 1.
    pub(crate) first_line: u64,
    /// Its first byte in the source.
    pub(crate) byte_offset: u64,
}

impl ChunkOrigin {
    /// The location of a line of the chunk, by its number there, from 0, and the start and end of its text.
    #[inline(always)]
    pub(crate) fn location(self, number: u32, start: u32, end: u32) -> LineLocation {
        LineLocation {
            number: self.first_line + u64::from(number),
            byte_offset: self.byte_offset + u64::from(start),
            start,
            end,
        }
    }
}

/// The end of a line's text: without a `\r` before the newline.
#[inline(always)]
pub(crate) fn text_end(bytes: &[u8], line: &IndexedLine) -> u32 {
    // A `\r` is a special byte, and most lines have none.
    let has_return = line.has_special() && line.has_newline && bytes[line.end as usize - 1] == b'\r';
    line.end - u32::from(has_return)
}

/// The backslashes and control characters of a line's text, which ends at `end`.
#[inline(always)]
pub(crate) fn special_in_text<'a>(index: &'a Index, line: &IndexedLine, end: u32) -> &'a [u32] {
    match index.special(line) {
        // The `\r` before the newline.
        [special @ .., last] if *last >= end => special,
        special => special,
    }
}
