//! `fmt`: the layout of the Rust code.

use anyhow::{Result, bail};

use crate::repo;
use crate::run::{cargo, run as run_program};

pub(crate) const DOES: &str = "lay out the Rust code, or only check that it is (--check)";

/// Formats the workspace, or checks that it is formatted.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut command = cargo();
    command.args(["fmt", "--all"]).current_dir(repo::root()?);
    match arguments {
        [] => {}
        [check] if check == "--check" => {
            command.args(["--", "--check"]);
        }
        _ => bail!("usage: cargo xtask fmt [--check]"),
    }
    run_program(&mut command, "add it with `rustup component add rustfmt`")
}
