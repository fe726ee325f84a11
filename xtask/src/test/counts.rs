//! How many tests passed and failed, read from what the test runners print.

use std::ops::AddAssign;

/// How many tests passed and failed, and the names of the latter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) failures: Vec<String>,
}

impl Counts {
    /// Adds a line of a Rust test program: `test a::b ... FAILED`, `test result: ok. 3 passed; 0 failed; …`.
    pub(super) fn add_libtest(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.add(result, ["passed", "failed"]);
        } else if let Some(name) =
            line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED"))
        {
            self.failures.push(name.to_owned());
        }
    }

    /// Adds a line of pytest: `FAILED tests/a.py::b - …`, or its last one,
    /// `==== 1 failed, 3 passed, 1 error in 2.13s ====`.
    pub(super) fn add_pytest(&mut self, line: &str) {
        let inner = line.trim_matches('=').trim();
        if inner.len() < line.len() && inner.contains(" in ") {
            self.add(inner, ["passed", "failed"]);
            self.add(inner, ["", "error"]);
            self.add(inner, ["", "errors"]);
        } else if let Some(test) = line.strip_prefix("FAILED ").or_else(|| line.strip_prefix("ERROR ")) {
            self.failures.push(test.to_owned());
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

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.failures.extend(other.failures);
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn results_of_rust_tests_are_added_up() {
        let mut counts = Counts::default();
        for line in [
            "running 12 tests",
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s",
            "test values::dates ... ok",
            "test values::times ... FAILED",
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s",
        ] {
            counts.add_libtest(line);
        }
        assert_eq!(counts, Counts { passed: 15, failed: 1, failures: vec!["values::times".into()] });
    }

    #[test]
    fn results_of_pytest_are_added_up() {
        let mut counts = Counts::default();
        for line in [
            "============================= test session starts ==============================",
            "tests/test_dags.py ....                                                  [100%]",
            "FAILED tests/test_dags.py::test_schedule - AssertionError",
            "=================== 2 failed, 31 passed, 1 error in 12.31s ====================",
            "======================== 4 passed, 2 warnings in 0.53s =========================",
        ] {
            counts.add_pytest(line);
        }
        let failures = vec!["tests/test_dags.py::test_schedule - AssertionError".into()];
        assert_eq!(counts, Counts { passed: 35, failed: 3, failures });
    }
}
