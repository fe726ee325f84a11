//! Decompression, and the check that nothing is missing, wrong or left over.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;
use tracing::warn;

use crate::content::{self, LOOK_BYTES};
use crate::raw::{Fingerprint, Raw};
use crate::{SourceError, url};

/// Length of the longest magic number.
const MAGIC_BYTES: usize = 4;

/// The largest window of a zstd frame, as a power of two: 128 MiB, the default limit of `zstd`.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// How zstd says that a frame's window is larger than it may be.
const ZSTD_WINDOW_ERROR: &str = "requires too much memory";

/// A source's stored bytes and what decompresses them.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// `None` only while one member follows another.
    bytes: Option<Bytes>,
    /// Decompressed bytes that were looked at and are not read yet.
    looked_at: Vec<u8>,
    /// Whether the first decompressed bytes were looked at.
    is_looked_at: bool,
    /// An error after the bytes that were inspected.
    failure: Option<SourceError>,
    fingerprint: Option<Fingerprint>,
}

enum Bytes {
    Plain(Raw),
    /// One member; others may follow.
    Gzip(Box<GzDecoder<Raw>>),
    /// One frame; others may follow.
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
        match url::last_part(name).rsplit_once('.') {
            Some((_, extension)) if extension.eq_ignore_ascii_case("gz") => Format::Gzip,
            Some((_, extension)) if extension.eq_ignore_ascii_case("zst") => Format::Zstd,
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

impl Bytes {
    fn new(format: Format, raw: Raw) -> Result<Bytes, SourceError> {
        Ok(match format {
            Format::Plain => Bytes::Plain(raw),
            Format::Gzip => Bytes::Gzip(Box::new(GzDecoder::new(raw))),
            Format::Zstd => {
                let name = raw.name().to_owned();
                zstd::stream::read::Decoder::with_buffer(raw)
                    .and_then(|mut decoder| {
                        decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                        Ok(Bytes::Zstd(decoder.single_frame()))
                    })
                    .map_err(|error| SourceError::Io { name, offset: 0, error })?
            }
        })
    }

    fn format(&self) -> Format {
        match self {
            Bytes::Plain(_) => Format::Plain,
            Bytes::Gzip(_) => Format::Gzip,
            Bytes::Zstd(_) => Format::Zstd,
        }
    }

    fn raw(&self) -> &Raw {
        match self {
            Bytes::Plain(raw) => raw,
            Bytes::Gzip(decoder) => decoder.get_ref(),
            Bytes::Zstd(decoder) => decoder.get_ref(),
        }
    }

    fn raw_mut(&mut self) -> &mut Raw {
        match self {
            Bytes::Plain(raw) => raw,
            Bytes::Gzip(decoder) => decoder.get_mut(),
            Bytes::Zstd(decoder) => decoder.get_mut(),
        }
    }

    fn into_raw(self) -> Raw {
        match self {
            Bytes::Plain(raw) => raw,
            Bytes::Gzip(decoder) => decoder.into_inner(),
            Bytes::Zstd(decoder) => decoder.into_inner(),
        }
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Bytes::Plain(raw) => raw.read(buffer),
            Bytes::Gzip(decoder) => decoder.read(buffer),
            Bytes::Zstd(decoder) => decoder.read(buffer),
        }
    }
}

impl Decoder {
    /// Decides by the first bytes; where the name promises a compression, they must be of it.
    pub(crate) fn new(mut raw: Raw) -> Result<Decoder, SourceError> {
        let start = raw.peek(LOOK_BYTES).map(<[u8]>::to_vec);
        let start = start.map_err(|error| raw.take_failure().unwrap_or_else(|| io_error(&raw, error)))?;
        let (named, found) = (Format::of_name(raw.name()), Format::of_magic_bytes(&start));
        if named != Format::Plain && named != found {
            return Err(misnamed(raw.name(), named, found, &start));
        }
        let bytes = Some(Bytes::new(found, raw)?);
        Ok(Decoder { bytes, looked_at: Vec::new(), is_looked_at: false, failure: None, fingerprint: None })
    }

    /// The source's name.
    pub(crate) fn name(&self) -> &str {
        self.bytes().raw().name()
    }

    /// Whether there is something to decompress.
    pub(crate) fn is_compressed(&self) -> bool {
        self.bytes().format() != Format::Plain
    }

    /// Decompressed bytes into the front of `buffer`, and how many; 0 is the end, unless `buffer` is empty.
    pub(crate) fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if !std::mem::replace(&mut self.is_looked_at, true) {
            self.look()?;
        }
        if !self.looked_at.is_empty() {
            let length = self.looked_at.len().min(buffer.len());
            buffer[..length].copy_from_slice(&self.looked_at[..length]);
            self.looked_at.drain(..length);
            return Ok(length);
        }
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => self.decode(buffer),
        }
    }

    /// Looks at the first decompressed bytes; an error if they cannot be of lines.
    fn look(&mut self) -> Result<(), SourceError> {
        if let Some(Bytes::Plain(raw)) = &mut self.bytes {
            let start = raw.peek(LOOK_BYTES).map(<[u8]>::to_vec);
            let start = start.map_err(|error| self.explain(error))?;
            return self.judge(&start);
        }
        let (mut start, mut length) = (vec![0; LOOK_BYTES], 0);
        while length < start.len() {
            match self.decode(&mut start[length..]) {
                Ok(0) => break,
                Ok(read) => length += read,
                // What comes before it is read before it.
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
        }
        start.truncate(length);
        self.judge(&start)?;
        self.looked_at = start;
        Ok(())
    }

    fn judge(&self, start: &[u8]) -> Result<(), SourceError> {
        if let Some(foreign) = content::foreign(start) {
            return Err(SourceError::not_lines(self.name(), foreign));
        }
        if let Some(what) = content::lookalike(start) {
            warn!("{} {what}", self.name());
        }
        Ok(())
    }

    /// As [`Decoder::read_some`], of the bytes that were not looked at.
    fn decode(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        if self.fingerprint.is_some() {
            return Ok(0);
        }
        loop {
            match self.bytes_mut().read(buffer) {
                Ok(0) => {}
                Ok(read) => return Ok(read),
                Err(error) => return Err(self.explain(error)),
            }
            if !self.go_on()? {
                self.fingerprint = Some(self.bytes().raw().finish()?);
                return Ok(0);
            }
        }
    }

    /// The fingerprint of the stored bytes; `None` until the end was read.
    pub(crate) fn fingerprint(&self) -> Option<&Fingerprint> {
        // Inspecting the first bytes may reach the end before the caller has.
        self.fingerprint.as_ref().filter(|_| self.looked_at.is_empty())
    }

    /// Goes on with the member or frame behind one that has ended; false at the end of all.
    fn go_on(&mut self) -> Result<bool, SourceError> {
        let format = self.bytes().format();
        let next = self.bytes_mut().raw_mut().peek(MAGIC_BYTES).map(<[u8]>::to_vec);
        let next = next.map_err(|error| self.explain(error))?;
        if next.is_empty() {
            return Ok(false);
        }
        if format != Format::Plain && Format::of_magic_bytes(&next) == format {
            let raw = self.bytes.take().expect("one member follows another").into_raw();
            self.bytes = Some(Bytes::new(format, raw)?);
            return Ok(true);
        }
        let offset = self.bytes().raw().bytes_consumed();
        // Tapes and disks pad with zeros, which gzip itself takes for the end.
        let is_padding = format == Format::Gzip && self.skip_zeros()?;
        if is_padding {
            return Ok(false);
        }
        let problem = format!(
            "its {} data end there, and other bytes follow (\"{}\"{}): something was appended to it",
            format.as_str(),
            next.escape_ascii(),
            if next.len() < MAGIC_BYTES { "" } else { "…" },
        );
        Err(self.damaged(offset, problem))
    }

    /// Whether nothing but zeros follows. They are read.
    fn skip_zeros(&mut self) -> Result<bool, SourceError> {
        loop {
            let raw = self.bytes_mut().raw_mut();
            let zeros = match raw.fill_buf() {
                Ok([]) => return Ok(true),
                Ok(bytes) => bytes.iter().take_while(|byte| **byte == 0).count(),
                Err(error) => return Err(self.explain(error)),
            };
            if zeros == 0 {
                return Ok(false);
            }
            raw.consume(zeros);
        }
    }

    /// A failed read of the system, a file that is still written, or wrong bytes: in this order, for each can
    /// be the cause of the next.
    fn explain(&mut self, error: io::Error) -> SourceError {
        if let Some(failure) = self.bytes_mut().raw_mut().take_failure() {
            return failure;
        }
        let raw = self.bytes().raw();
        if !self.is_compressed() {
            return io_error(raw, error);
        }
        let (name, offset) = (raw.name().to_owned(), raw.bytes_consumed());
        let problem = match (error.kind(), error.to_string()) {
            (io::ErrorKind::UnexpectedEof, _) => "it ends too early".to_owned(),
            (_, problem) if problem.contains(ZSTD_WINDOW_ERROR) => {
                return SourceError::WindowTooLarge { name, limit_bytes: 1 << ZSTD_WINDOW_LOG_MAX };
            }
            (_, problem) => problem,
        };
        self.damaged(offset, problem)
    }

    /// The bytes are wrong; of a file that is still written, that it changes.
    fn damaged(&self, offset: u64, problem: String) -> SourceError {
        let raw = self.bytes().raw();
        let name = raw.name().to_owned();
        match raw.change() {
            Some(change) => SourceError::Changed { name, change },
            None => SourceError::Corrupt { name, offset, problem },
        }
    }

    fn bytes(&self) -> &Bytes {
        self.bytes.as_ref().expect("one member follows another")
    }

    fn bytes_mut(&mut self) -> &mut Bytes {
        self.bytes.as_mut().expect("one member follows another")
    }
}

/// The bytes are not compressed as the name says.
fn misnamed(name: &str, named: Format, found: Format, start: &[u8]) -> SourceError {
    if found == Format::Plain
        && let Some(foreign) = content::foreign(start)
    {
        return SourceError::not_lines(name, foreign);
    }
    let problem = match (found, start.trim_ascii_start()) {
        (Format::Gzip | Format::Zstd, _) => format!("it is {}", found.as_str()),
        (Format::Plain, _) if start.is_empty() => "the file is empty".to_owned(),
        (Format::Plain, [b'{' | b'[', ..]) => "it is plain text".to_owned(),
        (Format::Plain, [b'<', ..]) => "it is an HTML or XML page, perhaps a server's error".to_owned(),
        (Format::Plain, _) => "it does not begin as one".to_owned(),
    };
    let problem = format!("the name says {}, but {problem}", named.as_str());
    SourceError::Corrupt { name: name.to_owned(), offset: 0, problem }
}

fn io_error(raw: &Raw, error: io::Error) -> SourceError {
    SourceError::from_io(raw.name(), raw.bytes_consumed(), error)
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bytes").field("format", &self.format()).field("raw", self.raw()).finish()
    }
}
