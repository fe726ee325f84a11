//! The structural index of a chunk: the positions of its tokens and special bytes.
//!
//! *Tokens* are the quotes that open or close a string, and the newlines. A quote after a backslash that is not itself
//! escaped is not a token.
//! *Special* bytes are backslashes, and control characters other than the newline. A line without special bytes has no
//! escapes and no control characters in its strings.
//!
//! Lines are split at raw newlines, without regard to strings: a stray quote can break its own line only.
//!
//! One loop, 64 bytes a step; bytes are classified by [`Simd`].

#![expect(clippy::inline_always, reason = "one loop, compiled for each instruction set")]

mod kept;
mod positions;

#[cfg(test)]
mod tests;

use crate::arch::{Backend, Masks, Simd, Task};
use kept::Kept;
use positions::Positions;

/// The bytes of one step.
const BLOCK_BYTES: u32 = 64;

/// How far ahead bytes are prefetched, so that they are in the cache when they are classified.
const PREFETCH_BYTES: usize = 4096;

/// The index of one chunk. The memory is reused from chunk to chunk.
#[derive(Debug, Default)]
pub(crate) struct Index {
    tokens: Positions,
    special: Positions,
    line_ends: Kept<LineEnd>,
    /// The starts of the blocks that have bytes beyond ASCII.
    beyond_ascii: Kept<u32>,
}

/// A newline, and the number of the chunk's tokens up to it, including itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct LineEnd {
    at: u32,
    tokens: u32,
}

/// One line of an indexed chunk, all positions counted from the chunk's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexedLine {
    /// Its number in the chunk, from 0.
    pub(crate) number: u32,
    /// Its first byte.
    pub(crate) start: u32,
    /// After its last byte, before its newline.
    pub(crate) end: u32,
    /// Its tokens among the chunk's: from the first to before the last.
    tokens: (u32, u32),
    /// Its special bytes among the chunk's.
    special: (u32, u32),
    /// It has a newline.
    pub(crate) has_newline: bool,
    /// It has no byte beyond ASCII.
    pub(crate) is_ascii: bool,
}

impl IndexedLine {
    /// Whether it has special bytes.
    #[inline(always)]
    pub(crate) fn has_special(&self) -> bool {
        self.special.0 < self.special.1
    }
}

/// The pass over a chunk.
struct Build<'a> {
    index: &'a mut Index,
    /// The chunk, and the bytes after it.
    bytes: &'a [u8],
    length: usize,
}

impl Task for Build<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (blocks, rest) = self.bytes[..self.length].as_chunks::<{ BLOCK_BYTES as usize }>();
        let mut base = 0;
        let mut next_is_escaped = 0;
        for block in blocks {
            simd.prefetch(self.bytes, base as usize + PREFETCH_BYTES);
            self.index.add(simd, base, block, &mut next_is_escaped);
            base += BLOCK_BYTES;
        }
        if !rest.is_empty() {
            // Spaces are neither quotes, newlines nor rare bytes.
            let mut last = [b' '; BLOCK_BYTES as usize];
            last[..rest.len()].copy_from_slice(rest);
            self.index.add(simd, base, &last, &mut next_is_escaped);
        }
    }
}

impl Index {
    /// Indexes a chunk: the first `length` of some bytes, less than 4 GiB.
    pub(crate) fn build(&mut self, backend: Backend, bytes: &[u8], length: usize) {
        self.tokens.clear();
        self.special.clear();
        self.line_ends.clear();
        self.beyond_ascii.clear();
        backend.run(Build { index: self, bytes, length });
    }

    /// Adds the block that begins at `base`.
    #[inline(always)]
    fn add<S: Simd>(&mut self, simd: S, base: u32, block: &[u8; 64], next_is_escaped: &mut u64) {
        let Masks { mut quotes, mut newlines, rare } = simd.masks(block);
        if rare | *next_is_escaped != 0 {
            quotes &= !self.add_rare(simd, base, block, rare, next_is_escaped);
        }
        let tokens = quotes | newlines;
        // The first newline is written whether there is one or not: a branch on it would be mispredicted.
        loop {
            let up_to_here = tokens & (newlines ^ newlines.wrapping_sub(1));
            let end = LineEnd {
                at: base.wrapping_add(newlines.trailing_zeros()),
                tokens: self.tokens.count() + up_to_here.count_ones(),
            };
            self.line_ends.write(end, newlines != 0);
            newlines &= newlines.wrapping_sub(1);
            if newlines == 0 {
                break;
            }
        }
        self.tokens.push(simd, base, tokens);
    }

    /// Adds the rare bytes; returns which characters are escaped by a backslash.
    #[inline(always)]
    fn add_rare<S: Simd>(
        &mut self,
        simd: S,
        base: u32,
        block: &[u8; 64],
        rare: u64,
        next_is_escaped: &mut u64,
    ) -> u64 {
        // In prose no block is like the last: no branches here.
        let masks = simd.rare_masks(block);
        self.beyond_ascii.write(base, masks.beyond_ascii != 0);
        self.special.push(simd, base, rare & !masks.beyond_ascii);
        escaped(masks.backslashes, next_is_escaped)
    }

    /// A line's quotes, and its newline, if it has one. Every quote opens or closes a string, provided that no backslash
    /// is outside of a string.
    #[inline(always)]
    pub(crate) fn tokens(&self, line: &IndexedLine) -> &[u32] {
        &self.tokens.as_slice()[line.tokens.0 as usize..line.tokens.1 as usize]
    }

    /// A line's quotes, as in [`Self::tokens`].
    #[inline(always)]
    pub(crate) fn quotes(&self, line: &IndexedLine) -> &[u32] {
        let end = line.tokens.1 - u32::from(line.has_newline);
        &self.tokens.as_slice()[line.tokens.0 as usize..end as usize]
    }

    /// A line's backslashes and control characters.
    #[inline(always)]
    pub(crate) fn special(&self, line: &IndexedLine) -> &[u32] {
        &self.special.as_slice()[line.special.0 as usize..line.special.1 as usize]
    }

    /// The chunk's lines; bytes after the last newline are a line, too.
    pub(crate) fn lines(&self, chunk_length: usize) -> impl Iterator<Item = IndexedLine> {
        let special = self.special.as_slice();
        let mut beyond_ascii = self.beyond_ascii.as_slice();
        let length = chunk_length as u32;
        let has_unended = self.line_ends.as_slice().last().map_or(0, |end| end.at + 1) < length;
        let unended = has_unended.then_some(LineEnd { at: length, tokens: self.tokens.count() });
        let (mut before, mut first_special) = (LineEnd { at: 0, tokens: 0 }, 0);
        self.line_ends.as_slice().iter().copied().chain(unended).zip(0..).map(move |(end, number)| {
            let is_ascii = loop {
                match beyond_ascii {
                    // A block that ends before the line begins.
                    [base, rest @ ..] if base + BLOCK_BYTES <= before.at => beyond_ascii = rest,
                    // The bytes may be those of a neighbouring line: the line is checked for UTF-8 without need.
                    [base, ..] => break *base >= end.at,
                    [] => break true,
                }
            };
            let mut past_special = first_special;
            while special.get(past_special).is_some_and(|at| *at < end.at) {
                past_special += 1;
            }
            let line = IndexedLine {
                number,
                start: before.at,
                end: end.at,
                tokens: (before.tokens, end.tokens),
                special: (first_special as u32, past_special as u32),
                has_newline: end.at < length,
                is_ascii,
            };
            (before, first_special) = (LineEnd { at: end.at + 1, ..end }, past_special);
            line
        })
    }
}

/// Which characters of a block are escaped by a backslash; `next_is_escaped` says it of the first of the next block.
///
/// As in simdjson (Geoff Langdale, Daniel Lemire, "Parsing Gigabytes of JSON per Second", 2019, section 3.1.1,
/// in the form of its release 3): subtracting from the odd bits runs through each series of backslashes.
#[inline(always)]
fn escaped(backslashes: u64, next_is_escaped: &mut u64) -> u64 {
    const ODD_POSITIONS: u64 = 0xaaaa_aaaa_aaaa_aaaa;
    let potential_escapes = backslashes & !*next_is_escaped;
    let maybe_escaped = potential_escapes << 1;
    let series = (maybe_escaped | ODD_POSITIONS).wrapping_sub(potential_escapes) ^ ODD_POSITIONS;
    let escaped = series ^ (backslashes | *next_is_escaped);
    *next_is_escaped = (series & backslashes) >> 63;
    escaped
}
