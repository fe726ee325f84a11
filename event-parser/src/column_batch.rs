//! Column batches: where the values of many lines of one type of event stand, ready to be checked column by column.
//!
//! Lines of different templates share the batch of their event type, one row of value spans each. A span says where a
//! value stands and whether it is a string; whether it is valid is decided by [`crate::check`].

#![expect(clippy::inline_always, reason = "compiled for each instruction set")]

use crate::contract::{IGNORED_SLOT, PROPERTIES};
use crate::payload_kind::PayloadKind;
use crate::reader::{self, LineSlots, Slot, SlotKind};
use crate::slot_rows::{ChunkOrigin, GROUPS, group};
use crate::span::Span;

/// The rows of each type of event. The memory is reused from chunk to chunk.
#[derive(Debug, Default)]
pub(crate) struct ColumnBatches([Vec<SpanRow>; GROUPS]);

/// The values of one line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanRow {
    /// The fields in the order of the registry: the envelope's, then the payload's.
    pub(crate) values: [ValueSpan; IGNORED_SLOT],
    /// Its unknown members in the arena.
    pub(crate) unknown: (u32, u32),
    /// The line's number in the chunk, from 0.
    pub(crate) number: u32,
    /// The start of its text in the chunk.
    pub(crate) start: u32,
    /// The end of its text in the chunk.
    pub(crate) end: u32,
}

/// One field of all rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanColumn<'a> {
    /// The chunk.
    pub(crate) bytes: &'a [u8],
    pub(crate) rows: &'a [SpanRow],
    /// The field's slot.
    pub(crate) slot: usize,
}

/// Where a value stands in the chunk: the positions of its quotes, or of the bytes around any other value. Positions are
/// below 2^31.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ValueSpan([u32; 2]);

/// Set in the second position if the value is not a string, but a number, boolean, null or object.
const IS_NOT_STRING: u32 = 1 << 31;

impl ColumnBatches {
    pub(crate) fn clear(&mut self) {
        self.0.iter_mut().for_each(Vec::clear);
    }

    /// The rows of a type of event.
    pub(crate) fn of(&mut self, kind: Option<PayloadKind>) -> &mut Vec<SpanRow> {
        &mut self.0[group(kind)]
    }
}

impl SpanRow {
    pub(crate) const EMPTY: SpanRow =
        SpanRow { values: [ValueSpan::ABSENT; IGNORED_SLOT], unknown: (0, 0), number: 0, start: 0, end: 0 };

    pub(crate) fn has_unknown(&self) -> bool {
        self.unknown.0 < self.unknown.1
    }

    /// The same as a row of slots, for the slow path.
    pub(crate) fn to_slots(self, bytes: &[u8], kind: Option<PayloadKind>, origin: ChunkOrigin) -> LineSlots {
        let mut row = LineSlots { kind, unknown: self.unknown, ..LineSlots::default() };
        for (slot, value) in row.slots.iter_mut().zip(&self.values) {
            *slot = value.to_slot(bytes);
        }
        row.has_payload = kind.is_some() && row.slots[PROPERTIES].kind == SlotKind::Object;
        row.location = origin.location(self.number, self.start, self.end);
        row
    }
}

impl<'a> SpanColumn<'a> {
    #[inline(always)]
    pub(crate) fn values(self) -> impl ExactSizeIterator<Item = ValueSpan> + use<'a> {
        self.rows.iter().map(move |row| row.values[self.slot])
    }

    /// The bytes of the values; empty where they are absent.
    #[inline(always)]
    pub(crate) fn spans(self) -> impl ExactSizeIterator<Item = Span<'a>> + use<'a> {
        self.values().map(move |value| value.span(self.bytes))
    }
}

impl ValueSpan {
    /// No value stands at the start of a line.
    const ABSENT: ValueSpan = ValueSpan([0, 1]);

    /// A string without escapes and control characters, by its quotes.
    #[inline(always)]
    pub(crate) fn string(quotes: [u32; 2]) -> ValueSpan {
        ValueSpan(quotes)
    }

    /// Another value, from its first byte to after its last.
    #[inline(always)]
    pub(crate) fn other(start: u32, end: u32) -> ValueSpan {
        ValueSpan([start.wrapping_sub(1), end | IS_NOT_STRING])
    }

    #[inline(always)]
    pub(crate) fn is_absent(self) -> bool {
        self.0[0] == 0
    }

    /// Whether the field is absent or an empty string, which is the same for an optional string.
    #[inline(always)]
    pub(crate) fn is_empty(self) -> bool {
        self.string_length() == 0
    }

    #[inline(always)]
    pub(crate) fn is_string(self) -> bool {
        self.0[1] < IS_NOT_STRING
    }

    /// The length of a string; for any other value, more than any string may have.
    #[inline(always)]
    pub(crate) fn string_length(self) -> u32 {
        self.0[1].wrapping_sub(self.0[0]).wrapping_sub(1)
    }

    /// The value's bytes.
    #[inline(always)]
    pub(crate) fn span(self, bytes: &[u8]) -> Span<'_> {
        Span::new(bytes, self.0[0] + 1, self.0[1] & !IS_NOT_STRING)
    }

    fn to_slot(self, bytes: &[u8]) -> Slot {
        if self.is_absent() {
            return Slot::default();
        }
        let (start, end) = (self.0[0] + 1, self.0[1] & !IS_NOT_STRING);
        let kind = if self.is_string() {
            SlotKind::CleanString
        } else if bytes[start as usize] == b'{' {
            SlotKind::Object
        } else {
            reader::scalar_kind(bytes, start as usize, end as usize)
                .expect("the template match has checked that it is a scalar")
        };
        Slot { kind, start, end }
    }
}
