//! What can go wrong with a source, and what to do about it.

use std::io;
use std::path::PathBuf;

/// A source cannot be found, opened, or read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// No source was named.
    #[error("no source was named; give a path, a glob such as 'day/*.jsonl.gz', or - for standard input")]
    NothingNamed,
    /// There is no such file, or nothing matches the pattern.
    #[error("{name}: {}", if *pattern { "no file matches this pattern" } else { "there is no such file" })]
    NotFound {
        /// The path or pattern as it was given.
        name: String,
        /// Whether it was taken for a pattern.
        pattern: bool,
    },
    /// The file, or a folder on the way to it, may not be read.
    #[error("{name}: permission denied; let the user that runs this read it")]
    PermissionDenied {
        /// The source.
        name: String,
    },
    /// A directory was named.
    #[error("{name}: is a directory; name its files with a glob, such as '{}/*.jsonl'", name.trim_end_matches('/'))]
    IsDirectory {
        /// The path as it was given.
        name: String,
    },
    /// One file came twice: its events would count twice.
    #[error("{second}: the same file as {first}; name every source once")]
    NamedTwice {
        /// The name it had first.
        first: String,
        /// The name it came by again.
        second: String,
    },
    /// A URL of a kind that this build cannot read.
    #[error(
        "{scheme}:// sources cannot be read: this build reads local files; copy the objects next to it, or \
         pipe one into standard input (-)"
    )]
    UnsupportedScheme {
        /// The part before `://`. The rest may hold credentials and is not repeated.
        scheme: String,
    },
    /// A `file://` URL that names no local path.
    #[error("{url}: {problem}; write file:///absolute/path, or just the path")]
    InvalidFileUrl {
        /// The URL.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A pattern that cannot be understood.
    #[error("{pattern}: not a pattern: {problem}; to name a file that is called so, check that it exists")]
    InvalidPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file's name is not UTF-8, so it cannot be stored beside its rows.
    #[error("{}: the name is not UTF-8; rename the file", path.display())]
    NameNotUtf8 {
        /// The path.
        path: PathBuf,
    },
    /// The bytes are not what they should be: cut short, damaged, or something else altogether.
    #[error(
        "{name}: corrupt at byte {offset} of the stored (compressed) bytes: {problem}; make or fetch the file \
         again"
    )]
    Corrupt {
        /// The source.
        name: String,
        /// How many compressed bytes were consumed before it.
        offset: u64,
        /// What is wrong there.
        problem: String,
    },
    /// The file is another one than when reading began.
    #[error("{name}: changed while it was read: {change}; wait until it is complete, then try again")]
    Changed {
        /// The source.
        name: String,
        /// What differs.
        change: String,
    },
    /// The operating system failed to open or read it.
    #[error("{name}: cannot be read on from byte {offset}: {error}")]
    Io {
        /// The source.
        name: String,
        /// How many bytes were read before.
        offset: u64,
        /// The operating system's error.
        #[source]
        error: io::Error,
    },
}

/// What a [`SourceError`] means to the one who started the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The sources were named wrongly.
    Usage,
    /// A source is not there.
    NotFound,
    /// A source may not be read.
    PermissionDenied,
    /// A source is damaged or cut short.
    Corrupt,
    /// A source is still being written.
    Changed,
    /// The operating system failed.
    Io,
}

impl SourceError {
    /// What the error means.
    pub fn kind(&self) -> ErrorKind {
        match self {
            SourceError::NothingNamed
            | SourceError::IsDirectory { .. }
            | SourceError::NamedTwice { .. }
            | SourceError::UnsupportedScheme { .. }
            | SourceError::InvalidFileUrl { .. }
            | SourceError::InvalidPattern { .. }
            | SourceError::NameNotUtf8 { .. } => ErrorKind::Usage,
            SourceError::NotFound { .. } => ErrorKind::NotFound,
            SourceError::PermissionDenied { .. } => ErrorKind::PermissionDenied,
            SourceError::Corrupt { .. } => ErrorKind::Corrupt,
            SourceError::Changed { .. } => ErrorKind::Changed,
            SourceError::Io { .. } => ErrorKind::Io,
        }
    }

    /// The operating system's answer about the source `name`, `offset` bytes into it.
    pub(crate) fn from_io(name: &str, offset: u64, error: io::Error) -> SourceError {
        let name = name.to_owned();
        match error.kind() {
            // A path through something that is no directory is not there either.
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                SourceError::NotFound { name, pattern: false }
            }
            io::ErrorKind::PermissionDenied => SourceError::PermissionDenied { name },
            io::ErrorKind::IsADirectory => SourceError::IsDirectory { name },
            _ => SourceError::Io { name, offset, error },
        }
    }
}
