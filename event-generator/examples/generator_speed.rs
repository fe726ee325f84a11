//! How fast one core makes lines: `cargo run --release -p event-generator --example generator_speed [USERS [FILE]]`.
//!
//! Without a file the lines are counted and dropped.

use std::fs::File;
use std::io::{self, Write};
use std::time::Instant;

use event_generator::{Generator, Plan};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let users = arguments.next().map_or(Ok(200_000), |users| users.parse())?;
    let mut out: Box<dyn Write> = match arguments.next() {
        Some(path) => Box::new(File::create(path)?),
        None => Box::new(io::sink()),
    };
    let plan = Plan::new("2026-03-01".parse()?, 28, users);
    let generator = Generator::new(plan)?;
    for date in ["2026-03-01", "2026-03-08", "2026-03-28"] {
        let begun = Instant::now();
        let stats = generator.write_day(date.parse()?, 0, 1, &mut out)?;
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "{date}: {} lines, {:.1} MB, {:.0} bytes a line, {:.0} bytes a user, {:.0} MB/s",
            stats.lines,
            stats.bytes as f64 / 1e6,
            stats.bytes as f64 / stats.lines as f64,
            stats.bytes as f64 / users as f64,
            stats.bytes as f64 / 1e6 / seconds
        );
        println!(
            "    {:?} {:?}, {} late, {} twice",
            stats.accepted(),
            stats.rejected(),
            stats.late,
            stats.duplicates
        );
    }
    Ok(())
}
