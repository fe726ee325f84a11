//! `airflow`: a real Airflow on this machine with Schoolbell's DAGs, and the tests of these.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::run::{become_program, passed_on};
use crate::tools::python::{AIRFLOW, DBT, S3};
use crate::{repo, tools};

pub(crate) const DOES: &str = "a local Airflow with the DAGs, ClickHouse and S3 (test: the DAGs' tests)";

/// Names the binary `schoolbell` to use; where it is not set, one is built.
const SCHOOLBELL_BIN: &str = "SCHOOLBELL_BIN";

const MEND: &str = "remove its folder and run `cargo xtask setup`";

/// Goes on as the local Airflow, or runs pytest for `test`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    match passed_on(arguments) {
        [test, rest @ ..] if test == "test" => become_program(pytest(&schoolbell()?)?.args(rest), MEND),
        rest => become_program(local()?.args(rest), MEND),
    }
}

/// The local Airflow: `airflow/local/up.py`, told where the programs are.
fn local() -> Result<Command> {
    let root = repo::root()?;
    tools::engine::ensure()?;
    let mut python = AIRFLOW.ensure()?.command("python");
    python
        .arg(root.join("airflow").join("local").join("up.py"))
        .arg("--schoolbell")
        .arg(schoolbell()?)
        .arg("--dbt")
        .arg(DBT.ensure()?.program("dbt"))
        .arg("--moto")
        .arg(S3.ensure()?.program("moto_server"))
        .arg("--folder")
        .arg(repo::target_dir()?.join("airflow"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(python)
}

/// pytest on `airflow/tests`. The tests get the binary, and this program to bring up the local Airflow with.
pub(crate) fn pytest(schoolbell: &Path) -> Result<Command> {
    let mut pytest = AIRFLOW.ensure()?.command("pytest");
    pytest
        .current_dir(repo::root()?.join("airflow"))
        .env(SCHOOLBELL_BIN, schoolbell)
        .env("SCHOOLBELL_XTASK", std::env::current_exe()?)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(pytest)
}

/// The binary that the tests name when they bring up an Airflow, or else one that is built.
fn schoolbell() -> Result<PathBuf> {
    env::var_os(SCHOOLBELL_BIN).map_or_else(repo::schoolbell, |path| Ok(path.into()))
}
