//! Where events come from: paths, globs and standard input, as checked, decompressed bytes.
//!
//! [`resolve`] turns the command line's names into [`Source`]s, [`Source::open`] gives a [`Reader`] of the
//! decompressed bytes. Each module is one step:
//!
//! - `resolve`: names → sources, in a fixed order, each file once;
//! - `raw`: the bytes as they are stored, counted and hashed on the way;
//! - `reader`: decompression (`.gz`, `.zst`), and the check that the source held still meanwhile.
//!
//! What holds:
//!
//! - **No silent end.** A source that is cut short, damaged, or followed by something else is an error
//!   that tells where ([`SourceError::Corrupt`]), never fewer lines.
//! - **One state.** A file that changes while it is read is an error ([`SourceError::Changed`]).
//! - **Bounded.** A reader takes 256 KiB, and what the decompressor needs: 32 KiB for gzip, the frame's
//!   window for zstd, at most 128 MiB.
//!
//! This crate knows nothing of events: it does not even look for line ends.

mod error;
mod raw;
mod reader;
mod resolve;
mod source;

pub use error::{ErrorKind, SourceError};
pub use raw::Fingerprint;
pub use reader::Reader;
pub use resolve::resolve;
pub use source::Source;
