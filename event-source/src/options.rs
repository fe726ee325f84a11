//! How sources are read.

use std::path::PathBuf;
use std::time::Duration;

/// How sources are read.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// How many pieces (8 MiB each) of objects are under way or waiting to be read at once, of all sources
    /// together; at least 1.
    pub jobs: usize,
    /// The folder into which objects are downloaded as a whole before they are read; `None` reads them as they
    /// come.
    pub spool: Option<PathBuf>,
    /// How long a store that fails, throttles or falls silent is tried again before that is an error. Time counts
    /// since the last byte that came.
    pub retry_timeout: Duration,
}

impl Default for Options {
    /// Eight pieces, no spool folder, two minutes.
    fn default() -> Options {
        Options { jobs: 8, spool: None, retry_timeout: Duration::from_secs(120) }
    }
}

impl Options {
    /// With so many pieces of objects at once.
    #[must_use]
    pub fn with_jobs(self, jobs: usize) -> Options {
        Options { jobs, ..self }
    }

    /// With objects downloaded into a folder first.
    #[must_use]
    pub fn with_spool(self, folder: impl Into<PathBuf>) -> Options {
        Options { spool: Some(folder.into()), ..self }
    }

    /// With stores tried again for so long.
    #[must_use]
    pub fn with_retry_timeout(self, retry_timeout: Duration) -> Options {
        Options { retry_timeout, ..self }
    }
}
