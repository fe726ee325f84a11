#![doc = include_str!("../README.md")]

// From a name to bytes: `resolve` (with `url`, `file_url`, `pattern`, `day_files`), `store` and `spool` for objects,
// `raw` for stored bytes, `decoder` and `content` for decompression, `reader` (with `ahead`, `buffer`) for the caller.
mod ahead;
mod buffer;
mod content;
mod date_in_name;
mod day_files;
mod decoder;
mod error;
mod file;
mod file_url;
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
pub use day_files::{LeftOut, WhyLeftOut};
pub use error::{ErrorKind, SourceError};
pub use options::Options;
pub use raw::Fingerprint;
pub use reader::Reader;
pub use resolve::{Resolved, resolve};
pub use source::Source;
