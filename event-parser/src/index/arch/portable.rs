//! 64 bytes on any processor: eight bytes at a time in a 64-bit word.

use super::Masks;

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const ALL_BUT_HIGH: u64 = !HIGH_BITS;

#[inline(always)]
pub(super) fn masks(block: &[u8; 64]) -> Masks {
    let mut masks = Masks { quotes: 0, newlines: 0, odd: 0 };
    for (number, bytes) in block.as_chunks::<8>().0.iter().enumerate() {
        let word = u64::from_le_bytes(*bytes);
        let newlines = equal(word, b'\n');
        let odd = (below_blank(word) & !newlines) | equal(word, b'\\') | equal(word, 0x7f);
        masks.quotes |= gather(equal(word, b'"')) << (8 * number);
        masks.newlines |= gather(newlines) << (8 * number);
        masks.odd |= gather(odd) << (8 * number);
    }
    masks
}

/// The high bit of every byte that equals `byte`.
fn equal(word: u64, byte: u8) -> u64 {
    let zero_where_equal = word ^ (LOW_BITS * u64::from(byte));
    // Adding 0x7f carries into the high bit unless the low seven are all zero; no carry leaves a byte.
    !(((zero_where_equal & ALL_BUT_HIGH) + ALL_BUT_HIGH) | zero_where_equal) & HIGH_BITS
}

/// The high bit of every byte below 0x20.
fn below_blank(word: u64) -> u64 {
    !(((word & ALL_BUT_HIGH) + LOW_BITS * 0x60) | word) & HIGH_BITS
}

/// The high bits of eight bytes as eight bits, the first byte's the lowest.
fn gather(high_bits: u64) -> u64 {
    ((high_bits >> 7).wrapping_mul(0x0102_0408_1020_4080)) >> 56
}
