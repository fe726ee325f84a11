//! AVX-512: 64 bytes in a register, and VBMI2: bytes selected by a mask.

use std::arch::x86_64::{
    __m512i, _mm_cvtsi128_si64, _mm_extract_epi64, _mm256_cmple_epu8_mask, _mm256_cvtepi16_epi8,
    _mm256_maddubs_epi16, _mm256_mask_add_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_set1_epi16,
    _mm256_sub_epi8, _mm512_add_epi32, _mm512_castsi512_si128, _mm512_castsi512_si256,
    _mm512_cmpeq_epi8_mask, _mm512_cvtepu8_epi32, _mm512_extracti32x4_epi32, _mm512_loadu_si512,
    _mm512_mask_compress_epi8, _mm512_maskz_compress_epi8, _mm512_maskz_loadu_epi8, _mm512_min_epu8,
    _mm512_movepi8_mask, _mm512_set1_epi8, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_storeu_si512,
    _mm512_subs_epu8, _mm512_testn_epi8_mask, _mm512_xor_si512,
};

use super::{Masks, RareMasks, Simd, Task, sse2};

/// The AVX-512 of Ice Lake and Zen 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// The proof that this processor has the instructions that the functions below use.
    pub(super) fn detect() -> Option<Avx512> {
        let detected = super::avx2::Avx2::detect().is_some()
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vbmi2");
        detected.then_some(Avx512(()))
    }
}

impl Simd for Avx512 {
    #[inline(always)]
    fn run<T: Task>(self, task: T) -> T::Output {
        // SAFETY: only `detect` makes this value, after it has detected the instructions.
        unsafe { run(self, task) }
    }

    #[inline(always)]
    fn prefetch(self, bytes: &[u8], at: usize) {
        sse2::prefetch::<{ sse2::NEAR }>(bytes, at);
    }

    #[inline(always)]
    fn masks(self, block: &[u8; 64]) -> Masks {
        // SAFETY: as in `run`.
        unsafe { masks(block) }
    }

    #[inline(always)]
    fn rare_masks(self, block: &[u8; 64]) -> RareMasks {
        // SAFETY: as in `run`.
        unsafe { rare_masks(block) }
    }

    #[inline(always)]
    fn positions(self, mask: u64, base: u32, out: &mut [u32; 64]) {
        // SAFETY: as in `run`.
        unsafe { positions(mask, base, out) }
    }

    #[inline(always)]
    fn uuid(self, text: &[u8; 36]) -> Option<u128> {
        // SAFETY: as in `run`.
        unsafe { uuid(text) }
    }
}

#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,bmi1,bmi2,popcnt")]
fn run<T: Task>(simd: Avx512, task: T) -> T::Output {
    task.run(simd)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn masks(block: &[u8; 64]) -> Masks {
    let bytes = load(block);
    let is = |byte: u8| _mm512_set1_epi8(byte.cast_signed());
    let newlines = _mm512_cmpeq_epi8_mask(bytes, is(b'\n'));
    // Zero where the byte is rare: one comparison into a mask for all kinds, because these are the slow instruction.
    let control = _mm512_subs_epu8(bytes, is(0x1f));
    let past_tilde = _mm512_subs_epu8(is(0x7f), bytes);
    let backslash = _mm512_xor_si512(bytes, is(b'\\'));
    let rare = _mm512_min_epu8(_mm512_min_epu8(control, past_tilde), backslash);
    Masks {
        quotes: _mm512_cmpeq_epi8_mask(bytes, is(b'"')),
        newlines,
        rare: _mm512_testn_epi8_mask(rare, rare) & !newlines,
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn rare_masks(block: &[u8; 64]) -> RareMasks {
    let bytes = load(block);
    RareMasks {
        backslashes: _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b'\\'.cast_signed())),
        beyond_ascii: _mm512_movepi8_mask(bytes),
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2")]
fn positions(mask: u64, base: u32, out: &mut [u32; 64]) {
    const COUNT_UP: [u8; 64] = {
        let mut bytes = [0; 64];
        let mut at = 0;
        while at < 64 {
            bytes[at] = at as u8;
            at += 1;
        }
        bytes
    };
    let bits = _mm512_maskz_compress_epi8(mask, load(&COUNT_UP));
    let base = _mm512_set1_epi32(base.cast_signed());
    let [first, second, third, fourth] = out.as_chunks_mut::<16>().0 else {
        unreachable!("64 positions are four times 16")
    };
    let widen = |sixteen| _mm512_add_epi32(_mm512_cvtepu8_epi32(sixteen), base);
    store(widen(_mm512_castsi512_si128(bits)), first);
    let count = mask.count_ones();
    if count > 16 {
        store(widen(_mm512_extracti32x4_epi32::<1>(bits)), second);
        if count > 32 {
            store(widen(_mm512_extracti32x4_epi32::<2>(bits)), third);
            store(widen(_mm512_extracti32x4_epi32::<3>(bits)), fourth);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2")]
fn uuid(text: &[u8; 36]) -> Option<u128> {
    const HYPHENS: u64 = 1 << 8 | 1 << 13 | 1 << 18 | 1 << 23;
    const ALL: u64 = (1 << 36) - 1;
    // SAFETY: the mask loads no more than the 36 bytes of the reference.
    let text = unsafe { _mm512_maskz_loadu_epi8(ALL, text.as_ptr().cast::<i8>()) };
    let hyphens = _mm512_cmpeq_epi8_mask(text, _mm512_set1_epi8(b'-'.cast_signed()));
    let digits = _mm512_mask_compress_epi8(_mm512_setzero_si512(), ALL & !HYPHENS, text);
    let characters = _mm512_castsi512_si256(digits);
    let digit = _mm256_sub_epi8(characters, _mm256_set1_epi8(b'0'.cast_signed()));
    let is_digit = _mm256_cmple_epu8_mask(digit, _mm256_set1_epi8(9));
    let lower_case = _mm256_or_si256(characters, _mm256_set1_epi8(0x20));
    let letter = _mm256_sub_epi8(lower_case, _mm256_set1_epi8(b'a'.cast_signed()));
    let is_letter = _mm256_cmple_epu8_mask(letter, _mm256_set1_epi8(5));
    if hyphens & HYPHENS != HYPHENS || is_digit | is_letter != u32::MAX {
        return None;
    }
    let nibbles = _mm256_mask_add_epi8(digit, is_letter, letter, _mm256_set1_epi8(10));
    // Of every two digits the first counts sixteen times.
    let bytes = _mm256_cvtepi16_epi8(_mm256_maddubs_epi16(nibbles, _mm256_set1_epi16(0x0110)));
    let upper = _mm_cvtsi128_si64(bytes).cast_unsigned().swap_bytes();
    let lower = _mm_extract_epi64::<1>(bytes).cast_unsigned().swap_bytes();
    Some(u128::from(upper) << 64 | u128::from(lower))
}

#[inline]
#[target_feature(enable = "avx512f")]
#[expect(clippy::cast_ptr_alignment, reason = "the load asks for no alignment")]
fn load(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the reference is to 64 bytes, and the load asks for no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast::<__m512i>()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
#[expect(clippy::cast_ptr_alignment, reason = "the store asks for no alignment")]
fn store(register: __m512i, out: &mut [u32; 16]) {
    // SAFETY: the array has 64 bytes, and the store asks for no alignment.
    unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast::<__m512i>(), register) }
}
