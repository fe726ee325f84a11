//! What a load reports.

use std::collections::BTreeMap;

use event_schema::value::Date;
use serde::Serialize;
use uuid::Uuid;

use crate::warehouse::{Commit, CommittedSource};

/// How a load ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LoadStatus {
    /// The day was replaced by this load.
    Committed,
    /// The same sources were committed before; nothing was changed.
    AlreadyLoaded,
}

/// What a load did, or had been done before. Serialises to the JSON of `schoolbell load --output json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadReport {
    /// How it ended.
    pub status: LoadStatus,
    /// The day.
    pub batch_date: Date,
    /// The load that made up the day first, where several do.
    pub load_id: Uuid,
    /// What was read.
    pub sources: Vec<CommittedSource>,
    /// Lines, blank ones included.
    pub lines: u64,
    /// Blank lines.
    pub blank_lines: u64,
    /// Stored (compressed) bytes of the sources.
    pub bytes: u64,
    /// Rows by table.
    pub accepted: BTreeMap<String, u64>,
    /// Lines by reason.
    pub rejected: BTreeMap<String, u64>,
    /// How long the load took, when it was loaded.
    pub seconds: f64,
    /// What went wrong after the commit, in cleaning up. The day is well.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

impl LoadReport {
    pub(super) fn committed(batch_date: Date, commit: &Commit) -> LoadReport {
        LoadReport::new(LoadStatus::Committed, batch_date, commit)
    }

    pub(super) fn already_loaded(batch_date: Date, commit: &Commit) -> LoadReport {
        LoadReport::new(LoadStatus::AlreadyLoaded, batch_date, commit)
    }

    fn new(status: LoadStatus, batch_date: Date, commit: &Commit) -> LoadReport {
        LoadReport {
            status,
            batch_date,
            load_id: commit.load_ids.first().copied().unwrap_or_default(),
            sources: commit.sources.clone(),
            lines: commit.lines,
            blank_lines: commit.blank_lines,
            bytes: commit.sources.iter().map(|source| source.size).sum(),
            accepted: commit.accepted_rows.clone(),
            rejected: commit.rejected_rows.clone(),
            seconds: commit.seconds,
            warnings: Vec::new(),
        }
    }
}
