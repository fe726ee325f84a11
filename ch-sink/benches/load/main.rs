//! What `cargo xtask bench load` measures in a process of its own: what one would write with `serde_json` and the
//! `clickhouse` crate's typed inserts.
//!
//! ```text
//! load generate DIR MEGABYTES             writes the day files that are loaded
//! load insert URL DATABASE DATE FILE      inserts a day file into the five tables of rows
//! ```

mod rows;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use event_generator::{Generator, Plan};

/// The day of all files.
const DAY: &str = "2026-03-01";
/// A file's name and the share of bad lines. `good` has the lines of `canonical` without those.
const FILES: [(&str, f64); 2] = [("canonical", 0.01), ("good", 0.0)];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["generate", folder, megabytes] => generate(Path::new(folder), megabytes),
        ["insert", url, database, date, file] => rows::insert(url, database, date, Path::new(file)),
        _ => {
            eprintln!("this is a part of `cargo xtask bench load`");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load benchmark: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes every file, each of as many whole lines as fit into so many megabytes.
fn generate(folder: &Path, megabytes: &str) -> Result<(), Box<dyn Error>> {
    let bytes = megabytes.parse::<usize>()? * 1_000_000;
    for (name, reject_share) in FILES {
        let date = DAY.parse()?;
        // More users than are needed: how many bytes a user makes depends on the day.
        let plan = Plan { reject_share, ..Plan::for_bytes(date, 1, bytes as u64 * 5 / 4) };
        let mut day = Vec::new();
        Generator::new(plan)?.write_day(date, 0, 1, &mut day)?;
        let cut = &day[..bytes.min(day.len())];
        let end = cut.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        fs::write(folder.join(name), &day[..end])?;
    }
    Ok(())
}
