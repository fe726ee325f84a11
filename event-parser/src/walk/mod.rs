//! Stage 2: the grammar of one line, strict RFC 8259, read once from left to right.
//!
//! The walk knows the contract's keys: it puts their values into [`Fields`] and notes the members that the
//! contract does not know. It judges JSON only; what values mean is `check`'s business.
//!
//! One grammar serves two ways of finding the end of a string: jumping with the index, for the many lines
//! without odd bytes, and scanning, for the others.

mod cursor;
mod error;
mod event;
mod fields;
mod strings;

#[cfg(test)]
mod tests;

use crate::index::IndexedLine;

pub(crate) use error::LineError;
pub(crate) use fields::{Fields, Known, Slot, SlotKind, Unknown};

/// The deepest nesting that is read; the line's object is level 1.
pub(crate) const MAX_DEPTH: u32 = 128;

/// Walks a line without odd bytes.
pub(crate) fn indexed(text: &[u8], line: &IndexedLine<'_>, fields: &mut Fields) -> Result<(), LineError> {
    event::read(cursor::Cursor::new(text, strings::Jump::new(line)), fields)
}

/// Walks any line.
pub(crate) fn scanning(text: &[u8], fields: &mut Fields) -> Result<(), LineError> {
    event::read(cursor::Cursor::new(text, strings::Scan), fields)
}
