//! What a benchmark ran on.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::repo;
use crate::run::output;

/// The machine in one line: processor, cores, memory, system, compiler.
pub(super) fn describe() -> Result<String> {
    let processor =
        field("/proc/cpuinfo", "model name").unwrap_or_else(|| "a processor without a name".into());
    let cores = std::thread::available_parallelism()?;
    let kilobytes: u64 = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split(' ').next().and_then(|number| number.parse().ok()))
        .unwrap_or_default();
    let rustc = output(Command::new("rustc").arg("--version"), repo::CARGO)?;
    let rustc = rustc.split(' ').nth(1).unwrap_or_default();
    Ok(format!(
        "{processor}, {cores} cores, {:.0} GB of memory, {} {}, rustc {rustc} (no `target-cpu`)",
        kilobytes as f64 / 1e6,
        std::env::consts::OS,
        std::env::consts::ARCH,
    ))
}

/// The first value of that name in a file of `name : value` lines.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
