//! Azurite, Microsoft's own Azure Storage for tests, from its npm package.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::{key_of, npm};

const PACKAGE_JSON: &str = include_str!("../../node/azurite/package.json");
const PACKAGE_LOCK: &str = include_str!("../../node/azurite/package-lock.json");
pub(crate) const MEND: &str = "install Node.js with npm";

/// Finds its folder, or installs it.
pub(crate) fn ensure() -> Result<PathBuf> {
    super::ensure("azurite", &key_of(&[PACKAGE_JSON, PACKAGE_LOCK]), |folder| {
        npm::install(folder, PACKAGE_JSON, PACKAGE_LOCK, MEND).map(drop)
    })
}

/// Its blob service, ready for arguments.
pub(crate) fn blob_service() -> Result<Command> {
    let mut command = Command::new("node");
    command.arg(ensure()?.join("node_modules/azurite/dist/src/blob/main.js"));
    Ok(command)
}
