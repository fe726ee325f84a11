//! `python`: a program of one of the pinned Python environments.

use anyhow::{Result, bail};

use crate::run::become_program;
use crate::tools::python::{ALL, Environment};

pub(crate) const DOES: &str =
    "run a program of a pinned Python environment (`s3 moto_server`, `science python`)";

/// Goes on as that program, in the folder it was called from.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let [environment, program, rest @ ..] = arguments else { return usage() };
    let Some(environment) = ALL.iter().find(|known| known.name == environment) else { return usage() };
    become_program(
        environment.ensure()?.command(program).args(rest),
        "remove its folder and run `cargo xtask setup`",
    )
}

fn usage() -> Result<()> {
    let names: Vec<&str> = ALL.iter().map(|Environment { name, .. }| *name).collect();
    bail!("usage: cargo xtask python ENVIRONMENT PROGRAM ARGS…, with an environment of: {}", names.join(", "))
}
