//! A list to which values are written whether they are kept or not, without a branch.

/// The values that were kept.
#[derive(Debug, Default)]
pub(super) struct Kept<T> {
    /// Longer than `count`.
    slots: Vec<T>,
    count: usize,
}

impl<T: Copy + Default> Kept<T> {
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    pub(super) fn as_slice(&self) -> &[T] {
        &self.slots[..self.count]
    }

    /// Writes a value, and keeps it or not, without a branch.
    #[inline(always)]
    pub(super) fn write(&mut self, value: T, is_kept: bool) {
        if self.count == self.slots.len() {
            self.grow();
        }
        self.slots[self.count] = value;
        self.count += usize::from(is_kept);
    }

    #[cold]
    fn grow(&mut self) {
        self.slots.resize(self.count * 2 + 1024, T::default());
    }
}
