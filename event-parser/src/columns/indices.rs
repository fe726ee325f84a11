//! Indices into a dictionary, in as few bytes as its size allows: nearly all columns have fewer than 256 different
//! strings.

#![expect(clippy::inline_always, reason = "compiled for each instruction set")]

/// One index a row, all of one width, as in the Native format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indices<'a> {
    /// The dictionary has up to 256 entries.
    Bytes(&'a [u8]),
    /// The dictionary has up to 65,536 entries.
    Words(&'a [u16]),
    /// The dictionary has more entries.
    DoubleWords(&'a [u32]),
}

/// Indices that can be appended to. Only the list of the current width has values.
#[derive(Debug, Clone, Default)]
pub(super) struct IndexColumn {
    width: Width,
    bytes: Vec<u8>,
    words: Vec<u16>,
    double_words: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Width {
    #[default]
    Byte,
    Word,
    DoubleWord,
}

impl IndexColumn {
    /// Widens the column for an index that is larger than all before, whether it is appended or not.
    pub(super) fn widen_for(&mut self, index: u32) {
        if self.width == Width::Byte && index > u32::from(u8::MAX) {
            self.words.extend(self.bytes.drain(..).map(u16::from));
            self.width = Width::Word;
        }
        if self.width == Width::Word && index > u32::from(u16::MAX) {
            self.double_words.extend(self.words.drain(..).map(u32::from));
            self.width = Width::DoubleWord;
        }
    }

    /// Appends an index that fits the width.
    #[inline(always)]
    pub(super) fn push(&mut self, index: u32) {
        match self.width {
            Width::Byte => self.bytes.push(index as u8),
            Width::Word => self.words.push(index as u16),
            Width::DoubleWord => self.double_words.push(index),
        }
    }

    /// Appends `count` times an index that fits the width.
    pub(super) fn push_times(&mut self, index: u32, count: usize) {
        match self.width {
            Width::Byte => self.bytes.resize(self.bytes.len() + count, index as u8),
            Width::Word => self.words.resize(self.words.len() + count, index as u16),
            Width::DoubleWord => self.double_words.resize(self.double_words.len() + count, index),
        }
    }

    pub(super) fn get(&self, row: usize) -> u32 {
        match self.width {
            Width::Byte => u32::from(self.bytes[row]),
            Width::Word => u32::from(self.words[row]),
            Width::DoubleWord => self.double_words[row],
        }
    }

    pub(super) fn view(&self) -> Indices<'_> {
        match self.width {
            Width::Byte => Indices::Bytes(&self.bytes),
            Width::Word => Indices::Words(&self.words),
            Width::DoubleWord => Indices::DoubleWords(&self.double_words),
        }
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len() + size_of_val(self.words.as_slice()) + size_of_val(self.double_words.as_slice())
    }

    /// Removes all rows, and resets the width.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.words.clear();
        self.double_words.clear();
        self.width = Width::Byte;
    }
}

#[cfg(test)]
mod tests {
    use crate::columns::{Column as _, Dictionary, Indices};
    use crate::span::Span;

    fn width(column: &Dictionary) -> usize {
        match column.indices() {
            Indices::Bytes(_) => 1,
            Indices::Words(_) => 2,
            Indices::DoubleWords(_) => 4,
        }
    }

    #[test]
    fn indices_widen_with_the_dictionary_and_keep_what_they_were() {
        let mut column = Dictionary::default();
        for _ in 0..2 {
            column.push_times(Span::EMPTY, 3);
            // Entry 0 is the empty string.
            for (entries, expected) in [(0x100, 1), (0x101, 2), (0x1_0000, 2), (0x1_0001, 4)] {
                while column.entries().rows() < entries {
                    column.push(column.entries().rows().to_string().as_bytes());
                }
                column.push_times(Span::from(&b"1"[..]), 2);
                assert_eq!(width(&column), expected, "{entries} entries");
            }
            let strings: Vec<&[u8]> = (0..8).map(|row| column.get(row)).collect();
            assert_eq!(strings, [&b""[..], b"", b"", b"1", b"2", b"3", b"4", b"5"]);
            // 255 strings, and the two that were pushed when there were 256 of them.
            assert_eq!((column.get(3 + 254), column.get(3 + 255)), (&b"255"[..], &b"1"[..]));
            assert_eq!((column.get(3 + 255 + 2), column.get(3 + 255 + 3)), (&b"256"[..], &b"1"[..]));
            column.clear();
            assert_eq!((width(&column), column.entries().rows()), (1, 1));
        }
    }
}
