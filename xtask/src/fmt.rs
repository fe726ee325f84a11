//! `fmt`: the layout of the Rust and the Python code.

use std::path::Path;

use anyhow::{Result, bail};

use crate::repo;
use crate::run::{cargo, run as run_program};
use crate::tools::python::LINT;

pub(crate) const DOES: &str = "lay out the Rust and the Python code, or only check that it is (--check)";

/// Formats the code, or checks that it is formatted.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let check = match arguments {
        [] => false,
        [check] if check == "--check" => true,
        _ => bail!("usage: cargo xtask fmt [--check]"),
    };
    let root = repo::root()?;
    let mut rustfmt = cargo();
    rustfmt.args(["fmt", "--all"]).current_dir(&root);
    if check {
        rustfmt.args(["--", "--check"]);
    }
    run_program(&mut rustfmt, "add it with `rustup component add rustfmt`")?;
    let options: &[&str] = if check { &["format", "--check", "--diff"] } else { &["format"] };
    ruff(&root, options)
}

/// Runs ruff on the Python code.
pub(crate) fn ruff(root: &Path, arguments: &[&str]) -> Result<()> {
    let mut ruff = LINT.ensure()?.command("ruff");
    ruff.args(arguments).args(["airflow", "tests/dbt"]).current_dir(root);
    run_program(&mut ruff, "remove its folder and run `cargo xtask setup`")
}
