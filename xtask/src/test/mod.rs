//! `test`: everything that must pass, in one go; `test --quick`: what fits between two edits.

mod counts;
mod jobs;
mod programs;

use std::env;
use std::process::Command;
use std::thread;

use anyhow::{Result, bail};

use crate::run::cargo;
use crate::steps::Steps;
use crate::tools::python::{DBT, LINT};
use crate::{airflow, codegen, lint, repo, setup, tools};
use counts::Counts;
use jobs::{Job, Outcome};
use programs::{Program, Programs};

pub(crate) const DOES: &str =
    "run all that must pass: lints, generated files, all tests, dbt, Airflow (--quick: two minutes' worth)";
pub(crate) const ARGUMENTS: &str = "[--quick]";

/// The program of the integration tests.
const INTEGRATION: &str = "tests/it";

/// Of the integration tests, what `--quick` runs: the corpus, the parser beside the plain reference, and one path
/// from a line of JSON through ClickHouse and dbt to a mart.
const QUICK: [&str; 4] = ["contract::", "fuzz::", "generated::", "readme::"];

/// Runs the steps one after another, the tests side by side.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let quick = match arguments {
        [] => false,
        [flag] if flag == "--quick" => true,
        _ => bail!("usage: cargo xtask test {ARGUMENTS}"),
    };
    let mut steps = Steps::default();
    steps.run("tools", || if quick { quick_tools() } else { setup::run(&[]) });
    lint::run_steps(&mut steps);
    steps.run("generated files", || codegen::run(&["--check".into()]));
    let mut programs = None;
    steps.run("build of the tests", || {
        programs = Some(programs::build(&repo::root()?)?);
        Ok(())
    });
    let mut counts = Counts::default();
    if let Some(programs) = programs {
        let mut outcomes = Vec::new();
        steps.run("tests, side by side:", || {
            outcomes = jobs::run(jobs(&programs, quick)?, at_once());
            Ok(())
        });
        for Outcome { name, passed, took, counts: its } in outcomes {
            steps.add(&format!("  {name}"), passed, took);
            counts += its;
        }
    }
    eprint!("====\n{}", steps.summary());
    for name in &counts.failures {
        eprintln!("FAILED  {name}");
    }
    eprintln!("tests: {} passed, {} failed", counts.passed, counts.failed);
    steps.check()
}

/// What the tests of `--quick` need.
fn quick_tools() -> Result<()> {
    tools::engine::ensure()?;
    LINT.ensure()?;
    DBT.ensure().map(drop)
}

/// How many programs run at a time: one more than there are cores, since the integration tests and Airflow's nights
/// wait most of the time.
fn at_once() -> usize {
    cores() + 1
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Unit, property, snapshot, corpus and documentation tests, the integration tests with a real ClickHouse and dbt, and
/// the tests of the DAGs. The longest begin first. What they need beyond Cargo was installed by `setup`; a test whose
/// tool is missing fails.
fn jobs(programs: &Programs, quick: bool) -> Result<Vec<Job>> {
    let xtask = env::current_exe()?;
    let mut jobs = Vec::new();
    if !quick {
        let mut pytest = airflow::pytest(&programs.schoolbell)?;
        pytest.args(["-v", "--color", "no"]);
        jobs.push(Job::pytest("airflow", pytest));
    }
    let (integration, units): (Vec<&Program>, Vec<&Program>) =
        programs.tests.iter().partition(|program| program.name == INTEGRATION);
    for program in integration {
        let mut command = program.command();
        // Tests ask this program for dbt, instead of building it once more.
        command.env("SCHOOLBELL_XTASK", &xtask);
        // Two threads a core: most tests wait for a server or for dbt.
        command.args(["--test-threads", &(2 * cores()).to_string()]);
        if quick {
            command.args(QUICK);
        }
        jobs.push(Job::libtest(&program.name, command));
    }
    jobs.extend(units.into_iter().map(|program| Job::libtest(&program.name, program.command())));
    if !quick {
        jobs.push(Job::libtest("documentation", documentation()?));
    }
    Ok(jobs)
}

fn documentation() -> Result<Command> {
    let mut command = cargo();
    command.args(["test", "--workspace", "--locked", "--doc", "--no-fail-fast"]).current_dir(repo::root()?);
    Ok(command)
}
