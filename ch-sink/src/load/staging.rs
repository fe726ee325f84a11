//! Staged loads: stored by any number of machines, and committed together in one row.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use event_parser::EventDates;
use event_schema::value::Date;
use event_source::Source;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{
    Day, LoadOptions, LoadReport, Progress, already_loaded, check_quality, cleanup, commit, dates, pipeline,
};
use crate::rejected::Rejected;
use crate::warehouse::{Commit, Proposal, RejectedLine, RejectsIn, RowsGone, StagedLoad, Warehouse};
use crate::{LoadError, WarehouseError};

/// Stores what `sources` hold for the day of `options` and leaves it to [`commit_staged`] to commit it.
///
/// Quick if just that is staged already. The limits of `options` on rejects and emptiness are those of the whole
/// day: the commit looks at them.
pub async fn stage(
    warehouse: &Warehouse,
    options: &LoadOptions,
    sources: &[Source],
    progress: impl Fn(Progress),
) -> Result<LoadReport, LoadError> {
    let day = Day::new(warehouse, options);
    // Boxed: the future is large.
    Box::pin(stage_day(&day, sources, progress).instrument(day.span())).await
}

async fn stage_day(
    day: &Day<'_>,
    sources: &[Source],
    progress: impl Fn(Progress),
) -> Result<LoadReport, LoadError> {
    let Day { warehouse, options, .. } = *day;
    dates::check_batch_date(warehouse, options).await?;
    let warnings: Vec<String> =
        dates::misdated_names_warning(options.batch_date, sources).into_iter().collect();
    let waiting = if options.force { Vec::new() } else { day.waiting().await? };
    let of_these = day.find_same_sources(waiting.iter().map(|load| &load.record), sources).await?;
    let mut gone = None;
    if let Some(staged) = of_these.map(|index| &waiting[index]) {
        gone = day.staged_rows_gone(staged).await?;
        if gone.is_none() {
            return Ok(day.staged_before(staged).await?.with_warnings(warnings));
        }
    }
    let stored = async {
        // Boxed: the future is large.
        let tally = Box::pin(pipeline::run(day, sources, progress)).await?;
        day.check_rows(&tally).await?;
        Ok(tally)
    };
    let (load, dates) = match stored.await {
        Ok(tally) => {
            let dates = tally.dates().clone();
            (tally.into_staged(day.load_id, options.mapping_id(), day.started.elapsed()), dates)
        }
        Err(error) => {
            cleanup::discard(day).await;
            return Err(error);
        }
    };
    // A stream's content is known only now.
    if let Some(same) =
        waiting.iter().find(|waiting| waiting.record.is_of(&load.record.sources, &load.record.mapping))
    {
        gone = day.staged_rows_gone(same).await?;
        if gone.is_none() {
            cleanup::discard_all(day).await;
            return Ok(day.staged_before(same).await?.with_warnings(warnings));
        }
    }
    warehouse.note_staged(options.batch_date, &load).await.map_err(|error| day.failed(error))?;
    let mut report = LoadReport::staged(options.batch_date, &load, &dates).with_warnings(warnings);
    report.add_gone(gone.as_ref());
    Ok(report)
}

impl Day<'_> {
    /// The report for sources that are staged already.
    async fn staged_before(&self, load: &StagedLoad) -> Result<LoadReport, LoadError> {
        let batch_date = self.options.batch_date;
        let dates = self.warehouse.event_dates(batch_date, &[load.load_id]).await;
        let dates = dates.map_err(|error| self.failed(error))?;
        Ok(LoadReport::staged(batch_date, load, &dates))
    }

    /// Which table does not hold the rows of a staged load, if one does not. That load is given up: it can never be
    /// committed.
    async fn staged_rows_gone(&self, staged: &StagedLoad) -> Result<Option<RowsGone>, LoadError> {
        let batch_date = self.options.batch_date;
        let gone =
            self.warehouse.gone_of_staged(batch_date, staged).await.map_err(|error| self.failed(error))?;
        if gone.is_some() {
            let abandoned = self.warehouse.abandon(&[(batch_date, staged.load_id)]).await;
            abandoned.map_err(|error| self.failed(error))?;
        }
        Ok(gone)
    }
}

/// Commits staged loads of the day of `options`, in one row: those of `load_ids`, or all that wait.
///
/// They are the whole day then. Nothing changes if that commit holds already, or one of the same sources.
pub async fn commit_staged(
    warehouse: &Warehouse,
    options: &LoadOptions,
    load_ids: &[Uuid],
) -> Result<LoadReport, LoadError> {
    dates::check_batch_date(warehouse, options).await?;
    let batch_date = options.batch_date;
    let failed = |error| LoadError::Warehouse { batch_date, error };
    let latest = warehouse.latest_commit(batch_date).await.map_err(failed)?;
    let staged = warehouse.staged_loads(batch_date).await.map_err(failed)?;
    let wanted: BTreeSet<Uuid> = load_ids.iter().copied().collect();
    let is_wanted = |commit: &Commit| {
        let named: BTreeSet<Uuid> = commit.load_ids.iter().copied().collect();
        if wanted.is_empty() {
            named.iter().all(|id| staged.iter().any(|load| load.load_id == *id))
        } else {
            named == wanted
        }
    };
    let waiting = waiting(warehouse, batch_date, &staged).await.map_err(failed)?;
    let (loads, twice) = if wanted.is_empty() {
        let (loads, twice) = without_repetitions(batch_date, waiting)?;
        if loads.is_empty() {
            // The commit that was made before, if this is a second call of it.
            return match latest.filter(is_wanted) {
                Some(commit) => committed_before(warehouse, options, &commit).await,
                None => Err(LoadError::NothingStaged { batch_date }),
            };
        }
        (loads, twice)
    } else {
        if let Some(commit) = latest.clone().filter(is_wanted) {
            return committed_before(warehouse, options, &commit).await;
        }
        (named(batch_date, &wanted, &staged, waiting)?, Vec::new())
    };

    let commit = Commit::of(&loads);
    let same = latest.filter(|latest| {
        !options.force && latest.record.is_of(&commit.record.sources, &commit.record.mapping)
    });
    let gone = match &same {
        Some(same) => warehouse.gone_of_commit(batch_date, same).await.map_err(failed)?,
        None => None,
    };
    if let Some(latest) = same.filter(|_| gone.is_none()) {
        // The rows that stand there stay; those that were staged go.
        let given_up: Vec<_> =
            loads.iter().map(|load| load.load_id).chain(twice).map(|id| (batch_date, id)).collect();
        warehouse.abandon(&given_up).await.map_err(failed)?;
        return already_loaded(warehouse, options, &latest).await;
    }
    let dates = warehouse.event_dates(batch_date, &commit.load_ids).await.map_err(failed)?;
    check_quality(options, &commit, &dates, async || rejected(warehouse, batch_date, &commit).await).await?;
    let proposal = Proposal {
        batch_date,
        commit: &commit,
        fresh: &commit.load_ids,
        base: None,
        replayed: 0,
        rejected: commit.record.stats.rejected_lines(),
    };
    let standing = match commit::commit(warehouse, &proposal).await {
        Ok(standing) => standing,
        // They stay staged: a second call may do better.
        Err(error) => return Err(error.explain(warehouse, batch_date, &commit.load_ids).await),
    };
    let mut report = LoadReport::committed(batch_date, &commit, &dates);
    if !twice.is_empty() {
        let twice: Vec<_> = twice.into_iter().map(|id| (batch_date, id)).collect();
        report.warnings.extend(warehouse.abandon(&twice).await.err().map(|error| error.to_string()));
    }
    report.add_gone(gone.as_ref());
    report.add_standing(standing);
    report.warnings.extend(cleanup::sweep(warehouse).await);
    Ok(report)
}

/// Staged loads that no commit has named.
pub(super) async fn waiting(
    warehouse: &Warehouse,
    batch_date: Date,
    staged: &[StagedLoad],
) -> Result<Vec<StagedLoad>, WarehouseError> {
    if staged.is_empty() {
        return Ok(Vec::new());
    }
    let commits = warehouse.commits(batch_date).await?;
    let named: HashSet<Uuid> = commits.into_iter().flat_map(|commit| commit.load_ids).collect();
    Ok(staged.iter().filter(|load| !named.contains(&load.load_id)).cloned().collect())
}

/// A second call of the commit that holds; an error if its rows are gone.
async fn committed_before(
    warehouse: &Warehouse,
    options: &LoadOptions,
    commit: &Commit,
) -> Result<LoadReport, LoadError> {
    let batch_date = options.batch_date;
    let gone = warehouse.gone_of_commit(batch_date, commit).await;
    match gone.map_err(|error| LoadError::Warehouse { batch_date, error })? {
        Some(RowsGone { table, stored, counted }) => {
            Err(LoadError::RowsGone { batch_date, table, stored, counted })
        }
        None => already_loaded(warehouse, options, commit).await,
    }
}

/// The loads that wait, but of several of exactly the same sources (a worker was started twice) only the first; and
/// those that were left out. Two that share a source, and are not the same, are an error.
fn without_repetitions(
    batch_date: Date,
    waiting: Vec<StagedLoad>,
) -> Result<(Vec<StagedLoad>, Vec<Uuid>), LoadError> {
    let (mut loads, mut twice, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for load in waiting {
        let mut sources = load.record.sources.clone();
        sources.sort_unstable();
        if seen.insert((load.record.mapping.clone(), sources)) {
            loads.push(load);
        } else {
            twice.push(load.load_id);
        }
    }
    let mut readers: BTreeMap<&str, Uuid> = BTreeMap::new();
    for load in &loads {
        for source in &load.record.sources {
            if let Some(other) = readers.insert(&source.name, load.load_id) {
                let source_name = source.name.clone();
                return Err(LoadError::StagedTwice { batch_date, source_name, loads: [other, load.load_id] });
            }
        }
    }
    Ok((loads, twice))
}

/// The loads that were named, all of them waiting. Two may have read sources of one name, if their content differs:
/// workers with folders of their own.
fn named(
    batch_date: Date,
    wanted: &BTreeSet<Uuid>,
    staged: &[StagedLoad],
    waiting: Vec<StagedLoad>,
) -> Result<Vec<StagedLoad>, LoadError> {
    for load_id in wanted.iter().copied() {
        if !staged.iter().any(|load| load.load_id == load_id) {
            return Err(LoadError::NotStaged { batch_date, load_id });
        }
        if !waiting.iter().any(|load| load.load_id == load_id) {
            return Err(LoadError::CommittedBefore { batch_date, load_id });
        }
    }
    let loads: Vec<StagedLoad> = waiting.into_iter().filter(|load| wanted.contains(&load.load_id)).collect();
    for (index, load) in loads.iter().enumerate() {
        for other in &loads[..index] {
            if let Some(source) =
                load.record.sources.iter().find(|source| other.record.sources.contains(source))
            {
                let loads = [other.load_id, load.load_id];
                return Err(LoadError::StagedTwice { batch_date, source_name: source.name.clone(), loads });
            }
        }
    }
    Ok(loads)
}

/// What the loads of a commit have rejected, with an example of each reason.
async fn rejected(warehouse: &Warehouse, batch_date: Date, commit: &Commit) -> Rejected {
    let rejects = RejectsIn::Commit { batch_date, load_ids: commit.load_ids.clone() };
    Rejected {
        load_ids: commit.load_ids.clone(),
        stats: commit.record.stats.clone(),
        // That there are too many is to be told even if the server does not say which.
        examples: warehouse
            .reject_examples(&rejects)
            .await
            .unwrap_or_default()
            .into_iter()
            .map(RejectedLine::example)
            .collect(),
        dates_out_of_range: EventDates::default(),
    }
}
