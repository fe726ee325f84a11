//! Bytes that stand between two values in every line of a shape.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

use super::Anchor;

/// The most bytes of a literal that are compared at once; a longer one takes several comparisons.
pub(super) const LITERAL_BYTES: usize = 32;

/// The words of a literal.
const WORDS: usize = LITERAL_BYTES / 8;

/// Some bytes between two values.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Literal {
    words: [u64; WORDS],
    /// Ones where the literal has bytes.
    mask: [u64; WORDS],
    pub(super) at: Anchor,
}

/// Where bytes differ from those of literals: one register, whatever the set of instructions makes of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Difference([u64; WORDS]);

impl Literal {
    /// A literal of up to [`LITERAL_BYTES`].
    pub(super) fn new(literal: &[u8], at: Anchor) -> Literal {
        let (mut bytes, mut mask) = ([0; LITERAL_BYTES], [0; LITERAL_BYTES]);
        bytes[..literal.len()].copy_from_slice(literal);
        mask[..literal.len()].fill(u8::MAX);
        Literal { words: words(&bytes), mask: words(&mask), at }
    }
}

impl Difference {
    /// Adds where a literal differs from what was found in its place.
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
