//! What a load has counted.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use event_parser::{Batch, EventDates, Reject};
use uuid::Uuid;

use crate::blocks::Part;
use crate::warehouse::{CommittedSource, RejectedLine, StagedLoad};

/// Examples kept of each reason.
const EXAMPLES: u64 = 1;
/// Reasons that a message names, the commonest; the others are counted.
const SHOWN_REASONS: usize = 3;
/// Characters kept of an example's message.
const MESSAGE_CHARS: usize = 300;

/// Rejected lines in numbers, with a few examples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The loads: their rejected lines are kept for a week, also if nothing was committed.
    pub load_ids: Vec<Uuid>,
    /// Lines that are not blank, rejected or not.
    pub lines: u64,
    /// How many lines, by reason.
    pub by_reason: BTreeMap<String, u64>,
    /// The first of each reason, as far as they are known.
    pub examples: Vec<Example>,
    /// The dates of the lines whose `event_time` is too far from the batch date.
    pub dates_out_of_range: EventDates,
}

/// What follows a sentence: the commonest reasons with an example each, and how to see all lines.
impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut reasons: Vec<(&String, u64)> =
            self.by_reason.iter().map(|(reason, lines)| (reason, *lines)).collect();
        reasons.sort_by_key(|(reason, lines)| (Reverse(*lines), *reason));
        let (all, out_of_range) = (self.by_reason.values().sum::<u64>(), self.dates_out_of_range.total());
        let dates = &self.dates_out_of_range;
        match out_of_range {
            0 => {}
            some if some < all => write!(f, "; the events of {some} of these lines are of {dates}")?,
            _ => write!(f, "; the events are of {dates}: check --batch-date")?,
        }
        let (shown, others) = reasons.split_at(reasons.len().min(SHOWN_REASONS));
        for (reason, lines) in shown {
            write!(f, "\n  {reason}: {lines} {}", if *lines == 1 { "line" } else { "lines" })?;
            if let Some(example) = self.examples.iter().find(|example| example.reason == **reason) {
                write!(f, ", such as {example}")?;
            }
        }
        if !others.is_empty() {
            let names: Vec<&str> = others.iter().map(|(reason, _)| reason.as_str()).collect();
            let lines: u64 = others.iter().map(|(_, lines)| lines).sum();
            write!(f, "\n  for other reasons ({}): {lines}", names.join(", "))?;
        }
        for load_id in self.load_ids.iter().filter(|_| all > 0) {
            write!(f, "\nto see them all: schoolbell rejects list --load {load_id}")?;
        }
        Ok(())
    }
}

/// One rejected line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The source.
    pub source: String,
    /// The line's number in it, from 1.
    pub line: u64,
    /// Why it was rejected.
    pub reason: String,
    /// The field; empty for the line as a whole.
    pub field: String,
    /// What was expected and what stood there; a long one is cut.
    pub message: String,
}

/// `source:line: field: message`
impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Example { source, line, field, message, .. } = self;
        let separator = if field.is_empty() { "" } else { ": " };
        write!(f, "{source}:{line}: {field}{separator}{message}")
    }
}

impl From<&Reject> for Example {
    fn from(reject: &Reject) -> Example {
        let first = reject.first();
        Example {
            source: reject.source.to_string(),
            line: reject.line,
            reason: first.reason.to_string(),
            field: first.field.clone(),
            message: first.message.chars().take(MESSAGE_CHARS).collect(),
        }
    }
}

impl From<RejectedLine> for Example {
    fn from(line: RejectedLine) -> Example {
        Example {
            source: line.key.source_file,
            line: line.key.source_line,
            reason: line.reason,
            field: line.field,
            message: line.message.chars().take(MESSAGE_CHARS).collect(),
        }
    }
}

/// What a load has read.
#[derive(Debug)]
pub(super) struct Tally {
    counts: event_parser::ParseStats,
    sources: Vec<CommittedSource>,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally { counts: event_parser::ParseStats::with_examples(EXAMPLES), sources: Vec::new() }
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

    /// The dates of the accepted events.
    pub(super) fn dates(&self) -> &EventDates {
        self.counts.dates()
    }

    pub(super) fn rejected(&self, load_id: Uuid) -> Rejected {
        Rejected {
            load_ids: vec![load_id],
            lines: self.counts.filled_lines(),
            by_reason: self.rejected_by_reason(),
            examples: self.counts.examples().iter().map(Example::from).collect(),
            dates_out_of_range: self.counts.dates_out_of_range().clone(),
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
