//! The result of reading one line: a slot for every field of the contract, and the unknown members.

use crate::contract::{FIRST_OF_PAYLOAD, SLOTS};
use crate::payload_kind::PayloadKind;
use event_schema::Reason;

/// The value of a field, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Slot {
    pub(crate) kind: SlotKind,
    /// The first byte of the value (of a string: after its opening quote).
    pub(crate) start: u32,
    /// After its last byte (of a string: its closing quote).
    pub(crate) end: u32,
}

impl Slot {
    /// The bytes of the value, including the quotes of a string.
    pub(super) const fn with_quotes(self) -> (u32, u32) {
        let quote = self.kind.is_string() as u32;
        (self.start - quote, self.end + quote)
    }
}

/// The kind of a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SlotKind {
    /// The object does not have the key.
    #[default]
    Absent,
    /// The object has the key more than once.
    Repeated,
    /// A mapper could not convert the value; `start` is the index of the failure in the arena.
    Failed,
    Null,
    True,
    False,
    Number,
    /// A string without escapes and control characters, in the chunk.
    CleanString,
    /// A string without escapes, in the chunk; it may contain U+007F.
    PlainString,
    /// A string with escapes, in the chunk. Only until the line has been read.
    Escaped,
    /// A string that had escapes; start and end are those of its unescaped bytes in the arena.
    Unescaped,
    Object,
    Array,
}

impl SlotKind {
    pub(crate) const fn of_boolean(value: bool) -> SlotKind {
        if value { SlotKind::True } else { SlotKind::False }
    }

    pub(crate) const fn is_string(self) -> bool {
        matches!(
            self,
            SlotKind::CleanString | SlotKind::PlainString | SlotKind::Escaped | SlotKind::Unescaped
        )
    }
}

/// A member that the contract does not know: its key including the quotes, and its value, as positions in the chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct UnknownMember {
    pub(crate) in_payload: bool,
    pub(crate) key: (u32, u32),
    pub(crate) value: (u32, u32),
}

/// What was read of one line. Positions are counted from the chunk's start.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LineSlots {
    /// The fields in the order of the registry: the envelope's, then the payload's; then the ignored slot.
    pub(crate) slots: [Slot; SLOTS],
    /// The payload that the event's type asks for.
    pub(crate) kind: Option<PayloadKind>,
    /// Whether the payload was an object, whose members are in the slots.
    pub(crate) has_payload: bool,
    /// Its unknown members in the arena, in the order of the line.
    pub(crate) unknown: (u32, u32),
    pub(crate) location: LineLocation,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LineLocation {
    /// Its number in the source, from 1.
    pub(crate) number: u64,
    /// Its first byte in the source.
    pub(crate) byte_offset: u64,
    /// The start of its text in the chunk.
    pub(crate) start: u32,
    /// The end of its text in the chunk.
    pub(crate) end: u32,
}

impl LineSlots {
    /// The slot of a payload's field.
    pub(super) const fn in_payload(field: usize) -> usize {
        FIRST_OF_PAYLOAD + field
    }

    /// Sets a slot; a second value makes it [`SlotKind::Repeated`].
    pub(crate) fn set(&mut self, slot: usize, value: Slot) {
        let old = &mut self.slots[slot];
        *old = if old.kind == SlotKind::Absent { value } else { Slot { kind: SlotKind::Repeated, ..value } };
    }
}

/// Side buffers of the lines of a chunk. The memory is reused from chunk to chunk.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    /// Unescaped strings, one after another.
    pub(crate) unescaped: Vec<u8>,
    /// Members that the contract does not know.
    pub(crate) unknown: Vec<UnknownMember>,
    /// Values that a mapper could not convert.
    pub(crate) failures: Vec<(Reason, String)>,
}

impl Arena {
    pub(crate) fn clear(&mut self) {
        self.unescaped.clear();
        self.unknown.clear();
        self.failures.clear();
    }

    /// The unknown members of a line.
    pub(crate) fn unknown(&self, row: &LineSlots) -> &[UnknownMember] {
        &self.unknown[row.unknown.0 as usize..row.unknown.1 as usize]
    }
}
