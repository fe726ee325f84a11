//! ClickHouse's own parse of a file: `JSONEachRow` into nothing, on one thread.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use local_clickhouse::Server;

use super::contestant::Measured;
use super::cpu;

/// The envelope's columns as `raw.events` has them; payloads stay text, fields beyond are skipped.
const COLUMNS: &str = "event_id UUID, event_type LowCardinality(String), user_id String, \
    event_time DateTime64(3, ''UTC''), session_id String, platform LowCardinality(String), \
    app_version LowCardinality(String), country LowCardinality(String), properties String";

const SETTINGS: &str = "max_threads = 1, max_insert_threads = 1, input_format_parallel_parsing = 0, \
    date_time_input_format = 'best_effort', input_format_skip_unknown_fields = 1, \
    input_format_json_read_objects_as_strings = 1";

/// An engine that reads files.
pub(super) struct ClickHouse {
    server: Server,
    files: PathBuf,
    pub(super) version: String,
}

impl ClickHouse {
    /// Starts an engine with its data under `folder`; `files` is where the files are.
    pub(super) fn start(folder: &Path, files: &Path) -> Result<ClickHouse> {
        let server = Server::builder().data_dir(folder).start()?;
        let version = server.query("SELECT version()")?.trim().to_owned();
        Ok(ClickHouse { server, files: files.to_owned(), version })
    }

    /// Has a file read once.
    pub(super) fn measure(&self, file: &str, bytes: u64) -> Result<Measured> {
        let path = self.files.join(file);
        let source = format!("file('{}', 'JSONEachRow', '{COLUMNS}')", path.display());
        let query =
            format!("INSERT INTO FUNCTION null('{COLUMNS}') SELECT * FROM {source} SETTINGS {SETTINGS}");
        let (begun, cpu) = (Instant::now(), self.cpu_seconds()?);
        self.server.query(&query).with_context(|| format!("ClickHouse cannot read {file}"))?;
        Ok(Measured { cpu: self.cpu_seconds()? - cpu, wall: begun.elapsed().as_secs_f64(), lines: 0, bytes })
    }

    /// How many rows a file gives, its bad lines skipped as ClickHouse skips them.
    pub(super) fn rows(&self, file: &str) -> Result<u64> {
        let path = self.files.join(file);
        let query = format!(
            "SELECT count() FROM (SELECT * FROM file('{}', 'JSONEachRow', '{COLUMNS}') WHERE NOT ignore(*)) \
             SETTINGS {SETTINGS}, input_format_allow_errors_ratio = 1",
            path.display()
        );
        Ok(self.server.query(&query)?.trim().parse()?)
    }

    fn cpu_seconds(&self) -> Result<f64> {
        cpu::of_process(self.server.pid())
    }
}
