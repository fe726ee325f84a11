//! `dbt`: dbt of the pinned environment, on Schoolbell's project.

use std::process::Command;

use anyhow::Result;

use crate::repo;
use crate::run::{become_program, passed_on};
use crate::tools::python::DBT;

pub(crate) const DOES: &str = "run the pinned dbt on the project in dbt/ (for example `build`)";

/// Goes on as dbt.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    become_program(command()?.args(passed_on(arguments)), "remove its folder and run `cargo xtask setup`")
}

/// dbt of the pinned environment, in the repository's root. Flags given win over the environment that says
/// where project and profile are.
pub(crate) fn command() -> Result<Command> {
    let root = repo::root()?;
    let project = root.join("dbt");
    let mut dbt = DBT.ensure()?.command("dbt");
    dbt.current_dir(root)
        .env("DBT_PROJECT_DIR", &project)
        .env("DBT_PROFILES_DIR", &project)
        .env("DBT_SEND_ANONYMOUS_USAGE_STATS", "false");
    Ok(dbt)
}
