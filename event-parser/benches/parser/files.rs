//! The day files of the benchmark, all of the same product on the same day.

use std::fs;
use std::io;
use std::path::Path;

use event_generator::{Generator, Plan, Spelling};

/// The day of all files.
pub(crate) const DAY: &str = "2026-03-01";

/// A file's name, how its lines are spelt, and the share of bad lines.
const FILES: [(&str, Spelling, f64); 5] = [
    ("canonical", Spelling::Mixed, 0.01),
    ("script", Spelling::Script, 0.0),
    ("shuffled", Spelling::Shuffled, 0.0),
    ("prose", Spelling::Prose, 0.0),
    // For contestants that stop at a bad line: `canonical` without bad lines.
    ("good", Spelling::Mixed, 0.0),
];

/// Writes every file, each with as many whole lines as fit into so many megabytes.
pub(crate) fn generate(folder: &Path, megabytes: usize) -> io::Result<()> {
    let bytes = megabytes * 1_000_000;
    for (name, spelling, reject_share) in FILES {
        let date = DAY.parse().expect("a date");
        // More users than needed: the bytes of a user depend on the day.
        let plan = Plan { spelling, reject_share, ..Plan::for_bytes(date, 1, bytes as u64 * 5 / 4) };
        let mut day = Vec::new();
        let generator = Generator::new(plan).expect("the plan is sound");
        generator.write_day(date, 0, 1, &mut day).expect("memory takes any bytes");
        let end = memchr::memrchr(b'\n', &day[..bytes.min(day.len())]).map_or(0, |newline| newline + 1);
        fs::write(folder.join(name), &day[..end])?;
    }
    Ok(())
}
