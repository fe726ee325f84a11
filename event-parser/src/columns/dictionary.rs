//! Columns of few different strings: `LowCardinality(String)`.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::{Column, Strings, View};
use crate::short;

/// A column of strings stored once each in a dictionary, with an index a row.
///
/// Entry 0 is always the empty string, as the Native format wants it. The dictionary lives as long as the
/// batch: [`Column::clear`] empties it too, so that hostile values cannot pile up.
#[derive(Debug, Clone)]
pub struct Dictionary {
    indices: Vec<u32>,
    entries: Strings,
    lookup: HashTable<u32>,
    hasher: FixedState,
    /// Short strings seen lately.
    recent: Box<[Recent; RECENT]>,
    /// The long string seen last.
    last_long: u32,
}

/// How many short strings are remembered; a power of two.
const RECENT: usize = 256;

/// A short string and its place among the entries.
#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    number: u128,
    /// No string has length 0 here: that one is entry 0.
    length: u32,
    index: u32,
}

impl Default for Dictionary {
    fn default() -> Dictionary {
        let mut entries = Strings::default();
        entries.push(b"");
        Dictionary {
            indices: Vec::new(),
            entries,
            lookup: HashTable::new(),
            // Values come from outside: the seed differs from process to process.
            hasher: FixedState::with_seed(foldhash::quality::RandomState::default().hash_one(0)),
            recent: Box::new([Recent::default(); RECENT]),
            last_long: 0,
        }
    }
}

impl Dictionary {
    /// Appends a row.
    #[inline]
    pub fn push(&mut self, value: &[u8]) {
        let index = match short::number(value) {
            _ if value.is_empty() => 0,
            Some(number) => self.short_index(number, value),
            None => self.long_index(value),
        };
        self.indices.push(index);
    }

    /// An index into [`Self::entries`] a row.
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// The different strings; the first is the empty one.
    pub fn entries(&self) -> &Strings {
        &self.entries
    }

    /// One row's string.
    pub fn get(&self, row: usize) -> &[u8] {
        self.entries.get(self.indices[row] as usize)
    }

    #[inline]
    fn short_index(&mut self, number: u128, value: &[u8]) -> u32 {
        let folded = (number as u64 ^ (number >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = (folded >> (u64::BITS - RECENT.ilog2())) as usize;
        let length = value.len() as u32;
        let recent = self.recent[place];
        if recent.number == number && recent.length == length {
            return recent.index;
        }
        let index = self.find_or_insert(value);
        self.recent[place] = Recent { number, length, index };
        index
    }

    fn long_index(&mut self, value: &[u8]) -> u32 {
        if self.entries.get(self.last_long as usize) != value {
            self.last_long = self.find_or_insert(value);
        }
        self.last_long
    }

    #[cold]
    fn find_or_insert(&mut self, value: &[u8]) -> u32 {
        let Dictionary { entries, lookup, hasher, .. } = self;
        let hash = hasher.hash_one(value);
        if let Some(index) = lookup.find(hash, |index| entries.get(*index as usize) == value) {
            return *index;
        }
        let index = entries.rows() as u32;
        entries.push(value);
        lookup.insert_unique(hash, index, |index| hasher.hash_one(entries.get(*index as usize)));
        index
    }
}

impl Column for Dictionary {
    fn clear(&mut self) {
        self.indices.clear();
        self.lookup.clear();
        self.entries.clear();
        self.entries.push(b"");
        self.recent.fill(Recent::default());
        self.last_long = 0;
    }

    fn bytes(&self) -> usize {
        size_of_val(self.indices.as_slice()) + self.entries.bytes() + 8 * self.lookup.len()
    }

    fn view(&self) -> View<'_> {
        View::Dictionary(self)
    }
}
