//! cargo-deny, which checks the dependencies: an installed one of the pinned version, or one built into the cache.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::repo::CARGO;
use crate::run::{cargo, run};

/// The version that `deny.toml` is written for.
const VERSION: &str = "0.20.2";

/// Finds cargo-deny, or builds it, which takes some minutes.
pub(crate) fn ensure() -> Result<PathBuf> {
    if is_installed() {
        return Ok("cargo-deny".into());
    }
    let folder = super::ensure("cargo-deny", VERSION, |folder| {
        let arguments = ["install", "cargo-deny", "--locked", "--version", VERSION, "--root"];
        run(cargo().args(arguments).arg(folder), CARGO)
    })?;
    Ok(folder.join("bin").join("cargo-deny"))
}

fn is_installed() -> bool {
    let said = Command::new("cargo-deny").arg("--version").stdin(Stdio::null()).output();
    said.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).trim() == format!("cargo-deny {VERSION}"))
}
