//! The part of `cargo xtask bench parser` that runs in a process of its own: our parser, other Rust libraries, and the
//! limits of the memory.
//!
//! ```text
//! parser generate DIR MEGABYTES    writes the day files that are parsed
//! parser serve DIR                 answers `CONTESTANT FILE` with `CPU-SECONDS WALL-SECONDS LINES`, a line each
//! ```
//!
//! The caller asks for one contestant at a time, so that contestants of several processes and servers are measured in one
//! interleaved run.

mod files;
mod ours;
mod rivals;

use std::collections::HashMap;
use std::hint::black_box;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["generate", folder, megabytes] => {
            let megabytes = megabytes.parse().expect("a number of megabytes");
            files::generate(Path::new(folder), megabytes)
        }
        ["serve", folder] => serve(Path::new(folder)),
        _ => {
            eprintln!("this is a part of `cargo xtask bench parser`");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("parser benchmark: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Lists the contestants, one a line, then an empty line; then measures what it is asked for.
fn serve(folder: &Path) -> io::Result<()> {
    let contestants: Vec<_> = ours::contestants().into_iter().chain(rivals::contestants()).collect();
    let mut files = HashMap::new();
    let mut stdout = io::stdout().lock();
    for (name, _) in &contestants {
        writeln!(stdout, "{name}")?;
    }
    writeln!(stdout)?;
    for request in io::stdin().lines() {
        let request = request?;
        let wrong = || io::Error::new(io::ErrorKind::InvalidInput, format!("no such request: {request}"));
        let (name, file) = request.rsplit_once(' ').ok_or_else(wrong)?;
        let (_, read) = contestants.iter().find(|(known, _)| known == name).ok_or_else(wrong)?;
        if !files.contains_key(file) {
            files.insert(file.to_owned(), std::fs::read(folder.join(file))?);
        }
        let bytes = &files[file];
        let (begun, cpu) = (Instant::now(), cpu_seconds());
        let lines = black_box(read(black_box(bytes)));
        let (cpu, wall) = (cpu_seconds() - cpu, begun.elapsed().as_secs_f64());
        writeln!(stdout, "{cpu} {wall} {lines}")?;
        stdout.flush()?;
    }
    Ok(())
}

/// CPU seconds of all threads of this process: other programs on the machine do not count.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// A way to read a day: its name, and a function that returns how many lines of the bytes it could read.
type Contestant = (String, Box<dyn Fn(&[u8]) -> usize>);

/// The lines of a day file, with their endings.
fn lines(day: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr::memchr_iter(b'\n', day).map(move |end| {
        let line = &day[start..end];
        start = end + 1;
        line
    })
}
