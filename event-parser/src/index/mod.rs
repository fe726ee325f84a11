//! Stage 1: where a chunk's quotes, newlines and odd bytes are.
//!
//! *Odd* are the bytes that make a line more than its quotes tell: backslashes, and control characters
//! other than the newline. A line without any has no escapes, no control character in any string, and every
//! quote in it opens or closes a string, so stage 2 can jump from quote to quote.

mod portable;

#[cfg(test)]
mod tests;

/// Positions found in one chunk. Its memory is reused from chunk to chunk.
#[derive(Debug, Default)]
pub(crate) struct Index {
    quotes: Vec<u32>,
    odd: Vec<u32>,
    newlines: Vec<u32>,
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
        let (blocks, rest) = chunk.as_chunks::<64>();
        for (number, block) in blocks.iter().enumerate() {
            self.add(number as u32 * 64, portable::masks(block));
        }
        if !rest.is_empty() {
            // Spaces are neither quote, newline nor odd.
            let mut last = [b' '; 64];
            last[..rest.len()].copy_from_slice(rest);
            self.add(blocks.len() as u32 * 64, portable::masks(&last));
        }
    }

    fn add(&mut self, base: u32, masks: Masks) {
        push_bits(&mut self.quotes, base, masks.quotes);
        push_bits(&mut self.newlines, base, masks.newlines);
        push_bits(&mut self.odd, base, masks.odd);
    }

    /// The chunk's lines; what follows the last newline is a line too, where it is not empty.
    pub(crate) fn lines(&self, chunk_length: usize) -> impl Iterator<Item = IndexedLine<'_>> {
        let last = self.newlines.last().map_or(0, |newline| *newline as usize + 1);
        let ends = self.newlines.iter().map(|newline| *newline as usize);
        let unended = (last < chunk_length).then_some(chunk_length);
        let (mut quotes, mut odd, mut start) = (&self.quotes[..], &self.odd[..], 0);
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

fn push_bits(positions: &mut Vec<u32>, base: u32, mut mask: u64) {
    while mask != 0 {
        positions.push(base + mask.trailing_zeros());
        mask &= mask - 1;
    }
}

/// Cuts the positions before `end` off the front.
fn take_before<'a>(positions: &mut &'a [u32], end: usize) -> &'a [u32] {
    let count = positions.iter().take_while(|position| (**position as usize) < end).count();
    let (before, after) = positions.split_at(count);
    *positions = after;
    before
}
