//! Sets of instructions, chosen at run time.
//!
//! [`Simd`] is the few operations that are worth a set of instructions; the rooms that use them are generic
//! over it and are compiled once for each. The only `unsafe` of the crate is in here: to call what was compiled
//! for instructions that this processor was seen to have, and to load and store their registers.
//!
//! A value of a `Simd` type is the proof that the processor has the instructions: only [`Backend::available`]
//! makes one, after looking. The tests hold every set against plain code.

#![expect(clippy::inline_always, reason = "code is compiled anew inside each set of instructions")]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
#[cfg(target_arch = "x86_64")]
mod sse2;

#[cfg(test)]
mod tests;

use std::fmt;

/// Which of 64 bytes are what, a bit each, the first byte's bit the lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Masks {
    pub(crate) quotes: u64,
    pub(crate) newlines: u64,
    /// What a line seldom has: backslashes, control characters other than the newline, bytes beyond ASCII.
    pub(crate) rare: u64,
}

/// Which of 64 bytes are what of the rare things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RareMasks {
    pub(crate) backslashes: u64,
    pub(crate) beyond_ascii: u64,
}

/// Operations on a few dozen bytes at a time.
pub(crate) trait Simd: Copy {
    /// Runs a task that is compiled for these instructions, as a function of its own: what many places run is there
    /// once, and stays in the processor's cache of instructions.
    fn run<T: Task>(self, task: T) -> T::Output;
    /// Asks for the bytes at a place to be brought near; nothing where there are none.
    fn prefetch(self, bytes: &[u8], at: usize);
    /// What the bytes are.
    fn masks(self, block: &[u8; 64]) -> Masks;
    /// What the rare bytes are.
    fn rare_masks(self, block: &[u8; 64]) -> RareMasks;
    /// Writes the place of every set bit, counted from `base`, in ascending order. What follows them in `out`
    /// is of no meaning.
    fn places(self, mask: u64, base: u32, out: &mut [u32; 64]);
    /// The 128 bits of a UUID spelt 8-4-4-4-12 in hex, any case.
    fn uuid(self, text: &[u8; 36]) -> Option<u128>;
}

/// A set of instructions that this processor has: what lines are parsed with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Backend(Instructions);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instructions {
    Portable(portable::Portable),
    #[cfg(target_arch = "x86_64")]
    Sse2(sse2::Sse2),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
}

impl Default for Backend {
    /// The fastest.
    fn default() -> Backend {
        *Backend::available().last().expect("the portable one is always there")
    }
}

impl Backend {
    /// What this processor has, the fastest last; the first is the portable one.
    pub fn available() -> Vec<Backend> {
        let mut available = vec![Backend(Instructions::Portable(portable::Portable))];
        #[cfg(target_arch = "x86_64")]
        {
            available.push(Backend(Instructions::Sse2(sse2::Sse2)));
            available.extend(avx2::Avx2::detect().map(|simd| Backend(Instructions::Avx2(simd))));
            available.extend(avx512::Avx512::detect().map(|simd| Backend(Instructions::Avx512(simd))));
        }
        available
    }

    /// Its name: `portable`, `SSE2`, `AVX2` or `AVX-512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Instructions::Portable(_) => "portable",
            #[cfg(target_arch = "x86_64")]
            Instructions::Sse2(_) => "SSE2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2(_) => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512(_) => "AVX-512",
        }
    }

    /// Runs a task that is compiled for each set of instructions, with this one.
    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        match self.0 {
            Instructions::Portable(simd) => simd.run(task),
            #[cfg(target_arch = "x86_64")]
            Instructions::Sse2(simd) => simd.run(task),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2(simd) => simd.run(task),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512(simd) => simd.run(task),
        }
    }
}

/// Asks for a value to be brought near, where the processor can be asked; nothing where there is none.
#[inline(always)]
pub(crate) fn prefetch<T>(values: &[T], at: usize) {
    #[cfg(target_arch = "x86_64")]
    sse2::prefetch::<{ sse2::NEAREST }>(values, at);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, at);
}

/// Something to do with a set of instructions.
///
/// Its `run`, and all functions in it that use `simd`, have to be `#[inline(always)]`, and no closure may: a
/// function of its own is compiled without the instructions, and each use of them is a call.
pub(crate) trait Task {
    type Output;
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
