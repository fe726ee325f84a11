//! How sources are read.

use std::path::PathBuf;
use std::time::Duration;

use crate::notice::OnNotice;

/// How sources are read.
#[derive(Debug, Clone)]
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
    /// Hears what is no error and still to be known: that a store is waited for, that a file looks wrong.
    pub on_notice: OnNotice,
}

impl Default for Options {
    /// Eight pieces, no spool folder, two minutes, silence.
    fn default() -> Options {
        Options { jobs: 8, spool: None, retry_timeout: Duration::from_secs(120), on_notice: |_| () }
    }
}
