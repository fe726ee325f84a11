//! Reading one line of JSON into slots.
//!
//! The reader knows the contract's keys: it puts their values into [`LineSlots`] and notes the members that the contract
//! does not know. It decides what is JSON; [`crate::check`] decides what values are valid.
//!
//! There are two readers with the same result:
//!
//! - [`index_walk`] goes from token to token of the index, and reads every valid line without control characters, whatever
//!   the order of its keys.
//! - [`strict`] is a recursive-descent parser of RFC 8259, byte by byte. It reads the lines that the index walk leaves,
//!   and says what is wrong with an invalid one.

mod cursor;
mod error;
mod index_walk;
mod keys;
mod number;
mod scalar;
mod slots;
mod strict;
mod strings;

#[cfg(test)]
mod tests;

use crate::contract::IGNORED_SLOT;

pub(crate) use error::LineError;
pub(crate) use index_walk::{Members, read_by_index};
pub(crate) use keys::KeyTables;
pub(crate) use scalar::kind as scalar_kind;
pub(crate) use slots::{Arena, LineLocation, LineSlots, Slot, SlotKind, UnknownMember};
pub(crate) use strict::read_payload_at;
pub(crate) use strings::are_escapes_valid;

/// The deepest nesting that is read; the line's object is level 1.
pub(crate) const MAX_DEPTH: u32 = 128;

/// A line to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// The chunk, and the bytes after it.
    pub(crate) bytes: &'a [u8],
    /// The start of the line's text in the chunk.
    pub(crate) start: usize,
    /// The end of the line's text in the chunk.
    pub(crate) end: usize,
    /// The positions of its quotes, without escaped ones.
    pub(crate) quotes: &'a [u32],
}

/// Reads any line into an empty row.
pub(crate) fn read_strictly(
    line: Line<'_>,
    keys: &KeyTables,
    row: &mut LineSlots,
    arena: &mut Arena,
) -> Result<(), LineError> {
    let first_unknown = arena.unknown.len() as u32;
    strict::read(cursor::Cursor::new(&line.bytes[..line.end], line.start), keys, row, arena)?;
    row.unknown = (first_unknown, arena.unknown.len() as u32);
    Ok(())
}

/// Unescapes the strings of a row that have escapes, into the arena.
pub(crate) fn unescape(chunk: &[u8], row: &mut LineSlots, arena: &mut Arena) {
    for slot in &mut row.slots[..IGNORED_SLOT] {
        if slot.kind == SlotKind::Escaped {
            let start = arena.unescaped.len() as u32;
            strings::unescape(&chunk[slot.start as usize..slot.end as usize], &mut arena.unescaped);
            *slot = Slot { kind: SlotKind::Unescaped, start, end: arena.unescaped.len() as u32 };
        }
    }
}
