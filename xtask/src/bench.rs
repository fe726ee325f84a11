//! `bench`: how fast Schoolbell is, beside its rivals, in one interleaved run.

use anyhow::{Result, bail};

use crate::repo;
use crate::run::{become_program, cargo};

pub(crate) const DOES: &str = "measure against rivals in the same run, as a Markdown table";

/// Runs a benchmark by its name.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let package = match arguments {
        [name] if name == "parser" => "event-parser",
        _ => bail!("usage: cargo xtask bench parser"),
    };
    let mut command = cargo();
    command.args(["bench", "--quiet", "--locked", "--package", package, "--bench", &arguments[0]]);
    become_program(command.current_dir(repo::root()?), repo::CARGO)
}
