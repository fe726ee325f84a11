//! Stage 1: where a chunk's tokens and odd bytes are.
//!
//! *Tokens* are the quotes that open or close a string, and the newlines. A quote after a backslash that is not itself
//! escaped is none.
//! *Odd* are the bytes that make a line more than its quotes tell: backslashes, and control characters other
//! than the newline. A line without any has no escapes and no control character in any string.
//!
//! One loop, 64 bytes a step; what the bytes are is asked of [`Simd`].

#![expect(clippy::inline_always, reason = "the pass is one loop, compiled anew for each set of instructions")]

mod kept;
mod positions;

#[cfg(test)]
mod tests;

use crate::arch::{Backend, Masks, Simd, Task};
use kept::Kept;
use positions::Positions;

/// The bytes of one step.
const BLOCK_BYTES: u32 = 64;

/// How far ahead bytes are asked for: they should not have to come from memory when they are looked at.
const PREFETCH_BYTES: usize = 4096;

/// Positions found in one chunk. Its memory is reused from chunk to chunk.
#[derive(Debug, Default)]
pub(crate) struct Index {
    tokens: Positions,
    odd: Positions,
    line_ends: Kept<LineEnd>,
    /// Where the blocks begin that have bytes beyond ASCII.
    beyond_ascii: Kept<u32>,
}

/// A newline, and how many of the chunk's tokens there are up to it, itself among them.
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
    /// Where it starts.
    pub(crate) start: u32,
    /// Where it ends, its newline left out.
    pub(crate) end: u32,
    /// Its tokens among the chunk's: from the first to before the last.
    tokens: (u32, u32),
    /// Its odd bytes among the chunk's.
    odd: (u32, u32),
    /// It has a newline.
    pub(crate) has_newline: bool,
    /// It has no byte beyond ASCII.
    pub(crate) is_ascii: bool,
}

impl IndexedLine {
    /// Whether it has backslashes or control characters.
    #[inline(always)]
    pub(crate) fn has_odd(&self) -> bool {
        self.odd.0 < self.odd.1
    }
}

/// The pass over a chunk.
struct Build<'a> {
    index: &'a mut Index,
    /// The chunk, and whatever comes after it.
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
            // Spaces are neither quote, newline nor rare.
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
        self.odd.clear();
        self.line_ends.clear();
        self.beyond_ascii.clear();
        backend.run(Build { index: self, bytes, length });
    }

    /// Notes what a block is that begins at `base`.
    #[inline(always)]
    fn add<S: Simd>(&mut self, simd: S, base: u32, block: &[u8; 64], next_is_escaped: &mut u64) {
        let Masks { mut quotes, mut newlines, rare } = simd.masks(block);
        if rare | *next_is_escaped != 0 {
            quotes &= !self.add_rare(simd, base, block, rare, next_is_escaped);
        }
        let tokens = quotes | newlines;
        // A first newline is written down whether there is one or not: which block has it is not foreseeable.
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

    /// Notes what is rare, and answers which characters are escaped by a backslash.
    #[inline(always)]
    fn add_rare<S: Simd>(
        &mut self,
        simd: S,
        base: u32,
        block: &[u8; 64],
        rare: u64,
        next_is_escaped: &mut u64,
    ) -> u64 {
        // In prose each block is another: nothing here is worth a guess.
        let masks = simd.rare_masks(block);
        self.beyond_ascii.write(base, masks.beyond_ascii != 0);
        self.odd.push(simd, base, rare & !masks.beyond_ascii);
        escaped(masks.backslashes, next_is_escaped)
    }

    /// A line's quotes that open or close a string, as long as no backslash stands outside of one; then its newline, if
    /// it has one.
    #[inline(always)]
    pub(crate) fn tokens(&self, line: &IndexedLine) -> &[u32] {
        &self.tokens.as_slice()[line.tokens.0 as usize..line.tokens.1 as usize]
    }

    /// A line's quotes that open or close a string.
    #[inline(always)]
    pub(crate) fn quotes(&self, line: &IndexedLine) -> &[u32] {
        let end = line.tokens.1 - u32::from(line.has_newline);
        &self.tokens.as_slice()[line.tokens.0 as usize..end as usize]
    }

    /// A line's backslashes and control characters.
    #[inline(always)]
    pub(crate) fn odd(&self, line: &IndexedLine) -> &[u32] {
        &self.odd.as_slice()[line.odd.0 as usize..line.odd.1 as usize]
    }

    /// The chunk's lines; what follows the last newline is a line too, where it is not empty.
    pub(crate) fn lines(&self, chunk_length: usize) -> impl Iterator<Item = IndexedLine> {
        let odd = self.odd.as_slice();
        let mut beyond_ascii = self.beyond_ascii.as_slice();
        let length = chunk_length as u32;
        let has_unended = self.line_ends.as_slice().last().map_or(0, |end| end.at + 1) < length;
        let unended = has_unended.then_some(LineEnd { at: length, tokens: self.tokens.count() });
        let (mut before, mut first_odd) = (LineEnd { at: 0, tokens: 0 }, 0);
        self.line_ends.as_slice().iter().copied().chain(unended).zip(0..).map(move |(end, number)| {
            let is_ascii = loop {
                match beyond_ascii {
                    // A block that ends before the line begins.
                    [base, rest @ ..] if base + BLOCK_BYTES <= before.at => beyond_ascii = rest,
                    // Others may be the neighbour's: to take a line for more than ASCII costs time only.
                    [base, ..] => break *base >= end.at,
                    [] => break true,
                }
            };
            let mut past_odd = first_odd;
            while odd.get(past_odd).is_some_and(|at| *at < end.at) {
                past_odd += 1;
            }
            let line = IndexedLine {
                number,
                start: before.at,
                end: end.at,
                tokens: (before.tokens, end.tokens),
                odd: (first_odd as u32, past_odd as u32),
                has_newline: end.at < length,
                is_ascii,
            };
            (before, first_odd) = (LineEnd { at: end.at + 1, ..end }, past_odd);
            line
        })
    }
}

/// Which characters of a block stand after a backslash that escapes them; and whether the first of the next
/// block does.
///
/// As in simdjson (Geoff Langdale, Daniel Lemire, "Parsing Gigabytes of JSON per Second", 2019, section 3.1.1,
/// in the form of its release 3): subtracting from the odd bits runs through each series of backslashes.
#[inline(always)]
fn escaped(backslashes: u64, next_is_escaped: &mut u64) -> u64 {
    const ODD_BITS: u64 = 0xaaaa_aaaa_aaaa_aaaa;
    let potential_escapes = backslashes & !*next_is_escaped;
    let maybe_escaped = potential_escapes << 1;
    let series = (maybe_escaped | ODD_BITS).wrapping_sub(potential_escapes) ^ ODD_BITS;
    let escaped = series ^ (backslashes | *next_is_escaped);
    *next_is_escaped = (series & backslashes) >> 63;
    escaped
}
