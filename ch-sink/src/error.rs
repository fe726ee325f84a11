//! What can go wrong, and what the one who started it should do.

use std::time::Duration;

use event_parser::EventDates;
use event_schema::value::Date;
use event_source::{ErrorKind, SourceError};
use rustls::{Error as TlsError, InvalidMessage};
use uuid::Uuid;

use crate::load::Rejected;
use crate::warehouse::objection;

/// What an error means to a scheduler; the exit codes of `sysexits.h` stand beside each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorClass {
    /// It was asked for wrongly (2).
    Usage,
    /// The data is bad (65).
    BadData,
    /// A source is not there (66).
    NotFound,
    /// A defect of Schoolbell (70).
    Defect,
    /// Trying again later is right (75).
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

/// The warehouse did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WarehouseError {
    /// The address cannot be used.
    #[error(
        "the address of ClickHouse is not usable: {problem}; expected http://host:port or https://host:port"
    )]
    InvalidUrl {
        /// What is wrong with it. The address itself may hold credentials and is not repeated.
        problem: &'static str,
    },
    /// Nothing answers there, or the connection broke.
    #[error(
        "ClickHouse at {url} cannot be reached to {doing}: {problem}; check that it runs, then try again"
    )]
    Unreachable {
        /// The address.
        url: String,
        /// What was being done.
        doing: String,
        /// The network's answer.
        problem: String,
    },
    /// Who answers there may be anyone: nobody who is trusted vouches for its certificate.
    #[error(
        "ClickHouse at {url} is not trusted: {problem}; its certificate has to be for the host in the address, and \
         vouched for by one of the system's or by one in the file that SSL_CERT_FILE names"
    )]
    Untrusted {
        /// The address.
        url: String,
        /// What is wrong with the certificate, or with those to check it by.
        problem: String,
    },
    /// No answer within the time limit.
    #[error("ClickHouse did not answer within {} s when asked to {doing}; try again when it is less busy", after.as_secs())]
    TimedOut {
        /// What was being done.
        doing: String,
        /// The limit.
        after: Duration,
    },
    /// Something answers, but not as ClickHouse does.
    #[error(
        "what answers at {url} is not ClickHouse's HTTP interface: {problem}; check host and port, or try again if a proxy stands between"
    )]
    NotClickHouse {
        /// The address.
        url: String,
        /// The start of what it answered.
        problem: String,
    },
    /// The server refused in its own words.
    #[error("ClickHouse refused to {doing}: {message}{}", refusal_hint(*code))]
    Refused {
        /// What was being done.
        doing: String,
        /// ClickHouse's error code.
        code: u32,
        /// The server's words.
        message: String,
    },
    /// A column has another type than the one Schoolbell writes.
    #[error(
        "{table}.{column} has the type {found}, but {expected} is expected; nothing was changed: convert it with \
         ALTER TABLE {table} MODIFY COLUMN, or use another database prefix"
    )]
    TypeDiffers {
        /// The table with its database.
        table: String,
        /// The column.
        column: String,
        /// Its type in the server.
        found: String,
        /// Its type in the registry.
        expected: String,
    },
    /// It did not pass, though it was tried again and again.
    #[error("{error} (tried {attempts} times in {} s)", after.as_secs())]
    GaveUp {
        /// How often it was tried.
        attempts: u32,
        /// From the first failure on.
        after: Duration,
        /// The last failure.
        #[source]
        error: Box<WarehouseError>,
    },
    /// The answer was not understood.
    #[error("ClickHouse's answer cannot be understood when asked to {doing}: {problem}")]
    Unexpected {
        /// What was being done.
        doing: String,
        /// What is wrong with the answer.
        problem: String,
    },
}

/// ClickHouse's error codes, by what they mean here.
/// Source: the engine's `src/Common/ErrorCodes.cpp`.
mod codes {
    /// Read-only, unknown user, wrong password, address not allowed, no database access, access denied, authentication.
    pub(super) const DENIED: [u32; 9] = [164, 192, 193, 194, 195, 291, 492, 497, 516];
    /// Time-outs, too many queries or parts, the same query under way, memory, disk, network, read-only or shutting
    /// down, Keeper.
    pub(super) const TEMPORARY: [u32; 25] = [
        3, 159, 160, 198, 202, 203, 209, 210, 216, 236, 241, 242, 243, 252, 279, 285, 319, 394, 425, 439,
        499, 659, 734, 745, 999,
    ];
    /// A table or database is not there.
    pub(super) const UNKNOWN_TABLE: [u32; 2] = [60, 81];
}

fn refusal_hint(code: u32) -> &'static str {
    if codes::UNKNOWN_TABLE.contains(&code) {
        "; make the tables with `schoolbell init`, and check the database prefix"
    } else if codes::DENIED.contains(&code) {
        "; check user, password and grants"
    } else {
        ""
    }
}

impl WarehouseError {
    /// What the error means.
    pub fn class(&self) -> ErrorClass {
        match self {
            WarehouseError::InvalidUrl { .. } | WarehouseError::TypeDiffers { .. } => ErrorClass::Usage,
            // What is not ClickHouse may be a proxy before it that has lost it for a moment.
            WarehouseError::Unreachable { .. }
            | WarehouseError::TimedOut { .. }
            | WarehouseError::NotClickHouse { .. } => ErrorClass::Temporary,
            WarehouseError::Untrusted { .. } => ErrorClass::AccessDenied,
            WarehouseError::GaveUp { error, .. } => error.class(),
            WarehouseError::Refused { code, .. } if codes::DENIED.contains(code) => ErrorClass::AccessDenied,
            WarehouseError::Refused { code, .. } if codes::TEMPORARY.contains(code) => ErrorClass::Temporary,
            WarehouseError::Refused { code, .. } if codes::UNKNOWN_TABLE.contains(code) => ErrorClass::Usage,
            WarehouseError::Refused { .. } | WarehouseError::Unexpected { .. } => ErrorClass::Defect,
        }
    }

    /// Sorts the client's error out.
    pub(crate) fn new(
        url: &str,
        doing: impl Into<String>,
        after: Duration,
        error: clickhouse::error::Error,
    ) -> Self {
        use clickhouse::error::Error;
        let (url, doing) = (url.to_owned(), doing.into());
        match error {
            Error::TimedOut => WarehouseError::TimedOut { doing, after },
            Error::Network(source) => match objection(source.as_ref()) {
                Some(problem @ TlsError::InvalidCertificate(_)) => {
                    WarehouseError::Untrusted { url, problem: problem.to_string() }
                }
                Some(TlsError::InvalidMessage(InvalidMessage::InvalidContentType)) => {
                    WarehouseError::InvalidUrl { problem: "what answers there does not speak TLS" }
                }
                _ => WarehouseError::Unreachable { url, doing, problem: with_causes(source.as_ref()) },
            },
            Error::BadResponse(message) => from_answer(url, doing, &message),
            other => WarehouseError::Unexpected { doing, problem: with_causes(&other) },
        }
    }
}

fn from_answer(url: String, doing: String, message: &str) -> WarehouseError {
    if let Some(code) = exception_code(message) {
        return WarehouseError::Refused { doing, code, message: message.trim().to_owned() };
    }
    let start: String = message.trim().chars().take(200).collect();
    // What a proxy in front of the server says.
    if ["429", "502", "503", "504"].iter().any(|status| start.starts_with(status)) {
        return WarehouseError::Unreachable { url, doing, problem: start };
    }
    WarehouseError::NotClickHouse { url, problem: start }
}

/// The code of `Code: 60. DB::Exception: …`, the last one where data stands before it.
fn exception_code(message: &str) -> Option<u32> {
    let after = message.rsplit_once("Code: ")?.1;
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    after[..digits].parse().ok()
}

/// An error and what caused it: clients tend to keep the reason for the last.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
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
        rejected.lines
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
        "{batch_date} was not loaded: {table} has {stored} rows of load {load_id}, but {sent} were sent; load the \
         day again"
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
            LoadError::RowsDiffer { .. }
            | LoadError::CommitUnknown { .. }
            | LoadError::Swept { .. }
            | LoadError::DayChanged { .. } => ErrorClass::Temporary,
            LoadError::Edited { error } => match error.kind() {
                std::io::ErrorKind::NotFound => ErrorClass::NotFound,
                std::io::ErrorKind::PermissionDenied => ErrorClass::AccessDenied,
                std::io::ErrorKind::InvalidData => ErrorClass::Usage,
                _ => ErrorClass::Temporary,
            },
            LoadError::NothingStaged { .. } | LoadError::NotStaged { .. } | LoadError::NotLoaded { .. } => {
                ErrorClass::NotFound
            }
            LoadError::FutureDate { .. }
            | LoadError::CommittedBefore { .. }
            | LoadError::StagedTwice { .. } => ErrorClass::Usage,
            LoadError::Panicked { .. } => ErrorClass::Defect,
        }
    }
}

fn share(rejected: &Rejected, limit: f64) -> String {
    let total: u64 = rejected.by_reason.values().sum();
    format!(
        "{total} of {} lines ({:.2} %) were rejected, more than --max-reject-ratio {} allows",
        rejected.lines,
        100.0 * total as f64 / rejected.lines.max(1) as f64,
        limit
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(message: &str) -> WarehouseError {
        let error = clickhouse::error::Error::BadResponse(message.to_owned());
        WarehouseError::new("http://host", "count rows", Duration::from_secs(1), error)
    }

    #[test]
    fn the_servers_words_decide_the_class() {
        for (words, class) in [
            ("Code: 516. DB::Exception: u: Authentication failed", ErrorClass::AccessDenied),
            ("Code: 164. DB::Exception: Cannot execute query in readonly mode", ErrorClass::AccessDenied),
            ("Code: 241. DB::Exception: Memory limit exceeded", ErrorClass::Temporary),
            ("Code: 81. DB::Exception: Database raw does not exist", ErrorClass::Usage),
            ("Code: 62. DB::Exception: Syntax error", ErrorClass::Defect),
            ("1\t2\nCode: 210. DB::Exception: Broken pipe", ErrorClass::Temporary),
            ("503 Service Unavailable", ErrorClass::Temporary),
            ("<html><h1>502 Bad Gateway</h1></html>", ErrorClass::Temporary),
        ] {
            let error = refused(words);
            assert_eq!(error.class(), class, "{error}");
            assert!(error.to_string().contains(words), "{error}");
        }
        assert!(refused("Code: 60. DB::Exception: no table").to_string().contains("schoolbell init"));
    }
}
