//! What a load reports.

use std::collections::BTreeMap;

use event_schema::value::Date;
use serde::Serialize;
use uuid::Uuid;

use super::LoadOptions;
use crate::warehouse::{Commit, CommittedSource, RowsGone, StagedLoad, Standing};

/// How a load ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LoadStatus {
    /// The day was replaced by this load.
    Committed,
    /// The same sources were committed before; nothing was changed.
    AlreadyLoaded,
    /// The rows are stored and wait for a commit.
    Staged,
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
    /// What is worth a word although the day is well: a failure in cleaning up, a limit that it would not meet.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

impl LoadReport {
    pub(super) fn committed(batch_date: Date, commit: &Commit) -> LoadReport {
        LoadReport::new(LoadStatus::Committed, batch_date, commit)
    }

    /// With a word if the commit would not be made with these limits: it stays all the same.
    pub(super) fn already_loaded(options: &LoadOptions, commit: &Commit) -> LoadReport {
        let mut report = LoadReport::new(LoadStatus::AlreadyLoaded, options.batch_date, commit);
        if commit.reject_ratio() > options.max_reject_ratio {
            report.warnings.push(format!(
                "{:.2} % of the lines of {} were rejected when it was loaded, more than --max-reject-ratio {} allows \
                 now; the day stays as it is",
                100.0 * commit.reject_ratio(),
                options.batch_date,
                options.max_reject_ratio
            ));
        }
        report
    }

    /// With a word if readers see another load of the day.
    pub(super) fn add_standing(&mut self, standing: Standing) {
        if standing == Standing::Replaced {
            self.warnings.push(format!(
                "another load of {} was committed after this one: readers see that",
                self.batch_date
            ));
        }
    }

    /// With a word if the day was loaded again because rows of it were gone.
    pub(super) fn add_gone(&mut self, gone: Option<&RowsGone>) {
        if let Some(RowsGone { table, stored, counted }) = gone {
            self.warnings.push(format!(
                "{table} had {stored} of the {counted} rows that {} had when it was loaded before: it was loaded again",
                self.batch_date
            ));
        }
    }

    pub(super) fn staged(batch_date: Date, load: &StagedLoad) -> LoadReport {
        let commit = Commit::of(std::slice::from_ref(load));
        LoadReport::new(LoadStatus::Staged, batch_date, &commit)
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
