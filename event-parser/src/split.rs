//! Bytes, cut anywhere, become chunks of whole lines.
//!
//! A chunk is parsed where it lies, in the bytes that were pushed. Only a line that is cut by the end of a
//! push is copied, into `carry`, which never grows past the longest line that is kept.

use event_schema::value::Date;

use crate::Backend;
use crate::batch::Batch;
use crate::chunk::{ChunkParser, Progress};

/// A byte-order mark.
const BOM: &[u8] = b"\xef\xbb\xbf";
/// Lines are indexed this many bytes at a time, so that a chunk and its index stay in the cache.
const CHUNK_BYTES: usize = 128 << 10;
/// Bytes that are kept of a line that is too long.
pub const KEPT_BYTES: usize = 64 << 10;

/// How to parse a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The date of the day file: events from two days after it are out of range.
    pub batch_date: Date,
    /// The most bytes of a line without its ending; at most 1 GiB.
    pub max_line_bytes: usize,
    /// A batch of this many bytes is full. It may grow past it by what one chunk of 128 KiB, or one line,
    /// holds.
    pub batch_bytes: usize,
    /// The instructions to parse with. All give the same outcome.
    pub backend: Backend,
}

impl Options {
    /// Lines up to 1 MiB, batches of 64 MiB, this processor's fastest instructions.
    pub fn new(batch_date: Date) -> Options {
        Options { batch_date, max_line_bytes: 1 << 20, batch_bytes: 64 << 20, backend: Backend::default() }
    }
}

/// Parses one source. Memory is bounded by the longest line, whatever is pushed.
#[derive(Debug)]
pub struct Parser {
    options: Options,
    chunk: ChunkParser,
    /// The start of a line whose end has not come yet.
    carry: Vec<u8>,
    /// Set once the line in `carry` is longer than what is kept.
    overlong: Option<Overlong>,
    /// Whether the first bytes have been looked at for a byte-order mark.
    started: bool,
    progress: Progress,
}

/// A line of which only the start is kept.
#[derive(Debug, Clone, Copy)]
struct Overlong {
    bytes: u64,
    blank: bool,
}

impl Parser {
    /// A parser for the source of that name.
    pub fn new(source: &str, mut options: Options) -> Parser {
        // Positions in a chunk are 32 bits wide.
        options.max_line_bytes = options.max_line_bytes.min(1 << 30);
        Parser {
            chunk: ChunkParser::new(source.into(), &options),
            options,
            carry: Vec::new(),
            overlong: None,
            started: false,
            progress: Progress::default(),
        }
    }

    /// Says where the next line stands in the source, which is not read from its start: its number, from 1, and the
    /// byte it begins at. No byte-order mark is looked for any more. Only between lines.
    pub fn seek(&mut self, line: u64, byte_offset: u64) {
        debug_assert!(self.carry.is_empty() && self.overlong.is_none(), "a line is not complete");
        self.started = true;
        self.progress.lines = line - 1;
        self.progress.byte_offset = byte_offset;
    }

    /// Takes bytes and parses the lines that end in them into the batch.
    ///
    /// Answers how many bytes it took. Fewer than given means that the batch is full: hand it on, clear it,
    /// and push the rest.
    pub fn push(&mut self, bytes: &[u8], batch: &mut Batch) -> usize {
        let mut taken = 0;
        while taken < bytes.len() {
            if !batch.is_empty() && batch.bytes() >= self.options.batch_bytes {
                break;
            }
            let rest = &bytes[taken..];
            taken += if !self.started {
                self.start(rest)
            } else if self.carry.is_empty() && self.overlong.is_none() {
                self.push_lines(rest, batch)
            } else {
                self.push_rest_of_line(rest, batch)
            };
        }
        taken
    }

    /// Ends the source: its last line may lack its newline. The parser can then be dropped.
    pub fn finish(&mut self, batch: &mut Batch) {
        if let Some(overlong) = self.overlong.take() {
            self.end_overlong(overlong, batch);
        }
        let carry = std::mem::take(&mut self.carry);
        if !carry.is_empty() {
            self.chunk.parse(&carry, carry.len(), &mut self.progress, batch);
        }
    }

    /// Drops a byte-order mark, which may come in several pushes.
    fn start(&mut self, bytes: &[u8]) -> usize {
        let missing = &BOM[self.carry.len()..];
        let same = bytes.iter().zip(missing).take_while(|(byte, mark)| byte == mark).count();
        self.carry.extend_from_slice(&bytes[..same]);
        if self.carry == BOM {
            self.carry.clear();
            self.progress.byte_offset = BOM.len() as u64;
            self.started = true;
        } else if same < bytes.len() {
            self.started = true;
        }
        same
    }

    /// Parses the whole lines at the start of `bytes`, or begins to carry a line that does not end here.
    fn push_lines(&mut self, bytes: &[u8], batch: &mut Batch) -> usize {
        let window = &bytes[..bytes.len().min(CHUNK_BYTES)];
        let end = match memchr::memrchr(b'\n', window) {
            Some(newline) => newline + 1,
            None => match memchr::memchr(b'\n', &bytes[window.len()..]) {
                // A line longer than a chunk, but all here: as long as it is kept whole, parse it in place.
                Some(newline) if window.len() + newline <= self.kept_bytes() => window.len() + newline + 1,
                _ => return self.push_rest_of_line(bytes, batch),
            },
        };
        self.chunk.parse(bytes, end, &mut self.progress, batch);
        end
    }

    /// Adds to the carried line up to its newline, and parses it once that has come.
    fn push_rest_of_line(&mut self, bytes: &[u8], batch: &mut Batch) -> usize {
        let newline = memchr::memchr(b'\n', bytes);
        let line_rest = &bytes[..newline.unwrap_or(bytes.len())];
        let kept_bytes = self.kept_bytes();
        match &mut self.overlong {
            Some(overlong) => {
                overlong.bytes += line_rest.len() as u64;
                overlong.blank = overlong.blank && is_blank(line_rest);
            }
            None if self.carry.len() + line_rest.len() > kept_bytes => {
                self.overlong = Some(Overlong {
                    bytes: (self.carry.len() + line_rest.len()) as u64,
                    blank: is_blank(&self.carry) && is_blank(line_rest),
                });
                let room = KEPT_BYTES.saturating_sub(self.carry.len()).min(line_rest.len());
                self.carry.extend_from_slice(&line_rest[..room]);
                self.carry.truncate(KEPT_BYTES);
            }
            None => self.carry.extend_from_slice(line_rest),
        }
        let Some(newline) = newline else { return bytes.len() };
        if let Some(overlong) = self.overlong.take() {
            self.end_overlong(overlong, batch);
            self.progress.byte_offset += 1;
        } else {
            let mut carry = std::mem::take(&mut self.carry);
            carry.push(b'\n');
            self.chunk.parse(&carry, carry.len(), &mut self.progress, batch);
            carry.clear();
            self.carry = carry;
        }
        newline + 1
    }

    /// The most bytes of a line, its `\r` counted, that are kept whole.
    fn kept_bytes(&self) -> usize {
        KEPT_BYTES.max(self.options.max_line_bytes + 1)
    }

    fn end_overlong(&mut self, overlong: Overlong, batch: &mut Batch) {
        let carry = std::mem::take(&mut self.carry);
        self.progress.lines += 1;
        batch.lines += 1;
        if overlong.blank {
            batch.blank_lines += 1;
        } else {
            self.chunk.reject_overlong(&carry, overlong.bytes, &self.progress, batch);
        }
        self.progress.byte_offset += overlong.bytes;
    }
}

/// Whether there is nothing but blanks.
#[inline]
pub(crate) fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}
