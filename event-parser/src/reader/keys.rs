//! Looking up keys: a perfect hash table for the fields of each object.

use event_schema::registry::{ENVELOPE, Field};

use crate::contract::KEY_BYTES;
use crate::payload_kind::PayloadKind;
use crate::span::{self, Span};

/// Buckets of one object's table; a power of two.
const BUCKETS: usize = 64;
/// The content of an empty bucket: past all fields.
const EMPTY: u8 = u8::MAX;

/// A key as it is compared: no field's name is longer than its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    prefix: [u64; 2],
    length: usize,
}

impl Key {
    #[inline]
    fn new(key: Span<'_>) -> Key {
        Key { prefix: span::prefix(key), length: key.len() }
    }

    #[inline]
    fn bucket(self, factor: u64) -> usize {
        let [first, second] = self.prefix;
        let hash = (first ^ second.rotate_left(29) ^ self.length as u64).wrapping_mul(factor);
        (hash >> (u64::BITS - BUCKETS.ilog2())) as usize
    }
}

const _: () = assert!(KEY_BYTES == size_of::<[u64; 2]>(), "a name is compared as its prefix");

/// The keys of one object's fields, each in a bucket of its own.
#[derive(Debug)]
pub(super) struct KeyTable {
    keys: Vec<Key>,
    /// The field whose key is in each bucket.
    buckets: [u8; BUCKETS],
    /// An odd number with which no two keys have the same bucket.
    factor: u64,
}

impl KeyTable {
    fn new(fields: &[Field]) -> KeyTable {
        let keys: Vec<Key> = fields.iter().map(|field| Key::new(Span::from(field.name.as_bytes()))).collect();
        let factors = (1..10_000_u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut buckets = [EMPTY; BUCKETS];
        for factor in factors {
            buckets = [EMPTY; BUCKETS];
            let is_free = |(field, key): (usize, &Key)| {
                std::mem::replace(&mut buckets[key.bucket(factor)], field as u8) == EMPTY
            };
            if keys.iter().enumerate().all(is_free) {
                return KeyTable { keys, buckets, factor };
            }
        }
        unreachable!("a dozen keys fit into {BUCKETS} buckets: {buckets:?}")
    }

    /// The index of the field that has this key.
    #[inline]
    pub(super) fn find(&self, key: Span<'_>) -> Option<usize> {
        let key = Key::new(key);
        let field = usize::from(self.buckets[key.bucket(self.factor)]);
        // An empty bucket's content is past all keys.
        (self.keys.get(field) == Some(&key)).then_some(field)
    }
}

/// The keys of the envelope and of every payload.
#[derive(Debug)]
pub(crate) struct KeyTables {
    pub(super) envelope: KeyTable,
    payloads: [KeyTable; PayloadKind::ALL.len()],
}

impl Default for KeyTables {
    fn default() -> KeyTables {
        KeyTables {
            envelope: KeyTable::new(&ENVELOPE),
            payloads: PayloadKind::ALL.map(|kind| KeyTable::new(kind.event_type().fields)),
        }
    }
}

impl KeyTables {
    pub(super) fn of(&self, kind: PayloadKind) -> &KeyTable {
        &self.payloads[kind as usize]
    }
}
