//! The parser's output: the columns of the five tables, and the rejected lines.

mod reject;
mod table;
mod tables;

use std::mem;

use event_schema::registry::TableId;

pub use reject::{Reject, Violation};
pub use table::{NamedView, Table};
pub use tables::{AbTestAssignments, EnvelopeColumns, Events, Purchases, Sessions, TaskResults};

/// The rows and the rejected lines of some lines. Reuse it: [`Batch::clear`] keeps the memory.
///
/// The order of rows is not defined: the column `source_line` has the line of each. Rejected lines are in the order of the
/// source.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Batch {
    /// Rows of `raw.events`.
    pub events: Events,
    /// Rows of `raw.purchases`.
    pub purchases: Purchases,
    /// Rows of `raw.task_results`.
    pub task_results: TaskResults,
    /// Rows of `raw.sessions`.
    pub sessions: Sessions,
    /// Rows of `raw.ab_test_assignments`.
    pub ab_test_assignments: AbTestAssignments,
    rejects: Vec<Reject>,
    reject_bytes: usize,
    /// Lines read, blank ones included.
    pub lines: u64,
    /// Blank lines among them.
    pub blank_lines: u64,
}

impl Batch {
    /// The rows of a table.
    pub fn table(&self, id: TableId) -> &dyn Table {
        match id {
            TableId::Events => &self.events,
            TableId::Purchases => &self.purchases,
            TableId::TaskResults => &self.task_results,
            TableId::Sessions => &self.sessions,
            TableId::AbTestAssignments => &self.ab_test_assignments,
        }
    }

    fn table_mut(&mut self, id: TableId) -> &mut dyn Table {
        match id {
            TableId::Events => &mut self.events,
            TableId::Purchases => &mut self.purchases,
            TableId::TaskResults => &mut self.task_results,
            TableId::Sessions => &mut self.sessions,
            TableId::AbTestAssignments => &mut self.ab_test_assignments,
        }
    }

    /// The rows of all tables, in the order of the registry.
    pub fn tables(&self) -> [&dyn Table; TableId::COUNT] {
        TableId::ALL.map(|id| self.table(id))
    }

    /// Removes rows and rejected lines, and keeps the memory.
    pub fn clear(&mut self) {
        for id in TableId::ALL {
            self.table_mut(id).clear();
        }
        self.rejects.clear();
        self.reject_bytes = 0;
        self.lines = 0;
        self.blank_lines = 0;
    }

    /// Bytes of memory that rows and rejected lines take.
    pub fn bytes(&self) -> usize {
        self.tables().iter().map(|table| table.bytes()).sum::<usize>() + self.reject_bytes
    }

    /// Bytes of memory that rejected lines take.
    pub fn reject_bytes(&self) -> usize {
        self.reject_bytes
    }

    /// Takes the rows of a table out. Their lines stay counted here.
    #[must_use]
    pub fn take_table(&mut self, id: TableId) -> Box<dyn Table> {
        match id {
            TableId::Events => Box::new(mem::take(&mut self.events)),
            TableId::Purchases => Box::new(mem::take(&mut self.purchases)),
            TableId::TaskResults => Box::new(mem::take(&mut self.task_results)),
            TableId::Sessions => Box::new(mem::take(&mut self.sessions)),
            TableId::AbTestAssignments => Box::new(mem::take(&mut self.ab_test_assignments)),
        }
    }

    /// Takes the rejected lines out, in the order of the source. They stay counted here as lines.
    #[must_use]
    pub fn take_rejects(&mut self) -> Vec<Reject> {
        self.reject_bytes = 0;
        mem::take(&mut self.rejects)
    }

    /// Rejected lines, in the order of the source.
    pub fn rejects(&self) -> &[Reject] {
        &self.rejects
    }

    /// Appends a rejected line.
    pub(crate) fn push_reject(&mut self, reject: Reject) {
        self.reject_bytes += reject.memory_bytes();
        self.rejects.push(reject);
    }

    /// Sorts the rejected lines from the `first` on into the order of the source.
    pub(crate) fn sort_rejects(&mut self, first: usize) {
        self.rejects[first..].sort_by_key(|reject| reject.line);
    }

    /// Whether no line was read into it.
    pub fn is_empty(&self) -> bool {
        self.lines == 0
    }

    /// The number of rows of each table, by its name in `raw`, in the order of the registry.
    pub fn rows_by_table(&self) -> [(&'static str, usize); TableId::COUNT] {
        TableId::ALL.map(|id| (id.name(), self.table(id).rows()))
    }

    /// The number of rows of all tables.
    pub fn rows(&self) -> usize {
        self.tables().iter().map(|table| table.rows()).sum()
    }
}
