//! The engine that every route loads into, and what it holds afterwards.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use event_schema::registry::ENTITIES;
use local_clickhouse::Server;

use crate::bench::cpu;

/// Between two looks at the engine's merges. Each costs the engine some milliseconds, which count as the route's.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Merges are over when parts have been the same for so long: the engine takes a moment to choose some.
const AT_REST: Duration = Duration::from_secs(2);
/// Merges that take longer are given up.
const REST_TIMEOUT: Duration = Duration::from_secs(120);

/// A ClickHouse with a process of its own.
pub(super) struct Engine {
    pub(super) server: Server,
    pub(super) version: String,
}

/// What the five tables hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) rows: u64,
    pub(super) parts: u64,
}

impl Engine {
    pub(super) fn start(folder: &Path) -> Result<Engine> {
        let server = Server::builder().data_dir(folder).start()?;
        let version = server.query("SELECT version()")?.trim().to_owned();
        Ok(Engine { server, version })
    }

    pub(super) fn query(&self, sql: &str) -> Result<String> {
        self.server.query(sql).with_context(|| format!("a query of the benchmark: {sql}"))
    }

    /// CPU seconds of the engine's process so far.
    pub(super) fn cpu(&self) -> Result<f64> {
        cpu::of_process(self.server.pid())
    }

    /// Waits until nothing is merged any more.
    pub(super) fn rest(&self, raw: &str) -> Result<()> {
        let sql = format!(
            "SELECT (SELECT count() FROM system.merges), groupArray(name) FROM \
             (SELECT name FROM system.parts WHERE database = '{raw}' AND active ORDER BY table, name) \
             SETTINGS max_threads = 1"
        );
        let begun = Instant::now();
        let (mut since, mut seen) = (Instant::now(), String::new());
        while since.elapsed() < AT_REST {
            let now = self.query(&sql)?;
            if now != seen || !now.starts_with("0\t") {
                (since, seen) = (Instant::now(), now);
            }
            if begun.elapsed() > REST_TIMEOUT {
                bail!("the engine still merges {} s after a load", REST_TIMEOUT.as_secs());
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    /// Rows and parts of the five tables together.
    pub(super) fn stored(&self, raw: &str) -> Result<Stored> {
        let answer = self.query(&format!(
            "SELECT sum(rows), count() FROM system.parts WHERE database = '{raw}' AND active AND table IN ({})",
            ENTITIES.map(|entity| format!("'{}_data'", entity.table)).join(", ")
        ))?;
        let (rows, parts) = answer.trim().split_once('\t').context("two numbers")?;
        Ok(Stored { rows: rows.parse()?, parts: parts.parse()? })
    }

    /// Rows by table, and a hash of every column but those that say where a row came from and the unknown fields; last
    /// the payloads as text.
    pub(super) fn contents(&self, raw: &str) -> Result<Vec<String>> {
        let of = |entity: &&event_schema::registry::Entity| {
            let columns: Vec<&str> = entity
                .columns()
                .iter()
                .map(|column| column.name)
                .filter(|name| {
                    !["extra", "source_file", "source_line", "load_id", "properties"].contains(name)
                })
                .collect();
            let table = entity.table;
            let rows = self.query(&format!(
                "SELECT count(), sum(sipHash64({})) FROM {raw}.{table}_data",
                columns.join(", ")
            ))?;
            Ok(format!("{table}: {}", rows.trim().replace('\t', " rows, hash ")))
        };
        let payloads = format!("SELECT sum(sipHash64(event_id, properties)) FROM {raw}.events_data");
        let mut contents = ENTITIES.iter().map(of).collect::<Result<Vec<_>>>()?;
        contents.push(format!("payloads: hash {}", self.query(&payloads)?.trim()));
        Ok(contents)
    }
}
