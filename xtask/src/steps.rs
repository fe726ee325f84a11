//! The steps of a command: every step runs, also after a failed one, so that one run shows all failures.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Steps that have run, in order.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<Step>);

#[derive(Debug)]
struct Step {
    name: String,
    passed: bool,
    took: Duration,
}

impl Steps {
    /// Runs a step, and reports its error at once.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> Result<()>) {
        eprintln!("== {name}");
        let begun = Instant::now();
        let result = step();
        if let Err(error) = &result {
            eprintln!("{name}: {error:#}");
        }
        self.add(name, result.is_ok(), begun.elapsed());
    }

    /// Adds a step that was run elsewhere.
    pub(crate) fn add(&mut self, name: &str, passed: bool, took: Duration) {
        self.0.push(Step { name: name.to_owned(), passed, took });
    }

    /// A line for each step: whether it passed, and how long it took.
    pub(crate) fn summary(&self) -> String {
        let width = self.0.iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
        let line = |step: &Step| {
            let verdict = if step.passed { "passed" } else { "FAILED" };
            format!("{verdict}  {:<width$} {:>7.1} s\n", step.name, step.took.as_secs_f64())
        };
        self.0.iter().map(line).collect()
    }

    /// Fails if a step has failed, naming all that have.
    pub(crate) fn check(&self) -> Result<()> {
        let failed: Vec<&str> =
            self.0.iter().filter(|step| !step.passed).map(|step| step.name.as_str()).collect();
        if !failed.is_empty() {
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::bail;

    use super::Steps;

    #[test]
    fn steps_run_also_after_a_failed_one() {
        let mut steps = Steps::default();
        let mut last_ran = false;
        steps.run("first", || bail!("out of order"));
        steps.run("last", || {
            last_ran = true;
            Ok(())
        });
        steps.add("elsewhere", false, Duration::from_millis(1250));
        assert!(last_ran);
        assert_eq!(steps.check().unwrap_err().to_string(), "failed: first, elsewhere");
        let lines: Vec<String> = steps.summary().lines().map(str::to_owned).collect();
        assert!(lines[1].starts_with("passed  last"), "{lines:?}");
        assert_eq!(lines[2], "FAILED  elsewhere     1.2 s");
    }
}
