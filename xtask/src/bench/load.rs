//! `bench load`: a day file into the five tables, by `schoolbell load` and by what one would do otherwise.

mod engine;
mod sql;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::{Options, build, cpu, machine, median, publish};
use crate::repo;
use crate::run::{output, run as run_program};
use crate::tools;
use crate::tools::python::{PEERS, Venv};
use engine::{Engine, Stored};

const DAY: &str = "2026-03-01";
/// The page of the docs, from the repository's root.
const PAGE: &str = "docs/benchmarks/load.md";
const MEND: &str = "run `cargo xtask bench load` again";

const NOTES: &str = "\
Medians of the rounds; in each round every route loads a file once, one after the other, into tables of its own with the
DDL of `schoolbell init`. A gigabyte is 10⁹ bytes of source. *Client* is the CPU time of the program that loads,
*server* that of the engine's process from the start of the load until it has merged what it wants to merge; *wall* is
until the load has ended. Ratios are to the first row.

What the rows do:

- **schoolbell load** checks the whole contract, stores rejected lines with every violation, keeps unknown fields,
  counts the rows in the server, and commits the day.
- **JSONEachRow → views**: the engine reads the file itself, payloads as text; five materialized views behind a
  `Null` table take the payloads apart. Nothing is checked but what its types need, unknown fields are lost. A bad line
  ends it, so it is given the file without bad lines.
- **text → views with checks**: the engine reads lines; the views take them apart and check JSON, UUIDs, times and
  amounts. Bad lines are left out without a word; payloads are written anew, not as they stood.
- **serde_json + clickhouse crate**: typed structs, the crate's typed `RowBinary` inserts, five at once. Bad lines are
  skipped.
- **Python**: msgspec into typed structs, clickhouse-connect's columnar inserts of 100,000 lines, of the first part of
  the file; the time to import it all is left out.
";

/// A way into the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Schoolbell,
    JsonEachRow,
    CheckedText,
    TypedInserts,
    Python,
}

impl Route {
    const ALL: [Route; 5] =
        [Route::Schoolbell, Route::JsonEachRow, Route::CheckedText, Route::TypedInserts, Route::Python];

    fn name(self) -> &'static str {
        match self {
            Route::Schoolbell => "schoolbell load",
            Route::JsonEachRow => "ClickHouse: JSONEachRow → views",
            Route::CheckedText => "ClickHouse: text → views with checks",
            Route::TypedInserts => "serde_json + clickhouse crate",
            Route::Python => "msgspec + clickhouse-connect (Python)",
        }
    }

    /// The file that it is measured with.
    fn file(self) -> &'static str {
        match self {
            Route::JsonEachRow => "good",
            Route::Python => "sample",
            _ => "canonical",
        }
    }
}

/// What one load took, and what it left.
struct Measured {
    client: f64,
    server: f64,
    wall: f64,
    stored: Stored,
}

/// What is there to measure with.
struct Bench {
    files: PathBuf,
    schoolbell: PathBuf,
    program: PathBuf,
    peers: Venv,
    script: PathBuf,
    engine: Engine,
}

pub(super) fn run(options: Options) -> Result<()> {
    let root = repo::root()?;
    let (megabytes, sample_bytes, rounds) =
        if options.is_short { (20, 4_000_000, 1) } else { (400, 30_000_000, 3) };
    tools::engine::ensure()?;
    let peers = PEERS.ensure()?;
    let schoolbell = repo::released_schoolbell()?;
    let program = build(&root, "ch-sink", "load")?;
    let folder = tempfile::Builder::new().prefix("schoolbell-bench-").tempdir()?;
    let files = folder.path().join("files");
    fs::create_dir(&files)?;
    run_program(Command::new(&program).arg("generate").arg(&files).arg(megabytes.to_string()), MEND)?;
    write_sample(&files, sample_bytes)?;

    let bench = Bench {
        files,
        schoolbell,
        program,
        peers,
        script: root.join("ch-sink/benches/python_load.py"),
        engine: Engine::start(&folder.path().join("clickhouse"))?,
    };
    bench.check_that_all_store_the_same()?;
    let mut results: Vec<(Route, Vec<Measured>)> = Route::ALL.map(|route| (route, Vec::new())).into();
    for round in 1..=rounds {
        for (route, measured) in &mut results {
            measured.push(bench.measure(*route, route.file(), round, |_| Ok(()))?);
        }
        eprintln!("measured round {round} of {rounds}");
    }
    let mut page = format!(
        "# The load beside what one would do otherwise\n\n\
         <!-- Written by `cargo xtask bench load --write`. -->\n\n\
         {}; ClickHouse {} on the same machine. A file of {megabytes} MB, 1 % bad lines; {rounds} rounds. Before them, \
         every\nroute loaded a part of the file without bad lines, and the tables were the same to the last bit of \
         every column that\nall routes fill alike.\n\n{NOTES}\n",
        machine::describe()?,
        bench.engine.version,
    );
    page.push_str(&table(&results, &bench.files)?);
    publish(&page, PAGE, options)
}

/// The first whole lines of both files, for those who take their time.
fn write_sample(files: &Path, bytes: usize) -> Result<()> {
    for (file, sample) in [("canonical", "sample"), ("good", "good-sample")] {
        let day = fs::read(files.join(file))?;
        let cut = &day[..bytes.min(day.len())];
        let end = cut.iter().rposition(|byte| *byte == b'\n').context("a line is shorter than that")?;
        fs::write(files.join(sample), &day[..=end])?;
    }
    Ok(())
}

impl Bench {
    /// An error if some route's tables differ from ours where every line is good. A sample is enough for that.
    fn check_that_all_store_the_same(&self) -> Result<()> {
        let mut ours = Vec::new();
        for route in Route::ALL {
            self.measure(route, "good-sample", 0, |raw| {
                let mut contents = self.engine.contents(raw)?;
                if route == Route::CheckedText {
                    // It writes payloads anew: the same JSON, other bytes.
                    contents.pop();
                }
                if ours.is_empty() {
                    ours = contents;
                } else if contents != ours[..contents.len()] {
                    bail!("{} stored other rows:\n{contents:#?}\nours:\n{ours:#?}", route.name());
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Has a route load a file into new tables, which `look` may look at.
    ///
    /// They stay to the end. A file system like ext4 passes over every inode that was deleted in the last minutes when
    /// it looks for a free one: after tables were dropped, that was a tenth of the engine's time for the next load.
    fn measure(
        &self,
        route: Route,
        file: &str,
        round: usize,
        look: impl FnOnce(&str) -> Result<()>,
    ) -> Result<Measured> {
        let prefix = format!("bench_{round}_{}_", route as usize);
        let raw = &format!("{prefix}raw");
        output(self.schoolbell(&prefix).arg("init"), MEND)?;
        let path = self.files.join(file);
        let path = path.to_str().context("temporary folders have UTF-8 names")?;
        let sql = match route {
            Route::JsonEachRow => Some(sql::json_each_row(raw, path, DAY)),
            Route::CheckedText => Some(sql::checked_text(raw, path, DAY)),
            _ => None,
        };
        for statement in sql.iter().flat_map(|route| &route.prepare) {
            self.engine.query(statement)?;
        }
        self.engine.rest(raw)?;
        let (server, client, begun) = (self.engine.cpu()?, cpu::of_children()?, Instant::now());
        let mut own_figures = None;
        match (&sql, route) {
            (Some(sql), _) => drop(self.engine.query(&sql.load)?),
            (None, Route::Python) => {
                let mut command = self.peers.command("python");
                let port = self.engine.server.http_port().to_string();
                own_figures = Some(output(command.arg(&self.script).args([&port, raw, DAY, path]), MEND)?);
            }
            (None, Route::TypedInserts) => {
                let url = self.engine.server.url();
                output(Command::new(&self.program).args(["insert", &url, raw, DAY, path]), MEND)?;
            }
            (None, _) => {
                let load = ["load", "--quiet", "--max-reject-ratio", "0.1", "--batch-date", DAY, path];
                output(self.schoolbell(&prefix).args(load), MEND)?;
            }
        }
        let (mut wall, mut client) = (begun.elapsed().as_secs_f64(), cpu::of_children()? - client);
        if let Some(figures) = own_figures {
            let (cpu, seconds) = figures.trim().split_once(' ').context("the script prints two numbers")?;
            (client, wall) = (cpu.parse()?, seconds.parse()?);
        }
        self.engine.rest(raw)?;
        let server = self.engine.cpu()? - server;
        let stored = self.engine.stored(raw)?;
        look(raw)?;
        Ok(Measured { client, server, wall, stored })
    }

    fn schoolbell(&self, prefix: &str) -> Command {
        let mut command = Command::new(&self.schoolbell);
        command
            .env("CLICKHOUSE_URL", self.engine.server.url())
            .env("CLICKHOUSE_USER", "default")
            .env("CLICKHOUSE_PASSWORD", "")
            .env("SCHOOLBELL_DATABASE_PREFIX", prefix);
        command
    }
}

fn table(results: &[(Route, Vec<Measured>)], files: &Path) -> Result<String> {
    let mut text = String::from(
        "| CPU-s/GB | client | server | both | ÷ schoolbell's | wall, s/GB | ÷ schoolbell's | MB | rows stored | parts |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let mut ours = None;
    for (route, rounds) in results {
        let bytes = fs::metadata(files.join(route.file()))?.len() as f64;
        let per_gigabyte =
            |value: fn(&Measured) -> f64| median(rounds.iter().map(value).collect()) / (bytes / 1e9);
        let client = per_gigabyte(|measured| measured.client);
        let server = per_gigabyte(|measured| measured.server);
        let both = per_gigabyte(|measured| measured.client + measured.server);
        let wall = per_gigabyte(|measured| measured.wall);
        let (our_cpu, our_wall) = *ours.get_or_insert((both, wall));
        let Stored { rows, parts } = &rounds.last().context("there is a round")?.stored;
        let _ = writeln!(
            text,
            "| {} | {client:.2} | {server:.2} | {both:.2} | {:.2} | {wall:.2} | {:.2} | {:.0} | {rows} | {parts} |",
            route.name(),
            both / our_cpu,
            wall / our_wall,
            bytes / 1e6,
        );
    }
    Ok(text)
}
