//! A day from its sources to its commit.

mod batch_builder;
mod cleanup;
mod commit;
mod dates;
mod pipeline;
mod rejects;
mod replay;
mod report;
mod staging;
mod tally;
mod unload;

use std::sync::Arc;
use std::time::Instant;

use event_mapping::Mapping;
use event_parser::EventDates;
use event_schema::value::Date;
use event_source::Source;
use tracing::{Instrument as _, Span, info_span};
use uuid::Uuid;

use crate::blocks::BatchTable;
use crate::record::{CommittedSource, LoadRecord};
use crate::rejected::Rejected;
use crate::warehouse::{Commit, Proposal, RowsGone, StagedLoad, Warehouse};
use crate::{LoadError, WarehouseError};
pub use cleanup::{LeftoverLoads, leftover_loads};
pub use dates::{EventsByDate, misdated_events_warning, misdated_names_warning, refuse_future_date};
pub use pipeline::Progress;
pub use rejects::{RejectsOf, count_rejects, read_rejects};
pub use replay::{EditedLines, ReplayReport, ReplayStatus, replay_rejects};
pub use report::{LoadReport, LoadStatus};
pub use staging::{commit_staged, stage};
use tally::LoadTally;
pub use unload::{UnloadReport, UnloadStatus, unload};

/// How a day is loaded.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LoadOptions {
    /// The day.
    pub batch_date: Date,
    /// The largest share of rejected lines, of those that are not blank, with which a day is committed.
    pub max_reject_ratio: f64,
    /// Whether a day without any valid event is committed.
    pub allow_empty: bool,
    /// Whether a day is loaded whose batch date is later than tomorrow, or none of whose events is near it.
    pub allow_misdated: bool,
    /// Whether the day is loaded even if the same sources are committed for it already.
    pub force: bool,
    /// The mapping that makes events of the lines; `None` where they are lines of the contract.
    pub mapping: Option<Arc<Mapping>>,
    /// The most bytes of a line, without its ending.
    pub max_line_bytes: usize,
    /// The memory that the load may take. A zstd source with a large window takes up to 128 MiB more, and a
    /// line longer than 1 MiB twice its own length; objects take 8 MiB for each piece that is downloaded at once.
    pub memory_bytes: usize,
}

impl LoadOptions {
    /// At most 1 % rejects, lines up to 1 MiB, 1 GiB of memory.
    pub fn new(batch_date: Date) -> LoadOptions {
        LoadOptions {
            batch_date,
            max_reject_ratio: 0.01,
            allow_empty: false,
            allow_misdated: false,
            force: false,
            mapping: None,
            max_line_bytes: 1 << 20,
            memory_bytes: 1 << 30,
        }
    }

    /// The mapping as records have it: empty for none.
    fn mapping_id(&self) -> String {
        self.mapping.as_ref().map_or_else(String::new, |mapping| mapping.id())
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
    let day = Day::new(warehouse, options);
    // Boxed: the future is large.
    Box::pin(load_day(&day, sources, progress).instrument(day.span())).await
}

async fn load_day(
    day: &Day<'_>,
    sources: &[Source],
    progress: impl Fn(Progress),
) -> Result<LoadReport, LoadError> {
    let Day { warehouse, options, .. } = *day;
    dates::check_batch_date(warehouse, options).await?;
    let warnings: Vec<String> =
        dates::misdated_names_warning(options.batch_date, sources).into_iter().collect();
    let mut gone = None;
    if let Some(commit) = day.same_sources_committed(sources).await? {
        gone = day.rows_gone(&commit).await?;
        if gone.is_none() {
            return Ok(day.already_loaded(&commit).await?.with_warnings(warnings));
        }
    }
    let ready = async {
        // Boxed: the future is large.
        let tally = Box::pin(pipeline::run(day, sources, progress)).await?;
        let (dates, rejected) = (tally.dates().clone(), tally.rejected(day.load_id));
        let load = tally.into_staged(day.load_id, options.mapping_id(), day.started.elapsed());
        let commit = Commit::of(&[load]);
        check_quality(options, &commit, &dates, async || rejected).await?;
        Ok((commit, dates))
    };
    let (commit, dates) = match ready.await {
        Ok(ready) => ready,
        Err(error) => {
            // Rejected lines are kept: they show what was wrong. What cannot be removed now is swept later.
            cleanup::discard(day).await;
            return Err(error);
        }
    };
    // A stream's content is known only now.
    if let Some(same) = day.same_content_committed(&commit.record.sources).await? {
        gone = day.rows_gone(&same).await?;
        if gone.is_none() {
            cleanup::discard_all(day).await;
            return Ok(day.already_loaded(&same).await?.with_warnings(warnings));
        }
    }
    let proposal = Proposal {
        batch_date: options.batch_date,
        commit: &commit,
        fresh: &commit.load_ids,
        base: None,
        replayed: 0,
        rejected: commit.record.stats.rejected_lines(),
    };
    match commit::commit(warehouse, &proposal).await {
        Ok(standing) => {
            let mut report =
                LoadReport::committed(options.batch_date, &commit, &dates).with_warnings(warnings);
            report.add_gone(gone.as_ref());
            report.add_standing(standing);
            report.warnings.extend(cleanup::sweep(warehouse).await);
            Ok(report)
        }
        Err(error) => {
            let is_certain = error.is_certain();
            let error = error.explain(warehouse, options.batch_date, &commit.load_ids).await;
            if is_certain {
                cleanup::discard(day).await;
            }
            Err(error)
        }
    }
}

/// One load of one day.
#[derive(Clone, Copy)]
struct Day<'a> {
    warehouse: &'a Warehouse,
    options: &'a LoadOptions,
    load_id: Uuid,
    started: Instant,
}

impl<'a> Day<'a> {
    /// A new load of the day of `options`.
    fn new(warehouse: &'a Warehouse, options: &'a LoadOptions) -> Day<'a> {
        Day { warehouse, options, load_id: Uuid::now_v7(), started: Instant::now() }
    }

    /// The span of all that the load does.
    fn span(&self) -> Span {
        info_span!("load", batch_date = %self.options.batch_date, load_id = %self.load_id)
    }

    /// The day's commit, if it is of exactly these sources.
    async fn same_sources_committed(&self, sources: &[Source]) -> Result<Option<Commit>, LoadError> {
        let Some(commit) = self.latest_commit().await? else { return Ok(None) };
        let same = self.find_same_sources([&commit.record].into_iter(), sources).await?;
        Ok(same.map(|_| commit))
    }

    /// The day's commit, if it is of exactly what has been read.
    async fn same_content_committed(&self, read: &[CommittedSource]) -> Result<Option<Commit>, LoadError> {
        Ok(self.latest_commit().await?.filter(|commit| commit.record.is_of(read, &self.options.mapping_id())))
    }

    /// Which table does not hold the rows that a commit has counted, if one does not.
    async fn rows_gone(&self, commit: &Commit) -> Result<Option<RowsGone>, LoadError> {
        let gone = self.warehouse.gone_of_commit(self.options.batch_date, commit).await;
        gone.map_err(|error| self.failed(error))
    }

    /// The day's commit; `None` with `force`.
    async fn latest_commit(&self) -> Result<Option<Commit>, LoadError> {
        if self.options.force {
            return Ok(None);
        }
        self.warehouse.latest_commit(self.options.batch_date).await.map_err(|error| self.failed(error))
    }

    /// Which of the records is exactly of these sources, by the same mapping. Names and sizes are compared first: content has
    /// to be read.
    async fn find_same_sources(
        &self,
        records: impl Iterator<Item = &LoadRecord>,
        sources: &[Source],
    ) -> Result<Option<usize>, LoadError> {
        let mut named: Vec<_> = sources.iter().map(|source| (source.name(), source.size())).collect();
        named.sort_unstable();
        let sorted = |list: &[CommittedSource]| {
            let mut list = list.to_vec();
            list.sort_unstable();
            list
        };
        let same_names = |list: &[CommittedSource]| {
            list.iter().map(|source| (source.name.as_str(), Some(source.size))).eq(named.iter().copied())
        };
        let mapping = self.options.mapping_id();
        let alike: Vec<_> = records
            .enumerate()
            .filter(|(_, record)| record.mapping == mapping)
            .map(|(index, record)| (index, sorted(&record.sources)))
            .filter(|(_, list)| same_names(list))
            .collect();
        if alike.is_empty() {
            return Ok(None);
        }
        let sources = sources.to_vec();
        let found = tokio::task::spawn_blocking(move || fingerprints(&sources)).await;
        let mut found = self.joined(found)?.map_err(|error| self.source_failed(error))?;
        found.sort_unstable();
        Ok(alike.into_iter().find(|(_, list)| *list == found).map(|(index, _)| index))
    }

    /// The staged loads of the day that no commit has named.
    async fn waiting(&self) -> Result<Vec<StagedLoad>, LoadError> {
        let batch_date = self.options.batch_date;
        let waiting = async {
            let staged = self.warehouse.staged_loads(batch_date).await?;
            staging::waiting(self.warehouse, batch_date, &staged).await
        };
        waiting.await.map_err(|error| self.failed(error))
    }

    /// The report for a day that holds the sources already.
    async fn already_loaded(&self, commit: &Commit) -> Result<LoadReport, LoadError> {
        already_loaded(self.warehouse, self.options, commit).await
    }

    /// An error if the server does not have the rows that were sent.
    async fn check_rows(&self, tally: &LoadTally) -> Result<(), LoadError> {
        for table in BatchTable::all() {
            let (batch_date, load_id, sent) = (self.options.batch_date, self.load_id, tally.rows(table));
            let stored = self
                .warehouse
                .count(table.name(), batch_date, load_id)
                .await
                .map_err(|error| self.failed(error))?;
            if stored != sent {
                let table = self.warehouse.data_table(table.name());
                return Err(
                    LoadError::rows_differ(self.warehouse, batch_date, load_id, table, stored, sent).await
                );
            }
        }
        Ok(())
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

/// The report for a day that holds the sources already. A load that was killed after its commit may have left rows to
/// sweep.
async fn already_loaded(
    warehouse: &Warehouse,
    options: &LoadOptions,
    commit: &Commit,
) -> Result<LoadReport, LoadError> {
    let batch_date = options.batch_date;
    let dates = warehouse.event_dates(batch_date, &commit.load_ids).await;
    let dates = dates.map_err(|error| LoadError::Warehouse { batch_date, error })?;
    let mut report = LoadReport::already_loaded(options, commit, &dates);
    report.warnings.extend(cleanup::sweep(warehouse).await);
    Ok(report)
}

/// An error if the day is empty, too many lines were rejected, or no event is near its date.
async fn check_quality(
    options: &LoadOptions,
    commit: &Commit,
    dates: &EventDates,
    rejected: impl AsyncFnOnce() -> Rejected,
) -> Result<(), LoadError> {
    let &LoadOptions { batch_date, max_reject_ratio, allow_empty, .. } = options;
    if commit.record.stats.reject_ratio() > max_reject_ratio {
        let rejected = Box::new(rejected().await);
        return Err(LoadError::TooManyRejects { batch_date, max_reject_ratio, rejected });
    }
    if commit.record.stats.accepted_rows() == 0 && !allow_empty {
        return Err(LoadError::NoEvents { batch_date, rejected: Box::new(rejected().await) });
    }
    dates::check(options, dates)
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
