//! What reading a line leaves behind: a slot for every known field, and the members nobody knows.

use event_schema::registry::{
    AB_TEST_ASSIGNMENTS, ENVELOPE, Entity, EventType, Field, PURCHASES, SESSIONS, TASK_RESULTS,
};

use crate::span::{self, Span};

/// The place of `event_type` in the envelope.
pub(crate) const EVENT_TYPE: usize = 1;
/// The place of `properties` in the envelope.
pub(crate) const PROPERTIES: usize = 8;
/// The most fields of a payload.
pub(crate) const PAYLOAD_FIELDS: usize = 8;

/// The slot of values that nobody asks for.
pub(crate) const NOWHERE: usize = ENVELOPE.len() + PAYLOAD_FIELDS;
/// The slots of a row.
pub(crate) const SLOTS: usize = NOWHERE + 1;

/// A field's name as it is compared: none is longer than its number tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    number: [u64; 2],
    length: usize,
}

impl Name {
    #[inline]
    fn new(key: Span<'_>) -> Name {
        Name { number: span::number(key), length: key.len() }
    }

    #[inline]
    fn place(self, factor: u64) -> usize {
        let [first, second] = self.number;
        let hash = (first ^ second.rotate_left(29) ^ self.length as u64).wrapping_mul(factor);
        (hash >> (u64::BITS - NAME_PLACES.ilog2())) as usize
    }
}

/// Places for the names of one object; a power of two.
const NAME_PLACES: usize = 64;

/// No field has this place.
const NO_FIELD: u8 = u8::MAX;

/// The names of the fields of one object, each with a place of its own.
#[derive(Debug)]
pub(super) struct ObjectNames {
    names: Vec<Name>,
    /// The field whose name has a place.
    places: [u8; NAME_PLACES],
    /// An odd number by which no two names have the same place.
    factor: u64,
}

impl ObjectNames {
    fn new(fields: &[Field]) -> ObjectNames {
        assert!(fields.iter().all(|field| field.name.len() <= 16), "the names of fields are short");
        let names: Vec<Name> =
            fields.iter().map(|field| Name::new(Span::from(field.name.as_bytes()))).collect();
        let factors = (1..10_000_u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut places = [NO_FIELD; NAME_PLACES];
        for factor in factors {
            places = [NO_FIELD; NAME_PLACES];
            let is_free = |(field, name): (usize, &Name)| {
                std::mem::replace(&mut places[name.place(factor)], field as u8) == NO_FIELD
            };
            if names.iter().enumerate().all(is_free) {
                return ObjectNames { names, places, factor };
            }
        }
        unreachable!("a dozen names fit into {NAME_PLACES} places: {places:?}")
    }

    /// The place of a key among the names.
    #[inline]
    pub(super) fn find(&self, key: Span<'_>) -> Option<usize> {
        let key = Name::new(key);
        let place = usize::from(self.places[key.place(self.factor)]);
        // A place that no field has is past all names.
        (self.names.get(place) == Some(&key)).then_some(place)
    }
}

/// The names that the walk looks for.
#[derive(Debug)]
pub(crate) struct Names {
    pub(super) envelope: ObjectNames,
    payloads: [ObjectNames; Known::ALL.len()],
}

impl Default for Names {
    fn default() -> Names {
        Names {
            envelope: ObjectNames::new(&ENVELOPE),
            payloads: Known::ALL.map(|known| ObjectNames::new(known.event_type().fields)),
        }
    }
}

impl Names {
    pub(super) fn of(&self, known: Known) -> &ObjectNames {
        &self.payloads[known as usize]
    }
}

/// What stands in a field, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Slot {
    pub(crate) kind: SlotKind,
    /// From the first byte of the value (of a string: after its quote) …
    pub(crate) start: u32,
    /// … to after the last (of a string: its closing quote).
    pub(crate) end: u32,
}

impl Slot {
    /// From the first byte of the value to after the last, the quotes of a string counted in.
    pub(super) const fn with_quotes(self) -> (u32, u32) {
        let quote = self.kind.is_string() as u32;
        (self.start - quote, self.end + quote)
    }
}

/// What stands in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SlotKind {
    /// The key does not stand in the object.
    #[default]
    Absent,
    /// The key stands there more than once.
    Twice,
    Null,
    True,
    False,
    Number,
    /// A string without escapes and control characters, as it stands in the line.
    CleanString,
    /// A string as it stands in the line; U+007F may be in it.
    PlainString,
    /// A string with escapes, as it stands in the line. Only until the line has been read.
    Escaped,
    /// A string that had escapes; start and end are of its unescaped bytes on the shelf.
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

/// A member that the contract does not know: its key with its quotes, and its value, in the chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Unknown {
    pub(crate) in_payload: bool,
    pub(crate) key: (u32, u32),
    pub(crate) value: (u32, u32),
}

/// The payloads that the contract knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Purchase,
    Refund,
    TaskResult,
    Session,
    AbTestAssignment,
}

impl Known {
    /// All of them, in the order of their discriminants.
    pub(crate) const ALL: [Known; 5] =
        [Known::Purchase, Known::Refund, Known::TaskResult, Known::Session, Known::AbTestAssignment];

    /// How many groups of payloads there are: one for each that is known, and last all others.
    pub(crate) const GROUPS: usize = Known::ALL.len() + 1;

    /// The group of a payload.
    pub(crate) fn group(known: Option<Known>) -> usize {
        known.map_or(Known::ALL.len(), |known| known as usize)
    }

    /// One of each group, in their order.
    pub(crate) fn all_and_none() -> impl Iterator<Item = Option<Known>> {
        Known::ALL.map(Some).into_iter().chain([None])
    }

    /// The payload of an `event_type`; `None` for one that the contract does not know.
    #[inline]
    pub(crate) fn of(event_type: &[u8]) -> Option<Known> {
        match event_type {
            b"task_result" => Some(Known::TaskResult),
            b"session" => Some(Known::Session),
            b"purchase" => Some(Known::Purchase),
            b"ab_test_assignment" => Some(Known::AbTestAssignment),
            b"refund" => Some(Known::Refund),
            _ => None,
        }
    }

    pub(crate) const fn event_type(self) -> &'static EventType {
        const fn of(entity: &Entity, number: usize) -> &EventType {
            &entity.event_types[number]
        }
        match self {
            Known::Purchase => const { of(&PURCHASES, 0) },
            Known::Refund => const { of(&PURCHASES, 1) },
            Known::TaskResult => const { of(&TASK_RESULTS, 0) },
            Known::Session => const { of(&SESSIONS, 0) },
            Known::AbTestAssignment => const { of(&AB_TEST_ASSIGNMENTS, 0) },
        }
    }
}

/// What was read of one line. Places are counted from the chunk's start.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Row {
    /// The fields in the order of the registry: the envelope's, then the payload's; last [`NOWHERE`].
    pub(crate) slots: [Slot; SLOTS],
    /// The payload that the event's type asks for.
    pub(crate) known: Option<Known>,
    /// Whether the payload stood in the line as an object, so that its fields are in the slots.
    pub(crate) has_payload: bool,
    /// Its unknown members on the shelf, in the line's order.
    pub(crate) unknown: (u32, u32),
    pub(crate) place: Place,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its number in the source, from 1.
    pub(crate) number: u64,
    /// Where it begins in the source.
    pub(crate) byte_offset: u64,
    /// Where its text begins in the chunk …
    pub(crate) start: u32,
    /// … and ends.
    pub(crate) end: u32,
}

impl Row {
    /// The place of a payload's field among the slots.
    pub(super) const fn in_payload(place: usize) -> usize {
        ENVELOPE.len() + place
    }

    pub(super) fn set(&mut self, place: usize, slot: Slot) {
        let old = &mut self.slots[place];
        *old = if old.kind == SlotKind::Absent { slot } else { Slot { kind: SlotKind::Twice, ..slot } };
    }
}

/// What the rows of a chunk hold besides their slots. Its memory is reused from chunk to chunk.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    /// Unescaped strings, one after another.
    pub(crate) unescaped: Vec<u8>,
    /// Members that the contract does not know.
    pub(crate) unknown: Vec<Unknown>,
}

impl Shelf {
    pub(crate) fn clear(&mut self) {
        self.unescaped.clear();
        self.unknown.clear();
    }

    /// The members that nobody knows of a row.
    pub(crate) fn unknown(&self, row: &Row) -> &[Unknown] {
        &self.unknown[row.unknown.0 as usize..row.unknown.1 as usize]
    }
}
