//! Sheets: what many lines of one type of event leave for stage 3, where nothing about them is unusual.
//!
//! Lines of whatever shapes stand in one sheet, a row of cells each, so that stage 3 goes through a column of many lines
//! at once. A cell says where a value stands, and whether it is a string; whether that is what the contract asks for is
//! stage 3's to find out.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

use crate::rows::Origin;
use crate::span::Span;
use crate::walk::{self, Known, NOWHERE, PROPERTIES, Row, Slot, SlotKind};

/// The rows of each type of event. Its memory is reused from chunk to chunk.
#[derive(Debug, Default)]
pub(crate) struct Sheets([Vec<SheetRow>; Known::GROUPS]);

/// One line's values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SheetRow {
    /// The fields in the order of the registry: the envelope's, then the payload's.
    pub(crate) cells: [Cell; NOWHERE],
    /// Its unknown members on the shelf.
    pub(crate) unknown: (u32, u32),
    /// The line's number in the chunk, from 0.
    pub(crate) number: u32,
    /// Where its text begins in the chunk …
    pub(crate) start: u32,
    /// … and ends.
    pub(crate) end: u32,
}

/// One field of all rows of a sheet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SheetColumn<'a> {
    /// The chunk.
    pub(crate) bytes: &'a [u8],
    pub(crate) rows: &'a [SheetRow],
    /// The field's place in a row.
    pub(crate) place: usize,
}

/// What stands in a field, and where in the chunk: where its quotes are, or the bytes around another value. Positions
/// are below 2^31.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell([u32; 2]);

/// In the second place: the value is no string, but a number, boolean, null or object.
const IS_NO_TEXT: u32 = 1 << 31;

impl Sheets {
    pub(crate) fn clear(&mut self) {
        self.0.iter_mut().for_each(Vec::clear);
    }

    /// The sheet of a payload, or of events of other types.
    pub(crate) fn of(&mut self, known: Option<Known>) -> &mut Vec<SheetRow> {
        &mut self.0[Known::group(known)]
    }
}

impl SheetRow {
    pub(crate) const EMPTY: SheetRow =
        SheetRow { cells: [Cell::ABSENT; NOWHERE], unknown: (0, 0), number: 0, start: 0, end: 0 };

    pub(crate) fn has_unknown(&self) -> bool {
        self.unknown.0 < self.unknown.1
    }

    /// The same as a row of slots, which says more of each value.
    pub(crate) fn to_row(self, bytes: &[u8], known: Option<Known>, origin: Origin) -> Row {
        let mut row = Row { known, unknown: self.unknown, ..Row::default() };
        for (slot, cell) in row.slots.iter_mut().zip(&self.cells) {
            *slot = cell.to_slot(bytes);
        }
        row.has_payload = known.is_some() && row.slots[PROPERTIES].kind == SlotKind::Object;
        row.place = origin.place(self.number, self.start, self.end);
        row
    }
}

impl<'a> SheetColumn<'a> {
    #[inline(always)]
    pub(crate) fn cells(self) -> impl ExactSizeIterator<Item = Cell> + use<'a> {
        self.rows.iter().map(move |row| row.cells[self.place])
    }

    /// The bytes of the values; none where they are absent.
    #[inline(always)]
    pub(crate) fn spans(self) -> impl ExactSizeIterator<Item = Span<'a>> + use<'a> {
        self.cells().map(move |cell| cell.span(self.bytes))
    }
}

impl Cell {
    /// No value stands where a line begins.
    const ABSENT: Cell = Cell([0, 1]);

    /// A string without escapes and control characters, by its quotes.
    #[inline(always)]
    pub(crate) fn text(quotes: [u32; 2]) -> Cell {
        Cell(quotes)
    }

    /// Another value, from its first byte to after its last.
    #[inline(always)]
    pub(crate) fn other(start: u32, end: u32) -> Cell {
        Cell([start.wrapping_sub(1), end | IS_NO_TEXT])
    }

    #[inline(always)]
    pub(crate) fn is_absent(self) -> bool {
        self.0[0] == 0
    }

    /// Whether the field is absent, or an empty string: for an optional string that is the same.
    #[inline(always)]
    pub(crate) fn is_empty(self) -> bool {
        self.text_length() == 0
    }

    #[inline(always)]
    pub(crate) fn is_text(self) -> bool {
        self.0[1] < IS_NO_TEXT
    }

    /// The length of a text; of anything else, more than any text may have.
    #[inline(always)]
    pub(crate) fn text_length(self) -> u32 {
        self.0[1].wrapping_sub(self.0[0]).wrapping_sub(1)
    }

    /// The value's bytes.
    #[inline(always)]
    pub(crate) fn span(self, bytes: &[u8]) -> Span<'_> {
        Span::new(bytes, self.0[0] + 1, self.0[1] & !IS_NO_TEXT)
    }

    fn to_slot(self, bytes: &[u8]) -> Slot {
        if self.is_absent() {
            return Slot::default();
        }
        let (start, end) = (self.0[0] + 1, self.0[1] & !IS_NO_TEXT);
        let kind = if self.is_text() {
            SlotKind::CleanString
        } else if bytes[start as usize] == b'{' {
            SlotKind::Object
        } else {
            walk::scalar_kind(bytes, start as usize, end as usize).expect("a shape's scalars are scalars")
        };
        Slot { kind, start, end }
    }
}
