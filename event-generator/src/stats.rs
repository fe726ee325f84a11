//! What was written: exact counts to hold a loader against.

use std::collections::BTreeMap;

use event_schema::value::Date;
use event_schema::{Reason, registry};

/// What a day's lines, or one part of them, consist of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayStats {
    /// The file's date.
    pub date: Date,
    /// All lines; none is blank.
    pub lines: u64,
    /// Bytes before compression, line ends included.
    pub bytes: u64,
    /// Lines that keep the contract and stand in this file for a visit of an earlier day.
    pub late: u64,
    /// Lines that stand in this or an earlier file already, byte for byte.
    pub duplicates: u64,
    accepted: [u64; registry::ENTITIES.len()],
    rejected: [u64; Reason::ALL.len()],
}

impl DayStats {
    pub(crate) const fn new(date: Date) -> DayStats {
        DayStats {
            date,
            lines: 0,
            bytes: 0,
            late: 0,
            duplicates: 0,
            accepted: [0; registry::ENTITIES.len()],
            rejected: [0; Reason::ALL.len()],
        }
    }

    /// Lines that a loader accepts, by the table of `raw` that takes them; every table is there.
    pub fn accepted(&self) -> BTreeMap<&'static str, u64> {
        registry::ENTITIES.iter().map(|entity| entity.table).zip(self.accepted).collect()
    }

    /// Lines that a loader rejects, by reason; only the reasons that occur.
    pub fn rejected(&self) -> BTreeMap<Reason, u64> {
        Reason::ALL.into_iter().zip(self.rejected).filter(|(_, lines)| *lines > 0).collect()
    }

    /// Adds the counts of another part, or of another day (the date stays).
    pub fn add(&mut self, other: &DayStats) {
        self.lines += other.lines;
        self.bytes += other.bytes;
        self.late += other.late;
        self.duplicates += other.duplicates;
        self.accepted.iter_mut().zip(other.accepted).for_each(|(sum, more)| *sum += more);
        self.rejected.iter_mut().zip(other.rejected).for_each(|(sum, more)| *sum += more);
    }

    pub(crate) const fn accept(&mut self, table: usize) {
        self.lines += 1;
        self.accepted[table] += 1;
    }

    pub(crate) const fn reject(&mut self, reason: Reason) {
        self.lines += 1;
        self.rejected[reason as usize] += 1;
    }
}
