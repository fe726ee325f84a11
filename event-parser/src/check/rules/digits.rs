//! Up to eight decimal digits read as one word, so that no branch depends on how many there are.

use crate::span::Span;

/// The most digits of a word.
pub(super) const WORD_DIGITS: usize = 8;

/// The number that the `length` digits from a position on form. `None` where one of them is not a digit, there are none,
/// or more than [`WORD_DIGITS`].
#[inline(always)]
pub(super) fn short_digits(text: Span<'_>, start: usize, length: usize) -> Option<i64> {
    const ALL: u64 = 0x0101_0101_0101_0101;
    if !(1..=WORD_DIGITS).contains(&length) {
        return None;
    }
    let word = match text.wide::<{ WORD_DIGITS + 2 }>() {
        Some(wide) if start <= 2 => u64::from_le_bytes(*wide[start..].first_chunk()?),
        _ => return None,
    };
    // The digits as the last ones of eight, and zeros before them.
    let padding = u64::BITS - 8 * length as u32;
    let digits = (word ^ (ALL * u64::from(b'0'))) << padding;
    if (digits | digits.wrapping_add(ALL * 6)) & (ALL * 0xf0) != 0 {
        return None;
    }
    // Pairs, then fours, then all.
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some(((fours * 10_000 + (fours >> 32)) & 0xffff_ffff) as i64)
}
