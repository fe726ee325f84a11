//! 32 bytes in a register.

use std::arch::x86_64::{
    __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_max_epu8, _mm256_movemask_epi8, _mm256_set1_epi8,
};

use super::{Index, Masks, pass};

#[target_feature(enable = "avx2,bmi1,lzcnt,popcnt")]
pub(super) fn index(chunk: &[u8], index: &mut Index) {
    pass(chunk, index, |block| {
        let (halves, []) = block.as_chunks::<32>() else { unreachable!("64 bytes are two halves") };
        let [low, high] = [half(&halves[0]), half(&halves[1])];
        Masks {
            quotes: low.quotes | high.quotes << 32,
            newlines: low.newlines | high.newlines << 32,
            odd: low.odd | high.odd << 32,
        }
    });
}

#[inline]
#[target_feature(enable = "avx2")]
#[expect(clippy::cast_ptr_alignment, reason = "the load asks for no alignment")]
fn half(bytes: &[u8; 32]) -> Masks {
    // SAFETY: the reference is to 32 bytes, and the load asks for no alignment.
    let bytes = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast::<__m256i>()) };
    let bits = |equal: __m256i| u64::from(_mm256_movemask_epi8(equal).cast_unsigned());
    let equal = |byte: u8| bits(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed())));
    let newlines = equal(b'\n');
    // There is no unsigned comparison: a byte up to 0x1f is one that does not raise a maximum of 0x1f.
    let most_control = _mm256_set1_epi8(0x1f);
    let control = bits(_mm256_cmpeq_epi8(_mm256_max_epu8(bytes, most_control), most_control));
    Masks { quotes: equal(b'"'), newlines, odd: (control & !newlines) | equal(b'\\') | equal(0x7f) }
}
