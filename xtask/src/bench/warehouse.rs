//! `bench warehouse`: what sorting keys and codecs of `raw` cost, and what they save.

mod layouts;
mod queries;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use event_schema::generate::data_table;
use event_schema::registry::ENTITIES;
use local_clickhouse::Server;
use serde_json::Value;

use super::{Options, cpu, machine, median, publish};
use crate::repo;
use crate::run::output;
use crate::tools;
use layouts::{LAYOUTS, Layout};
use queries::{QUERIES, Query};

/// The page of the docs, from the repository's root.
const PAGE: &str = "docs/benchmarks/warehouse.md";
const MEND: &str = "run `cargo xtask bench warehouse` again";
const START: &str = "2026-03-01";
/// One insert is one block, as `schoolbell load` sends it.
const ONE_BLOCK: &str = "max_threads = 1, max_insert_threads = 1, min_insert_block_size_rows = 1000000000, \
    min_insert_block_size_bytes = 0, max_block_size = 65536";

const NOTES: &str = "\
The tables of a month are loaded by `schoolbell load`, and copied into tables of each layout, a day and a table an
insert of one block: one part a day and table. *Insert* is the engine's CPU time for that without the time for reading
and sorting, which is measured by inserting the same into a `Null` table; a gigabyte is 10⁹ bytes of source. The layout
in **bold** is that of `schoolbell init`. All layouts answered every query alike.
";

const CHOICE: &str = "
## What was chosen, and why

- **The key by user.** By date first, only questions about one UTC date read less, and nothing of `staging` or `marts`
  asks them of `raw`: staging takes whole loads, which are partitions. By type first, only those about one type do, and
  a user's rows are spread. The order by user also gives staging's deduplication its rows nearly sorted.
- **No codec for ids, `T64` for times and lines.** Smaller than LZ4 alone and less work for the engine. `T64` keeps the
  bits in which a granule's values differ, whatever their order; deltas pay where rows come by time, not by user.
- **LZ4 for the rest.** `ZSTD(1)` saves a fifth to a quarter of the disk for a third to a half more of the engine's
  work in every load. Where disk is dear, set it for new parts: `ALTER TABLE raw.events_data MODIFY SETTING
  default_compression_codec = 'ZSTD(1)'`.
";

/// What a layout was measured with.
struct Measured {
    layout: &'static Layout,
    /// Bytes on disk by table, in the order of the registry.
    bytes: Vec<u64>,
    /// CPU seconds of the inserts, by round.
    insert: Vec<f64>,
    queries: Vec<Answer>,
}

/// A query's answer, and what it took.
struct Answer {
    rows: Value,
    rows_read: u64,
    seconds: Vec<f64>,
}

struct Bench {
    server: Server,
    days: Vec<String>,
}

pub(super) fn run(options: Options) -> Result<()> {
    let (users, days, rounds) = if options.is_short { (1000, 3, 1) } else { (60_000, 30, 3) };
    tools::engine::ensure()?;
    let schoolbell = repo::released_schoolbell()?;
    let folder = tempfile::Builder::new().prefix("schoolbell-bench-").tempdir()?;
    let server = Server::builder().data_dir(folder.path().join("clickhouse")).start()?;
    let (days, source_bytes) = load(&schoolbell, &server, folder.path(), users, days)?;
    let bench = Bench { server, days };
    let mut results = Vec::new();
    for layout in &LAYOUTS {
        bench.make(layout)?;
        results.push(Measured { layout, bytes: Vec::new(), insert: Vec::new(), queries: Vec::new() });
    }
    for round in 1..=rounds {
        for measured in &mut results {
            measured.insert.push(bench.fill(measured.layout)?);
        }
        eprintln!("inserted, round {round} of {rounds}");
    }
    for measured in &mut results {
        measured.bytes = bench.stored(measured.layout)?;
    }
    for query in &QUERIES {
        bench.ask(query, rounds, &mut results)?;
    }
    let version = bench.server.query("SELECT version()")?.trim().to_owned();
    let mut page = format!(
        "# Sorting keys and codecs of `raw`\n\n\
         <!-- Written by `cargo xtask bench warehouse --write`. -->\n\n\
         {}; ClickHouse {version}\non the same machine. {} days, {:.2} GB of source; medians of {rounds} rounds.\n\n\
         {NOTES}\n",
        machine::describe()?,
        bench.days.len(),
        source_bytes as f64 / 1e9,
    );
    page.push_str(&table_of_layouts(&results, source_bytes));
    page.push_str(&table_of_queries(&results)?);
    page.push_str(CHOICE);
    publish(&page, PAGE, options)
}

/// Loads a generated month into the tables of `bench_raw`; its dates, and its bytes.
fn load(
    schoolbell: &Path,
    server: &Server,
    folder: &Path,
    users: u32,
    days: u32,
) -> Result<(Vec<String>, u64)> {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(schoolbell);
        command
            .env("CLICKHOUSE_URL", server.url())
            .env("CLICKHOUSE_USER", "default")
            .env("CLICKHOUSE_PASSWORD", "")
            .env("SCHOOLBELL_DATABASE_PREFIX", "bench_");
        output(command.args(arguments), MEND)
    };
    let files = folder.join("files");
    let folder = files.to_str().context("temporary folders have UTF-8 names")?;
    let (users, number) = (users.to_string(), days.to_string());
    run(&["init"])?;
    run(&[
        "generate", "--quiet", "--force", "--out", folder, "--start", START, "--days", &number, "--users",
        &users,
    ])?;
    let (mut dates, mut bytes) = (Vec::new(), 0);
    for entry in std::fs::read_dir(&files)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(date) = name.strip_suffix(".jsonl") else { continue };
        let path = path.to_str().context("generated files have UTF-8 names")?;
        let report = run(&["load", "--quiet", "--output", "json", "--batch-date", date, path])?;
        let report: Value = serde_json::from_str(&report)?;
        bytes += report["bytes"].as_u64().context("a load reports its bytes")?;
        dates.push(date.to_owned());
    }
    dates.sort();
    Ok((dates, bytes))
}

impl Bench {
    fn query(&self, sql: &str) -> Result<String> {
        self.server.query(sql).with_context(|| format!("a query of the benchmark: {sql}"))
    }

    /// Makes a layout's tables, and tables that take the same and store nothing.
    fn make(&self, layout: &Layout) -> Result<()> {
        self.query(&format!("CREATE DATABASE {}", layout.database))?;
        for entity in ENTITIES {
            let (database, table, columns) = (layout.database, entity.table, layout.columns(entity));
            self.query(&format!(
                "CREATE TABLE {database}.{table} ({columns}) ENGINE = MergeTree \
                 PARTITION BY (batch_date, load_id) ORDER BY ({})",
                layout.key
            ))?;
            self.query(&format!("CREATE TABLE {database}.{table}_null ({columns}) ENGINE = Null"))?;
            self.query(&format!("SYSTEM STOP MERGES {database}.{table}"))?;
        }
        Ok(())
    }

    /// Fills a layout's empty tables; the CPU seconds that it took to store the rows.
    fn fill(&self, layout: &Layout) -> Result<f64> {
        for entity in ENTITIES {
            self.query(&format!("TRUNCATE TABLE {}.{} SYNC", layout.database, entity.table))?;
        }
        let without = self.insert(layout, "_null")?;
        Ok(self.insert(layout, "")? - without)
    }

    fn insert(&self, layout: &Layout, suffix: &str) -> Result<f64> {
        let before = cpu::of_process(self.server.pid())?;
        for entity in ENTITIES {
            for day in &self.days {
                self.query(&format!(
                    "INSERT INTO {}.{}{suffix} SELECT * FROM bench_raw.{} WHERE batch_date = '{day}' ORDER BY {} \
                     SETTINGS {ONE_BLOCK}",
                    layout.database,
                    entity.table,
                    data_table(entity.table),
                    layout.key,
                ))?;
            }
        }
        Ok(cpu::of_process(self.server.pid())? - before)
    }

    /// Bytes on disk, by table. An error if a day is not one part.
    fn stored(&self, layout: &Layout) -> Result<Vec<u64>> {
        let of = |entity: &&event_schema::registry::Entity| {
            let answer = self.query(&format!(
                "SELECT sum(bytes_on_disk), count(), uniqExact(partition) FROM system.parts \
                 WHERE active AND database = '{}' AND table = '{}'",
                layout.database, entity.table
            ))?;
            match answer.split_whitespace().collect::<Vec<_>>()[..] {
                [bytes, parts, partitions] if parts == partitions => Ok(bytes.parse()?),
                _ => bail!("{}.{} has several parts a day: {answer}", layout.database, entity.table),
            }
        };
        ENTITIES.iter().map(of).collect()
    }

    /// Has every layout answer a query, in turn. An error if one answers something else.
    fn ask(&self, query: &Query, rounds: usize, results: &mut [Measured]) -> Result<()> {
        for round in 0..rounds {
            for measured in &mut *results {
                let answer = self.query(&format!(
                    "{} SETTINGS max_threads = 2 FORMAT JSONCompact",
                    query.of(measured.layout.database)
                ))?;
                let mut answer: Value = serde_json::from_str(&answer)?;
                let statistics = answer["statistics"].take();
                let seconds = statistics["elapsed"].as_f64().context("JSON has statistics")?;
                if round == 0 {
                    let rows_read = statistics["rows_read"].as_u64().context("JSON has statistics")?;
                    let rows = answer["data"].take();
                    measured.queries.push(Answer { rows, rows_read, seconds: Vec::new() });
                }
                let last = measured.queries.last_mut().context("it was asked before")?;
                last.seconds.push(seconds);
            }
        }
        let answers = results.iter().filter_map(|measured| measured.queries.last());
        let mut answers = answers.map(|answer| &answer.rows);
        let first = answers.next();
        if !answers.all(|other| Some(other) == first) {
            bail!("the layouts answer differently: {}", query.name);
        }
        Ok(())
    }
}

fn table_of_layouts(results: &[Measured], source_bytes: u64) -> String {
    let mut text = String::from("| layout | insert, CPU-s/GB | MB on disk |");
    for entity in ENTITIES {
        let _ = write!(text, " {} |", entity.table);
    }
    let _ = write!(text, "\n|---|---:|---:|{}\n", "---:|".repeat(ENTITIES.len()));
    for Measured { layout, bytes, insert, .. } in results {
        let insert = median(insert.clone()) / (source_bytes as f64 / 1e9);
        let _ = write!(text, "| {} | {insert:.2} |", layout.title());
        for bytes in [bytes.iter().sum::<u64>()].iter().chain(bytes) {
            let _ = write!(text, " {:.1} |", *bytes as f64 / 1e6);
        }
        text.push('\n');
    }
    text.push('\n');
    for layout in &LAYOUTS {
        let _ = writeln!(text, "- {}: {}", layout.title(), layout.describe());
    }
    text
}

fn table_of_queries(results: &[Measured]) -> Result<String> {
    let mut text = String::from("\nMilliseconds (and thousands of rows read):\n\n| query |");
    for measured in results {
        let _ = write!(text, " {} |", measured.layout.title());
    }
    let _ = write!(text, "\n|---|{}\n", "---:|".repeat(results.len()));
    for (index, query) in QUERIES.iter().enumerate() {
        let _ = write!(text, "| {} |", query.name);
        for measured in results {
            let Answer { rows_read, seconds, .. } =
                measured.queries.get(index).context("every query was asked")?;
            let _ = write!(
                text,
                " {:.0} ({:.0}) |",
                1000.0 * median(seconds.clone()),
                *rows_read as f64 / 1000.0
            );
        }
        text.push('\n');
    }
    text.push('\n');
    for query in &QUERIES {
        let _ = writeln!(text, "- *{}*: {}", query.name, query.doc);
    }
    Ok(text)
}
