//! Stage 2: the grammar of one line, strict RFC 8259, read once from left to right.
//!
//! The walk knows the contract's keys: it puts their values into a [`Row`] and notes the members that the
//! contract does not know. It judges JSON only; what values mean is `check`'s business.
//!
//! Good lines are read from token to token (`leap`), whatever the order of their keys. The grammar proper (`event`) goes
//! byte by byte: it reads the few lines with control characters, and says what is wrong with a bad one.

mod cursor;
mod error;
mod event;
mod fields;
mod leap;
mod number;
mod scalar;
mod strings;

#[cfg(test)]
mod tests;

pub(crate) use error::LineError;
pub(crate) use fields::{
    EVENT_TYPE, Known, NOWHERE, Names, PROPERTIES, Place, Row, Shelf, Slot, SlotKind, Unknown,
};
pub(crate) use leap::{Members, leaping};
pub(crate) use scalar::kind as scalar_kind;
pub(crate) use strings::are_escapes_good;

/// The deepest nesting that is read; the line's object is level 1.
pub(crate) const MAX_DEPTH: u32 = 128;

/// A line that is to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// The chunk, and whatever bytes come after it.
    pub(crate) bytes: &'a [u8],
    /// Where the line's text begins in the chunk …
    pub(crate) start: usize,
    /// … and ends.
    pub(crate) end: usize,
    /// Where its quotes are, escaped ones left out.
    pub(crate) quotes: &'a [u32],
}

/// Reads any line into an empty row.
pub(crate) fn scanning(
    line: Line<'_>,
    names: &Names,
    row: &mut Row,
    shelf: &mut Shelf,
) -> Result<(), LineError> {
    let first_unknown = shelf.unknown.len() as u32;
    event::read(cursor::Cursor::new(&line.bytes[..line.end], line.start), names, row, shelf)?;
    row.unknown = (first_unknown, shelf.unknown.len() as u32);
    Ok(())
}

/// Moves the strings of a row that have escapes to the shelf, unescaped.
pub(crate) fn unescape(chunk: &[u8], row: &mut Row, shelf: &mut Shelf) {
    for slot in &mut row.slots[..NOWHERE] {
        if slot.kind == SlotKind::Escaped {
            let start = shelf.unescaped.len() as u32;
            strings::unescape(&chunk[slot.start as usize..slot.end as usize], &mut shelf.unescaped);
            *slot = Slot { kind: SlotKind::Unescaped, start, end: shelf.unescaped.len() as u32 };
        }
    }
}
