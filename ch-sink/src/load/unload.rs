//! Unload: a commit that names no load.

use std::collections::BTreeMap;

use event_schema::value::Date;
use serde::Serialize;

use super::{cleanup, commit};
use crate::LoadError;
use crate::warehouse::{Commit, Proposal, Standing, Warehouse};

/// How an unload ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnloadStatus {
    /// The day was taken back.
    Unloaded,
    /// The day was not loaded, or was taken back before; nothing was changed.
    NotLoaded,
}

/// What an unload did. Serialises to the JSON of `schoolbell unload --output json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct UnloadReport {
    /// How it ended.
    pub status: UnloadStatus,
    /// The day.
    pub batch_date: Date,
    /// Rows that readers no longer see, by table.
    pub removed: BTreeMap<String, u64>,
    /// Warnings about an unload that succeeded.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// Takes a day back: readers see none of it at once. Its rows are removed as those of a day that was replaced.
///
/// Idempotent. A load of the day that commits later holds.
pub async fn unload(warehouse: &Warehouse, batch_date: Date) -> Result<UnloadReport, LoadError> {
    let latest = warehouse.latest_commit(batch_date).await;
    let latest = latest.map_err(|error| LoadError::Warehouse { batch_date, error })?;
    let Some(latest) = latest else {
        let mut report = UnloadReport {
            status: UnloadStatus::NotLoaded,
            batch_date,
            removed: BTreeMap::new(),
            warnings: Vec::new(),
        };
        // An unload that was killed after its commit has left something to sweep.
        report.warnings.extend(cleanup::sweep(warehouse).await);
        return Ok(report);
    };
    let nothing = Commit::of(&[]);
    let proposal =
        Proposal { batch_date, commit: &nothing, fresh: &[], base: None, replayed: 0, rejected: 0 };
    let standing = match commit::commit(warehouse, &proposal).await {
        Ok(standing) => standing,
        Err(error) => return Err(error.explain(warehouse, batch_date, &[]).await),
    };
    let mut warnings = Vec::new();
    if standing == Standing::Replaced {
        warnings.push(format!("a load of {batch_date} was committed after this: readers see that"));
    }
    warnings.extend(cleanup::sweep(warehouse).await);
    Ok(UnloadReport {
        status: UnloadStatus::Unloaded,
        batch_date,
        removed: latest.record.stats.accepted,
        warnings,
    })
}
