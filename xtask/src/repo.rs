//! Where the repository and its build products are.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::run::{cargo, output, run};

/// The repository's root, absolute. Asked for at run time: a moved tree keeps its built xtask.
pub(crate) fn root() -> Result<PathBuf> {
    // Set by `cargo run`, and so by `cargo xtask`.
    if let Some(package) = env::var_os("CARGO_MANIFEST_DIR") {
        return Ok(Path::new(&package)
            .parent()
            .context("xtask lies in a folder of the repository")?
            .to_owned());
    }
    let manifest =
        output(cargo().args(["locate-project", "--workspace", "--message-format", "plain"]), CARGO)?;
    Ok(Path::new(manifest.trim()).parent().context("the workspace's manifest lies in a folder")?.to_owned())
}

/// Where Cargo puts what it builds, absolute.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let mut metadata = cargo();
    metadata.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root()?);
    let metadata: serde_json::Value = serde_json::from_str(&output(&mut metadata, CARGO)?)?;
    let target =
        metadata["target_directory"].as_str().context("`cargo metadata` names the target directory")?;
    Ok(target.into())
}

/// Builds the binary `schoolbell` and answers its path.
pub(crate) fn schoolbell() -> Result<PathBuf> {
    run(cargo().args(["build", "--locked", "--package", "schoolbell"]).current_dir(root()?), CARGO)?;
    Ok(target_dir()?.join("debug").join(format!("schoolbell{}", env::consts::EXE_SUFFIX)))
}

/// Builds the binary `schoolbell` as its users have it, with all optimisations, and answers its path.
pub(crate) fn released_schoolbell() -> Result<PathBuf> {
    let arguments = ["build", "--release", "--locked", "--package", "schoolbell"];
    run(cargo().args(arguments).current_dir(root()?), CARGO)?;
    Ok(target_dir()?.join("release").join(format!("schoolbell{}", env::consts::EXE_SUFFIX)))
}

/// What to do without Cargo.
pub(crate) const CARGO: &str = "install Rust with rustup";
