//! Rejected lines in numbers and examples, as errors tell of them.

use std::cmp::Reverse;
use std::fmt;

use event_parser::{EventDates, LoadStats, Reject};
use uuid::Uuid;

/// Reasons that a message names, the commonest; the others are counted.
const SHOWN_REASONS: usize = 3;
/// Characters kept of an example's message.
const MESSAGE_CHARS: usize = 300;

/// Rejected lines in numbers, with a few examples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The loads: their rejected lines are kept for a week, also if nothing was committed.
    pub load_ids: Vec<Uuid>,
    /// What was read, rejected or not.
    pub stats: LoadStats,
    /// The first of each reason, as far as they are known.
    pub examples: Vec<Example>,
    /// The dates of the lines whose `event_time` is too far from the batch date.
    pub dates_out_of_range: EventDates,
}

/// What follows a sentence: the commonest reasons with an example each, and how to see all lines.
impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut reasons: Vec<(&String, u64)> =
            self.stats.rejected.iter().map(|(reason, lines)| (reason, *lines)).collect();
        reasons.sort_by_key(|(reason, lines)| (Reverse(*lines), *reason));
        let (all, out_of_range) = (self.stats.rejected_lines(), self.dates_out_of_range.total());
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

impl Example {
    /// With no more of its message than a message of ours has room for.
    pub(crate) fn cut(mut self) -> Example {
        if let Some((end, _)) = self.message.char_indices().nth(MESSAGE_CHARS) {
            self.message.truncate(end);
        }
        self
    }
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
            message: first.message.clone(),
        }
        .cut()
    }
}
