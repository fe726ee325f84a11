//! A day from its sources to its commit.

mod cleanup;
mod pipeline;
mod report;
mod tally;

use std::time::Instant;

use event_schema::value::Date;
use event_source::Source;
use uuid::Uuid;

use crate::blocks::Part;
use crate::warehouse::{Commit, CommittedSource, Warehouse};
use crate::{LoadError, WarehouseError};
pub use pipeline::Progress;
pub use report::{LoadReport, LoadStatus};
use tally::Tally;
pub use tally::{Example, Rejected};

/// How a day is loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadOptions {
    /// The day.
    pub batch_date: Date,
    /// The largest share of rejected lines, of those that are not blank, with which a day is committed.
    pub max_reject_ratio: f64,
    /// Whether a day without any valid event is committed.
    pub allow_empty: bool,
    /// Whether the day is loaded even if the same sources are committed for it already.
    pub force: bool,
    /// The most bytes of a line, without its ending.
    pub max_line_bytes: usize,
    /// The memory that the load may take. A zstd source with a large window takes up to 128 MiB more, and a
    /// line longer than 1 MiB twice its own length.
    pub memory_bytes: usize,
}

impl LoadOptions {
    /// At most 1 % rejects, lines up to 1 MiB, 512 MiB of memory.
    pub fn new(batch_date: Date) -> LoadOptions {
        LoadOptions {
            batch_date,
            max_reject_ratio: 0.01,
            allow_empty: false,
            force: false,
            max_line_bytes: 1 << 20,
            memory_bytes: 512 << 20,
        }
    }
}

/// Makes the warehouse hold exactly what `sources` hold for the day of `options`.
///
/// Quick if just that is committed already. `progress` is called a few times a second. If the returned future is
/// dropped, nothing is committed, and what was sent so far is swept by a later load.
pub async fn load(
    warehouse: &Warehouse,
    options: &LoadOptions,
    sources: &[Source],
    progress: impl Fn(Progress),
) -> Result<LoadReport, LoadError> {
    let day = Day { warehouse, options, load_id: Uuid::now_v7(), started: Instant::now() };
    if let Some(commit) = day.same_sources_committed(sources).await? {
        return Ok(LoadReport::already_loaded(options.batch_date, &commit));
    }
    let ready = async {
        // Boxed: the future is large.
        let tally = Box::pin(pipeline::run(&day, sources, progress)).await?;
        day.check_quality(&tally)?;
        day.check_rows(&tally).await?;
        Ok(tally)
    };
    let tally = match ready.await {
        Ok(tally) => tally,
        Err(error) => {
            // Rejects stay: they tell what was wrong. So does what cannot be removed now: it is swept later.
            cleanup::discard(&day).await;
            return Err(error);
        }
    };
    // A stream's content is known only now.
    if let Some(commit) = day.same_content_committed(&tally).await? {
        cleanup::discard_all(&day).await;
        return Ok(LoadReport::already_loaded(options.batch_date, &commit));
    }
    let commit = match day.commit(tally).await {
        Ok(commit) => commit,
        // Whether it is there is not known: its rows must stay.
        Err(error @ LoadError::CommitUnknown { .. }) => return Err(error),
        Err(error) => {
            cleanup::discard(&day).await;
            return Err(error);
        }
    };
    let mut report = LoadReport::committed(options.batch_date, &commit);
    report.warnings = cleanup::after_commit(&day).await;
    Ok(report)
}

/// One load of one day.
#[derive(Clone, Copy)]
struct Day<'a> {
    warehouse: &'a Warehouse,
    options: &'a LoadOptions,
    load_id: Uuid,
    started: Instant,
}

impl Day<'_> {
    /// The day's commit, if it is of exactly these sources: by name and size first, for that is quick.
    async fn same_sources_committed(&self, sources: &[Source]) -> Result<Option<Commit>, LoadError> {
        if self.options.force {
            return Ok(None);
        }
        let latest = self.warehouse.latest_commit(self.options.batch_date).await;
        let Some(commit) = latest.map_err(|error| self.failed(error))? else { return Ok(None) };
        let mut committed: Vec<(&str, Option<u64>)> =
            commit.sources.iter().map(|source| (source.name.as_str(), Some(source.size))).collect();
        let mut named: Vec<_> = sources.iter().map(|source| (source.name(), source.size())).collect();
        committed.sort_unstable();
        named.sort_unstable();
        if committed != named {
            return Ok(None);
        }
        let sources = sources.to_vec();
        let found = tokio::task::spawn_blocking(move || fingerprints(&sources)).await;
        let mut found = self.joined(found)?.map_err(|error| self.source_failed(error))?;
        let mut committed = commit.sources.clone();
        found.sort_unstable();
        committed.sort_unstable();
        Ok((found == committed).then_some(commit))
    }

    /// The day's commit, if it is of exactly what has been read.
    async fn same_content_committed(&self, tally: &Tally) -> Result<Option<Commit>, LoadError> {
        if self.options.force {
            return Ok(None);
        }
        let latest = self.warehouse.latest_commit(self.options.batch_date).await;
        let same = |commit: &Commit| {
            let (mut committed, mut read) = (commit.sources.clone(), tally.sources().to_vec());
            committed.sort_unstable();
            read.sort_unstable();
            committed == read
        };
        Ok(latest.map_err(|error| self.failed(error))?.filter(same))
    }

    /// An error if the day is empty or too much of it was rejected.
    fn check_quality(&self, tally: &Tally) -> Result<(), LoadError> {
        let &LoadOptions { batch_date, max_reject_ratio, allow_empty, .. } = self.options;
        let table = self.warehouse.data_table(Part::Rejects.table());
        let rejected = || Box::new(tally.rejected(self.load_id, table.clone()));
        if tally.counts().reject_ratio() > max_reject_ratio {
            return Err(LoadError::TooManyRejects { batch_date, max_reject_ratio, rejected: rejected() });
        }
        if tally.counts().accepted_rows() == 0 && !allow_empty {
            return Err(LoadError::NoEvents { batch_date, rejected: rejected() });
        }
        Ok(())
    }

    /// An error if the server does not have the rows that were sent.
    async fn check_rows(&self, tally: &Tally) -> Result<(), LoadError> {
        for part in Part::all() {
            let (batch_date, load_id, sent) = (self.options.batch_date, self.load_id, tally.rows(part));
            let stored = self
                .warehouse
                .count(part.table(), batch_date, load_id)
                .await
                .map_err(|error| self.failed(error))?;
            if stored != sent {
                let table = self.warehouse.data_table(part.table());
                return Err(LoadError::RowsDiffer { batch_date, load_id, table, stored, sent });
            }
        }
        Ok(())
    }

    /// Writes the one row that makes the day visible, and reads it back.
    async fn commit(&self, tally: Tally) -> Result<Commit, LoadError> {
        let commit = tally.into_commit(self.load_id, self.started.elapsed());
        let batch_date = self.options.batch_date;
        let written = self.warehouse.commit(batch_date, &commit).await;
        // Also after an error: the row may be there although the answer was lost.
        match (written, self.warehouse.has_commit(batch_date, commit.commit_id).await) {
            (_, Ok(true)) => Ok(commit),
            // A refusal that the server spelt out is no doubt.
            (Err(error @ WarehouseError::Refused { .. }), Ok(false)) => Err(self.failed(error)),
            (Err(error), _) | (Ok(()), Err(error)) => Err(LoadError::CommitUnknown { batch_date, error }),
            (Ok(()), Ok(false)) => Err(LoadError::CommitUnknown {
                batch_date,
                error: WarehouseError::Unexpected {
                    doing: "read the commit back".to_owned(),
                    problem: "the server acknowledged the row and does not have it".to_owned(),
                },
            }),
        }
    }

    fn failed(&self, error: WarehouseError) -> LoadError {
        LoadError::Warehouse { batch_date: self.options.batch_date, error }
    }

    fn source_failed(&self, error: event_source::SourceError) -> LoadError {
        LoadError::Source { batch_date: self.options.batch_date, error }
    }

    fn joined<T>(&self, result: Result<T, tokio::task::JoinError>) -> Result<T, LoadError> {
        result.map_err(|_| LoadError::Panicked { batch_date: self.options.batch_date })
    }
}

/// The sources as a commit names them; those that can be read but once are left out.
fn fingerprints(sources: &[Source]) -> Result<Vec<CommittedSource>, event_source::SourceError> {
    let mut found = Vec::new();
    for source in sources {
        if let Some(fingerprint) = source.fingerprint()? {
            found.push(CommittedSource::new(source, fingerprint));
        }
    }
    Ok(found)
}
