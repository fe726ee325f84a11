//! The smallest program that can host an engine; run by hand it names the engine that it would host.

use std::process::ExitCode;

use local_clickhouse::Engine;

fn main() -> ExitCode {
    if let Some(code) = local_clickhouse::run_if_host() {
        return code;
    }
    match Engine::find() {
        Ok(engine) => {
            println!("{engine}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
