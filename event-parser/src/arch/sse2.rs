//! SSE2, which every x86-64 processor has: 16 bytes in a register.

use std::arch::x86_64::{
    __m128i, _MM_HINT_T0, _MM_HINT_T1, _mm_cmpeq_epi8, _mm_cmpgt_epi8, _mm_loadu_si128, _mm_movemask_epi8,
    _mm_or_si128, _mm_prefetch, _mm_set1_epi8,
};

use event_schema::value::parse_uuid;

use super::{Masks, RareMasks, Simd, Task, portable};

/// SSE2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sse2;

impl Simd for Sse2 {
    #[inline(never)]
    fn run<T: Task>(self, task: T) -> T::Output {
        task.run(self)
    }

    #[inline(always)]
    fn prefetch(self, bytes: &[u8], at: usize) {
        prefetch::<NEAR>(bytes, at);
    }

    #[inline(always)]
    fn masks(self, block: &[u8; 64]) -> Masks {
        // SAFETY: every x86-64 processor has SSE2.
        unsafe { masks(block) }
    }

    #[inline(always)]
    fn rare_masks(self, block: &[u8; 64]) -> RareMasks {
        // SAFETY: as in `masks`.
        unsafe { rare_masks(block) }
    }

    #[inline(always)]
    fn positions(self, mask: u64, base: u32, out: &mut [u32; 64]) {
        portable::positions_in_steps(mask, base, out);
    }

    #[inline(always)]
    fn uuid(self, text: &[u8; 36]) -> Option<u128> {
        parse_uuid(text).ok()
    }
}

/// Into the second-level cache.
pub(super) const NEAR: i32 = _MM_HINT_T1;
/// Into the first-level cache.
pub(super) const NEAREST: i32 = _MM_HINT_T0;

/// `HINT` says into which cache.
#[inline(always)]
pub(super) fn prefetch<const HINT: i32>(values: &[impl Sized], at: usize) {
    if let Some(value) = values.get(at) {
        // SAFETY: every x86-64 processor has this instruction, and it reads nothing.
        unsafe { _mm_prefetch::<HINT>(std::ptr::from_ref(value).cast()) };
    }
}

#[inline]
#[target_feature(enable = "sse2")]
fn masks(block: &[u8; 64]) -> Masks {
    let mut masks = Masks { quotes: 0, newlines: 0, rare: 0 };
    for (number, bytes) in block.as_chunks().0.iter().enumerate() {
        let bytes = load(bytes);
        let newlines = bits(is(bytes, b'\n'));
        // As signed numbers, bytes beyond ASCII are below zero.
        let below_blank = _mm_cmpgt_epi8(_mm_set1_epi8(0x20), bytes);
        let rare = _mm_or_si128(below_blank, _mm_or_si128(is(bytes, b'\\'), is(bytes, 0x7f)));
        masks.quotes |= bits(is(bytes, b'"')) << (16 * number);
        masks.newlines |= newlines << (16 * number);
        masks.rare |= (bits(rare) & !newlines) << (16 * number);
    }
    masks
}

#[inline]
#[target_feature(enable = "sse2")]
fn rare_masks(block: &[u8; 64]) -> RareMasks {
    let mut masks = RareMasks { backslashes: 0, beyond_ascii: 0 };
    for (number, bytes) in block.as_chunks().0.iter().enumerate() {
        let bytes = load(bytes);
        masks.backslashes |= bits(is(bytes, b'\\')) << (16 * number);
        masks.beyond_ascii |= bits(bytes) << (16 * number);
    }
    masks
}

#[inline]
#[target_feature(enable = "sse2")]
fn is(bytes: __m128i, byte: u8) -> __m128i {
    _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte.cast_signed()))
}

#[inline]
#[target_feature(enable = "sse2")]
fn bits(bytes: __m128i) -> u64 {
    u64::from(_mm_movemask_epi8(bytes).cast_unsigned())
}

#[inline]
#[target_feature(enable = "sse2")]
#[expect(clippy::cast_ptr_alignment, reason = "the load asks for no alignment")]
fn load(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the reference is to 16 bytes, and the load asks for no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast::<__m128i>()) }
}
