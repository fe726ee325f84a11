//! Errors of sources, and what to do about them.

use std::io;
use std::path::PathBuf;

use crate::content::Foreign;

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
    /// Nothing below a folder or prefix has a day file's name.
    #[error(
        "{name}: there is no day file below it (.jsonl, .ndjson or .json, then .gz, .zst or nothing){}",
        others_hint(*others)
    )]
    NoDayFiles {
        /// The folder or prefix.
        name: String,
        /// How many other files are there.
        others: u64,
    },
    /// A URL of a kind that is not read.
    #[error(
        "{scheme}:// sources cannot be read; s3://, gs://, az://, abfss:// and file:// can; or pipe it into standard \
         input (-)"
    )]
    UnsupportedScheme {
        /// The part before `://`. The rest may hold credentials and is not repeated.
        scheme: String,
    },
    /// A URL that holds, or may hold, credentials. It is not repeated.
    #[error(
        "the {scheme}:// URL holds a credential, or something like one (user@, :password, a signature); write \
         {scheme}://BUCKET/KEY and give credentials and endpoint by the environment"
    )]
    CredentialsInUrl {
        /// The part before `://`.
        scheme: String,
    },
    /// A URL that names no object. It is not repeated, for it may hold credentials.
    #[error("the {scheme}:// URL cannot be understood: {problem}; write {scheme}://BUCKET/KEY")]
    InvalidUrl {
        /// The part before `://`.
        scheme: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A name that looks like a URL with a slash too few or too many. It is not repeated, for it may hold credentials.
    #[error(
        "a source begins with {beginning}, and there is no such file; a URL begins with {scheme}://, as in \
         {scheme}://{}",
        if scheme == "file" { "/absolute/path" } else { "BUCKET/KEY" }
    )]
    SlashesInUrl {
        /// How it begins.
        beginning: String,
        /// The scheme that is meant.
        scheme: String,
    },
    /// A key that no request can name.
    #[error(
        "{name}: the object cannot be asked for: in an address, . and .. between slashes are ways through folders; \
         copy it to another key"
    )]
    KeyWithoutAddress {
        /// The object's URL.
        name: String,
    },
    /// A variable of the environment, or another setting, that cannot be used. Its value is not repeated.
    #[error("{setting} cannot be used: {problem}")]
    UnusableSetting {
        /// The variable, or where else it was found.
        setting: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A store's settings cannot be used.
    #[error("{name}: the store cannot be asked: {problem}")]
    StoreSettings {
        /// The bucket.
        name: String,
        /// What is wrong with them.
        problem: String,
    },
    /// No provider has credentials for a store.
    #[error("{name}: no credentials were found ({words}); set {mend}")]
    NoCredentials {
        /// The bucket.
        name: String,
        /// The answers of the providers that were asked.
        words: String,
        /// Where they are looked for.
        mend: &'static str,
    },
    /// There is no such object, nor anything below it.
    #[error(
        "{name}: there is no such object, and nothing below it ({words}); for a name's beginning write a glob: {name}*"
    )]
    ObjectNotFound {
        /// The URL.
        name: String,
        /// The store's answer.
        words: String,
    },
    /// The store denies access.
    #[error("{name}: the store denies access ({words}); check the credentials and what they permit")]
    StoreDenied {
        /// The URL.
        name: String,
        /// The store's answer.
        words: String,
    },
    /// The store's certificate is not trusted.
    #[error(
        "{name}: the store is not trusted ({words}); its certificate has to be for the host in the endpoint, and \
         vouched for by one of the system's or by one in the file that SSL_CERT_FILE names"
    )]
    StoreUntrusted {
        /// The URL.
        name: String,
        /// What is wrong with the certificate.
        words: String,
    },
    /// The store refuses the request, and would again.
    #[error("{name}: the store refuses ({words}); {mend}")]
    StoreRefused {
        /// The URL.
        name: String,
        /// The store's answer.
        words: String,
        /// What to do about it.
        mend: String,
    },
    /// The store could not be reached, failed, or throttled, however often it was tried.
    #[error("{name}: the store at {endpoint} does not answer as it should ({words})")]
    StoreUnavailable {
        /// The URL.
        name: String,
        /// The address that was asked.
        endpoint: String,
        /// The last answer.
        words: String,
    },
    /// The spool folder's disk is full.
    #[error("the spool folder {} has no room: {problem}; free some, or name another folder with --spool", folder.display())]
    SpoolFull {
        /// The folder.
        folder: PathBuf,
        /// What was needed.
        problem: String,
    },
    /// Another load of the same objects is at work in the spool folder.
    #[error(
        "the spool folder {} is in use by another load of the same objects; wait for its end, or name another folder \
         with --spool",
        folder.display()
    )]
    SpoolBusy {
        /// The folder.
        folder: PathBuf,
    },
    /// The spool folder cannot be used.
    #[error("the spool folder {} cannot be used: {error}", folder.display())]
    Spool {
        /// The folder.
        folder: PathBuf,
        /// The operating system's error.
        #[source]
        error: io::Error,
    },
    /// A zstd frame asks for more memory than is given to it.
    #[error(
        "{name}: was compressed with a zstd window of more than {} MiB, which takes as much memory to unpack; compress \
         it again without --long or --ultra (zstd -d --long=31 | zstd)",
        limit_bytes >> 20
    )]
    WindowTooLarge {
        /// The source.
        name: String,
        /// The largest window that is unpacked.
        limit_bytes: u64,
    },
    /// A `file://` URL that names no local path. It is not repeated, for it may hold credentials.
    #[error("the file:// URL cannot be understood: {problem}; write file:///absolute/path, or just the path")]
    InvalidFileUrl {
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
    /// It is something else than lines of text, by its first bytes after decompression.
    #[error("{name}: is {what}, which cannot be read as lines; {mend}")]
    NotLines {
        /// The source.
        name: String,
        /// What it is.
        what: &'static str,
        /// What to do about it.
        mend: &'static str,
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
    /// The operating system failed: the disk is full, or broken.
    Io,
    /// A store could not be reached, or failed; another time it may not.
    Unavailable,
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
            | SourceError::CredentialsInUrl { .. }
            | SourceError::InvalidUrl { .. }
            | SourceError::SlashesInUrl { .. }
            | SourceError::KeyWithoutAddress { .. }
            | SourceError::UnusableSetting { .. }
            | SourceError::StoreSettings { .. }
            | SourceError::StoreRefused { .. }
            | SourceError::NameNotUtf8 { .. } => ErrorKind::Usage,
            SourceError::NotFound { .. }
            | SourceError::NoDayFiles { .. }
            | SourceError::ObjectNotFound { .. } => ErrorKind::NotFound,
            SourceError::PermissionDenied { .. }
            | SourceError::StoreDenied { .. }
            | SourceError::StoreUntrusted { .. }
            | SourceError::NoCredentials { .. } => ErrorKind::PermissionDenied,
            SourceError::Corrupt { .. }
            | SourceError::NotLines { .. }
            | SourceError::WindowTooLarge { .. } => ErrorKind::Corrupt,
            SourceError::Changed { .. } => ErrorKind::Changed,
            SourceError::StoreUnavailable { .. } | SourceError::SpoolBusy { .. } => ErrorKind::Unavailable,
            SourceError::Spool { error, .. } if error.kind() == io::ErrorKind::PermissionDenied => {
                ErrorKind::PermissionDenied
            }
            SourceError::Spool { .. } | SourceError::SpoolFull { .. } | SourceError::Io { .. } => {
                ErrorKind::Io
            }
        }
    }

    /// A source whose first bytes are of something else than text.
    pub(crate) fn not_lines(name: &str, Foreign { what, mend }: Foreign) -> SourceError {
        SourceError::NotLines { name: name.to_owned(), what, mend }
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

/// What to do where a folder holds other files only.
fn others_hint(others: u64) -> String {
    match others {
        0 => String::new(),
        others => format!("; it holds {others} other files: name them with a glob if they are meant"),
    }
}
