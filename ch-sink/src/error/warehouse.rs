//! What can go wrong between Schoolbell and ClickHouse.

use std::time::Duration;

use rustls::{Error as TlsError, InvalidMessage};

use super::ErrorClass;
use crate::refusal::RefusalKind;
use crate::warehouse::{TablesError, objection};

/// The warehouse did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WarehouseError {
    /// The address cannot be used.
    #[error(
        "the address of ClickHouse (--url or CLICKHOUSE_URL) is not usable: {problem}; expected http://host:port or \
         https://host:port"
    )]
    InvalidUrl {
        /// What is wrong with it. The address itself may hold credentials and is not repeated.
        problem: &'static str,
    },
    /// The user's name or its password cannot be sent.
    #[error("{name} is not usable: it holds a line break or another control character")]
    InvalidCredential {
        /// Which it is, by its flag and variable; its value is not repeated.
        name: &'static str,
    },
    /// Something that is no ClickHouse answers at the address, the first time that it is asked.
    #[error(
        "{url} is not the address of ClickHouse's HTTP interface: {found}; check host and port (--url or CLICKHOUSE_URL)"
    )]
    WrongAddress {
        /// The address.
        url: String,
        /// What answers there.
        found: String,
    },
    /// Nothing answers at the address, from the start.
    #[error("ClickHouse at {url} does not answer: {problem} within {} s; check the address and that it runs, then try again", after.as_secs())]
    Silent {
        /// The address.
        url: String,
        /// How far it came.
        problem: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
    /// The tables cannot be worked with, or the server.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// The user lacks rights that the command needs.
    #[error(
        "the user {user} lacks rights that this needs; nothing was sent. Missing: {missing}; docs/grants.md lists what \
         each command needs"
    )]
    MissingGrants {
        /// The user.
        user: String,
        /// What it lacks.
        missing: String,
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
    #[error("ClickHouse refused to {doing}: {message}{}", kind.hint())]
    Refused {
        /// What was being done.
        doing: String,
        /// What kind of trouble it is.
        kind: RefusalKind,
        /// The server's words.
        message: String,
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

/// What the port of the native protocol says to who speaks HTTP there.
const NATIVE: [&str; 2] = ["clickhouse-client program", "native protocol"];
/// The answers of a proxy that does not reach the server now.
const GATEWAY: [&str; 4] = ["429", "502", "503", "504"];
/// What is wrong with an answer that is none of HTTP.
const NO_HTTP: &str = "it does not speak HTTP";

impl WarehouseError {
    /// What the error means.
    pub fn class(&self) -> ErrorClass {
        match self {
            WarehouseError::InvalidUrl { .. }
            | WarehouseError::InvalidCredential { .. }
            | WarehouseError::WrongAddress { .. }
            | WarehouseError::Tables(_) => ErrorClass::Usage,
            // What is not ClickHouse may be a proxy before it that has lost it for a moment.
            WarehouseError::Unreachable { .. }
            | WarehouseError::Silent { .. }
            | WarehouseError::TimedOut { .. }
            | WarehouseError::NotClickHouse { .. } => ErrorClass::Temporary,
            WarehouseError::Untrusted { .. } | WarehouseError::MissingGrants { .. } => {
                ErrorClass::AccessDenied
            }
            WarehouseError::GaveUp { error, .. } => error.class(),
            WarehouseError::Refused { kind, .. } => match kind {
                RefusalKind::Login | RefusalKind::Denied => ErrorClass::AccessDenied,
                RefusalKind::Tables => ErrorClass::Usage,
                RefusalKind::Statement => ErrorClass::Defect,
                RefusalKind::Full | RefusalKind::Quota | RefusalKind::Busy | RefusalKind::Unknown => {
                    ErrorClass::Temporary
                }
            },
            WarehouseError::Unexpected { .. } => ErrorClass::Defect,
        }
    }

    /// Something answers that is not ClickHouse.
    pub(crate) fn not_clickhouse(url: &str, answer: &str) -> Self {
        WarehouseError::NotClickHouse { url: url.to_owned(), problem: start_of(answer) }
    }

    /// As it is to be told of the first answer of an address: what is not ClickHouse then is not a proxy's hiccup.
    pub(crate) fn at_first_contact(self) -> Self {
        match self {
            WarehouseError::NotClickHouse { url, problem } => {
                let is_native = NATIVE.iter().any(|words| problem.contains(words));
                let is_page =
                    problem.starts_with('<') && !GATEWAY.iter().any(|status| problem.contains(status));
                let found = if is_native {
                    "that port is for the native protocol (clickhouse-client)".to_owned()
                } else if is_page || problem == NO_HTTP {
                    format!("what answers there is something else ({problem})")
                } else {
                    // It may be a proxy whose server is away for a moment.
                    return WarehouseError::NotClickHouse { url, problem };
                };
                WarehouseError::WrongAddress { url, found }
            }
            other => other,
        }
    }

    /// Whether it may pass within minutes, so that retries make sense.
    pub(crate) fn passes_soon(&self) -> bool {
        match self {
            WarehouseError::Refused { kind, .. } => kind.passes_soon(),
            WarehouseError::GaveUp { .. } | WarehouseError::Silent { .. } => false,
            other => other.class() == ErrorClass::Temporary,
        }
    }

    /// Whether the server said that it did not do it. What no rule knows may be done all the same.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            WarehouseError::Refused { kind, .. } => !matches!(kind, RefusalKind::Busy | RefusalKind::Unknown),
            WarehouseError::GaveUp { .. } => false,
            other => other.class() != ErrorClass::Temporary,
        }
    }

    /// Whether a table, view, column or database is not there.
    pub fn is_about_tables(&self) -> bool {
        matches!(self, WarehouseError::Refused { kind: RefusalKind::Tables, .. })
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
                _ if is_other_protocol(source.as_ref()) => {
                    WarehouseError::NotClickHouse { url, problem: NO_HTTP.to_owned() }
                }
                _ => WarehouseError::Unreachable { url, doing, problem: with_causes(source.as_ref()) },
            },
            Error::BadResponse(message) => from_answer(url, doing, &message),
            other => WarehouseError::Unexpected { doing, problem: with_causes(&other) },
        }
    }
}

fn from_answer(url: String, doing: String, message: &str) -> WarehouseError {
    if message.contains("Code: ") {
        let kind = RefusalKind::of_message(message);
        return WarehouseError::Refused { doing, kind, message: message.trim().to_owned() };
    }
    // What a proxy in front of the server says.
    if GATEWAY.iter().any(|status| message.trim().starts_with(status)) {
        return WarehouseError::Unreachable { url, doing, problem: start_of(message) };
    }
    WarehouseError::not_clickhouse(&url, message)
}

/// As much of an answer as is of use in a message.
fn start_of(answer: &str) -> String {
    answer.trim().chars().take(200).collect()
}

/// Whether the answer could not be read as one of HTTP.
fn is_other_protocol(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return true;
        }
        cause = error.source();
    }
    false
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
            ("Code: 516. DB::Exception: u: no. (AUTHENTICATION_FAILED)", ErrorClass::AccessDenied),
            ("Code: 164. DB::Exception: Cannot execute query. (READONLY)", ErrorClass::AccessDenied),
            ("Code: 452. DB::Exception: no. (SETTING_CONSTRAINT_VIOLATION)", ErrorClass::AccessDenied),
            ("Code: 241. DB::Exception: too much. (MEMORY_LIMIT_EXCEEDED)", ErrorClass::Temporary),
            ("Code: 201. DB::Exception: Quota. (QUOTA_EXCEEDED)", ErrorClass::Temporary),
            ("Code: 81. DB::Exception: Database raw does not exist. (UNKNOWN_DATABASE)", ErrorClass::Usage),
            ("Code: 62. DB::Exception: Syntax error. (SYNTAX_ERROR)", ErrorClass::Defect),
            ("1\t2\nCode: 210. DB::Exception: Broken pipe. (NETWORK_ERROR)", ErrorClass::Temporary),
            ("Code: 4711. DB::Exception: what nobody has met. (A_NEW_ERROR)", ErrorClass::Temporary),
            ("503 Service Unavailable", ErrorClass::Temporary),
            ("<html><h1>502 Bad Gateway</h1></html>", ErrorClass::Temporary),
        ] {
            let error = refused(words);
            assert_eq!(error.class(), class, "{error}");
            assert!(error.to_string().contains(words), "{error}");
        }
        let told = |message| refused(message).to_string();
        assert!(told("Code: 60. DB::Exception: no table (UNKNOWN_TABLE)").contains("schoolbell init"));
        assert!(told("Code: 516. DB::Exception: no (AUTHENTICATION_FAILED)").contains("CLICKHOUSE_PASSWORD"));
    }
}
