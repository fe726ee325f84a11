//! Sums over batches: the figures of a load, the dates of its events, and examples of rejected lines.

use crate::batch::{Batch, Reject, Table};
use crate::dates::{EventDates, date_out_of_range};
use crate::load_stats::{LoadStats, add_count};

/// The most bytes of a line in an example.
const EXAMPLE_BYTES: usize = 200;

/// The figures of the batches so far, with the dates of their events and examples of rejected lines.
#[derive(Debug, Clone, Default)]
pub struct ParseStats {
    totals: LoadStats,
    dates: EventDates,
    dates_out_of_range: EventDates,
    examples: Vec<Reject>,
    max_examples: u64,
}

impl ParseStats {
    /// An empty sum that keeps the first `max_examples` rejected lines of each reason.
    pub fn with_examples(max_examples: u64) -> ParseStats {
        ParseStats { max_examples, ..ParseStats::default() }
    }

    /// Adds a batch: its lines, its rows and its rejected lines.
    pub fn add(&mut self, batch: &Batch) {
        self.add_lines(batch.lines, batch.blank_lines);
        for table in batch.tables() {
            self.add_table(table);
        }
        self.add_rejects(batch.rejects());
    }

    /// Adds lines that were read, blank ones included, and the blank ones among them.
    pub fn add_lines(&mut self, lines: u64, blank_lines: u64) {
        self.totals.lines += lines;
        self.totals.blank_lines += blank_lines;
    }

    /// Adds the rows of a table.
    pub fn add_table(&mut self, table: &dyn Table) {
        add_count(&mut self.totals.accepted, table.id().name(), table.rows() as u64);
        self.dates.add_times(table.envelope().event_time.values());
    }

    /// Adds rejected lines.
    pub fn add_rejects(&mut self, rejects: &[Reject]) {
        for reject in rejects {
            if let Some(date) = date_out_of_range(reject) {
                self.dates_out_of_range.add(date, 1);
            }
            let reason = reject.first().reason.as_str();
            add_count(&mut self.totals.rejected, reason, 1);
            if self.totals.rejected[reason] <= self.max_examples {
                let raw = reject.raw[..reject.raw.len().min(EXAMPLE_BYTES)].to_vec();
                self.examples.push(Reject { raw, ..reject.clone() });
            }
        }
    }

    /// Adds lines, or events of lines, that a mapping has dropped under a word.
    pub fn add_dropped(&mut self, word: &str, lines: u64) {
        add_count(&mut self.totals.dropped, word, lines);
    }

    /// The figures so far.
    pub fn totals(&self) -> &LoadStats {
        &self.totals
    }

    /// The dates of the accepted events.
    pub fn dates(&self) -> &EventDates {
        &self.dates
    }

    /// The dates of the lines that were rejected because their `event_time` is too far from the batch date.
    pub fn dates_out_of_range(&self) -> &EventDates {
        &self.dates_out_of_range
    }

    /// The first rejected lines of each reason; of a long line only the start.
    pub fn examples(&self) -> &[Reject] {
        &self.examples
    }
}
