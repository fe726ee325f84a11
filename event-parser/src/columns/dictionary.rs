//! Columns of few different strings: `LowCardinality(String)`.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::indices::{IndexColumn, Indices};
use super::{Column, Strings, View};
use crate::span::{self, Span};

/// A column of strings stored once each in a dictionary, with an index a row.
///
/// Entry 0 is always the empty string, as the Native format wants it. The dictionary lives as long as the
/// batch: [`Column::clear`] empties it too, so that hostile values cannot pile up.
#[derive(Debug, Clone)]
pub struct Dictionary {
    indices: IndexColumn,
    entries: Strings,
    lookup: HashTable<u32>,
    hasher: FixedState,
    /// Strings seen lately, by the number of their first bytes.
    recent: Box<[Recent; RECENT]>,
}

/// How many strings are remembered; a power of two.
const RECENT: usize = 256;
/// A string of at most so many bytes is told by its number and length.
const TOLD_BYTES: usize = 16;

/// A string and its place among the entries.
#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    number: [u64; 2],
    /// No string has length 0 here: that one is entry 0.
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
            // Values come from outside: the seed differs from process to process.
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

    /// Appends a row whose string has an index already.
    #[inline]
    pub(crate) fn push_index(&mut self, index: u32) {
        debug_assert!((index as usize) < self.entries.rows());
        self.indices.push(index);
    }

    /// The index of a string, which is put among the entries where it is not there.
    #[inline(always)]
    pub(crate) fn index_of(&mut self, value: Span<'_>) -> u32 {
        if value.is_empty() {
            return 0;
        }
        let number = span::number(value);
        let hash =
            (number[0] ^ number[1].rotate_left(29) ^ value.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = (hash >> (u64::BITS - RECENT.ilog2())) as usize;
        let recent = self.recent[place];
        let is_told = recent.number == number && recent.length == value.len() as u32;
        if is_told && (value.len() <= TOLD_BYTES || self.entries.get(recent.index as usize) == value.bytes())
        {
            return recent.index;
        }
        let index = self.find_or_insert(&value);
        self.recent[place] = Recent { number, length: value.len() as u32, index };
        index
    }

    /// An index into [`Self::entries`] a row.
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
}
