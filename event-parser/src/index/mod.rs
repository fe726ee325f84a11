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
    newlines: Positions,
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
        self.newlines.clear();
        self.backend.index(chunk, self);
    }

    /// Notes what 64 bytes are, which begin at `base`.
    #[inline(always)]
    fn add(&mut self, base: u32, masks: Masks) {
        self.quotes.push(base, masks.quotes);
        self.newlines.push(base, masks.newlines);
        self.odd.push(base, masks.odd);
    }

    /// The chunk's lines; what follows the last newline is a line too, where it is not empty.
    pub(crate) fn lines(&self, chunk_length: usize) -> impl Iterator<Item = IndexedLine<'_>> {
        let newlines = self.newlines.as_slice();
        let last = newlines.last().map_or(0, |newline| *newline as usize + 1);
        let ends = newlines.iter().map(|newline| *newline as usize);
        let unended = (last < chunk_length).then_some(chunk_length);
        let (mut quotes, mut odd, mut start) = (self.quotes.as_slice(), self.odd.as_slice(), 0);
        ends.chain(unended).map(move |end| {
            let line = IndexedLine {
                start,
                end,
                quotes: take_before(&mut quotes, end),
                odd: take_before(&mut odd, end),
            };
            start = end + 1;
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

/// Cuts the positions before `end` off the front.
fn take_before<'a>(positions: &mut &'a [u32], end: usize) -> &'a [u32] {
    let count = positions.iter().take_while(|position| (**position as usize) < end).count();
    let (before, after) = positions.split_at(count);
    *positions = after;
    before
}
