//! The ClickHouse engine: an installed one, or the pinned library from its npm package.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use local_clickhouse::{ENGINE_PACKAGE, ENGINE_VERSION, Engine, EngineError, PACKAGE_JSON, PACKAGE_LOCK};

/// Finds an engine, and installs the pinned library if there is none.
pub(crate) fn ensure() -> Result<Engine> {
    match Engine::find() {
        Err(EngineError::NotFound { looked }) => {
            // An installed `clickhouse` that cannot be used deserves a word; usually there is none.
            for place in looked.iter().filter(|place| Path::new(&place.place).is_file()) {
                eprintln!("{} is not used: {}", place.place, place.reason);
            }
            // The folder that `Engine::find` looks into.
            super::ensure("engine", ENGINE_VERSION, install)?;
            Ok(Engine::find()?)
        }
        found => Ok(found?),
    }
}

fn install(folder: &Path) -> Result<()> {
    let mend = format!("install Node.js with npm, or put a `clickhouse` {} or newer on PATH", minimum());
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        bail!(
            "the pinned engine library is for Linux on x86-64 with glibc; put a `clickhouse` {} or newer on PATH",
            minimum()
        );
    }
    let npm = folder.join("npm");
    fs::create_dir(&npm)?;
    let packages = super::npm::install(&npm, PACKAGE_JSON, PACKAGE_LOCK, &mend)?;
    let library = packages.join(ENGINE_PACKAGE).join("libchdb.so");
    fs::rename(&library, folder.join("libchdb.so"))
        .with_context(|| format!("{ENGINE_PACKAGE} has no libchdb.so"))?;
    Ok(fs::remove_dir_all(npm)?)
}

fn minimum() -> u32 {
    local_clickhouse::MINIMUM_VERSION
}
