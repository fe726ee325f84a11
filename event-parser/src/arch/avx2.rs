//! AVX2: 32 bytes in a register.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm_or_si128, _mm_setr_epi8, _mm_shuffle_epi8, _mm256_add_epi8,
    _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_loadu_si256, _mm256_maddubs_epi16,
    _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_packus_epi16, _mm256_set_m128i,
    _mm256_set1_epi8, _mm256_set1_epi16, _mm256_storeu_si256, _mm256_sub_epi8,
};

use super::{Masks, RareMasks, Simd, Task, portable, sse2};

/// AVX2, and the instructions that every processor with it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The proof that this processor has the instructions that the functions below use.
    pub(super) fn detect() -> Option<Avx2> {
        let detected = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt");
        detected.then_some(Avx2(()))
    }
}

impl Simd for Avx2 {
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
        portable::positions_in_steps(mask, base, out);
    }

    #[inline(always)]
    fn uuid(self, text: &[u8; 36]) -> Option<u128> {
        // SAFETY: as in `run`.
        unsafe { uuid(text) }
    }
}

#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn run<T: Task>(simd: Avx2, task: T) -> T::Output {
    task.run(simd)
}

#[inline]
#[target_feature(enable = "avx2")]
fn masks(block: &[u8; 64]) -> Masks {
    let [low, high] = halves(block).map(|half| half_masks(half));
    Masks {
        quotes: low.quotes | high.quotes << 32,
        newlines: low.newlines | high.newlines << 32,
        rare: low.rare | high.rare << 32,
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn half_masks(bytes: &[u8; 32]) -> Masks {
    let bytes = load(bytes);
    let is = |byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()));
    let newlines = bits(is(b'\n'));
    // As signed numbers, bytes beyond ASCII are below zero.
    let below_blank = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), bytes);
    let rare = _mm256_or_si256(below_blank, _mm256_or_si256(is(b'\\'), is(0x7f)));
    Masks { quotes: bits(is(b'"')), newlines, rare: bits(rare) & !newlines }
}

#[inline]
#[target_feature(enable = "avx2")]
fn rare_masks(block: &[u8; 64]) -> RareMasks {
    let [low, high] = halves(block).map(|half| load(half));
    let backslash = _mm256_set1_epi8(b'\\'.cast_signed());
    let backslashes = |half| bits(_mm256_cmpeq_epi8(half, backslash));
    RareMasks {
        backslashes: backslashes(low) | backslashes(high) << 32,
        beyond_ascii: bits(low) | bits(high) << 32,
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn uuid(text: &[u8; 36]) -> Option<u128> {
    // The 32 digits without the hyphens: each half from two overlapping stretches of the text.
    let low = _mm_or_si128(
        _mm_shuffle_epi8(
            load_16(text, 0),
            _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, -1, -1),
        ),
        _mm_shuffle_epi8(
            load_16(text, 2),
            _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 14, 15),
        ),
    );
    let high = _mm_or_si128(
        _mm_shuffle_epi8(
            load_16(text, 19),
            _mm_setr_epi8(0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, -1),
        ),
        _mm_shuffle_epi8(
            load_16(text, 20),
            _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 15),
        ),
    );
    let hyphens = [text[8], text[13], text[18], text[23]] == *b"----";
    let characters = _mm256_set_m128i(high, low);
    let digit = _mm256_sub_epi8(characters, _mm256_set1_epi8(b'0'.cast_signed()));
    let is_digit = at_most(digit, 9);
    let lower_case = _mm256_or_si256(characters, _mm256_set1_epi8(0x20));
    let letter = _mm256_sub_epi8(lower_case, _mm256_set1_epi8(b'a'.cast_signed()));
    let is_letter = at_most(letter, 5);
    if !hyphens || bits(_mm256_or_si256(is_digit, is_letter)) != u64::from(u32::MAX) {
        return None;
    }
    let ten_more = _mm256_add_epi8(letter, _mm256_set1_epi8(10));
    let nibbles = _mm256_or_si256(_mm256_and_si256(is_digit, digit), _mm256_and_si256(is_letter, ten_more));
    // Of every two digits the first counts sixteen times; the sums of each half go to its lowest eight bytes.
    let bytes = _mm256_maddubs_epi16(nibbles, _mm256_set1_epi16(0x0110));
    let packed = store(_mm256_packus_epi16(bytes, bytes));
    let eight = |at: usize| u64::from_be_bytes(*packed[at..].first_chunk().expect("inside 32 bytes"));
    Some(u128::from(eight(0)) << 64 | u128::from(eight(16)))
}

/// All ones in the bytes that are at most `most`, unsigned.
#[inline]
#[target_feature(enable = "avx2")]
fn at_most(bytes: __m256i, most: i8) -> __m256i {
    _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(most)), bytes)
}

#[inline]
#[target_feature(enable = "avx2")]
fn bits(bytes: __m256i) -> u64 {
    u64::from(_mm256_movemask_epi8(bytes).cast_unsigned())
}

fn halves(block: &[u8; 64]) -> [&[u8; 32]; 2] {
    let (halves, _) = block.as_chunks::<32>();
    [&halves[0], &halves[1]]
}

#[inline]
#[target_feature(enable = "avx2")]
#[expect(clippy::cast_ptr_alignment, reason = "the load asks for no alignment")]
fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the reference is to 32 bytes, and the load asks for no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast::<__m256i>()) }
}

#[inline]
#[target_feature(enable = "avx2")]
#[expect(clippy::cast_ptr_alignment, reason = "the load asks for no alignment")]
fn load_16(text: &[u8; 36], at: usize) -> __m128i {
    let bytes: &[u8; 16] = text[at..].first_chunk().expect("inside the text");
    // SAFETY: the reference is to 16 bytes, and the load asks for no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast::<__m128i>()) }
}

#[inline]
#[target_feature(enable = "avx2")]
#[expect(clippy::cast_ptr_alignment, reason = "the store asks for no alignment")]
fn store(register: __m256i) -> [u8; 32] {
    let mut bytes = [0; 32];
    // SAFETY: the array has 32 bytes, and the store asks for no alignment.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast::<__m256i>(), register) };
    bytes
}
