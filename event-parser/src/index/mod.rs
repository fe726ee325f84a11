//! Stage 1: where a chunk's quotes, newlines and odd bytes are.
//!
//! *Odd* are the bytes that make a line more than its quotes tell: backslashes, and control characters
//! other than the newline. A line without any has no escapes, no control character in any string, and every
//! quote in it opens or closes a string, so stage 2 can jump from quote to quote.
//!
//! The pass itself is `arch`'s: one loop, compiled for each set of instructions, chosen at run time.

#![expect(clippy::inline_always, reason = "the pass is one loop, compiled anew for each set of instructions")]

mod arch;
mod positions;

#[cfg(test)]
mod tests;

pub(crate) use arch::Backend;
use positions::Positions;

/// Positions found in one chunk. Its memory is reused from chunk to chunk.
#[derive(Debug, Default)]
pub(crate) struct Index {
    backend: Backend,
    quotes: Positions,
    odd: Positions,
    line_ends: Vec<LineEnd>,
}

/// A newline, and what stands before it in the chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LineEnd {
    at: u32,
    quotes: u32,
    odd: u32,
}

/// One line of an indexed chunk, all positions counted from the chunk's start.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IndexedLine<'a> {
    /// Where it starts.
    pub(crate) start: usize,
    /// Where it ends, its newline left out.
    pub(crate) end: usize,
    /// Its quotes, escaped ones too.
    pub(crate) quotes: &'a [u32],
    /// Its backslashes and control characters.
    pub(crate) odd: &'a [u32],
}

impl Index {
    /// Indexes a chunk of less than 4 GiB.
    pub(crate) fn build(&mut self, chunk: &[u8]) {
        self.quotes.clear();
        self.odd.clear();
        self.line_ends.clear();
        self.backend.index(chunk, self);
    }

    /// Notes what 64 bytes are, which begin at `base`.
    #[inline(always)]
    fn add(&mut self, base: u32, masks: Masks) {
        let mut newlines = masks.newlines;
        while newlines != 0 {
            let bit = newlines.trailing_zeros();
            let before = |mask: u64| (mask & ((1 << bit) - 1)).count_ones();
            self.line_ends.push(LineEnd {
                at: base + bit,
                quotes: self.quotes.count() + before(masks.quotes),
                odd: self.odd.count() + before(masks.odd),
            });
            newlines &= newlines - 1;
        }
        self.quotes.push(base, masks.quotes);
        self.odd.push(base, masks.odd);
    }

    /// The chunk's lines; what follows the last newline is a line too, where it is not empty.
    pub(crate) fn lines(&self, chunk_length: usize) -> impl Iterator<Item = IndexedLine<'_>> {
        let (quotes, odd) = (self.quotes.as_slice(), self.odd.as_slice());
        let last = self.line_ends.last().map_or(0, |end| end.at as usize + 1);
        let unended = (last < chunk_length).then_some(LineEnd {
            at: chunk_length as u32,
            quotes: quotes.len() as u32,
            odd: odd.len() as u32,
        });
        let mut before = LineEnd { at: 0, quotes: 0, odd: 0 };
        self.line_ends.iter().copied().chain(unended).map(move |end| {
            let line = IndexedLine {
                start: before.at as usize,
                end: end.at as usize,
                quotes: &quotes[before.quotes as usize..end.quotes as usize],
                odd: &odd[before.odd as usize..end.odd as usize],
            };
            before = LineEnd { at: end.at + 1, ..end };
            line
        })
    }
}

/// Which of 64 bytes are what, a bit each, the first byte's bit the lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Masks {
    quotes: u64,
    newlines: u64,
    odd: u64,
}
