//! The pass over a chunk, for each set of instructions. The only `unsafe` of the crate is in here: to call
//! what was compiled for instructions that this processor was seen to have, and to load their registers.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use super::{Index, Masks};

/// A set of instructions that this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backend(Instructions);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instructions {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Default for Backend {
    /// The fastest.
    fn default() -> Backend {
        *Backend::available().last().expect("the portable one is always there")
    }
}

impl Backend {
    /// What this processor has, the fastest last.
    pub(crate) fn available() -> Vec<Backend> {
        let mut available = vec![Backend(Instructions::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") {
                available.push(Backend(Instructions::Avx2));
            }
            if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("bmi1") {
                available.push(Backend(Instructions::Avx512));
            }
        }
        available
    }

    /// Its name, for reports.
    pub(crate) fn name(self) -> &'static str {
        match self.0 {
            Instructions::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => "AVX-512",
        }
    }

    pub(super) fn index(self, chunk: &[u8], index: &mut Index) {
        match self.0 {
            Instructions::Portable => pass(chunk, index, portable::masks),
            // SAFETY: `available`, the only place that makes this value, has seen the instructions.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { avx2::index(chunk, index) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { avx512::index(chunk, index) },
        }
    }
}

/// The pass, 64 bytes at a time. Inlined into each backend, so that it is compiled for its instructions.
#[inline(always)]
fn pass(chunk: &[u8], index: &mut Index, masks: impl Fn(&[u8; 64]) -> Masks) {
    let (blocks, rest) = chunk.as_chunks::<64>();
    let mut base = 0;
    for block in blocks {
        index.add(base, masks(block));
        base += 64;
    }
    if !rest.is_empty() {
        // Spaces are neither quote, newline nor odd.
        let mut last = [b' '; 64];
        last[..rest.len()].copy_from_slice(rest);
        index.add(base, masks(&last));
    }
}
