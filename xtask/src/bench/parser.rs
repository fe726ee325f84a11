//! `bench parser`: our parser, the libraries and programs that one would use otherwise, and the limits.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::clickhouse::ClickHouse;
use super::contestant::{Measured, Process};
use super::{Options, build, machine, median, publish};
use crate::repo;
use crate::run::run as run_program;
use crate::tools;
use crate::tools::python::PEERS;

/// The files and what is in them.
const FILES: [(&str, &str); 4] = [
    ("canonical", "canonical mix, 1 % bad lines"),
    ("script", "`json.dumps` style: blanks after `:` and `,`, `\\uXXXX` escapes"),
    ("shuffled", "keys in another order on each line, unknown fields"),
    ("prose", "long payloads of several alphabets"),
];
/// ClickHouse reads this one for `canonical`: after a bad line it does not find its way back.
const GOOD: &str = "good";
const CLICKHOUSE: &str = "ClickHouse, JSONEachRow → Null";
const TWO_HALVES: &str = "two threads";
/// The page of the docs, from the repository's root.
const PAGE: &str = "docs/benchmarks/parser.md";

const NOTES: &str = "\
Medians of the rounds; in each round every route reads every file once, one after the other, in another order each time.
Megabytes are 10⁶ bytes, CPU seconds are those of the process. The first row is what a load uses on this machine;
ratios are to it.

What the rows do:

- **event-parser** checks the whole contract, tells every violation of bad lines, and fills the columns that are sent
  to ClickHouse, unknown fields included.
- **simd-json**, **sonic-rs**, **serde_json**, typed: each line into a typed envelope and, by its event type, a typed
  payload; other payloads stay raw. They check JSON and the types of fields. They do not check UUIDs, times, dates,
  amounts, lengths, ranges, control characters or (simd-json) repeated keys; unknown fields are lost; no column is
  filled. Built as a user gets them, like ours: sonic-rs would use wider instructions with `target-cpu=native`.
- **ClickHouse**: the engine's `JSONEachRow` into `Null` on one thread, payloads as text, unknown fields lost. Nothing
  is checked but what its types need.
- **msgspec**, **orjson + msgspec**, **json + pydantic**: as the typed rivals, in Python, times and dates checked, on
  the first 16 MB (pydantic: 4 MB) of each file.
- **newline search** and **memcpy** are limits: what looking at every byte costs, and what copying it costs.
";

pub(super) fn run(options: Options) -> Result<()> {
    let root = repo::root()?;
    let (megabytes, rounds) = if options.is_short { (10, 3) } else { (100, 7) };
    tools::engine::ensure()?;
    let peers = PEERS.ensure()?;
    let program = build(&root, "event-parser", "parser")?;
    let folder = tempfile::Builder::new().prefix("schoolbell-bench-").tempdir()?;
    let files = folder.path().join("files");
    fs::create_dir(&files)?;
    run_program(
        Command::new(&program).arg("generate").arg(&files).arg(megabytes.to_string()),
        "run `cargo xtask bench parser` again",
    )?;

    let mend = "run `cargo xtask bench parser` again";
    let mut rust = Process::start(Command::new(&program).arg("serve").arg(&files), mend)?;
    let script = root.join("event-parser/benches/python_routes.py");
    let mut python = Process::start(peers.command("python").arg(script).arg(&files), mend)?;
    let clickhouse = ClickHouse::start(&folder.path().join("clickhouse"), &files)?;

    let mut tables = Vec::new();
    for (file, _) in FILES {
        tables.push(measure(file, rounds, &files, &mut rust, &mut python, &clickhouse)?);
        eprintln!("measured {file}");
    }
    let rows = clickhouse.rows("canonical")?;
    let lines = tables[0].rows[0].lines;
    let mut page = format!(
        "# The parser beside its rivals\n\n<!-- Written by `cargo xtask bench parser --write`. -->\n\n\
         {}; ClickHouse {}. Files of {megabytes} MB, {rounds} rounds.\n\n{NOTES}\n",
        machine::describe()?,
        clickhouse.version,
    );
    let _ = write!(
        page,
        "Given the canonical file and told to skip bad lines (`input_format_allow_errors_ratio = 1`), ClickHouse \
         returns {rows} rows\nwithout an error, where {lines} lines are good; so it was given the file without its bad \
         lines.\n"
    );
    for ((_, title), table) in FILES.iter().zip(&tables) {
        let _ = write!(page, "\n## {}\n\n{}", capitalised(title), table.markdown());
    }
    publish(&page, PAGE, options)
}

/// A file's results.
struct Table {
    rows: Vec<Row>,
    /// Seconds of the clock of two threads on two halves.
    two_threads: f64,
}

/// A contestant's results: medians.
struct Row {
    name: String,
    cpu: f64,
    wall: f64,
    bytes: u64,
    lines: u64,
}

impl Row {
    fn of(name: &str, rounds: &[Measured]) -> Row {
        let of = |value: fn(&Measured) -> f64| median(rounds.iter().map(value).collect());
        Row {
            name: name.to_owned(),
            cpu: of(|round| round.cpu),
            wall: of(|round| round.wall),
            bytes: rounds[0].bytes,
            lines: rounds[0].lines,
        }
    }

    /// CPU seconds a gigabyte.
    fn per_gigabyte(&self) -> f64 {
        self.cpu / self.bytes as f64 * 1e9
    }
}

fn measure(
    file: &str,
    rounds: usize,
    files: &Path,
    rust: &mut Process,
    python: &mut Process,
    clickhouse: &ClickHouse,
) -> Result<Table> {
    let size = |file: &str| -> Result<u64> { Ok(fs::metadata(files.join(file))?.len()) };
    let bytes = size(file)?;
    let clickhouse_file = if file == FILES[0].0 { GOOD } else { file };
    let names = [&rust.contestants[..], &[CLICKHOUSE.to_owned()], &python.contestants].concat();
    let mut results = vec![Vec::new(); names.len()];
    let mut order: Vec<usize> = (0..names.len()).collect();
    // The first round warms caches and the branch predictor, and does not count.
    for round in 0..=rounds {
        // Who comes after a large rival finds the caches and the memory cold: it is another one each time.
        fastrand::Rng::with_seed(round as u64).shuffle(&mut order);
        for (name, at) in order.iter().map(|at| (&names[*at], *at)) {
            let measured = if name == CLICKHOUSE {
                clickhouse.measure(clickhouse_file, size(clickhouse_file)?)?
            } else if rust.contestants.contains(name) {
                rust.measure(name, file, bytes)?
            } else {
                python.measure(name, file, bytes)?
            };
            if round > 0 {
                results[at].push(measured);
            }
        }
    }
    let (two, one): (Vec<Row>, Vec<Row>) = names
        .iter()
        .zip(&results)
        .map(|(name, results)| Row::of(name, results))
        .partition(|row| row.name.contains(TWO_HALVES));
    Ok(Table { rows: one, two_threads: two.first().context("two threads are measured")?.wall })
}

impl Table {
    fn markdown(&self) -> String {
        let ours = &self.rows[0];
        let mut text = String::from(
            "| one core | MB/s | CPU-s/GB | time ÷ event-parser's | lines read |\n|---|---:|---:|---:|---:|\n",
        );
        for row in &self.rows {
            let lines = if row.lines == 0 { String::new() } else { row.lines.to_string() };
            let _ = writeln!(
                text,
                "| {} | {:.0} | {:.3} | {:.2} | {lines} |",
                row.name,
                1e3 / row.per_gigabyte(),
                row.per_gigabyte(),
                row.per_gigabyte() / ours.per_gigabyte(),
            );
        }
        let _ = writeln!(
            text,
            "\nTwo threads on two halves: {:.0} MB/s by the clock, {:.2} × one thread's {:.0}.",
            ours.bytes as f64 / self.two_threads / 1e6,
            ours.wall / self.two_threads,
            ours.bytes as f64 / ours.wall / 1e6,
        );
        text
    }
}

fn capitalised(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}
