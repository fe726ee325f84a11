//! A batch: the columns of the five tables and the rejected lines, as they come out of the parser.

use std::{fmt, mem};

use event_schema::Reason;
use event_schema::registry::{self, Entity};

use crate::columns::{Column, Dictionary, Fixed, Nullable, Strings, View};

/// What an allocation takes besides the bytes asked for, about.
const ALLOCATION_BYTES: usize = 32;

/// A column's name and its values.
pub type NamedView<'a> = (&'static str, View<'a>);

/// One table's columns. Constants of a load (`batch_date`, `load_id`) are the sink's to add.
pub trait Table {
    /// The table in the registry.
    const ENTITY: &'static Entity;

    /// The columns of every event.
    fn envelope(&self) -> &EnvelopeColumns;
    /// The columns that only this table has, in the warehouse's order.
    fn own_columns(&self) -> Vec<NamedView<'_>>;
    /// How many rows.
    fn rows(&self) -> usize {
        self.envelope().event_id.values().len()
    }
}

/// Writes a table's struct, so that its columns are named once.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident, $entity:expr, { $($(#[$column_doc:meta])* $column:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub struct $name {
            /// The columns of every event.
            pub envelope: EnvelopeColumns,
            $($(#[$column_doc])* pub $column: $ty,)*
        }

        impl Table for $name {
            const ENTITY: &'static Entity = $entity;

            fn envelope(&self) -> &EnvelopeColumns {
                &self.envelope
            }

            fn own_columns(&self) -> Vec<NamedView<'_>> {
                vec![$((stringify!($column), self.$column.view()),)*]
            }
        }

        impl $name {
            fn clear(&mut self) {
                self.envelope.clear();
                $(self.$column.clear();)*
            }

            fn bytes(&self) -> usize {
                self.envelope.bytes() $(+ self.$column.bytes())*
            }
        }
    };
}

table!(
    /// Events without a table of their own.
    Events, &registry::EVENTS, {
        /// The payload, byte for byte.
        properties: Strings,
    }
);

table!(
    /// Purchases and refunds.
    Purchases, &registry::PURCHASES, {
        /// `purchase` or `refund`.
        kind: Dictionary,
        /// The purchase.
        purchase_id: Strings,
        /// The plan.
        plan: Dictionary,
        /// In 1/10000 of the currency's unit.
        amount: Fixed<i64>,
        /// The currency.
        currency: Dictionary,
        /// Days since 1970-01-01.
        period_start: Nullable<u16>,
        /// Days since 1970-01-01.
        period_end: Nullable<u16>,
        /// 0 or 1.
        is_trial: Fixed<u8>,
    }
);

table!(
    /// Answers to tasks.
    TaskResults, &registry::TASK_RESULTS, {
        /// The task.
        task_id: Strings,
        /// The course.
        course_id: Strings,
        /// The lesson.
        lesson_id: Strings,
        /// 0 or 1.
        is_correct: Fixed<u8>,
        /// From 0 to 1.
        score: Nullable<f64>,
        /// From 1.
        attempt: Nullable<u16>,
        /// Milliseconds.
        duration_ms: Nullable<u32>,
        /// Hints opened.
        hints_used: Nullable<u16>,
    }
);

table!(
    /// Sessions.
    Sessions, &registry::SESSIONS, {
        /// Milliseconds since 1970-01-01T00:00:00Z.
        started_at: Fixed<i64>,
        /// Milliseconds since 1970-01-01T00:00:00Z.
        ended_at: Nullable<i64>,
        /// The device.
        device: Dictionary,
        /// Its operating system.
        os: Dictionary,
        /// Where the user came from.
        referrer: Strings,
    }
);

table!(
    /// Assignments to variants of experiments.
    AbTestAssignments, &registry::AB_TEST_ASSIGNMENTS, {
        /// The experiment.
        experiment_id: Dictionary,
        /// The variant.
        variant: Dictionary,
    }
);

/// The columns of every event.
#[derive(Debug, Clone, Default)]
pub struct EnvelopeColumns {
    /// UUIDs in the Native layout: the upper 64 bits first, each half little-endian.
    pub event_id: Fixed<u128>,
    /// What happened.
    pub event_type: Dictionary,
    /// Who did it.
    pub user_id: Strings,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub event_time: Fixed<i64>,
    /// The session.
    pub session_id: Strings,
    /// Where it happened.
    pub platform: Dictionary,
    /// The product's version there.
    pub app_version: Dictionary,
    /// The user's country.
    pub country: Dictionary,
    /// Unknown fields as JSON.
    pub extra: Strings,
    /// The source's name.
    pub source_file: Dictionary,
    /// The line in the source, from 1.
    pub source_line: Fixed<u64>,
}

impl EnvelopeColumns {
    /// The columns in the warehouse's order.
    pub fn columns(&self) -> [NamedView<'_>; 11] {
        [
            ("event_id", self.event_id.view()),
            ("event_type", self.event_type.view()),
            ("user_id", self.user_id.view()),
            ("event_time", self.event_time.view()),
            ("session_id", self.session_id.view()),
            ("platform", self.platform.view()),
            ("app_version", self.app_version.view()),
            ("country", self.country.view()),
            ("extra", self.extra.view()),
            ("source_file", self.source_file.view()),
            ("source_line", self.source_line.view()),
        ]
    }

    fn each_mut(&mut self) -> [&mut dyn Column; 11] {
        [
            &mut self.event_id,
            &mut self.event_type,
            &mut self.user_id,
            &mut self.event_time,
            &mut self.session_id,
            &mut self.platform,
            &mut self.app_version,
            &mut self.country,
            &mut self.extra,
            &mut self.source_file,
            &mut self.source_line,
        ]
    }

    fn clear(&mut self) {
        self.each_mut().into_iter().for_each(Column::clear);
    }

    fn bytes(&self) -> usize {
        self.event_id.bytes()
            + self.event_type.bytes()
            + self.user_id.bytes()
            + self.event_time.bytes()
            + self.session_id.bytes()
            + self.platform.bytes()
            + self.app_version.bytes()
            + self.country.bytes()
            + self.extra.bytes()
            + self.source_file.bytes()
            + self.source_line.bytes()
    }
}

/// One breach of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub reason: Reason,
    /// The field's path, like `properties.amount`; empty for the line as a whole.
    pub field: String,
    /// What was expected and what stood there.
    pub message: String,
}

impl fmt::Display for Violation {
    /// `reason field`, as the column `violations` has it; for the line as a whole only the reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        if self.field.is_empty() { Ok(()) } else { write!(f, " {}", self.field) }
    }
}

/// A rejected line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The source's name.
    pub source: std::sync::Arc<str>,
    /// The line's number in the source, from 1, blank lines counted.
    pub line: u64,
    /// Where the line begins in the source.
    pub byte_offset: u64,
    /// Every violation, in the order of the contract; the first gives the reason. Never empty.
    pub violations: Vec<Violation>,
    /// The line without its ending; of one that is too long, the first 64 KiB.
    pub raw: Vec<u8>,
}

impl Reject {
    /// The first violation.
    pub fn first(&self) -> &Violation {
        self.violations.first().expect("a rejected line has a violation")
    }
}

/// What came out of some lines: rows in columns, and rejected lines. Recycle it: [`Batch::clear`] keeps
/// the memory.
///
/// Rows stand in no order: `source_line` says which line each of them was. Rejected lines are in the order of the source.
#[derive(Debug, Clone, Default)]
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
    /// Forgets the rows; keeps the memory.
    pub fn clear(&mut self) {
        self.events.clear();
        self.purchases.clear();
        self.task_results.clear();
        self.sessions.clear();
        self.ab_test_assignments.clear();
        self.rejects.clear();
        self.reject_bytes = 0;
        self.lines = 0;
        self.blank_lines = 0;
    }

    /// Bytes of memory that rows and rejected lines take.
    pub fn bytes(&self) -> usize {
        self.bytes_by_table().iter().sum::<usize>() + self.reject_bytes
    }

    /// Bytes of memory that rows take, by table, in the order of the registry.
    pub fn bytes_by_table(&self) -> [usize; 5] {
        [
            self.events.bytes(),
            self.purchases.bytes(),
            self.task_results.bytes(),
            self.sessions.bytes(),
            self.ab_test_assignments.bytes(),
        ]
    }

    /// Bytes of memory that rejected lines take.
    pub fn reject_bytes(&self) -> usize {
        self.reject_bytes
    }

    /// Moves the rows of a table, by its place in the registry, into a batch of their own. Lines stay counted here.
    #[must_use]
    pub fn take_table(&mut self, table: usize) -> Batch {
        let mut taken = Batch::default();
        match table {
            0 => mem::swap(&mut self.events, &mut taken.events),
            1 => mem::swap(&mut self.purchases, &mut taken.purchases),
            2 => mem::swap(&mut self.task_results, &mut taken.task_results),
            3 => mem::swap(&mut self.sessions, &mut taken.sessions),
            4 => mem::swap(&mut self.ab_test_assignments, &mut taken.ab_test_assignments),
            _ => unreachable!("there are {} tables", registry::ENTITIES.len()),
        }
        taken
    }

    /// Moves the rejected lines into a batch of their own. Lines stay counted here.
    #[must_use]
    pub fn take_rejects(&mut self) -> Batch {
        Batch {
            rejects: mem::take(&mut self.rejects),
            reject_bytes: mem::take(&mut self.reject_bytes),
            ..Batch::default()
        }
    }

    /// Rejected lines, in the order of the source.
    pub fn rejects(&self) -> &[Reject] {
        &self.rejects
    }

    /// Appends a rejected line.
    pub(crate) fn push_reject(&mut self, reject: Reject) {
        let violations = reject.violations.iter().map(|one| {
            size_of::<Violation>() + one.field.capacity() + one.message.capacity() + 2 * ALLOCATION_BYTES
        });
        self.reject_bytes +=
            size_of::<Reject>() + violations.sum::<usize>() + reject.raw.capacity() + 2 * ALLOCATION_BYTES;
        self.rejects.push(reject);
    }

    /// Puts the rejected lines from the `first` on into the order of the source.
    pub(crate) fn sort_rejects(&mut self, first: usize) {
        self.rejects[first..].sort_unstable_by_key(|reject| reject.line);
    }

    /// Whether no line was read into it.
    pub fn is_empty(&self) -> bool {
        self.lines == 0
    }

    /// The times of the events of each table, in milliseconds since 1970-01-01T00:00:00Z.
    pub fn event_times(&self) -> [&[i64]; 5] {
        [
            &self.events.envelope,
            &self.purchases.envelope,
            &self.task_results.envelope,
            &self.sessions.envelope,
            &self.ab_test_assignments.envelope,
        ]
        .map(|envelope| envelope.event_time.values())
    }

    /// Rows by table, in the order of the registry.
    pub fn rows_by_table(&self) -> [(&'static str, usize); 5] {
        [
            (Events::ENTITY.table, self.events.rows()),
            (Purchases::ENTITY.table, self.purchases.rows()),
            (TaskResults::ENTITY.table, self.task_results.rows()),
            (Sessions::ENTITY.table, self.sessions.rows()),
            (AbTestAssignments::ENTITY.table, self.ab_test_assignments.rows()),
        ]
    }
}
