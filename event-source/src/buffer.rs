//! Memory to read into.

use std::ops::{Deref, DerefMut};

/// The kernel copies to the start of a cache line twice as fast as to where large blocks of memory begin, some bytes
/// behind the start of a page.
const CACHE_LINE: usize = 64;

/// Bytes to read into, zeros at first, at a place in memory that the kernel is quick to copy to.
#[derive(Debug)]
pub struct ReadBuffer {
    memory: Vec<u8>,
    start: usize,
    length: usize,
}

impl ReadBuffer {
    /// A buffer of so many bytes.
    pub fn new(length: usize) -> ReadBuffer {
        let memory = vec![0; length + CACHE_LINE];
        let start = memory.as_ptr().align_offset(CACHE_LINE);
        ReadBuffer { memory, start, length }
    }
}

impl Deref for ReadBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.start..][..self.length]
    }
}

impl DerefMut for ReadBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..][..self.length]
    }
}
