//! The command line of Schoolbell: reads arguments, composes the libraries, tells how it went.
//!
//! A library only so that the integration tests run the same program; what others should build on is in the
//! crates below.

mod args;
mod commands;
mod environment;
mod failure;
mod memory;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;

/// The whole program: to be called first thing in `main`.
pub fn main() -> ExitCode {
    // A second run of this program, as the home of a local ClickHouse engine.
    if let Some(code) = local_clickhouse::run_if_host() {
        return code;
    }
    environment::drop_empty_variables();
    memory::map_large_blocks();
    std::panic::set_hook(Box::new(failure::report_defect));
    let args = args::Args::parse();
    match commands::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("schoolbell: {failure}");
            failure.exit_code()
        }
    }
}
