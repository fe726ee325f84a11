//! Processes that measure what they are asked for.
//!
//! Such a process first says what it can measure, a contestant a line and an empty line; then it answers each line
//! `CONTESTANT FILE` with a line `CPU-SECONDS WALL-SECONDS LINES`, and a fourth number where it read only the first
//! `BYTES` of the file.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};

/// What one reading of a file took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    /// CPU seconds, those of all threads together.
    pub(super) cpu: f64,
    /// Seconds of the clock.
    pub(super) wall: f64,
    /// Lines that could be read; 0 for contestants that do not look for lines.
    pub(super) lines: u64,
    /// Bytes that were read.
    pub(super) bytes: u64,
}

/// A process that measures.
pub(super) struct Process {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// What it can measure.
    pub(super) contestants: Vec<String>,
}

impl Process {
    /// Starts one. `mend` is what to do where it is not there.
    pub(super) fn start(command: &mut Command, mend: &str) -> Result<Process> {
        let program = command.get_program().display().to_string();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("`{program}` cannot be run: {mend}"))?;
        let mut answers = BufReader::new(child.stdout.take().context("stdout is piped")?);
        let requests = child.stdin.take();
        let mut contestants = Vec::new();
        loop {
            let mut line = String::new();
            if answers.read_line(&mut line)? == 0 {
                bail!("`{program}` ended before it said what it can measure ({})", child.wait()?);
            }
            match line.trim_end() {
                "" => break,
                name => contestants.push(name.to_owned()),
            }
        }
        Ok(Process { child, requests, answers, contestants })
    }

    /// Has a contestant read a file of so many bytes.
    pub(super) fn measure(&mut self, contestant: &str, file: &str, file_bytes: u64) -> Result<Measured> {
        let requests = self.requests.as_mut().context("the process takes requests until it is dropped")?;
        writeln!(requests, "{contestant} {file}").with_context(|| format!("cannot ask for {contestant}"))?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        let numbers: Vec<f64> = answer.split_whitespace().map_while(|number| number.parse().ok()).collect();
        let (cpu, wall, lines, bytes) = match numbers[..] {
            [cpu, wall, lines] => (cpu, wall, lines as u64, file_bytes),
            [cpu, wall, lines, bytes] => (cpu, wall, lines as u64, bytes as u64),
            _ => bail!("{contestant} answered {answer:?} when it was given {file}"),
        };
        Ok(Measured { cpu, wall, lines, bytes })
    }
}

impl Drop for Process {
    /// The process ends with its requests.
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Err(error) = self.child.wait() {
            eprintln!("cannot wait for a process of the benchmark: {error}");
        }
    }
}
