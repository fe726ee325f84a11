//! cargo-fuzz, which builds and runs libFuzzer targets: one of the pinned version, built into the cache.

use std::process::Command;

use anyhow::Result;

use crate::repo::CARGO;
use crate::run::{cargo, run};

const VERSION: &str = "0.13.2";

/// cargo-fuzz, built if it is not there yet; it finds our compiler, which is told to take what libFuzzer needs.
pub(crate) fn command() -> Result<Command> {
    let folder = super::ensure("cargo-fuzz", VERSION, |folder| {
        let arguments = ["install", "cargo-fuzz", "--locked", "--version", VERSION, "--root"];
        run(cargo().args(arguments).arg(folder), CARGO)
    })?;
    let mut command = Command::new(folder.join("bin").join("cargo-fuzz"));
    // Coverage counters are not in stable Rust's promise, but in its compiler.
    command.env("RUSTC_BOOTSTRAP", "1");
    Ok(command)
}
