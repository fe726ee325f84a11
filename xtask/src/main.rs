//! Schoolbell's chores, as `cargo xtask COMMAND`: one module a command, and the tools that they need.

use std::env;
use std::process::ExitCode;

mod airflow;
mod azurite;
mod bench;
mod codegen;
mod dbt;
mod demo;
mod fmt;
mod fuzz;
mod help;
mod lint;
mod python;
mod repo;
mod report_check;
mod run;
mod setup;
mod steps;
mod test;
mod tidy;
mod tools;
mod warehouse;

/// A chore.
struct Command {
    /// Its name, the first argument.
    name: &'static str,
    /// What follows the name, for the help.
    arguments: &'static str,
    /// What it does, in one line.
    does: &'static str,
    /// Runs it on what follows the name.
    run: fn(&[String]) -> anyhow::Result<()>,
}

/// Every command, in the order of the help.
const COMMANDS: &[Command] = &[
    Command { name: "help", arguments: "", does: "list the commands", run: help::run },
    Command { name: "demo", arguments: "", does: demo::DOES, run: demo::run },
    Command { name: "test", arguments: test::ARGUMENTS, does: test::DOES, run: test::run },
    Command { name: "codegen", arguments: "[--check]", does: codegen::DOES, run: codegen::run },
    Command { name: "bench", arguments: bench::ARGUMENTS, does: bench::DOES, run: bench::run },
    Command { name: "fuzz", arguments: fuzz::ARGUMENTS, does: fuzz::DOES, run: fuzz::run },
    Command { name: "setup", arguments: "", does: setup::DOES, run: setup::run },
    Command { name: "fmt", arguments: "[--check]", does: fmt::DOES, run: fmt::run },
    Command { name: "lint", arguments: "", does: lint::DOES, run: lint::run },
    Command { name: "tidy", arguments: "", does: tidy::DOES, run: tidy::run },
    Command { name: "airflow", arguments: "[test] ARGS…", does: airflow::DOES, run: airflow::run },
    Command { name: "azurite", arguments: "ARGS…", does: azurite::DOES, run: azurite::run },
    Command { name: "dbt", arguments: "-- ARGS…", does: dbt::DOES, run: dbt::run },
    Command {
        name: "python", arguments: "ENVIRONMENT PROGRAM ARGS…", does: python::DOES, run: python::run
    },
    Command {
        name: "report-check",
        arguments: "REPORT.html SCREENSHOT_FOLDER",
        does: report_check::DOES,
        run: report_check::run,
    },
    Command {
        name: "warehouse",
        arguments: "start|stop|status|run",
        does: warehouse::DOES,
        run: warehouse::run,
    },
];

/// The command line is not understood (`EX_USAGE` of clap, and so of `schoolbell`).
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    if let Some(code) = local_clickhouse::run_if_host() {
        return code;
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (name, rest) =
        arguments.split_first().map_or(("help", &[][..]), |(name, rest)| (name.as_str(), rest));
    let name = if matches!(name, "-h" | "--help") { "help" } else { name };
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprintln!("xtask has no command `{name}`; `cargo xtask help` lists them");
        return ExitCode::from(EXIT_USAGE);
    };
    if command.arguments.is_empty() && !rest.is_empty() {
        eprintln!("`cargo xtask {name}` takes no arguments; it would {}", command.does);
        return ExitCode::from(EXIT_USAGE);
    }
    match (command.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask {name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
