//! Literals: bytes between two values that are the same in every line of a template.

#![expect(clippy::inline_always, reason = "compiled for each instruction set")]

use super::Anchor;

/// The most bytes of a literal that are compared at once; a longer one takes several comparisons.
pub(super) const LITERAL_BYTES: usize = 32;

/// The words of a literal.
const WORDS: usize = LITERAL_BYTES / 8;

/// Bytes between two values.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Literal {
    words: [u64; WORDS],
    /// Ones where the literal has bytes.
    mask: [u64; WORDS],
    pub(super) at: Anchor,
}

/// The bits in which a line differs from literals, collected in one register.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Difference([u64; WORDS]);

impl Literal {
    /// A literal of at most [`LITERAL_BYTES`].
    pub(super) fn new(literal: &[u8], at: Anchor) -> Literal {
        let (mut bytes, mut mask) = ([0; LITERAL_BYTES], [0; LITERAL_BYTES]);
        bytes[..literal.len()].copy_from_slice(literal);
        mask[..literal.len()].fill(u8::MAX);
        Literal { words: words(&bytes), mask: words(&mask), at }
    }
}

impl Difference {
    /// Adds the difference between a literal and the bytes found at its position.
    #[inline(always)]
    pub(super) fn add(&mut self, found: &[u8; LITERAL_BYTES], literal: &Literal) {
        let found = words(found);
        for (at, sum) in self.0.iter_mut().enumerate() {
            *sum |= (found[at] ^ literal.words[at]) & literal.mask[at];
        }
    }

    #[inline(always)]
    pub(super) fn is_none(self) -> bool {
        self.0 == [0; WORDS]
    }
}

#[inline(always)]
fn words(bytes: &[u8; LITERAL_BYTES]) -> [u64; WORDS] {
    bytemuck::cast(*bytes)
}
