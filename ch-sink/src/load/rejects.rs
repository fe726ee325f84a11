//! Rejected lines of a day or a load, read back.

use event_schema::value::Date;
use uuid::Uuid;

use crate::LoadError;
use crate::warehouse::{Commit, RejectCount, RejectFilter, RejectKey, RejectedLine, RejectsIn, Warehouse};

/// Whose rejected lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectsOf {
    /// The day's, as it is committed; without those that a replay has accepted.
    Day(Date),
    /// A load's, also of one that failed; all that it had rejected.
    Load(Uuid),
}

/// How many lines are rejected, by reason and field, the most frequent first.
pub async fn count_rejects(
    warehouse: &Warehouse,
    of: RejectsOf,
    filter: &RejectFilter,
) -> Result<Vec<RejectCount>, LoadError> {
    let (rejects, _) = rejects_in(warehouse, of).await?;
    let counts = warehouse.reject_counts(&rejects, filter).await;
    counts.map_err(|error| LoadError::Rejects { error })
}

/// Gives every rejected line to `take`, in the order of load, source and line, until that answers `false`.
///
/// An error if the day is loaded again meanwhile: what was given is of the former state then.
pub async fn read_rejects(
    warehouse: &Warehouse,
    of: RejectsOf,
    filter: &RejectFilter,
    mut take: impl FnMut(&RejectedLine) -> bool,
) -> Result<(), LoadError> {
    let (rejects, commit) = rejects_in(warehouse, of).await?;
    let mut after: Option<RejectKey> = None;
    'pages: loop {
        let page = warehouse.reject_page(&rejects, filter, after.as_ref()).await;
        let page = page.map_err(|error| LoadError::Rejects { error })?;
        for line in &page {
            if !take(line) {
                break 'pages;
            }
        }
        match page.into_iter().next_back() {
            Some(last) => after = Some(last.key),
            None => break,
        }
    }
    match (of, commit) {
        (RejectsOf::Day(batch_date), Some(commit)) => {
            let latest = warehouse.latest_commit(batch_date).await;
            let latest = latest.map_err(|error| LoadError::Rejects { error })?;
            match latest {
                Some(latest) if latest.commit_id == commit.commit_id => Ok(()),
                _ => Err(LoadError::DayChanged { batch_date }),
            }
        }
        _ => Ok(()),
    }
}

async fn rejects_in(warehouse: &Warehouse, of: RejectsOf) -> Result<(RejectsIn, Option<Commit>), LoadError> {
    let batch_date = match of {
        RejectsOf::Load(load_id) => return Ok((RejectsIn::Load(load_id), None)),
        RejectsOf::Day(batch_date) => batch_date,
    };
    let commit = warehouse.latest_commit(batch_date).await.map_err(|error| LoadError::Rejects { error })?;
    let commit = commit.ok_or(LoadError::NotLoaded { batch_date })?;
    Ok((RejectsIn::Commit { batch_date, load_ids: commit.load_ids.clone() }, Some(commit)))
}
