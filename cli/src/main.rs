//! The binary `schoolbell`: reads the command line and composes the libraries.

mod args;
mod commands;
mod failure;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // A second run of this program, as the home of a local ClickHouse engine.
    if let Some(code) = local_clickhouse::run_if_host() {
        return code;
    }
    let args = args::Args::parse();
    match commands::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("schoolbell: {failure}");
            failure.exit_code()
        }
    }
}
