//! Stage 1: where a chunk's quotes, newlines and odd bytes are.
//!
//! Quotes are those that open or close a string: one after a backslash that is not itself escaped is left out.
//! *Odd* are the bytes that make a line more than its quotes tell: backslashes, and control characters other
//! than the newline. A line without any has no escapes and no control character in any string.
//!
//! One loop, 64 bytes a step; what the bytes are is asked of [`Simd`].

#![expect(clippy::inline_always, reason = "the pass is one loop, compiled anew for each set of instructions")]

mod positions;

#[cfg(test)]
mod tests;

use crate::arch::{Backend, Masks, Simd, Task};
use positions::Positions;

/// The bytes of one step.
const BLOCK_BYTES: u32 = 64;

/// Positions found in one chunk. Its memory is reused from chunk to chunk.
#[derive(Debug, Default)]
pub(crate) struct Index {
    quotes: Positions,
    odd: Positions,
    line_ends: LineEnds,
    /// Where the blocks begin that have bytes beyond ASCII.
    beyond_ascii: Vec<u32>,
}

/// A newline, and how many quotes stand before it in the chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct LineEnd {
    at: u32,
    quotes: u32,
}

/// Newlines in their order.
#[derive(Debug, Default)]
struct LineEnds {
    /// Longer than `count`.
    slots: Vec<LineEnd>,
    count: usize,
}

impl LineEnds {
    fn as_slice(&self) -> &[LineEnd] {
        &self.slots[..self.count]
    }

    /// Writes a newline down, and keeps it or not.
    #[inline(always)]
    fn write(&mut self, end: LineEnd, is_kept: bool) {
        if self.count == self.slots.len() {
            self.grow();
        }
        self.slots[self.count] = end;
        self.count += usize::from(is_kept);
    }

    #[cold]
    fn grow(&mut self) {
        self.slots.resize(self.count * 2 + 1024, LineEnd::default());
    }
}

/// One line of an indexed chunk, all positions counted from the chunk's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexedLine<'a> {
    /// Where it starts.
    pub(crate) start: usize,
    /// Where it ends, its newline left out.
    pub(crate) end: usize,
    /// Its quotes that open or close a string, as long as no backslash stands outside of one.
    pub(crate) quotes: &'a [u32],
    /// Its backslashes and control characters.
    pub(crate) odd: &'a [u32],
    /// It has no byte beyond ASCII.
    pub(crate) is_ascii: bool,
}

/// The pass over a chunk.
struct Build<'a> {
    index: &'a mut Index,
    chunk: &'a [u8],
}

impl Task for Build<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (blocks, rest) = self.chunk.as_chunks::<{ BLOCK_BYTES as usize }>();
        let mut base = 0;
        let mut next_is_escaped = 0;
        for block in blocks {
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
    /// Indexes a chunk of less than 4 GiB.
    pub(crate) fn build(&mut self, backend: Backend, chunk: &[u8]) {
        self.quotes.clear();
        self.odd.clear();
        self.line_ends.count = 0;
        self.beyond_ascii.clear();
        backend.run(Build { index: self, chunk });
    }

    /// Notes what a block is that begins at `base`.
    #[inline(always)]
    fn add<S: Simd>(&mut self, simd: S, base: u32, block: &[u8; 64], next_is_escaped: &mut u64) {
        let Masks { mut quotes, mut newlines, rare } = simd.masks(block);
        if rare | *next_is_escaped != 0 {
            quotes &= !self.add_rare(simd, base, block, rare, next_is_escaped);
        }
        // A first newline is written down whether there is one or not: which block has it is not foreseeable.
        loop {
            let before = quotes & (newlines ^ newlines.wrapping_sub(1));
            let end = LineEnd {
                at: base.wrapping_add(newlines.trailing_zeros()),
                quotes: self.quotes.count() + before.count_ones(),
            };
            self.line_ends.write(end, newlines != 0);
            newlines &= newlines.wrapping_sub(1);
            if newlines == 0 {
                break;
            }
        }
        self.quotes.push(simd, base, quotes);
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
        let masks = simd.rare_masks(block);
        if masks.beyond_ascii != 0 {
            self.beyond_ascii.push(base);
        }
        let odd = rare & !masks.beyond_ascii;
        if odd != 0 {
            self.odd.push(simd, base, odd);
        }
        escaped(masks.backslashes, next_is_escaped)
    }

    /// The chunk's lines; what follows the last newline is a line too, where it is not empty.
    pub(crate) fn lines(&self, chunk_length: usize) -> impl Iterator<Item = IndexedLine<'_>> {
        let quotes = self.quotes.as_slice();
        let (mut odd, mut beyond_ascii) = (self.odd.as_slice(), self.beyond_ascii.as_slice());
        let last = self.line_ends.as_slice().last().map_or(0, |end| end.at as usize + 1);
        let unended =
            (last < chunk_length).then_some(LineEnd { at: chunk_length as u32, quotes: quotes.len() as u32 });
        let mut before = LineEnd { at: 0, quotes: 0 };
        self.line_ends.as_slice().iter().copied().chain(unended).map(move |end| {
            let is_ascii = loop {
                match beyond_ascii {
                    // A block that ends before the line begins.
                    [base, rest @ ..] if base + BLOCK_BYTES <= before.at => beyond_ascii = rest,
                    // Others may be the neighbour's: to take a line for more than ASCII costs time only.
                    [base, ..] => break *base >= end.at,
                    [] => break true,
                }
            };
            let line_odd = match odd.first() {
                Some(first) if *first < end.at => {
                    let count = odd.iter().position(|at| *at >= end.at).unwrap_or(odd.len());
                    let (line_odd, rest) = odd.split_at(count);
                    odd = rest;
                    line_odd
                }
                _ => &[],
            };
            let line = IndexedLine {
                start: before.at as usize,
                end: end.at as usize,
                quotes: &quotes[before.quotes as usize..end.quotes as usize],
                odd: line_odd,
                is_ascii,
            };
            before = LineEnd { at: end.at + 1, ..end };
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
