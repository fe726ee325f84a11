//! What can go wrong, and what mends it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A place where an engine was looked for, and why it offers none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The place, in words (`clickhouse` in PATH, a file, …).
    pub place: String,
    /// Why there is no usable engine there.
    pub reason: String,
}

/// No ClickHouse engine to run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// None of the places has a usable one.
    #[error(
        "no ClickHouse engine found; looked at:{}\nRun `cargo xtask setup`, or install ClickHouse {} or newer",
        Places(.looked),
        crate::MINIMUM_VERSION
    )]
    NotFound {
        /// Every place looked at, in order.
        looked: Vec<Place>,
    },
    /// The engine that the environment names cannot be used.
    #[error("{} names {}, which cannot be used: {reason}", crate::ENGINE_ENV, path.display())]
    Named {
        /// The value of the variable.
        path: PathBuf,
        /// Why it cannot be used.
        reason: String,
    },
}

/// One place a line.
struct Places<'a>(&'a [Place]);

impl fmt::Display for Places<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|Place { place, reason }| write!(f, "\n  - {place}: {reason}"))
    }
}

/// A server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no engine to start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// This program cannot host a library engine, and no other program was named.
    #[error(
        "this program cannot host the ClickHouse engine: its `main` must begin with \
         `local_clickhouse::run_if_host`, or the builder must be given a `host_executable` whose does"
    )]
    NoHost,
    /// Someone else listens on the port.
    #[error("port {port} on 127.0.0.1 is taken; choose another one, or 0 for any free one")]
    PortInUse {
        /// The port asked for.
        port: u16,
    },
    /// A server runs on this data folder already.
    #[error("a ClickHouse runs on {} already{}", data_dir.display(), Whereabouts(.url.as_deref(), *.pid))]
    AlreadyRunning {
        /// The data folder, absolute.
        data_dir: PathBuf,
        /// The engine's process, if known.
        pid: Option<u32>,
        /// Its HTTP address, if known.
        url: Option<String>,
    },
    /// The engine ended before it answered.
    #[error("the ClickHouse engine ended before it answered ({status}); its last words:\n{stderr}")]
    DiedAtStart {
        /// How it ended.
        status: String,
        /// The end of what it wrote to its standard error.
        stderr: String,
    },
    /// The engine did not answer in time, and was killed.
    #[error("the ClickHouse engine did not answer within {after:?}; its last words:\n{stderr}")]
    Timeout {
        /// How long it was waited for.
        after: Duration,
        /// The end of what it wrote to its standard error.
        stderr: String,
    },
    /// The background process that runs the server failed in a way that has no variant of its own.
    #[error("the background server process failed: {message}")]
    Supervisor {
        /// What it reported, or how it ended.
        message: String,
    },
    /// The operating system refused something.
    #[error(transparent)]
    Io(#[from] IoError),
}

/// "(…)" for what is known of a running server.
struct Whereabouts<'a>(Option<&'a str>, Option<u32>);

impl fmt::Display for Whereabouts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Some(url), Some(pid)) => write!(f, ", at {url} (process {pid})"),
            (Some(url), None) => write!(f, ", at {url}"),
            (None, Some(pid)) => write!(f, " (process {pid})"),
            (None, None) => Ok(()),
        }
    }
}

/// A server did not stop as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// It did not end in time and was killed; what it had acknowledged is safe on disk.
    #[error("the ClickHouse engine (process {pid}) did not stop within {after:?} and was killed")]
    Killed {
        /// The engine's process.
        pid: u32,
        /// How long it was waited for.
        after: Duration,
    },
    /// It is part of a program that is still running, not a background server.
    #[error(
        "the ClickHouse on {} is run by another program (process {owner}) and ends with it",
        data_dir.display()
    )]
    NotDetached {
        /// The data folder, absolute.
        data_dir: PathBuf,
        /// The program's process.
        owner: u32,
    },
    /// The data folder is in use, by what its state file does not say: a server in the middle of its start.
    #[error("the ClickHouse on {} is being started; try again in a moment", data_dir.display())]
    Unknown {
        /// The data folder, absolute.
        data_dir: PathBuf,
    },
    /// The operating system refused something.
    #[error(transparent)]
    Io(#[from] IoError),
}

/// The operating system refused something.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing}: {source}")]
pub struct IoError {
    /// What was attempted, with the path.
    pub doing: String,
    /// The system's error.
    pub source: io::Error,
}

/// Names what was attempted, for an [`io::Error`] that does not say.
pub(crate) trait Doing<T> {
    /// The error, with what was attempted.
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, IoError>;
}

impl<T, E: Into<io::Error>> Doing<T> for Result<T, E> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, IoError> {
        self.map_err(|source| IoError { doing: doing(), source: source.into() })
    }
}
