//! Columns of few different strings: `LowCardinality(String)`.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::{Column, Strings, View};

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
    /// Rows often repeat the value of the row before.
    last: u32,
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
            last: 0,
        }
    }
}

impl Dictionary {
    /// Appends a row.
    pub fn push(&mut self, value: &[u8]) {
        if value.is_empty() {
            self.indices.push(0);
            return;
        }
        if self.entries.get(self.last as usize) != value {
            self.last = self.find_or_insert(value);
        }
        self.indices.push(self.last);
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
        self.last = 0;
    }

    fn bytes(&self) -> usize {
        size_of_val(self.indices.as_slice()) + self.entries.bytes() + 8 * self.lookup.len()
    }

    fn view(&self) -> View<'_> {
        View::Dictionary(self)
    }
}
