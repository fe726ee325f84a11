//! What is told while sources are found and read, though it is no error.

use std::fmt;
use std::time::Duration;

use crate::SourceError;
use crate::content::Lookalike;

/// Hears notices as they come, from whatever thread.
pub type OnNotice = fn(&Notice<'_>);

/// Something to be told to whoever waits. Displayed it is a sentence without its full stop.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// A store fails or is silent, and is waited for. Told a few times a minute at the most.
    Waiting {
        /// What happened last.
        error: &'a SourceError,
        /// How long it is tried again before that is an error.
        left: Duration,
    },
    /// A source is read line by line, but its first bytes are not those of an object a line.
    Lookalike {
        /// The source.
        name: &'a str,
        /// What it looks like.
        what: Lookalike,
    },
}

impl fmt::Display for Notice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Waiting { error, left } => {
                write!(f, "{error}; trying again for {} s", left.as_secs_f64().ceil())
            }
            Notice::Lookalike { name, what } => write!(f, "{name} {what}"),
        }
    }
}
