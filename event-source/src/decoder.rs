//! Decompression, and the check that nothing is missing, wrong or left over.

use std::io::{self, BufRead, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::SourceError;
use crate::raw::{Fingerprint, Raw};

/// The largest window of a zstd frame, as a power of two: 128 MiB, what `zstd` itself accepts unasked.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// How zstd says that a frame's window is larger than it may be.
const ZSTD_WINDOW_ERROR: &str = "requires too much memory";

/// A source's stored bytes and what decompresses them.
#[derive(Debug)]
pub(crate) struct Decoder {
    bytes: Bytes,
    fingerprint: Option<Fingerprint>,
}

enum Bytes {
    Plain(Raw),
    Gzip(Box<MultiGzDecoder<Raw>>),
    Zstd(zstd::stream::read::Decoder<'static, Raw>),
}

/// How bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Plain,
    Gzip,
    Zstd,
}

impl Format {
    fn of_name(name: &str) -> Format {
        match Path::new(name).extension().and_then(|extension| extension.to_str()) {
            Some(extension) if extension.eq_ignore_ascii_case("gz") => Format::Gzip,
            Some(extension) if extension.eq_ignore_ascii_case("zst") => Format::Zstd,
            _ => Format::Plain,
        }
    }

    fn of_magic_bytes(start: &[u8]) -> Format {
        match start {
            [0x1f, 0x8b, ..] => Format::Gzip,
            // A frame; or one to be skipped, which may come first.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Format::Zstd,
            _ => Format::Plain,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Format::Plain => "plain",
            Format::Gzip => "gzip",
            Format::Zstd => "zstd",
        }
    }
}

impl Decoder {
    /// Decides by the first bytes; where the name promises a compression, they must be of it.
    pub(crate) fn new(mut raw: Raw) -> Result<Decoder, SourceError> {
        let start = raw.peek(4).map(<[u8]>::to_vec);
        let start = start.map_err(|error| raw.take_failure().unwrap_or_else(|| io_error(&raw, error)))?;
        let (named, found) = (Format::of_name(raw.name()), Format::of_magic_bytes(&start));
        if named != Format::Plain && named != found {
            let problem = if start.is_empty() {
                format!("the name says {}, but the file is empty", named.as_str())
            } else {
                format!("the name says {}, but it does not begin as one", named.as_str())
            };
            return Err(SourceError::Corrupt { name: raw.name().to_owned(), offset: 0, problem });
        }
        let bytes = match found {
            Format::Plain => Bytes::Plain(raw),
            Format::Gzip => Bytes::Gzip(Box::new(MultiGzDecoder::new(raw))),
            Format::Zstd => {
                let name = raw.name().to_owned();
                zstd::stream::read::Decoder::with_buffer(raw)
                    .and_then(|mut decoder| {
                        decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                        Ok(Bytes::Zstd(decoder))
                    })
                    .map_err(|error| SourceError::Io { name, offset: 0, error })?
            }
        };
        Ok(Decoder { bytes, fingerprint: None })
    }

    /// The source's name.
    pub(crate) fn name(&self) -> &str {
        self.raw().name()
    }

    /// Whether there is something to decompress.
    pub(crate) fn is_compressed(&self) -> bool {
        !matches!(self.bytes, Bytes::Plain(_))
    }

    /// Decompressed bytes into the front of `buffer`, and how many; 0 is the end, unless `buffer` is empty.
    pub(crate) fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        if buffer.is_empty() || self.fingerprint.is_some() {
            return Ok(0);
        }
        let result = match &mut self.bytes {
            Bytes::Plain(raw) => raw.read(buffer),
            Bytes::Gzip(decoder) => decoder.read(buffer),
            Bytes::Zstd(decoder) => decoder.read(buffer),
        };
        match result {
            Ok(0) => self.end().map(|()| 0),
            Ok(read) => Ok(read),
            Err(error) => Err(self.explain(error)),
        }
    }

    /// The fingerprint of the stored bytes; `None` until the end was read.
    pub(crate) fn fingerprint(&self) -> Option<&Fingerprint> {
        self.fingerprint.as_ref()
    }

    fn end(&mut self) -> Result<(), SourceError> {
        let left_over = match self.raw_mut().fill_buf() {
            Ok(left_over) => left_over.len(),
            Err(error) => return Err(self.explain(error)),
        };
        if left_over > 0 {
            return Err(self.explain(io::Error::other("more bytes follow its end")));
        }
        self.fingerprint = Some(self.raw().finish()?);
        Ok(())
    }

    /// A failed read of the system, a file that is still written, or wrong bytes: in this order, for each can
    /// be the cause of the next.
    fn explain(&mut self, error: io::Error) -> SourceError {
        if let Some(failure) = self.raw_mut().take_failure() {
            return failure;
        }
        let raw = self.raw();
        if matches!(self.bytes, Bytes::Plain(_)) {
            return io_error(raw, error);
        }
        let name = raw.name().to_owned();
        if let Some(change) = raw.change() {
            return SourceError::Changed { name, change };
        }
        let problem = match (error.kind(), error.to_string()) {
            (io::ErrorKind::UnexpectedEof, _) => "it ends too early".to_owned(),
            (_, problem) if problem.contains(ZSTD_WINDOW_ERROR) => {
                return SourceError::WindowTooLarge { name, limit_bytes: 1 << ZSTD_WINDOW_LOG_MAX };
            }
            (_, problem) => problem,
        };
        SourceError::Corrupt { name, offset: raw.bytes_consumed(), problem }
    }

    fn raw(&self) -> &Raw {
        match &self.bytes {
            Bytes::Plain(raw) => raw,
            Bytes::Gzip(decoder) => decoder.get_ref(),
            Bytes::Zstd(decoder) => decoder.get_ref(),
        }
    }

    fn raw_mut(&mut self) -> &mut Raw {
        match &mut self.bytes {
            Bytes::Plain(raw) => raw,
            Bytes::Gzip(decoder) => decoder.get_mut(),
            Bytes::Zstd(decoder) => decoder.get_mut(),
        }
    }
}

fn io_error(raw: &Raw, error: io::Error) -> SourceError {
    SourceError::from_io(raw.name(), raw.bytes_consumed(), error)
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Bytes::Plain(raw) => f.debug_tuple("Plain").field(raw).finish(),
            Bytes::Gzip(decoder) => f.debug_tuple("Gzip").field(decoder.get_ref()).finish(),
            Bytes::Zstd(decoder) => f.debug_tuple("Zstd").field(decoder.get_ref()).finish(),
        }
    }
}
