//! What a load has counted.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use event_parser::{Batch, Reject};
use uuid::Uuid;

use crate::blocks::Part;
use crate::warehouse::{CommittedSource, StagedLoad};

/// Examples kept of each reason.
const EXAMPLES: u64 = 3;
/// Characters kept of an example's message.
const MESSAGE_CHARS: usize = 300;

/// Rejected lines in numbers, with a few examples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The load: its rejected lines are kept for a week, also if nothing was committed.
    pub load_id: Uuid,
    /// The table in which they are, with its database.
    pub table: String,
    /// Lines that are not blank, rejected or not.
    pub lines: u64,
    /// How many lines, by reason.
    pub by_reason: BTreeMap<String, u64>,
    /// The first few of each reason.
    pub examples: Vec<Example>,
}

/// One rejected line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The source.
    pub source: String,
    /// The line's number in it, from 1.
    pub line: u64,
    /// Why it was rejected.
    pub reason: &'static str,
    /// The field; empty for the line as a whole.
    pub field: String,
    /// What was expected and what stood there; a long one is cut.
    pub message: String,
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Example { source, line, reason, field, message } = self;
        let separator = if field.is_empty() { "" } else { " " };
        write!(f, "{source}:{line}: {reason}{separator}{field}: {message}")
    }
}

impl From<&Reject> for Example {
    fn from(reject: &Reject) -> Example {
        let first = reject.first();
        Example {
            source: reject.source.to_string(),
            line: reject.line,
            reason: first.reason.as_str(),
            field: first.field.clone(),
            message: first.message.chars().take(MESSAGE_CHARS).collect(),
        }
    }
}

/// What a load has read.
#[derive(Debug)]
pub(super) struct Tally {
    counts: event_parser::Tally,
    sources: Vec<CommittedSource>,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally { counts: event_parser::Tally::with_examples(EXAMPLES), sources: Vec::new() }
    }
}

impl Tally {
    /// Adds a batch that was stored.
    pub(super) fn add(&mut self, batch: &Batch) {
        self.counts.add(batch);
    }

    /// Sets what was read.
    pub(super) fn set_sources(&mut self, sources: Vec<CommittedSource>) {
        self.sources = sources;
    }

    pub(super) fn rows(&self, part: Part) -> u64 {
        match part {
            Part::Entity(_) => {
                let mut accepted = self.counts.accepted();
                accepted.find(|(table, _)| *table == part.table()).map_or(0, |(_, rows)| rows)
            }
            Part::Rejects => self.counts.rejected_lines(),
        }
    }

    pub(super) fn rejected(&self, load_id: Uuid, table: String) -> Rejected {
        Rejected {
            load_id,
            table,
            lines: self.counts.filled_lines(),
            by_reason: self.rejected_by_reason(),
            examples: self.counts.examples().iter().map(Example::from).collect(),
        }
    }

    /// As a load that could wait for its commit.
    pub(super) fn into_staged(self, load_id: Uuid, took: Duration) -> StagedLoad {
        StagedLoad {
            load_id,
            lines: self.counts.lines(),
            blank_lines: self.counts.blank_lines(),
            accepted_rows: self.counts.accepted().map(|(table, rows)| (table.to_owned(), rows)).collect(),
            rejected_rows: self.rejected_by_reason(),
            seconds: took.as_secs_f64(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sources: self.sources,
        }
    }

    fn rejected_by_reason(&self) -> BTreeMap<String, u64> {
        self.counts.rejected().iter().map(|(reason, lines)| (reason.to_string(), *lines)).collect()
    }
}
