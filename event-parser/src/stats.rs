//! Sums over batches: numbers of lines, accepted rows and rejects, with examples of rejects.

use std::collections::BTreeMap;

use event_schema::Reason;
use event_schema::registry::TableId;

use crate::batch::{Batch, Reject};
use crate::dates::{EventDates, date_out_of_range};

/// The most bytes of a line in an example.
const EXAMPLE_BYTES: usize = 200;

/// Numbers of lines, accepted rows and rejected lines of the batches so far.
#[derive(Debug, Clone, Default)]
pub struct ParseStats {
    lines: u64,
    blank_lines: u64,
    /// By table, in the order of the registry.
    accepted: [u64; TableId::COUNT],
    rejected: BTreeMap<Reason, u64>,
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

    /// Adds a batch.
    pub fn add(&mut self, batch: &Batch) {
        self.lines += batch.lines;
        self.blank_lines += batch.blank_lines;
        for (sum, (_, rows)) in self.accepted.iter_mut().zip(batch.rows_by_table()) {
            *sum += rows as u64;
        }
        for times in batch.event_times() {
            self.dates.add_times(times);
        }
        for reject in batch.rejects() {
            if let Some(date) = date_out_of_range(reject) {
                self.dates_out_of_range.add(date, 1);
            }
            let count = self.rejected.entry(reject.first().reason).or_default();
            *count += 1;
            if *count <= self.max_examples {
                let raw = reject.raw[..reject.raw.len().min(EXAMPLE_BYTES)].to_vec();
                self.examples.push(Reject { raw, ..reject.clone() });
            }
        }
    }

    /// All lines, blank ones included.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Blank lines.
    pub fn blank_lines(&self) -> u64 {
        self.blank_lines
    }

    /// Lines that are not blank.
    pub fn filled_lines(&self) -> u64 {
        self.lines - self.blank_lines
    }

    /// Rows by table, in the order of the registry.
    pub fn accepted(&self) -> impl Iterator<Item = (&'static str, u64)> {
        TableId::ALL.into_iter().map(TableId::name).zip(self.accepted)
    }

    /// Rows of all tables.
    pub fn accepted_rows(&self) -> u64 {
        self.accepted.iter().sum()
    }

    /// Rejected lines by reason: the reason of each line's first violation.
    pub fn rejected(&self) -> &BTreeMap<Reason, u64> {
        &self.rejected
    }

    /// Rejected lines.
    pub fn rejected_lines(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// The share of rejected lines, of those that are not blank; 0 where there are none.
    pub fn reject_ratio(&self) -> f64 {
        self.rejected_lines() as f64 / self.filled_lines().max(1) as f64
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
