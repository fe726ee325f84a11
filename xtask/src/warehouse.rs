//! `warehouse`: the local ClickHouse of `schoolbell warehouse`, with its data among the build products.

use anyhow::Result;
use local_clickhouse::service;

use crate::repo;
use crate::run::{become_program, cargo, passed_on};
use crate::tools;

pub(crate) const DOES: &str = "a local ClickHouse with its data in target/warehouse (run: in the foreground)";

/// The ports that clients expect unless told otherwise.
const HTTP_PORT: u16 = 8123;
const TCP_PORT: u16 = 9000;

/// Goes on as `schoolbell warehouse …`, or runs the server itself for `run`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let arguments = passed_on(arguments);
    let data = repo::target_dir()?.join("warehouse");
    if !matches!(arguments.first().map(String::as_str), Some("stop" | "status")) {
        tools::engine::ensure()?;
    }
    if arguments == ["run"] {
        let options = service::Options {
            data_dir: data,
            http_port: HTTP_PORT,
            tcp_port: TCP_PORT,
            host_executable: None,
        };
        return Ok(service::run(&options, |status| {
            eprintln!("ClickHouse answers at {} (native: {}); Ctrl-C ends it", status.url, status.tcp);
        })?);
    }
    let mut schoolbell = cargo();
    schoolbell.args(["run", "--quiet", "--package", "schoolbell", "--", "warehouse"]).args(arguments);
    let names_data = |argument: &String| argument == "--data" || argument.starts_with("--data=");
    if !arguments.is_empty() && !arguments.iter().any(names_data) {
        schoolbell.arg("--data").arg(data);
    }
    become_program(schoolbell.current_dir(repo::root()?), repo::CARGO)
}
