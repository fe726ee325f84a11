//! Columns of few different strings, for `LowCardinality(String)`.

#![expect(clippy::inline_always, reason = "compiled for each instruction set")]

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::indices::{IndexColumn, Indices};
use super::{Column, Strings, View};
use crate::span::{self, Span};

/// A column of strings: each different string once in a dictionary, and one index a row.
///
/// Entry 0 is always the empty string, as the Native format requires. [`Column::clear`] empties the dictionary, too, so
/// that it cannot grow from batch to batch.
#[derive(Debug, Clone)]
pub struct Dictionary {
    indices: IndexColumn,
    entries: Strings,
    lookup: HashTable<u32>,
    hasher: FixedState,
    /// A cache of strings seen lately, by their prefix.
    recent: Box<[Recent; RECENT]>,
}

/// Entries of the cache; a power of two.
const RECENT: usize = 256;
/// A string of at most so many bytes is identified by its prefix and length.
const PREFIX_BYTES: usize = 16;

/// A string and its index in the dictionary.
#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    prefix: [u64; 2],
    /// Never 0 for a string: the empty one is entry 0.
    length: u32,
    index: u32,
}

impl Default for Dictionary {
    fn default() -> Dictionary {
        let mut entries = Strings::default();
        entries.push(b"");
        Dictionary {
            indices: IndexColumn::default(),
            entries,
            lookup: HashTable::new(),
            // Values are not trusted: the seed differs from process to process.
            hasher: FixedState::with_seed(foldhash::quality::RandomState::default().hash_one(0)),
            recent: Box::new([Recent::default(); RECENT]),
        }
    }
}

impl Dictionary {
    /// Appends a row.
    pub fn push(&mut self, value: &[u8]) {
        self.push_span(Span::from(value));
    }

    /// Appends a row.
    #[inline(always)]
    pub(crate) fn push_span(&mut self, value: Span<'_>) {
        let index = self.index_of(value);
        self.indices.push(index);
    }

    /// Appends rows.
    #[inline(always)]
    pub(crate) fn extend<'a>(&mut self, values: impl Iterator<Item = Span<'a>>) {
        for value in values {
            self.push_span(value);
        }
    }

    /// Appends rows of one string.
    pub(crate) fn push_times(&mut self, value: Span<'_>, count: usize) {
        let index = self.index_of(value);
        self.indices.push_times(index, count);
    }

    /// Appends a row by the index of its string.
    #[inline]
    pub(crate) fn push_index(&mut self, index: u32) {
        debug_assert!((index as usize) < self.entries.rows());
        self.indices.push(index);
    }

    /// The index of a string, which is added to the dictionary if it is new.
    #[inline(always)]
    pub(crate) fn index_of(&mut self, value: Span<'_>) -> u32 {
        if value.is_empty() {
            return 0;
        }
        let prefix = span::prefix(value);
        let hash =
            (prefix[0] ^ prefix[1].rotate_left(29) ^ value.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let slot = (hash >> (u64::BITS - RECENT.ilog2())) as usize;
        let recent = self.recent[slot];
        let is_same = recent.prefix == prefix && recent.length == value.len() as u32;
        if is_same
            && (value.len() <= PREFIX_BYTES || self.entries.get(recent.index as usize) == value.bytes())
        {
            return recent.index;
        }
        let index = self.find_or_insert(&value);
        self.recent[slot] = Recent { prefix, length: value.len() as u32, index };
        index
    }

    /// One index into [`Self::entries`] a row.
    pub fn indices(&self) -> Indices<'_> {
        self.indices.view()
    }

    /// The different strings; the first is the empty one.
    pub fn entries(&self) -> &Strings {
        &self.entries
    }

    /// One row's string.
    pub fn get(&self, row: usize) -> &[u8] {
        self.entries.get(self.indices.get(row) as usize)
    }

    #[cold]
    fn find_or_insert(&mut self, value: &[u8]) -> u32 {
        let Dictionary { indices, entries, lookup, hasher, .. } = self;
        let hash = hasher.hash_one(value);
        if let Some(index) = lookup.find(hash, |index| entries.get(*index as usize) == value) {
            return *index;
        }
        let index = entries.rows() as u32;
        entries.push(value);
        indices.widen_for(index);
        lookup.insert_unique(hash, index, |index| hasher.hash_one(entries.get(*index as usize)));
        index
    }
}

impl Column for Dictionary {
    fn clear(&mut self) {
        self.indices.clear();
        if self.lookup.is_empty() {
            return;
        }
        self.lookup.clear();
        self.entries.clear();
        self.entries.push(b"");
        self.recent.fill(Recent::default());
    }

    fn bytes(&self) -> usize {
        self.indices.bytes() + self.entries.bytes() + 8 * self.lookup.len()
    }

    fn view(&self) -> View<'_> {
        View::Dictionary(self)
    }

    fn push_absent(&mut self, count: usize) {
        self.push_times(Span::EMPTY, count);
    }
}
