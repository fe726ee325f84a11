//! A string of bytes inside a larger buffer, so that it can be read in steps of a fixed size.

#![expect(clippy::inline_always, reason = "compiled for each instruction set")]

use std::ops::Deref;

/// Bytes inside a buffer of less than 4 GiB. The bounds are checked when the bytes are read, once for each step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<'a> {
    buffer: &'a [u8],
    start: u32,
    length: u32,
}

impl<'a> Span<'a> {
    pub(crate) const EMPTY: Span<'static> = Span { buffer: &[], start: 0, length: 0 };

    /// The bytes of a buffer from `start` to before `end`.
    #[inline(always)]
    pub(crate) fn new(buffer: &'a [u8], start: u32, end: u32) -> Span<'a> {
        Span { buffer, start, length: end - start }
    }

    #[inline(always)]
    pub(crate) fn len(self) -> usize {
        self.length as usize
    }

    #[inline(always)]
    pub(crate) fn is_empty(self) -> bool {
        self.length == 0
    }

    /// The `N` bytes from its start on, which may go past its end; `None` if the buffer has fewer.
    #[inline(always)]
    pub(crate) fn wide<const N: usize>(self) -> Option<&'a [u8; N]> {
        self.buffer_of(N)?.first_chunk()
    }

    /// The `length` bytes from its start on, which may go past its end; `None` if the buffer has fewer.
    #[inline(always)]
    pub(crate) fn buffer_of(self, length: usize) -> Option<&'a [u8]> {
        let start = self.start as usize;
        self.buffer.get(start..start + length)
    }

    #[inline(always)]
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.buffer_of(self.len()).expect("a span is inside its buffer")
    }
}

impl<'a> From<&'a [u8]> for Span<'a> {
    fn from(bytes: &'a [u8]) -> Span<'a> {
        let length = bytes.len().try_into().expect("a buffer has less than 4 GiB");
        Span { buffer: bytes, start: 0, length }
    }
}

impl Deref for Span<'_> {
    type Target = [u8];

    #[inline(always)]
    fn deref(&self) -> &[u8] {
        self.bytes()
    }
}

impl Default for Span<'_> {
    fn default() -> Self {
        Span::EMPTY
    }
}

/// The first 16 bytes of a span as two words, zeros after its end: two spans of the same length, at most 16, are equal if
/// their prefixes are.
#[inline(always)]
pub(crate) fn prefix(span: Span<'_>) -> [u64; 2] {
    let wide = match span.wide::<16>() {
        Some(wide) => *wide,
        None => {
            let mut wide = [0; 16];
            let length = span.len().min(16);
            wide[..length].copy_from_slice(&span[..length]);
            wide
        }
    };
    let mask = MASKS[span.len().min(16)];
    let word = |at: usize| u64::from_le_bytes(*wide[at..].first_chunk().expect("16 bytes are two words"));
    [word(0) & mask[0], word(8) & mask[1]]
}

/// For each length of a span, ones for those of the first sixteen bytes that it has.
const MASKS: [[u64; 2]; 17] = {
    let mut masks = [[0; 2]; 17];
    let mut length = 0;
    while length < masks.len() {
        let ones = if length == 0 { 0 } else { u128::MAX >> (128 - 8 * length) };
        masks[length] = [ones as u64, (ones >> 64) as u64];
        length += 1;
    }
    masks
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn spans_of_one_length_are_equal_if_their_prefixes_are(
            (one, other) in (0..=16_usize).prop_flat_map(|length| {
                let bytes = || prop::collection::vec(0..3_u8, length);
                (bytes(), bytes())
            }),
            after in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let wide = [&one[..], &after].concat();
            prop_assert_eq!(prefix(Span::new(&wide, 0, one.len() as u32)), prefix(Span::from(&one[..])));
            prop_assert_eq!(prefix(Span::new(&wide, 0, one.len() as u32)) == prefix(Span::from(&other[..])), one == other);
        }
    }
}
