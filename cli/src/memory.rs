//! How the process takes memory and gives it back.

/// Blocks of memory that are at least as large are mapped one by one: they grow without being copied, and are the
/// kernel's again when they are freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE_BYTES: libc::c_int = 256 << 10;

/// Has large blocks of memory mapped one by one. To be called before there is a second thread.
///
/// Left alone, glibc keeps blocks of up to 32 MiB that were freed, for each thread apart: columns that come and go on
/// several threads then took half as much memory again as the load was allowed. And a column that grows among others is
/// copied each time, until it is that large.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn map_large_blocks() {
    // SAFETY: `mallopt` takes two numbers, and no other thread allocates meanwhile. If it refuses, nothing changes.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES) };
}

/// Other allocators do it by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn map_large_blocks() {}
