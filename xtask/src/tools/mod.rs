//! The tools that chores need: each pinned by a lock file or a version, installed into Schoolbell's cache on first
//! use, and found there from then on.
//!
//! A tool lies in `<cache>/<name>/<key>`, the key telling apart all that it was made from. Such a folder is whole: it
//! gets this name only when it is finished, and is never changed after.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use xxhash_rust::xxh3::xxh3_128;

pub(crate) mod azurite;
pub(crate) mod cargo_fuzz;
pub(crate) mod engine;
mod npm;
pub(crate) mod python;
pub(crate) mod report_web;

/// The folder `<cache>/<name>/<key>`; if it is not there, `make` fills one that then becomes it.
fn ensure(name: &str, key: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let cache = local_clickhouse::cache_dir()
        .with_context(|| format!("no place for a cache: set {} or HOME", local_clickhouse::CACHE_ENV))?;
    ensure_in(&cache, name, key, make)
}

fn ensure_in(cache: &Path, name: &str, key: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let shelf = cache.join(name);
    let folder = shelf.join(key);
    if folder.exists() {
        return Ok(folder);
    }
    fs::create_dir_all(&shelf).with_context(|| format!("cannot make {}", shelf.display()))?;
    // One at a time; a second one that waited here finds the work done.
    let lock =
        File::create(shelf.join(".lock")).with_context(|| format!("cannot write in {}", shelf.display()))?;
    lock.lock().with_context(|| format!("cannot lock {}", shelf.display()))?;
    if folder.exists() {
        return Ok(folder);
    }
    sweep(&shelf)?;

    eprintln!("Installing {name} ({key}) into {} …", folder.display());
    let begun = Instant::now();
    let partial = tempfile::Builder::new().prefix(PARTIAL).tempdir_in(&shelf)?;
    make(partial.path()).with_context(|| format!("cannot install {name}"))?;
    let partial = partial.keep();
    fs::rename(&partial, &folder)
        .with_context(|| format!("cannot rename {} to {}", partial.display(), folder.display()))?;
    eprintln!("Installed {name} in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(folder)
}

/// Begins the names of folders that are being filled.
const PARTIAL: &str = ".partial-";

/// Removes what installations that were killed have left. To be called with the lock.
fn sweep(shelf: &Path) -> Result<()> {
    for entry in fs::read_dir(shelf)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            fs::remove_dir_all(entry.path())
                .with_context(|| format!("cannot remove {}", entry.path().display()))?;
        }
    }
    Ok(())
}

/// A short name for what a tool is made from.
fn key_of(parts: &[&str]) -> String {
    format!("{:032x}", xxh3_128(parts.join("\0").as_bytes()))
}

#[cfg(test)]
mod tests;
