//! What a load reports.

use event_parser::{EventDates, LoadStats};
use event_schema::value::Date;
use serde::Serialize;
use uuid::Uuid;

use super::LoadOptions;
use super::dates::{self, EventsByDate};
use crate::record::CommittedSource;
use crate::warehouse::{Commit, RowsGone, StagedLoad, Standing};

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
#[non_exhaustive]
pub struct LoadReport {
    /// How it ended.
    pub status: LoadStatus,
    /// The day.
    pub batch_date: Date,
    /// The load that made up the day first, where several do.
    pub load_id: Uuid,
    /// What was read.
    pub sources: Vec<CommittedSource>,
    /// Files beside the sources that were not read; whoever has looked for the sources says which.
    pub left_out: Vec<String>,
    /// Stored (compressed) bytes of the sources.
    pub bytes: u64,
    /// How many lines and rows there were.
    #[serde(flatten)]
    pub stats: LoadStats,
    /// Accepted events, by their date.
    pub events_by_date: EventsByDate,
    /// How long the load took, when it was loaded.
    pub seconds: f64,
    /// Warnings about a load that succeeded: a failed cleanup, an exceeded limit.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

impl LoadReport {
    /// Warns if most events are of other dates.
    pub(super) fn committed(batch_date: Date, commit: &Commit, dates: &EventDates) -> LoadReport {
        let mut report = LoadReport::new(LoadStatus::Committed, batch_date, commit, dates);
        report.warnings.extend(dates::misdated_events_warning(batch_date, dates));
        report
    }

    /// Warns if the commit exceeds the limits of this load; it stays all the same.
    pub(super) fn already_loaded(options: &LoadOptions, commit: &Commit, dates: &EventDates) -> LoadReport {
        let mut report = LoadReport::new(LoadStatus::AlreadyLoaded, options.batch_date, commit, dates);
        let reject_ratio = commit.record.stats.reject_ratio();
        if reject_ratio > options.max_reject_ratio {
            report.warnings.push(format!(
                "{:.2} % of the lines of {} were rejected when it was loaded, more than --max-reject-ratio {} allows \
                 now; the day stays as it is",
                100.0 * reject_ratio,
                options.batch_date,
                options.max_reject_ratio
            ));
        }
        report
    }

    /// With earlier warnings first.
    pub(super) fn with_warnings(mut self, warnings: Vec<String>) -> LoadReport {
        self.warnings.splice(..0, warnings);
        self
    }

    /// Warns if readers see another load of the day.
    pub(super) fn add_standing(&mut self, standing: Standing) {
        if standing == Standing::Replaced {
            self.warnings.push(format!(
                "another load of {} was committed after this one: readers see that",
                self.batch_date
            ));
        }
    }

    /// Warns if the day was loaded again because rows of it were missing.
    pub(super) fn add_gone(&mut self, gone: Option<&RowsGone>) {
        if let Some(RowsGone { table, stored, counted }) = gone {
            self.warnings.push(format!(
                "{table} had {stored} of the {counted} rows that were loaded before: the day was loaded again"
            ));
        }
    }

    pub(super) fn staged(batch_date: Date, load: &StagedLoad, dates: &EventDates) -> LoadReport {
        let commit = Commit::of(std::slice::from_ref(load));
        LoadReport::new(LoadStatus::Staged, batch_date, &commit, dates)
    }

    fn new(status: LoadStatus, batch_date: Date, commit: &Commit, dates: &EventDates) -> LoadReport {
        LoadReport {
            status,
            batch_date,
            load_id: commit.load_ids.first().copied().unwrap_or_default(),
            sources: commit.record.sources.clone(),
            left_out: Vec::new(),
            bytes: commit.record.bytes(),
            stats: commit.record.stats.clone(),
            events_by_date: EventsByDate::new(batch_date, dates),
            seconds: commit.record.seconds,
            warnings: Vec::new(),
        }
    }
}
