//! The rules of this repository that no compiler checks: which crate may use which, what begins a module, how long a
//! file may be, and that documentation names what exists.

mod crates;
mod files;
mod names;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::repo;
use crate::run::output;

pub(crate) const DOES: &str =
    "check the rules of the repository: layers of crates, files, names in documentation";

/// Checks every rule, as `lint` does.
pub(crate) fn run(_: &[String]) -> Result<()> {
    check(&repo::root()?)
}

/// Checks every rule, and fails with all that breaks one, a line each with what to do.
pub(crate) fn check(root: &Path) -> Result<()> {
    let tracked = tracked_files(root)?;
    let mut broken = crates::check(root)?;
    broken.extend(files::check(root, &tracked)?);
    broken.extend(names::check(root, &tracked)?);
    if !broken.is_empty() {
        bail!("{} broken:\n  {}", broken.len(), broken.join("\n  "));
    }
    Ok(())
}

/// The files of the repository, also new ones, by their paths from the root; not those that Git ignores.
fn tracked_files(root: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let listed = output(&mut git, "install Git, and run this in a clone of the repository")?;
    // A file that was deleted is listed until that is committed.
    let exists = |path: &&str| !path.is_empty() && root.join(path).exists();
    Ok(listed.split('\0').filter(exists).map(str::to_owned).collect())
}

fn read(root: &Path, path: &str) -> Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))
}
