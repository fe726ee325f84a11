//! Columns of strings.

#![expect(clippy::inline_always, reason = "compiled for each instruction set")]

use std::ops::Range;

use super::{Column, View};
use crate::arch;
use crate::span::Span;

/// Strings up to this length are copied as so many bytes, without a branch on their length.
const STEP_BYTES: usize = 64;
/// The most bytes by which a column grows beyond what is needed: they are still in the cache when they are written.
const GROWTH_BYTES: usize = 64 << 10;
/// How many rows ahead the end of a row is prefetched, and its bytes.
const ENDS_AHEAD: usize = 32;
const ROWS_AHEAD: usize = 12;
const CACHE_LINE: usize = 64;
/// The most bytes of a length.
const LENGTH_BYTES: usize = 5;

/// A column of byte strings, each stored as its length (LEB128, as the Native format has it) and its bytes.
#[derive(Debug, Clone, Default)]
pub struct Strings {
    /// Longer than `used`: short strings are written in whole steps.
    bytes: Vec<u8>,
    used: usize,
    /// The end of each row in `bytes`; it starts at the end of the row before.
    ends: Vec<u32>,
}

impl Strings {
    /// Appends a row. A column holds at most 4 GiB; batches are far smaller.
    pub fn push(&mut self, value: &[u8]) {
        self.push_span(Span::from(value));
    }

    /// Appends a row.
    #[inline(always)]
    pub(crate) fn push_span(&mut self, value: Span<'_>) {
        self.write(value);
        self.ends.push(u32::try_from(self.used).expect("a string column holds at most 4 GiB"));
    }

    /// Writes a string, but not its end.
    #[inline(always)]
    fn write(&mut self, value: Span<'_>) {
        let free = self.free(value.len());
        let length_bytes = match value.wide::<STEP_BYTES>() {
            Some(wide) if value.len() <= STEP_BYTES => {
                free[0] = value.len() as u8;
                free[1..=STEP_BYTES].copy_from_slice(wide);
                1
            }
            _ => {
                let length_bytes = write_length(free, value.len());
                copy_in_steps(value, &mut free[length_bytes..]);
                length_bytes
            }
        };
        self.used += length_bytes + value.len();
    }

    /// Appends a row of `length` bytes, which `write` writes in pieces.
    #[inline(always)]
    pub(crate) fn push_pieces(&mut self, length: usize, write: impl FnOnce(&mut Pieces<'_>)) {
        let free = self.free(length);
        let length_bytes = write_length(free, length);
        let mut pieces = Pieces { free: &mut free[length_bytes..], used: 0 };
        write(&mut pieces);
        assert_eq!(pieces.used, length, "the pieces have the length of the row");
        self.used += length_bytes + length;
        self.ends.push(u32::try_from(self.used).expect("a string column holds at most 4 GiB"));
    }

    /// Appends rows.
    #[inline(always)]
    pub(crate) fn extend<'a>(&mut self, values: impl ExactSizeIterator<Item = Span<'a>>) {
        // Room for so many short strings: the column is not reallocated while they are written.
        self.free(values.len() * (1 + STEP_BYTES));
        let first = self.ends.len();
        self.ends.resize(first + values.len(), 0);
        let mut used = self.used;
        for (row, value) in (first..).zip(values) {
            let free =
                self.bytes.get_mut(used..).and_then(|free| free.first_chunk_mut::<{ 1 + STEP_BYTES }>());
            match (value.wide::<STEP_BYTES>(), free) {
                (Some(wide), Some(free)) if value.len() <= STEP_BYTES => {
                    free[0] = value.len() as u8;
                    free[1..].copy_from_slice(wide);
                    used += 1 + value.len();
                }
                _ => {
                    self.used = used;
                    self.write(value);
                    used = self.used;
                }
            }
            self.ends[row] = used as u32;
        }
        self.used = used;
        u32::try_from(used).expect("a string column holds at most 4 GiB");
    }

    /// Appends an empty string.
    #[inline(always)]
    pub(crate) fn push_empty(&mut self) {
        self.free(0)[0] = 0;
        self.used += 1;
        self.ends.push(u32::try_from(self.used).expect("a string column holds at most 4 GiB"));
    }

    /// Appends empty strings.
    pub(crate) fn push_empties(&mut self, count: usize) {
        self.free(count)[..count].fill(0);
        let first = self.used;
        self.used += count;
        u32::try_from(self.used).expect("a string column holds at most 4 GiB");
        self.ends.extend((first + 1..=self.used).map(|end| end as u32));
    }

    /// Room for a string of that length, and at least for one step.
    #[inline(always)]
    fn free(&mut self, length: usize) -> &mut [u8] {
        let wanted = self.used + LENGTH_BYTES + length + STEP_BYTES;
        if self.bytes.len() < wanted {
            self.grow(wanted);
        }
        &mut self.bytes[self.used..]
    }

    #[cold]
    fn grow(&mut self, wanted: usize) {
        self.bytes.resize(wanted + (wanted / 4).min(GROWTH_BYTES), 0);
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    /// All rows in the Native layout: length, bytes, length, bytes, …
    pub fn native(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    /// One row in the Native layout: its length and its bytes.
    pub fn native_row(&self, row: usize) -> &[u8] {
        &self.bytes[self.range(row)]
    }

    /// Rows in the Native layout, in any order. Each is a buffer that starts with the row, and the row's length: the bytes
    /// after the row are there, too, so that short rows can be copied in steps of a fixed size.
    #[inline]
    pub fn native_rows<'a>(
        &'a self,
        order: &'a [u32],
    ) -> impl ExactSizeIterator<Item = (&'a [u8], usize)> + use<'a> {
        order.iter().enumerate().map(|(at, row)| {
            // The order is random: without prefetching, each row waits for memory.
            if let Some(row) = order.get(at + ENDS_AHEAD) {
                arch::prefetch(&self.ends, *row as usize);
            }
            if let Some(row) = order.get(at + ROWS_AHEAD) {
                let Range { start, end } = self.range(*row as usize);
                arch::prefetch(&self.bytes, start);
                arch::prefetch(&self.bytes, end.min(start + CACHE_LINE));
                arch::prefetch(&self.bytes, end);
            }
            let Range { start, end } = self.range(*row as usize);
            (&self.bytes[start..], end - start)
        })
    }

    /// The range of a row in the bytes.
    #[inline]
    fn range(&self, row: usize) -> Range<usize> {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        start as usize..self.ends[row] as usize
    }

    /// One row's string.
    pub fn get(&self, row: usize) -> &[u8] {
        let native = self.native_row(row);
        let length_bytes = 1 + native.iter().take_while(|byte| **byte >= 0x80).count();
        // The last byte of a length is below 0x80.
        &native[length_bytes..]
    }
}

/// A row that is being written.
pub(crate) struct Pieces<'a> {
    /// Room for the row, and for one step after it.
    free: &'a mut [u8],
    used: usize,
}

impl Pieces<'_> {
    /// Appends a piece.
    #[inline(always)]
    pub(crate) fn write(&mut self, piece: Span<'_>) {
        let free = &mut self.free[self.used..];
        match (piece.wide::<STEP_BYTES>(), free.first_chunk_mut::<STEP_BYTES>()) {
            (Some(wide), Some(free)) if piece.len() <= STEP_BYTES => *free = *wide,
            _ => free[..piece.len()].copy_from_slice(&piece),
        }
        self.used += piece.len();
    }
}

impl Column for Strings {
    fn clear(&mut self) {
        self.used = 0;
        self.ends.clear();
    }

    fn bytes(&self) -> usize {
        self.used + size_of_val(self.ends.as_slice())
    }

    fn view(&self) -> View<'_> {
        View::Strings(self)
    }

    fn push_absent(&mut self, count: usize) {
        self.push_empties(count);
    }
}

/// Copies a string of medium length in steps: that is faster than a call.
#[inline(always)]
fn copy_in_steps(value: Span<'_>, out: &mut [u8]) {
    const MOST_STEPS: usize = 8;
    let steps = value.len().div_ceil(STEP_BYTES);
    match value.buffer_of(steps * STEP_BYTES) {
        Some(wide) if steps <= MOST_STEPS => {
            let out = out[..wide.len()].as_chunks_mut::<STEP_BYTES>().0;
            for (from, to) in wide.as_chunks::<STEP_BYTES>().0.iter().zip(out) {
                *to = *from;
            }
        }
        _ => out[..value.len()].copy_from_slice(&value),
    }
}

/// Writes a length as LEB128; returns how many bytes it takes.
#[inline]
fn write_length(out: &mut [u8], mut length: usize) -> usize {
    let mut at = 0;
    while length >= 0x80 {
        out[at] = length as u8 | 0x80;
        length >>= 7;
        at += 1;
    }
    out[at] = length as u8;
    at + 1
}
