//! `cargo xtask fuzz`: parser and reference side by side on many millions of changed lines.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use integration_tests::fuzz::{Plan, hush_caught_panics, run, sources};

const USAGE: &str = "usage: fuzz [--lines N] [--seed S] [--round R] [--threads T]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, folder] = &arguments[..]
        && flag == "--write-sources"
    {
        return write_sources(Path::new(folder));
    }
    let Some(plan) = plan(arguments.into_iter()) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    hush_caught_panics();
    let begun = Instant::now();
    let result = run(&plan, |lines| {
        let rate = lines as f64 / begun.elapsed().as_secs_f64();
        eprintln!("{lines} lines, {rate:.0} a second");
    });
    match result {
        Ok(report) => {
            print!("{report}");
            println!("seed {}, {} threads, {:.1} s", plan.seed, plan.threads, begun.elapsed().as_secs_f64());
            ExitCode::SUCCESS
        }
        Err(difference) => {
            println!("{difference}");
            let (seed, round) = (plan.seed, difference.round);
            println!("again: cargo xtask fuzz --seed {seed} --round {round} --threads 1");
            ExitCode::FAILURE
        }
    }
}

/// Writes the sources that libFuzzer begins with.
fn write_sources(folder: &Path) -> ExitCode {
    for (number, source) in sources().iter().enumerate() {
        let path = folder.join(format!("begin-{number:04}"));
        if let Err(error) = std::fs::write(&path, source) {
            eprintln!("cannot write {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn plan(mut arguments: impl Iterator<Item = String>) -> Option<Plan> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut plan = Plan { lines: 5_000_000, seed: 1, first_round: 0, threads };
    while let Some(name) = arguments.next() {
        let value = arguments.next()?.replace('_', "").parse().ok()?;
        match &*name {
            "--lines" => plan.lines = value,
            "--seed" => plan.seed = value,
            "--round" => plan.first_round = value,
            "--threads" => plan.threads = usize::try_from(value).ok()?,
            _ => return None,
        }
    }
    Some(plan)
}
