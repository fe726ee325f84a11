//! `test`: everything that must pass, in one go.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::run::{cargo, run as run_program};
use crate::{codegen, lint, repo, setup};

pub(crate) const DOES: &str =
    "run all that must pass: lints, generated files, unit and integration tests, dbt";

/// Runs every step, also after a failed one, so that one run tells all; fails if one did.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let steps: [(&str, &dyn Fn() -> Result<()>); 4] = [
        ("tools", &|| setup::run(&[])),
        ("lint", &|| lint::run(&[])),
        ("generated files", &|| codegen::run(&["--check".into()])),
        ("tests", &tests),
    ];
    let mut results = Vec::new();
    for (name, step) in steps {
        eprintln!("==== {name}");
        let begun = Instant::now();
        let result = step();
        if let Err(error) = &result {
            eprintln!("{name}: {error:#}");
        }
        results.push((name, result.is_ok(), begun.elapsed()));
    }
    summarise(&results)
}

/// Unit, property, snapshot, corpus and documentation tests, and the integration tests with a real ClickHouse
/// and dbt. What they need beyond Cargo was installed by `setup`; a test whose tool is missing fails.
fn tests() -> Result<()> {
    let mut command = cargo();
    command.args(["test", "--workspace", "--locked", "--no-fail-fast"]).current_dir(repo::root()?);
    // A snapshot that differs is a failure, not a new snapshot.
    command.env("INSTA_UPDATE", "no");
    // Tests that need dbt ask this program for it, instead of building it once more.
    command.env("SCHOOLBELL_XTASK", std::env::current_exe()?);
    run_program(&mut command, repo::CARGO)
}

fn summarise(results: &[(&str, bool, Duration)]) -> Result<()> {
    eprintln!("====");
    for (name, passed, took) in results {
        let verdict = if *passed { "passed" } else { "FAILED" };
        eprintln!("{verdict}  {name:<16} {:>7.1} s", took.as_secs_f64());
    }
    let failed: Vec<&str> = results.iter().filter(|(_, passed, _)| !passed).map(|(name, ..)| *name).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}
