//! A list of positions that is filled 64 bits at a time.

use crate::arch::Simd;

/// Positions in ascending order.
#[derive(Debug, Default)]
pub(super) struct Positions {
    /// Longer than `count`: the positions of a block are written without a check for each.
    slots: Vec<u32>,
    count: usize,
}

impl Positions {
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    #[inline(always)]
    pub(super) fn count(&self) -> u32 {
        self.count as u32
    }

    #[inline(always)]
    pub(super) fn as_slice(&self) -> &[u32] {
        &self.slots[..self.count]
    }

    /// Appends the position of every set bit, counted from `base`.
    #[inline(always)]
    pub(super) fn push<S: Simd>(&mut self, simd: S, base: u32, mask: u64) {
        if self.slots.len() < self.count + 64 {
            self.grow();
        }
        let free = self.slots[self.count..].first_chunk_mut().expect("it has just grown");
        simd.positions(mask, base, free);
        self.count += mask.count_ones() as usize;
    }

    #[cold]
    fn grow(&mut self) {
        let length = (self.slots.len() * 2).max(self.count + 4096);
        self.slots.resize(length, 0);
    }
}
