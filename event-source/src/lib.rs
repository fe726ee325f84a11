//! Where events come from: paths, globs, standard input and object stores, as checked, decompressed bytes.
//!
//! [`resolve`] turns the command line's names into [`Source`]s, [`Source::open`] gives a [`Reader`] of the
//! decompressed bytes. Each module is one step:
//!
//! - `resolve`: names → sources, in a fixed order, each once; `url` and `file_url` read URLs, `pattern` finds files by
//!   globs, `day_files` tells what of a folder is meant, and why the rest is left out;
//! - `store`: objects of S3, Google Cloud Storage and Azure, downloaded in pieces side by side; `spool` keeps them in
//!   a folder first;
//! - `raw`: the bytes as they are stored, of an object or a `file`, counted on the way;
//! - `decoder`: decompression (`.gz`, `.zst`), and the check that the source held still meanwhile; `content` recognises
//!   what is something else than lines;
//! - `reader`: what is given to the caller: compressed sources are decompressed `ahead`, by a thread of their own;
//!   `buffer` is where it reads them into.
//!
//! What holds:
//!
//! - **No silent end.** A source that is cut short, damaged, or followed by something else is an error
//!   that tells where ([`SourceError::Corrupt`]), never fewer lines.
//! - **One state.** A file or object that changes while it is read is an error ([`SourceError::Changed`]): every
//!   request is conditional on the ETag seen first.
//! - **Bounded.** A reader takes 256 KiB, and of a compressed source 1.25 MiB more and what the decompressor needs: 32
//!   KiB for gzip, the frame's window for zstd, at most 128 MiB. Objects take 8 MiB for each of [`Options::jobs`].
//! - **Patient, not blind.** Throttling, failing and silent stores are tried again with growing, jittered waits, and
//!   an answer that breaks off is taken up at the byte reached; what a store denies or does not have fails at once.
//!
//! - **Told.** What is waited for, and what looks wrong, comes as a [`Notice`] when it happens.
//!
//! This crate knows nothing of events: it does not even look for line ends. Of a day file it knows the date in its name.

mod ahead;
mod buffer;
mod content;
mod date_in_name;
mod day_files;
mod decoder;
mod error;
mod file;
mod file_url;
mod notice;
mod options;
mod pattern;
mod percent;
mod raw;
mod reader;
mod resolve;
mod source;
mod spool;
mod store;
mod url;

pub use buffer::ReadBuffer;
pub use content::Lookalike;
pub use day_files::{LeftOut, WhyLeftOut};
pub use error::{ErrorKind, SourceError};
pub use notice::{Notice, OnNotice};
pub use options::Options;
pub use raw::Fingerprint;
pub use reader::Reader;
pub use resolve::{Resolved, resolve};
pub use source::Source;
