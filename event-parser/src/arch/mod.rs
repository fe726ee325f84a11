//! Instruction sets, chosen at run time.
//!
//! [`Simd`] has the few operations that are written for each instruction set; the loops that use them are generic over it
//! and compiled once for each. The crate's only `unsafe` is here: to call functions that are compiled for instructions
//! that this processor has, and to load and store their registers.
//!
//! A value of a `Simd` type is the proof that the processor has the instructions: only [`Backend::available`] makes one,
//! after detection. Tests compare every instruction set with plain code.

#![expect(clippy::inline_always, reason = "compiled for each instruction set")]

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

/// Classes of 64 bytes, one bit each, the lowest for the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Masks {
    pub(crate) quotes: u64,
    pub(crate) newlines: u64,
    /// Backslashes, control characters other than the newline, bytes beyond ASCII: most lines have none.
    pub(crate) rare: u64,
}

/// Classes of the rare bytes among 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RareMasks {
    pub(crate) backslashes: u64,
    pub(crate) beyond_ascii: u64,
}

/// Operations on a few dozen bytes at a time.
pub(crate) trait Simd: Copy {
    /// Runs a task that is compiled for these instructions. It is a function of its own, shared by all callers, so that
    /// code stays in the instruction cache.
    fn run<T: Task>(self, task: T) -> T::Output;
    /// Prefetches the bytes at a position; does nothing past the end.
    fn prefetch(self, bytes: &[u8], at: usize);
    /// Classifies bytes.
    fn masks(self, block: &[u8; 64]) -> Masks;
    /// Classifies the rare bytes.
    fn rare_masks(self, block: &[u8; 64]) -> RareMasks;
    /// Writes the position of every set bit, counted from `base`, in ascending order. The values after them in `out` are
    /// not defined.
    fn positions(self, mask: u64, base: u32, out: &mut [u32; 64]);
    /// The 128 bits of a UUID in the form 8-4-4-4-12 in hex, any case.
    fn uuid(self, text: &[u8; 36]) -> Option<u128>;
}

/// An instruction set of this processor, with which lines are parsed.
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
    /// The instruction sets of this processor, the fastest last; the first is the portable one.
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

    /// Runs a task with this instruction set.
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

/// Prefetches a value, if the processor can; does nothing past the end.
#[inline(always)]
pub(crate) fn prefetch<T>(values: &[T], at: usize) {
    #[cfg(target_arch = "x86_64")]
    sse2::prefetch::<{ sse2::NEAREST }>(values, at);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, at);
}

/// Code that is compiled for each instruction set.
///
/// `run`, and all functions in it that use `simd`, have to be `#[inline(always)]`, and closures must not use it: a function
/// that is not inlined is compiled without the instructions, so that each use of them is a call.
pub(crate) trait Task {
    type Output;
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
