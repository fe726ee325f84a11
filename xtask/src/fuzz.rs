//! `fuzz`: the parser against the plain reference, on changed lines without end.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::repo;
use crate::run::{become_program, cargo, run as run_program};
use crate::tools::cargo_fuzz;

pub(crate) const DOES: &str = "hold the parser against the plain reference on millions of changed lines";
pub(crate) const ARGUMENTS: &str = "[--lines N] [--seed S] | --coverage SECONDS";

/// Lines are drawn and changed by our own fuzzer; with `--coverage`, libFuzzer changes sources and keeps those that
/// reach code that none before did.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let root = repo::root()?;
    match arguments {
        [flag, seconds] if flag == "--coverage" => {
            coverage(&root, seconds.parse().context("--coverage wants a number of seconds")?)
        }
        [flag, ..] if flag == "--coverage" => bail!("usage: cargo xtask fuzz {ARGUMENTS}"),
        _ => {
            let mut command = cargo();
            command.args([
                "run",
                "--quiet",
                "--locked",
                "--profile",
                "fuzz",
                "--package",
                "integration-tests",
            ]);
            command.args(["--no-default-features", "--bin", "fuzz", "--"]).args(arguments);
            become_program(command.current_dir(root), repo::CARGO)
        }
    }
}

/// Runs libFuzzer with the same oracle. What it has found worth keeping stays beside the build products, for the
/// next run; a source with a difference is kept there too, and named.
fn coverage(root: &Path, seconds: u64) -> Result<()> {
    let folder = repo::target_dir()?.join("coverage-fuzz");
    let (sources, found) = (folder.join("sources"), folder.join("found"));
    for folder in [&sources, &found] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let seed = |sources: &Path| {
        let mut command = cargo();
        command.args(["run", "--quiet", "--locked", "--profile", "fuzz", "--package", "integration-tests"]);
        command.args(["--no-default-features", "--bin", "fuzz", "--", "--write-sources"]).arg(sources);
        run_program(command.current_dir(root), repo::CARGO)
    };
    seed(&sources)?;
    let mut command = cargo_fuzz::command()?;
    command.args(["run", "--fuzz-dir", "event-parser/fuzz", "--sanitizer", "none", "--target-dir"]);
    command.arg(folder.join("build")).arg("parser").arg(&sources).arg("--");
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-artifact_prefix={}/", found.display()));
    // Sources longer than this only take time: the parser's chunks are cut at random anyway.
    command.args(["-max_len=4096", "-timeout=10", "-print_final_stats=1"]);
    run_program(command.current_dir(root), repo::CARGO)
}
