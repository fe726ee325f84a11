//! The command line of Schoolbell: parses arguments, calls the libraries, prints results.
//!
//! It is a library only so that the integration tests run the same program. Build on the crates below it instead.

mod args;
mod commands;
mod environment;
mod failure;
mod logging;
mod memory;
mod output;
mod progress;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use failure::Failure;

/// The whole program: to be called first thing in `main`.
pub fn main() -> ExitCode {
    // This may be the host process of a local ClickHouse engine.
    if let Some(code) = local_clickhouse::run_if_host() {
        return code;
    }
    environment::drop_empty_variables();
    memory::map_large_blocks();
    std::panic::set_hook(Box::new(failure::report_defect));
    match parse().and_then(commands::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            logging::failed(&failure);
            failure.exit_code()
        }
    }
}

/// Reads the command line and the environment. Where the command line is wrong, clap says so and ends the program.
fn parse() -> Result<args::Args, Failure> {
    let command = environment::without_empty(args::Args::command());
    let matches = command.clone().try_get_matches();
    let args = matches.and_then(|matches| args::Args::from_arg_matches(&matches));
    args.map_err(|error| environment::failure_of(&error, &command).unwrap_or_else(|| error.exit()))
}
