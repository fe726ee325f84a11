//! The pieces of a block, in buffers that are reused once they are sent.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::Stopped;

/// Where a piece is handed out, give or take the last value.
pub(crate) const PIECE_BYTES: usize = 1 << 20;

/// A pool of free buffers of [`PIECE_BYTES`]. Fresh memory costs page faults and cache misses; the pool never holds more
/// than were in flight at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    fn take(&self) -> Vec<u8> {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| vec![0; PIECE_BYTES])
    }

    fn give_back(&self, buffer: Vec<u8>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}

/// A buffer that is filled in part and being sent.
struct Piece {
    bytes: Vec<u8>,
    used: usize,
    buffers: Buffers,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.used]
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            self.buffers.give_back(mem::take(&mut self.bytes));
        }
    }
}

/// Writes bytes into pieces and hands each full one to `take`.
pub(super) struct Pieces<'a, F> {
    /// All there is room for; empty before the first byte.
    piece: Vec<u8>,
    used: usize,
    buffers: &'a Buffers,
    take: F,
}

impl<F: FnMut(Bytes) -> bool> Pieces<'_, F> {
    pub(super) fn new(buffers: &Buffers, take: F) -> Pieces<'_, F> {
        Pieces { piece: Vec::new(), used: 0, buffers, take }
    }

    /// An unsigned integer as LEB128.
    pub(super) fn number(&mut self, mut number: u64) -> Result<(), Stopped> {
        while number >= 0x80 {
            self.bytes(&[number as u8 | 0x80])?;
            number >>= 7;
        }
        self.bytes(&[number as u8])
    }

    pub(super) fn string(&mut self, text: &[u8]) -> Result<(), Stopped> {
        self.number(text.len() as u64)?;
        self.bytes(text)
    }

    #[inline]
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Stopped> {
        if let Some(room) = self.piece[self.used..].get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
            self.used += bytes.len();
            return Ok(());
        }
        self.cut(bytes)
    }

    /// Bytes that the piece has no room for.
    #[cold]
    fn cut(&mut self, mut bytes: &[u8]) -> Result<(), Stopped> {
        while !bytes.is_empty() {
            let room = self.room(1)?;
            let (fitting, rest) = bytes.split_at(bytes.len().min(room.len()));
            room[..fitting.len()].copy_from_slice(fitting);
            self.fill(fitting.len());
            bytes = rest;
        }
        Ok(())
    }

    /// Room for so many bytes and more, a piece at the most; what is written there counts once it is
    /// [filled](Self::fill).
    #[inline]
    pub(super) fn room(&mut self, wanted: usize) -> Result<&mut [u8], Stopped> {
        debug_assert!(wanted <= PIECE_BYTES);
        if self.piece.len() - self.used < wanted {
            self.flush()?;
            self.piece = self.buffers.take();
        }
        Ok(&mut self.piece[self.used..])
    }

    #[inline]
    pub(super) fn fill(&mut self, bytes: usize) {
        self.used += bytes;
        debug_assert!(self.used <= self.piece.len());
    }

    pub(super) fn flush(&mut self) -> Result<(), Stopped> {
        let piece = Piece {
            bytes: mem::take(&mut self.piece),
            used: mem::take(&mut self.used),
            buffers: self.buffers.clone(),
        };
        if piece.used == 0 || (self.take)(Bytes::from_owner(piece)) { Ok(()) } else { Err(Stopped) }
    }
}
