//! `test`: everything that must pass, in one go.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::run::{cargo, run_through};
use crate::{airflow, codegen, lint, repo, setup};

pub(crate) const DOES: &str =
    "run all that must pass: lints, generated files, unit and integration tests, dbt";

/// Runs every step, also after a failed one, so that one run tells all; fails if one did.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let counts = Cell::new(Counts::default());
    let steps: [(&str, &dyn Fn() -> Result<()>); 5] = [
        ("tools", &|| setup::run(&[])),
        ("lint", &|| lint::run(&[])),
        ("generated files", &|| codegen::run(&["--check".into()])),
        ("tests", &|| tests(&counts)),
        ("airflow", &|| dags(&counts)),
    ];
    let mut results = Vec::new();
    for (name, step) in steps {
        eprintln!("==== {name}");
        let begun = Instant::now();
        let result = step();
        if let Err(error) = &result {
            eprintln!("{name}: {error:#}");
        }
        results.push((name, result.is_ok(), begun.elapsed()));
    }
    summarise(&results, counts.get())
}

/// How many tests passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
}

impl Counts {
    /// Adds what a line of `cargo test` tells: `test result: ok. 3 passed; 0 failed; …`.
    fn add_cargo(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.add(result, ["passed", "failed"]);
        }
    }

    /// Adds what the last line of pytest tells: `==== 1 failed, 3 passed, 1 error in 2.13s ====`.
    fn add_pytest(&mut self, line: &str) {
        let inner = line.trim_matches('=').trim();
        if inner.len() < line.len() && inner.contains(" in ") {
            self.add(inner, ["passed", "failed"]);
            self.add(inner, ["", "error"]);
            self.add(inner, ["", "errors"]);
        }
    }

    /// Adds the numbers that stand before the words for tests that passed and for those that failed.
    fn add(&mut self, result: &str, [passed, failed]: [&str; 2]) {
        let count = |what: &str| -> u64 {
            let mut words = result.split([' ', ';', '.', ',']).filter(|word| !word.is_empty()).peekable();
            while let Some(word) = words.next() {
                if words.peek() == Some(&what) {
                    return word.parse().unwrap_or(0);
                }
            }
            0
        };
        self.passed += count(passed);
        self.failed += count(failed);
    }
}

/// Unit, property, snapshot, corpus and documentation tests, and the integration tests with a real ClickHouse
/// and dbt. What they need beyond Cargo was installed by `setup`; a test whose tool is missing fails.
fn tests(counts: &Cell<Counts>) -> Result<()> {
    let mut command = cargo();
    command.args(["test", "--workspace", "--locked", "--no-fail-fast"]).current_dir(repo::root()?);
    // A snapshot that differs is a failure, not a new snapshot.
    command.env("INSTA_UPDATE", "no");
    // Tests that need dbt ask this program for it, instead of building it once more.
    command.env("SCHOOLBELL_XTASK", std::env::current_exe()?);
    let ran = run_through(&mut command, repo::CARGO, |line| {
        let mut so_far = counts.get();
        so_far.add_cargo(line);
        counts.set(so_far);
    });
    ran.and_then(|()| if counts.get().passed == 0 { bail!("no test ran") } else { Ok(()) })
}

/// The DAGs' tests, the last of them nights of a real Airflow.
fn dags(counts: &Cell<Counts>) -> Result<()> {
    let before = counts.get().passed;
    let ran = airflow::test(|line| {
        let mut so_far = counts.get();
        so_far.add_pytest(line);
        counts.set(so_far);
    });
    ran.and_then(|()| if counts.get().passed == before { bail!("no test ran") } else { Ok(()) })
}

fn summarise(results: &[(&str, bool, Duration)], counts: Counts) -> Result<()> {
    eprintln!("====");
    for (name, passed, took) in results {
        let verdict = if *passed { "passed" } else { "FAILED" };
        eprintln!("{verdict}  {name:<16} {:>7.1} s", took.as_secs_f64());
    }
    eprintln!("tests: {} passed, {} failed", counts.passed, counts.failed);
    let failed: Vec<&str> = results.iter().filter(|(_, passed, _)| !passed).map(|(name, ..)| *name).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn results_of_cargo_test_are_added_up() {
        let mut counts = Counts::default();
        for line in [
            "running 12 tests",
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s",
        ] {
            counts.add_cargo(line);
        }
        assert_eq!(counts, Counts { passed: 15, failed: 2 });
    }

    #[test]
    fn results_of_pytest_are_added_up() {
        let mut counts = Counts::default();
        for line in [
            "============================= test session starts ==============================",
            "tests/test_dags.py ....                                                  [100%]",
            "=================== 2 failed, 31 passed, 1 error in 12.31s ====================",
            "======================== 4 passed, 2 warnings in 0.53s =========================",
        ] {
            counts.add_pytest(line);
        }
        assert_eq!(counts, Counts { passed: 35, failed: 3 });
    }
}
