//! The reader of a source: decompressed bytes. Compressed sources are decompressed on a thread of their own.

use std::io::{self, Read};

use tracing::{Span, debug};

use crate::SourceError;
use crate::ahead::ReadAhead;
use crate::decoder::Decoder;
use crate::raw::{Fingerprint, Raw};

/// A source's decompressed bytes.
///
/// Read with a large [`ReadBuffer`](crate::ReadBuffer) (1 MiB is good): nothing is allocated per read. The end (0 bytes) is reported only
/// after the whole source was found to be well and unchanged. What is compressed is decompressed by a thread that is up
/// to 1 MiB ahead, and ends when the reader is dropped.
#[derive(Debug)]
pub struct Reader {
    bytes: Bytes,
    span: Span,
}

#[derive(Debug)]
enum Bytes {
    /// A thread of its own would cost more than it saves.
    Plain(Box<Decoder>),
    Compressed(ReadAhead),
}

impl Reader {
    pub(crate) fn new(raw: Raw, span: Span) -> Result<Reader, SourceError> {
        let entered = span.enter();
        let decoder = Decoder::new(raw)?;
        let is_compressed = decoder.is_compressed();
        debug!(is_compressed, "opened");
        let bytes = if is_compressed {
            Bytes::Compressed(ReadAhead::start(decoder)?)
        } else {
            Bytes::Plain(Box::new(decoder))
        };
        drop(entered);
        Ok(Reader { bytes, span })
    }

    /// Decompressed bytes into the front of `buffer`, and how many; 0 is the end, unless `buffer` is empty.
    pub fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        let _entered = self.span.enter();
        match &mut self.bytes {
            Bytes::Plain(decoder) => decoder.read_some(buffer),
            Bytes::Compressed(ahead) => ahead.read_some(buffer),
        }
    }

    /// The fingerprint of the stored bytes; `None` until the end was read.
    pub fn fingerprint(&self) -> Option<&Fingerprint> {
        match &self.bytes {
            Bytes::Plain(decoder) => decoder.fingerprint(),
            Bytes::Compressed(ahead) => ahead.fingerprint(),
        }
    }
}

impl Read for Reader {
    /// As [`Reader::read_some`]; the [`SourceError`] is inside the [`io::Error`].
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_some(buffer).map_err(io::Error::other)
    }
}
