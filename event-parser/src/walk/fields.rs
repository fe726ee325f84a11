//! What the walk leaves behind: a slot for every known field, and the members nobody knows.

use event_schema::registry::{
    AB_TEST_ASSIGNMENTS, ENVELOPE, Entity, EventType, Field, PURCHASES, SESSIONS, TASK_RESULTS,
};

use crate::short;

/// The place of `event_type` in the envelope.
pub(crate) const EVENT_TYPE: usize = 1;
/// The place of `properties` in the envelope.
pub(crate) const PROPERTIES: usize = 8;
/// The most fields of a payload.
const PAYLOAD_FIELDS: usize = 8;

/// A field's name as it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    number: u128,
    length: usize,
}

/// The names of fields, in their order.
fn names(fields: &[Field]) -> Vec<Name> {
    let name = |field: &Field| Name {
        number: short::number(field.name.as_bytes()).expect("the names of fields are short"),
        length: field.name.len(),
    };
    fields.iter().map(name).collect()
}

/// The names that the walk looks for.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) envelope: Vec<Name>,
    payloads: [Vec<Name>; Known::ALL.len()],
}

impl Default for Names {
    fn default() -> Names {
        Names {
            envelope: names(&ENVELOPE),
            payloads: Known::ALL.map(|known| names(known.event_type().fields)),
        }
    }
}

impl Names {
    pub(crate) fn of(&self, known: Known) -> &[Name] {
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
    /// A string with escapes; start and end are of its unescaped bytes in the arena.
    Unescaped,
    Object,
    Array,
}

impl SlotKind {
    pub(crate) const fn is_string(self) -> bool {
        matches!(self, SlotKind::CleanString | SlotKind::PlainString | SlotKind::Unescaped)
    }
}

/// A member that the contract does not know: its key with its quotes, and its value, in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unknown {
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
    const ALL: [Known; 5] =
        [Known::Purchase, Known::Refund, Known::TaskResult, Known::Session, Known::AbTestAssignment];

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

/// The fields of one line. Its memory is reused from line to line.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) envelope: Slots<{ ENVELOPE.len() }>,
    pub(crate) payload: Slots<PAYLOAD_FIELDS>,
    /// Which payload was read into `payload`.
    pub(crate) payload_of: Option<Known>,
    /// Unescaped strings, one after another.
    pub(crate) arena: Vec<u8>,
    pub(crate) names: Names,
}

impl Fields {
    pub(crate) fn clear(&mut self) {
        self.envelope.clear();
        self.payload.clear();
        self.payload_of = None;
        self.arena.clear();
    }

    /// The unescaped bytes of a slot that holds a string, or a number's text.
    pub(crate) fn text<'a>(&'a self, line: &'a [u8], slot: Slot) -> &'a [u8] {
        let bytes = if slot.kind == SlotKind::Unescaped { &self.arena[..] } else { line };
        &bytes[slot.start as usize..slot.end as usize]
    }
}

/// The slots of one object, in the order of the registry, and its unknown members in the line's order.
#[derive(Debug)]
pub(crate) struct Slots<const N: usize> {
    pub(crate) slots: [Slot; N],
    pub(crate) unknown: Vec<Unknown>,
    /// Producers write keys in one order: the field after the last one found is tried first.
    next: usize,
}

impl<const N: usize> Default for Slots<N> {
    fn default() -> Self {
        Slots { slots: [Slot::default(); N], unknown: Vec::new(), next: 0 }
    }
}

impl<const N: usize> Slots<N> {
    pub(crate) fn clear(&mut self) {
        self.slots = [Slot::default(); N];
        self.unknown.clear();
        self.next = 0;
    }

    /// The place of a key among the known names.
    #[inline]
    pub(crate) fn find(&mut self, names: &[Name], key: &[u8]) -> Option<usize> {
        let key = Name { number: short::number(key)?, length: key.len() };
        if names.get(self.next) == Some(&key) {
            self.next += 1;
            return Some(self.next - 1);
        }
        let place = names.iter().position(|name| *name == key)?;
        self.next = place + 1;
        Some(place)
    }

    pub(crate) fn set(&mut self, place: usize, slot: Slot) {
        let old = &mut self.slots[place];
        *old = if old.kind == SlotKind::Absent { slot } else { Slot { kind: SlotKind::Twice, ..slot } };
    }
}
