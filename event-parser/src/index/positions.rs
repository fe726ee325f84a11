//! A list of positions that is filled 64 bits at a time.

/// Positions in ascending order.
#[derive(Debug, Default)]
pub(super) struct Positions {
    /// Longer than `count`: a block's positions are written without asking for room one by one.
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

    pub(super) fn as_slice(&self) -> &[u32] {
        &self.slots[..self.count]
    }

    /// Appends the position of every set bit, counted from `base`.
    #[inline(always)]
    pub(super) fn push(&mut self, base: u32, mut mask: u64) {
        if mask == 0 {
            return;
        }
        if self.slots.len() < self.count + 64 {
            self.grow();
        }
        let block: &mut [u32] = &mut self.slots[self.count..self.count + 64];
        let found = mask.count_ones() as usize;
        for slot in &mut block[..found] {
            *slot = base + mask.trailing_zeros();
            mask &= mask - 1;
        }
        self.count += found;
    }

    #[cold]
    fn grow(&mut self) {
        let length = (self.slots.len() * 2).max(self.count + 4096);
        self.slots.resize(length, 0);
    }
}
