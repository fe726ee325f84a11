//! What a load has counted.

use std::time::Duration;

use event_parser::{EventDates, LoadStats, ParseStats};
use uuid::Uuid;

use crate::blocks::BatchTable;
use crate::record::{CommittedSource, LoadRecord};
use crate::rejected::{Example, Rejected};
use crate::warehouse::StagedLoad;

/// Examples kept of each reason.
const EXAMPLES: u64 = 1;

/// What a load has read.
#[derive(Debug)]
pub(super) struct LoadTally {
    /// What was parsed.
    pub(super) parsed: ParseStats,
    /// The sources that were read to their end.
    pub(super) sources: Vec<CommittedSource>,
}

impl Default for LoadTally {
    fn default() -> LoadTally {
        LoadTally { parsed: ParseStats::with_examples(EXAMPLES), sources: Vec::new() }
    }
}

impl LoadTally {
    fn stats(&self) -> &LoadStats {
        self.parsed.totals()
    }

    /// Rows that a table is to have.
    pub(super) fn rows(&self, table: BatchTable) -> u64 {
        match table {
            BatchTable::Entity(id) => self.stats().rows_of(id),
            BatchTable::Rejects => self.stats().rejected_lines(),
        }
    }

    /// The dates of the accepted events.
    pub(super) fn dates(&self) -> &EventDates {
        self.parsed.dates()
    }

    /// What was rejected.
    pub(super) fn rejected(&self, load_id: Uuid) -> Rejected {
        Rejected {
            load_ids: vec![load_id],
            stats: self.stats().clone(),
            examples: self.parsed.examples().iter().map(Example::from).collect(),
            dates_out_of_range: self.parsed.dates_out_of_range().clone(),
        }
    }

    /// As a load that could wait for its commit.
    pub(super) fn into_staged(self, load_id: Uuid, mapping: String, took: Duration) -> StagedLoad {
        let stats = self.stats().clone();
        StagedLoad { load_id, record: LoadRecord::new(self.sources, stats, mapping, took.as_secs_f64()) }
    }
}
