//! Columns of strings.

use super::{Column, View};

/// A column of byte strings, each stored as its length (LEB128, as the Native format has it) and its bytes.
#[derive(Debug, Clone, Default)]
pub struct Strings {
    bytes: Vec<u8>,
    /// Where each row ends in `bytes`; it starts where the one before ends.
    ends: Vec<u32>,
}

impl Strings {
    /// Appends a row. A column holds at most 4 GiB: batches are kept far smaller.
    #[inline]
    pub fn push(&mut self, value: &[u8]) {
        if value.len() < 0x80 {
            self.bytes.push(value.len() as u8);
        } else {
            self.push_length(value.len());
        }
        self.bytes.extend_from_slice(value);
        self.ends.push(u32::try_from(self.bytes.len()).expect("a string column holds at most 4 GiB"));
    }

    #[cold]
    fn push_length(&mut self, mut length: usize) {
        while length >= 0x80 {
            self.bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        self.bytes.push(length as u8);
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    /// All rows in the Native layout: length, bytes, length, bytes, …
    pub fn native(&self) -> &[u8] {
        &self.bytes
    }

    /// One row in the Native layout: its length and its bytes.
    pub fn native_row(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.bytes[start as usize..self.ends[row] as usize]
    }

    /// One row's string.
    pub fn get(&self, row: usize) -> &[u8] {
        let native = self.native_row(row);
        let length_bytes = 1 + native.iter().take_while(|byte| **byte >= 0x80).count();
        // A long length cannot run into the string: its last byte is below 0x80.
        &native[length_bytes..]
    }
}

impl Column for Strings {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn bytes(&self) -> usize {
        self.bytes.len() + size_of_val(self.ends.as_slice())
    }

    fn view(&self) -> View<'_> {
        View::Strings(self)
    }
}
