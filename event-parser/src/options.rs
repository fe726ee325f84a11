//! How to parse a source.

use event_schema::value::Date;

use crate::Backend;

/// The most bytes of a line: positions in a chunk have 31 bits.
const MAX_LINE_BYTES: usize = 1 << 30;

/// How to parse a source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The date of the day file: events from two days after it are out of range.
    pub batch_date: Date,
    /// The most bytes of a line without its ending; at most 1 GiB.
    pub max_line_bytes: usize,
    /// A batch of this many bytes is full. It may exceed this by the content of one chunk of 128 KiB, or of one line.
    pub batch_bytes: usize,
    /// The instructions to parse with. All give the same result.
    pub backend: Backend,
}

impl Options {
    /// Lines up to 1 MiB, batches of 64 MiB, the fastest instructions of this processor.
    pub fn new(batch_date: Date) -> Options {
        Options { batch_date, max_line_bytes: 1 << 20, batch_bytes: 64 << 20, backend: Backend::default() }
    }

    /// Sets the most bytes of a line without its ending; at most 1 GiB.
    #[must_use]
    pub fn with_max_line_bytes(mut self, max_line_bytes: usize) -> Options {
        self.max_line_bytes = max_line_bytes.min(MAX_LINE_BYTES);
        self
    }

    /// Sets the bytes at which a batch is full.
    #[must_use]
    pub fn with_batch_bytes(mut self, batch_bytes: usize) -> Options {
        self.batch_bytes = batch_bytes;
        self
    }

    /// Sets the instructions to parse with.
    #[must_use]
    pub fn with_backend(mut self, backend: Backend) -> Options {
        self.backend = backend;
        self
    }

    /// The same within the limits that the parser has.
    pub(crate) fn clamped(mut self) -> Options {
        self.max_line_bytes = self.max_line_bytes.min(MAX_LINE_BYTES);
        self
    }
}
