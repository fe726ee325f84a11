//! Test programs, several at a time: each line of their output is shown under the program's name.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::counts::Counts;

/// A program to be run, and how its output is counted.
#[derive(Debug)]
pub(super) struct Job {
    name: String,
    command: Command,
    count: fn(&mut Counts, &str),
}

impl Job {
    /// A program of Rust tests.
    pub(super) fn libtest(name: &str, command: Command) -> Job {
        Job { name: name.to_owned(), command, count: Counts::add_libtest }
    }

    /// A run of pytest.
    pub(super) fn pytest(name: &str, command: Command) -> Job {
        Job { name: name.to_owned(), command, count: Counts::add_pytest }
    }
}

/// A job that has ended.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) passed: bool,
    pub(super) took: Duration,
    pub(super) counts: Counts,
}

/// Runs the jobs, `at_once` at a time, and returns their outcomes, in the order of the jobs.
pub(super) fn run(jobs: Vec<Job>, at_once: usize) -> Vec<Outcome> {
    let jobs: Mutex<VecDeque<(usize, Job)>> = Mutex::new(jobs.into_iter().enumerate().collect());
    let next = || jobs.lock().expect("no thread panics while it holds the lock").pop_front();
    let mut outcomes: Vec<(usize, Outcome)> = thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            while let Some((place, job)) = next() {
                done.push((place, job.run()));
            }
            done
        };
        let workers: Vec<_> = (0..at_once).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a job's run does not panic")).collect()
    });
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

impl Job {
    fn run(mut self) -> Outcome {
        let begun = Instant::now();
        let mut counts = Counts::default();
        let ended = self.run_through(&mut counts);
        let passed = match &ended {
            Ok(status) if status.success() && counts.failed == 0 => true,
            Ok(status) => {
                eprintln!("{}: FAILED ({status})", self.name);
                false
            }
            Err(error) => {
                eprintln!("{}: FAILED (cannot be run: {error})", self.name);
                false
            }
        };
        if !passed && counts.failures.is_empty() {
            counts.failures.push(format!("{} as a whole", self.name));
            counts.failed = counts.failed.max(1);
        }
        Outcome { name: self.name, passed, took: begun.elapsed(), counts }
    }

    /// Runs the program to its end. Both of its streams come through one pipe, so that their lines keep their order.
    fn run_through(&mut self, counts: &mut Counts) -> io::Result<ExitStatus> {
        let (reader, writer) = io::pipe()?;
        self.command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let mut child = self.command.spawn()?;
        // The command keeps ends of the pipe open, and with them the pipe.
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        for line in BufReader::new(reader).split(b'\n') {
            // Tests may print anything.
            let line = String::from_utf8_lossy(&line?).into_owned();
            eprintln!("{}: {line}", self.name);
            (self.count)(counts, &line);
        }
        child.wait()
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Job, run};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn outcomes_come_in_the_order_of_the_jobs() {
        let good = "echo 'test result: ok. 2 passed; 0 failed;'";
        let bad =
            "echo 'test a::b ... FAILED' >&2; echo 'test result: FAILED. 1 passed; 1 failed;'; exit 101";
        let jobs = vec![
            Job::libtest("good", shell(good)),
            Job::libtest("bad", shell(bad)),
            Job::libtest("killed", shell("kill -9 $$")),
            Job::pytest("absent", Command::new("/there/is/no/such/program")),
        ];
        let outcomes = run(jobs, 2);
        let seen: Vec<_> =
            outcomes.iter().map(|o| (&*o.name, o.passed, o.counts.passed, o.counts.failed)).collect();
        assert_eq!(
            seen,
            [("good", true, 2, 0), ("bad", false, 1, 1), ("killed", false, 0, 1), ("absent", false, 0, 1)]
        );
        assert_eq!(outcomes[1].counts.failures, ["a::b"]);
        assert_eq!(outcomes[2].counts.failures, ["killed as a whole"]);
    }

    #[test]
    fn jobs_run_side_by_side() {
        // The first writes a pipe that the second reads, then the other way round: one after another, none would end.
        let folder = tempfile::tempdir().unwrap();
        let in_folder = |script: &str| {
            let mut command = shell(script);
            command.current_dir(folder.path());
            command
        };
        assert!(in_folder("mkfifo there back").status().unwrap().success());
        let first = in_folder("echo a > there; read -r line < back");
        let second = in_folder("read -r line < there; echo b > back");
        let outcomes = run(vec![Job::libtest("first", first), Job::libtest("second", second)], 2);
        assert!(outcomes.iter().all(|outcome| outcome.passed), "{outcomes:?}");
    }
}
