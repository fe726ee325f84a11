//! The warehouse that is built, and what its server has spent on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use local_clickhouse::Server;

use super::history::Volume;
use crate::bench::cpu;
use crate::dbt;
use crate::run::{output, run as run_program};

/// What the server may take, in bytes: it refuses a query that would take more.
pub(super) const SERVER_MEMORY: u64 = 8_000_000_000;

/// The name that all unit tests are counted under.
const UNIT_TESTS: &str = "unit tests";
const PREFIX: &str = "bench_";
const MEND: &str = "run `cargo xtask bench marts` again";

/// A server with a process and tables of its own.
pub(super) struct Warehouse {
    server: Server,
    folder: PathBuf,
    volume: Volume,
    /// Days loaded so far.
    pub(super) days: u64,
}

/// What a `dbt build` took.
#[derive(Debug)]
pub(super) struct Built {
    /// Seconds of the clock, dbt's own start included.
    pub(super) seconds: f64,
    /// CPU seconds of the server.
    pub(super) cpu: f64,
    /// The most memory that the server's process had at a time, in bytes.
    pub(super) peak: u64,
    /// What was spent on each node of dbt's graph.
    pub(super) nodes: Vec<Node>,
}

/// What the queries of a model or test took.
#[derive(Debug)]
pub(super) struct Node {
    /// Its name; empty for what dbt does beside its nodes.
    pub(super) name: String,
    /// Seconds in queries.
    pub(super) seconds: f64,
    /// The most memory that one of them had, in bytes.
    pub(super) peak: u64,
    /// Rows read by queries that read `raw`, others that read events of `staging`, and all others.
    pub(super) rows: [u64; 3],
}

impl Built {
    /// The most memory that a query had.
    pub(super) fn peak_of_a_query(&self) -> u64 {
        self.nodes.iter().map(|node| node.peak).max().unwrap_or_default()
    }

    /// Rows read by queries that read `raw`, others that read events of `staging`, and all others.
    pub(super) fn rows(&self) -> [u64; 3] {
        std::array::from_fn(|layer| self.nodes.iter().map(|node| node.rows[layer]).sum())
    }

    /// What was spent on a node, if it had queries.
    pub(super) fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }
}

impl Warehouse {
    /// Starts a server under `folder`, with the tables of `schoolbell init`.
    pub(super) fn start(folder: &Path, schoolbell: &Path, volume: Volume) -> Result<Warehouse> {
        let limit = format!(
            "<clickhouse><max_server_memory_usage>{SERVER_MEMORY}</max_server_memory_usage></clickhouse>"
        );
        let server = Server::builder().data_dir(folder.join("clickhouse")).extra_config(limit).start()?;
        let warehouse = Warehouse { server, folder: folder.to_owned(), volume, days: 0 };
        output(warehouse.connect(Command::new(schoolbell).arg("init")), MEND)?;
        Ok(warehouse)
    }

    /// The engine's version.
    pub(super) fn version(&self) -> Result<String> {
        Ok(self.server.query("SELECT version()")?.trim().to_owned())
    }

    /// Loads days until there are so many.
    pub(super) fn load_until(&mut self, days: u64) -> Result<()> {
        while self.days < days {
            for statement in self.volume.load(&format!("{PREFIX}raw"), self.days) {
                self.server
                    .query(&statement)
                    .with_context(|| format!("a query of the benchmark: {statement}"))?;
            }
            self.days += 1;
        }
        Ok(())
    }

    /// Runs `dbt build`, tests included, and measures it.
    pub(super) fn build(&self, arguments: &[&str]) -> Result<Built> {
        let since = self.server.query("SELECT toString(now64(6))")?;
        let (cpu, begun) = (cpu::of_process(self.server.pid())?, Instant::now());
        self.forget_peak()?;
        let mut command = dbt::command()?;
        command.args(["build", "--quiet", "--target-path"]).arg(self.folder.join("dbt"));
        command.arg("--log-path").arg(self.folder.join("dbt")).args(arguments);
        run_program(self.connect(&mut command), MEND)?;
        let (seconds, cpu) = (begun.elapsed().as_secs_f64(), cpu::of_process(self.server.pid())? - cpu);
        Ok(Built { seconds, cpu, peak: self.peak()?, nodes: self.nodes(since.trim())? })
    }

    /// What each node's queries took since a moment of the server's clock, from its query log.
    fn nodes(&self, since: &str) -> Result<Vec<Node>> {
        self.server.query("SYSTEM FLUSH LOGS query_log")?;
        let answer = self.server.query(&format!(
            r#"SELECT
                if(
                    position(query, '"node_id": "unit_test.') > 0,
                    '{UNIT_TESTS}',
                    extract(query, '"node_id": "[a-z_]+[.]schoolbell[.]([^".]+)')
                ) AS node,
                sum(query_duration_ms) / 1000,
                max(memory_usage),
                sumIf(read_rows, layer = 'raw'),
                sumIf(read_rows, layer = 'staging'),
                sumIf(read_rows, layer = 'compact')
            FROM (
                SELECT *, multiIf(
                    arrayExists(name -> startsWith(name, '{PREFIX}raw.') AND name != '{PREFIX}raw.loads', tables), 'raw',
                    arrayExists(
                        name -> startsWith(name, '{PREFIX}staging.stg_') AND name != '{PREFIX}staging.stg_loads', tables
                    ), 'staging',
                    'compact'
                ) AS layer
                FROM system.query_log
                WHERE type = 'QueryFinish' AND event_time_microseconds >= '{since}'
            )
            GROUP BY node ORDER BY node"#
        ))?;
        let node = |line: &str| {
            let mut cells = line.split('\t');
            let mut cell = || cells.next().context("the query has six columns");
            Ok(Node {
                name: cell()?.to_owned(),
                seconds: cell()?.parse()?,
                peak: cell()?.parse()?,
                rows: [cell()?.parse()?, cell()?.parse()?, cell()?.parse()?],
            })
        };
        answer.lines().map(node).collect()
    }

    /// The most memory the process has had since [`Warehouse::forget_peak`], in bytes.
    fn peak(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.pid()))
            .context("memory is read from /proc, which only Linux has")?;
        let peak =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("a process has a peak")?;
        let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }

    fn forget_peak(&self) -> Result<()> {
        fs::write(format!("/proc/{}/clear_refs", self.server.pid()), "5")
            .context("the peak of memory is reset through /proc, which only Linux has")
    }

    fn connect<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("CLICKHOUSE_URL", self.server.url())
            .env("CLICKHOUSE_USER", "default")
            .env("CLICKHOUSE_PASSWORD", "")
            .env("SCHOOLBELL_DATABASE_PREFIX", PREFIX)
    }
}
