//! Positions of the contract's fields, computed from the registry when the parser is compiled.

use event_schema::registry::{ENVELOPE, Field};

use crate::payload_kind::PayloadKind;

/// The slot of `event_type`.
pub(crate) const EVENT_TYPE: usize = index_of(&ENVELOPE, "event_type");
/// The slot of `properties`.
pub(crate) const PROPERTIES: usize = index_of(&ENVELOPE, "properties");
/// The slot of the first field of a payload.
pub(crate) const FIRST_OF_PAYLOAD: usize = ENVELOPE.len();
/// The slot of values that no field takes: after those of the longest payload.
pub(crate) const IGNORED_SLOT: usize = FIRST_OF_PAYLOAD + longest_payload();
/// The number of slots of a row.
pub(crate) const SLOTS: usize = IGNORED_SLOT + 1;

/// The most bytes of a field's name: names are compared as two words.
pub(crate) const KEY_BYTES: usize = 16;

const _: () = assert!(SLOTS <= u8::MAX as usize, "templates keep slots in a byte");
const _: () = {
    assert_short_names(&ENVELOPE);
    let mut kind = 0;
    while kind < PayloadKind::ALL.len() {
        assert_short_names(PayloadKind::ALL[kind].event_type().fields);
        kind += 1;
    }
};

/// The position of the field of that name. Called in constants only: it panics where there is none.
pub(crate) const fn index_of(fields: &[Field], name: &str) -> usize {
    let mut index = 0;
    while index < fields.len() {
        if is_same(fields[index].name, name) {
            return index;
        }
        index += 1;
    }
    panic!("the registry has no field of that name: run `cargo xtask codegen`")
}

/// Whether the list has that name.
pub(crate) const fn contains(names: &[&str], name: &str) -> bool {
    let mut index = 0;
    while index < names.len() {
        if is_same(names[index], name) {
            return true;
        }
        index += 1;
    }
    false
}

/// `==` of strings in constants.
const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

const fn longest_payload() -> usize {
    let (mut longest, mut kind) = (0, 0);
    while kind < PayloadKind::ALL.len() {
        let fields = PayloadKind::ALL[kind].event_type().fields.len();
        if fields > longest {
            longest = fields;
        }
        kind += 1;
    }
    longest
}

const fn assert_short_names(fields: &[Field]) {
    let mut index = 0;
    while index < fields.len() {
        assert!(fields[index].name.len() <= KEY_BYTES, "a field's name has at most 16 bytes");
        index += 1;
    }
}
