//! Rejected lines.

use std::fmt;
use std::sync::Arc;

use event_schema::Reason;

/// What an allocation takes besides the bytes asked for, approximately.
const ALLOCATION_BYTES: usize = 32;

/// One violation of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The kind of violation.
    pub reason: Reason,
    /// The field's path, like `properties.amount`; empty for the line as a whole.
    pub field: String,
    /// What was expected and what was found.
    pub message: String,
}

impl Violation {
    /// A violation of the line as a whole.
    pub fn of_line(reason: Reason, message: impl Into<String>) -> Violation {
        Violation { reason, field: String::new(), message: message.into() }
    }

    /// A violation of the field at a path like `properties.amount`.
    pub fn of_field(reason: Reason, field: impl Into<String>, message: impl Into<String>) -> Violation {
        Violation { reason, field: field.into(), message: message.into() }
    }
}

impl fmt::Display for Violation {
    /// `reason field`, as in the column `violations`; only the reason for the line as a whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        if self.field.is_empty() { Ok(()) } else { write!(f, " {}", self.field) }
    }
}

/// A rejected line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reject {
    /// The source's name.
    pub source: Arc<str>,
    /// The line's number in the source, from 1, blank lines counted.
    pub line: u64,
    /// The line's first byte in the source, from 0.
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

    /// Bytes of memory that it takes.
    pub fn memory_bytes(&self) -> usize {
        let violations = self.violations.iter().map(|violation| {
            size_of::<Violation>()
                + violation.field.capacity()
                + violation.message.capacity()
                + 2 * ALLOCATION_BYTES
        });
        size_of::<Reject>() + violations.sum::<usize>() + self.raw.capacity() + 2 * ALLOCATION_BYTES
    }
}
