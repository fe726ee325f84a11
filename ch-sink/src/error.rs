//! Errors, and what to do about them.

mod warehouse;

use event_parser::EventDates;
use event_schema::value::Date;
use event_source::{ErrorKind, SourceError};
use uuid::Uuid;

use crate::rejected::Rejected;
pub use warehouse::WarehouseError;

/// What an error means to a scheduler; in parentheses the exit codes of `sysexits.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorClass {
    /// Wrong usage (2).
    Usage,
    /// The data is bad (65).
    BadData,
    /// A source is not there (66).
    NotFound,
    /// A defect of Schoolbell (70).
    Defect,
    /// Temporary: try again later (75).
    Temporary,
    /// Access is denied (77).
    AccessDenied,
}

impl From<ErrorKind> for ErrorClass {
    fn from(kind: ErrorKind) -> ErrorClass {
        match kind {
            ErrorKind::Usage => ErrorClass::Usage,
            ErrorKind::NotFound => ErrorClass::NotFound,
            ErrorKind::PermissionDenied => ErrorClass::AccessDenied,
            ErrorKind::Corrupt | ErrorKind::Changed => ErrorClass::BadData,
            // Once the store answers, or the disk is well again.
            _ => ErrorClass::Temporary,
        }
    }
}

/// A day was not loaded. Nothing of it can be seen, save for [`LoadError::CommitUnknown`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A source failed.
    #[error("{batch_date} was not loaded: {error}")]
    Source {
        /// The day.
        batch_date: Date,
        /// What failed.
        #[source]
        error: SourceError,
    },
    /// The warehouse failed.
    #[error("{batch_date} was not loaded: {error}")]
    Warehouse {
        /// The day.
        batch_date: Date,
        /// What failed.
        #[source]
        error: WarehouseError,
    },
    /// More lines were rejected than the limit allows.
    #[error("{batch_date} was not loaded: {share}{rejected}", share = share(rejected, *max_reject_ratio))]
    TooManyRejects {
        /// The day.
        batch_date: Date,
        /// The limit.
        max_reject_ratio: f64,
        /// What was rejected.
        rejected: Box<Rejected>,
    },
    /// No event was accepted.
    #[error(
        "{batch_date} was not loaded: its sources hold no valid event ({} lines that are not blank); check that \
         they are the right ones, or allow an empty day (--allow-empty){rejected}",
        rejected.stats.checked_lines()
    )]
    NoEvents {
        /// The day.
        batch_date: Date,
        /// What was rejected.
        rejected: Box<Rejected>,
    },
    /// The batch date is later than tomorrow.
    #[error(
        "{batch_date} was not loaded: it is later than tomorrow, {tomorrow} (UTC); check --batch-date, or load it all the \
         same with --allow-misdated"
    )]
    FutureDate {
        /// The day.
        batch_date: Date,
        /// Tomorrow, by the clock that is ahead: the client's or the server's.
        tomorrow: Date,
    },
    /// None of the events is of the day or one beside it.
    #[error(
        "{batch_date} was not loaded: none of its {} events is of {batch_date} or a day beside it; the events are of \
         {dates}; check --batch-date, or load them all the same with --allow-misdated",
        dates.total()
    )]
    Misdated {
        /// The day.
        batch_date: Date,
        /// Which dates the events are of.
        dates: Box<EventDates>,
    },
    /// The server does not have the rows that it acknowledged.
    #[error(
        "{batch_date} was not loaded: {table} has {stored} rows of load {load_id}, but {sent} were sent; {}",
        cause.as_deref().unwrap_or("load the day again")
    )]
    RowsDiffer {
        /// The day.
        batch_date: Date,
        /// The load.
        load_id: Uuid,
        /// The table with its database.
        table: String,
        /// Rows counted in the server.
        stored: u64,
        /// Rows sent.
        sent: u64,
        /// What takes rows of that table away, and what to do about it; `None` if nothing is known to.
        cause: Option<String>,
    },
    /// The rows of a commit are gone, and so are the staged loads that it was made of.
    #[error(
        "{batch_date} was committed before, but {table} has only {stored} of its {counted} rows; stage its sources \
         again"
    )]
    RowsGone {
        /// The day.
        batch_date: Date,
        /// The table with its database.
        table: String,
        /// Rows counted in the server.
        stored: u64,
        /// Rows that were committed.
        counted: u64,
    },
    /// The load was silent for so long that another one has swept it.
    #[error(
        "{batch_date} was not loaded: its rows (load {load_id}) had waited for so long that another load has removed \
         them as dead; load the day again"
    )]
    Swept {
        /// The day.
        batch_date: Date,
        /// The load.
        load_id: Uuid,
    },
    /// Another load of the day was committed meanwhile.
    #[error("{batch_date} was not changed: another load of it was committed meanwhile; try again")]
    DayChanged {
        /// The day.
        batch_date: Date,
    },
    /// No load is staged for the day.
    #[error(
        "{batch_date} was not committed: no load is staged for it; stage its sources with `schoolbell load --stage`"
    )]
    NothingStaged {
        /// The day.
        batch_date: Date,
    },
    /// A load that is to be committed is not staged.
    #[error(
        "{batch_date} was not committed: load {load_id} is not staged for it: it was never, or it was swept after a \
         week; stage its sources again"
    )]
    NotStaged {
        /// The day.
        batch_date: Date,
        /// The load.
        load_id: Uuid,
    },
    /// A load that is to be committed was committed before.
    #[error(
        "{batch_date} was not committed: load {load_id} was committed before, together with others; stage its sources \
         again"
    )]
    CommittedBefore {
        /// The day.
        batch_date: Date,
        /// The load.
        load_id: Uuid,
    },
    /// Two loads that are to be committed have read the same source.
    #[error(
        "{batch_date} was not committed: the staged loads {} and {} have both read {source_name}; name those that \
         make up the day: --commit LOAD_ID…",
        loads[0],
        loads[1]
    )]
    StagedTwice {
        /// The day.
        batch_date: Date,
        /// The source.
        source_name: String,
        /// The loads.
        loads: [Uuid; 2],
    },
    /// Rejected lines could not be read.
    #[error("the rejected lines were not read: {error}")]
    Rejects {
        /// What failed.
        #[source]
        error: WarehouseError,
    },
    /// The edited lines of a replay could not be read.
    #[error("the edited lines were not read: {error}")]
    Edited {
        /// What failed.
        #[source]
        error: std::io::Error,
    },
    /// There is no day whose rejected lines could be asked for.
    #[error(
        "{batch_date} is not loaded: there is nothing to ask for; `--load ID` shows those of a load that failed"
    )]
    NotLoaded {
        /// The day.
        batch_date: Date,
    },
    /// The connection broke at the commit.
    #[error(
        "whether {batch_date} was loaded is not known: {error}; load the day again: that changes nothing if it was"
    )]
    CommitUnknown {
        /// The day.
        batch_date: Date,
        /// What failed.
        #[source]
        error: WarehouseError,
    },
    /// A thread of the load panicked.
    #[error("{batch_date} was not loaded: a thread of the load ended by a defect; please report it")]
    Panicked {
        /// The day.
        batch_date: Date,
    },
}

impl LoadError {
    /// What the error means.
    pub fn class(&self) -> ErrorClass {
        match self {
            LoadError::Source { error, .. } => error.kind().into(),
            LoadError::Warehouse { error, .. } | LoadError::Rejects { error } => error.class(),
            LoadError::TooManyRejects { .. } | LoadError::NoEvents { .. } | LoadError::Misdated { .. } => {
                ErrorClass::BadData
            }
            LoadError::RowsDiffer { cause: None, .. }
            | LoadError::CommitUnknown { .. }
            | LoadError::Swept { .. }
            | LoadError::DayChanged { .. } => ErrorClass::Temporary,
            LoadError::Edited { error } => match error.kind() {
                std::io::ErrorKind::NotFound => ErrorClass::NotFound,
                std::io::ErrorKind::PermissionDenied => ErrorClass::AccessDenied,
                std::io::ErrorKind::InvalidData => ErrorClass::Usage,
                _ => ErrorClass::Temporary,
            },
            LoadError::NothingStaged { .. }
            | LoadError::NotStaged { .. }
            | LoadError::NotLoaded { .. }
            | LoadError::RowsGone { .. } => ErrorClass::NotFound,
            LoadError::RowsDiffer { cause: Some(_), .. }
            | LoadError::FutureDate { .. }
            | LoadError::CommittedBefore { .. }
            | LoadError::StagedTwice { .. } => ErrorClass::Usage,
            LoadError::Panicked { .. } => ErrorClass::Defect,
        }
    }
}

fn share(rejected: &Rejected, limit: f64) -> String {
    let stats = &rejected.stats;
    format!(
        "{} of {} lines ({:.2} %) were rejected, more than --max-reject-ratio {limit} allows",
        stats.rejected_lines(),
        stats.checked_lines(),
        100.0 * stats.reject_ratio(),
    )
}
