//! What a load has counted.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use event_parser::{Batch, Reject};
use event_schema::registry::ENTITIES;
use uuid::Uuid;

use crate::blocks::Part;
use crate::warehouse::{Commit, CommittedSource};

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

/// The sums over a load's batches and sources.
#[derive(Debug, Default)]
pub(super) struct Tally {
    lines: u64,
    blank_lines: u64,
    /// Rows by table, in the order of [`ENTITIES`].
    rows: [u64; ENTITIES.len()],
    rejected: BTreeMap<&'static str, u64>,
    examples: Vec<Example>,
    sources: Vec<CommittedSource>,
}

impl Tally {
    /// Adds a batch that was stored.
    pub(super) fn add(&mut self, batch: &Batch) {
        self.lines += batch.lines;
        self.blank_lines += batch.blank_lines;
        for (sum, (_, rows)) in self.rows.iter_mut().zip(batch.rows_by_table()) {
            *sum += rows as u64;
        }
        for reject in batch.rejects() {
            let count = self.rejected.entry(reject.first().reason.as_str()).or_default();
            *count += 1;
            if *count <= EXAMPLES {
                self.examples.push(reject.into());
            }
        }
    }

    /// Sets what was read.
    /// What was read, once it was read to its end.
    pub(super) fn sources(&self) -> &[CommittedSource] {
        &self.sources
    }

    pub(super) fn set_sources(&mut self, sources: Vec<CommittedSource>) {
        self.sources = sources;
    }

    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    pub(super) fn accepted(&self) -> u64 {
        self.rows.iter().sum()
    }

    pub(super) fn rejects(&self) -> u64 {
        self.rejected.values().sum()
    }

    pub(super) fn rows(&self, part: Part) -> u64 {
        match part {
            Part::Entity(index) => self.rows[index],
            Part::Rejects => self.rejects(),
        }
    }

    /// The share of rejected lines, of those that are not blank; 0 where there are none.
    pub(super) fn reject_ratio(&self) -> f64 {
        self.rejects() as f64 / (self.lines - self.blank_lines).max(1) as f64
    }

    pub(super) fn rejected(&self, load_id: Uuid, table: String) -> Rejected {
        Rejected {
            load_id,
            table,
            lines: self.lines - self.blank_lines,
            by_reason: self.rejected_by_reason(),
            examples: self.examples.clone(),
        }
    }

    pub(super) fn into_commit(self, load_id: Uuid, took: Duration) -> Commit {
        Commit {
            commit_id: Uuid::now_v7(),
            load_ids: vec![load_id],
            lines: self.lines,
            blank_lines: self.blank_lines,
            accepted_rows: ENTITIES
                .iter()
                .zip(self.rows)
                .map(|(entity, rows)| (entity.table.to_owned(), rows))
                .collect(),
            rejected_rows: self.rejected_by_reason(),
            seconds: took.as_secs_f64(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sources: self.sources,
        }
    }

    fn rejected_by_reason(&self) -> BTreeMap<String, u64> {
        self.rejected.iter().map(|(reason, lines)| ((*reason).to_owned(), *lines)).collect()
    }
}
