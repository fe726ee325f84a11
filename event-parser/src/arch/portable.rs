//! For any processor: eight bytes at a time in a 64-bit word.

use event_schema::value::parse_uuid;

use super::{Masks, RareMasks, Simd, Task};

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const ALL_BUT_HIGH: u64 = !HIGH_BITS;

/// Only instructions that every processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Portable;

impl Simd for Portable {
    #[inline(never)]
    fn run<T: Task>(self, task: T) -> T::Output {
        task.run(self)
    }

    #[inline(always)]
    fn prefetch(self, _: &[u8], _: usize) {}

    #[inline(always)]
    fn masks(self, block: &[u8; 64]) -> Masks {
        let mut masks = Masks { quotes: 0, newlines: 0, rare: 0 };
        for (number, bytes) in block.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*bytes);
            let newlines = equal(word, b'\n');
            let special = (below_blank(word) & !newlines) | equal(word, b'\\') | equal(word, 0x7f);
            let rare = special | word & HIGH_BITS;
            masks.quotes |= gather(equal(word, b'"')) << (8 * number);
            masks.newlines |= gather(newlines) << (8 * number);
            masks.rare |= gather(rare) << (8 * number);
        }
        masks
    }

    #[inline(always)]
    fn rare_masks(self, block: &[u8; 64]) -> RareMasks {
        let mut masks = RareMasks { backslashes: 0, beyond_ascii: 0 };
        for (number, bytes) in block.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*bytes);
            masks.backslashes |= gather(equal(word, b'\\')) << (8 * number);
            masks.beyond_ascii |= gather(word & HIGH_BITS) << (8 * number);
        }
        masks
    }

    #[inline(always)]
    fn positions(self, mask: u64, base: u32, out: &mut [u32; 64]) {
        positions_in_steps(mask, base, out);
    }

    #[inline(always)]
    fn uuid(self, text: &[u8; 36]) -> Option<u128> {
        parse_uuid(text).ok()
    }
}

/// The positions of set bits, the first twelve at once: 64 bytes of events seldom have more tokens, and a branch on more
/// than eight would be mispredicted.
#[inline(always)]
pub(super) fn positions_in_steps(mut mask: u64, base: u32, out: &mut [u32; 64]) {
    let Some((first, rest)) = out.split_first_chunk_mut::<12>().filter(|_| mask != 0) else { return };
    step(&mut mask, base, first);
    for four in rest.as_chunks_mut::<4>().0 {
        if mask == 0 {
            return;
        }
        step(&mut mask, base, four);
    }
}

/// The positions of the next `N` set bits.
#[inline(always)]
fn step<const N: usize>(mask: &mut u64, base: u32, positions: &mut [u32; N]) {
    for position in positions {
        // Past the last bit this is 64, which is not used.
        *position = base + mask.trailing_zeros();
        *mask &= mask.wrapping_sub(1);
    }
}

/// The high bit of every byte that equals `byte`.
#[inline(always)]
fn equal(word: u64, byte: u8) -> u64 {
    let zero_where_equal = word ^ (LOW_BITS * u64::from(byte));
    // Adding 0x7f carries into the high bit unless the low seven are all zero; no carry leaves a byte.
    !(((zero_where_equal & ALL_BUT_HIGH) + ALL_BUT_HIGH) | zero_where_equal) & HIGH_BITS
}

/// The high bit of every byte below 0x20.
#[inline(always)]
fn below_blank(word: u64) -> u64 {
    !(((word & ALL_BUT_HIGH) + LOW_BITS * 0x60) | word) & HIGH_BITS
}

/// The high bits of eight bytes as eight bits, the first byte's the lowest.
#[inline(always)]
fn gather(high_bits: u64) -> u64 {
    ((high_bits >> 7).wrapping_mul(0x0102_0408_1020_4080)) >> 56
}
