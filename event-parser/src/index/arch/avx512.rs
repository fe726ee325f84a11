//! 64 bytes in a register.

use std::arch::x86_64::{
    __m512i, _mm512_cmpeq_epi8_mask, _mm512_cmplt_epu8_mask, _mm512_loadu_si512, _mm512_set1_epi8,
};

use super::{Index, Masks, pass};

#[target_feature(enable = "avx512f,avx512bw,bmi1,lzcnt,popcnt")]
pub(super) fn index(chunk: &[u8], index: &mut Index) {
    pass(chunk, index, |block| masks(block));
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
#[expect(clippy::cast_ptr_alignment, reason = "the load asks for no alignment")]
fn masks(block: &[u8; 64]) -> Masks {
    // SAFETY: the reference is to 64 bytes, and the load asks for no alignment.
    let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast::<__m512i>()) };
    let equal = |byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte.cast_signed()));
    let newlines = equal(b'\n');
    let control = _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(0x20)) & !newlines;
    Masks { quotes: equal(b'"'), newlines, odd: control | equal(b'\\') | equal(0x7f) }
}
