//! Packages of npm, installed by their lock: npm checks each against the hash there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::run::run;

/// Installs what a lock names; the folder `node_modules` with it, in `folder`. No package runs anything meanwhile.
pub(super) fn install(folder: &Path, package_json: &str, lock: &str, mend: &str) -> Result<PathBuf> {
    fs::write(folder.join("package.json"), package_json)?;
    fs::write(folder.join("package-lock.json"), lock)?;
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    run(Command::new("npm").args(arguments).current_dir(folder), mend)?;
    Ok(folder.join("node_modules"))
}
