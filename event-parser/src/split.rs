//! Bytes, cut anywhere, become chunks of whole lines.
//!
//! A chunk is parsed where it lies, in the bytes that were pushed. Only a line that is cut by the end of a
//! push is copied, into `carry`, which never grows past the longest line that is kept.

use std::sync::Arc;

use event_schema::Reason;
use event_schema::value::Date;

use crate::batch::{Batch, Reject, Violation};
use crate::check::Checker;
use crate::index::{Index, IndexedLine};
use crate::walk;

/// A byte-order mark.
const BOM: &[u8] = b"\xef\xbb\xbf";
/// Lines are indexed this many bytes at a time, so that a chunk and its index stay in the cache.
const CHUNK_BYTES: usize = 128 << 10;
/// What is kept of a line that is too long.
const KEPT_BYTES: usize = 64 << 10;

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
}

impl Options {
    /// Lines up to 1 MiB, batches of 64 MiB.
    pub fn new(batch_date: Date) -> Options {
        Options { batch_date, max_line_bytes: 1 << 20, batch_bytes: 64 << 20 }
    }
}

/// Parses one source. Memory is bounded by the longest line, whatever is pushed.
#[derive(Debug)]
pub struct Parser {
    source: Arc<str>,
    options: Options,
    checker: Checker,
    index: Index,
    fields: walk::Fields,
    /// The start of a line whose end has not come yet.
    carry: Vec<u8>,
    /// Set once the line in `carry` is longer than what is kept.
    overlong: Option<Overlong>,
    /// Whether the first bytes have been looked at for a byte-order mark.
    started: bool,
    line_number: u64,
    /// Where the line in `carry`, or the next line, begins in the source.
    byte_offset: u64,
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
            source: source.into(),
            checker: Checker::new(source, options.batch_date),
            options,
            index: Index::default(),
            fields: walk::Fields::default(),
            carry: Vec::new(),
            overlong: None,
            started: false,
            line_number: 0,
            byte_offset: 0,
        }
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
            self.parse_chunk(&carry, batch);
        }
    }

    /// Drops a byte-order mark, which may come in several pushes.
    fn start(&mut self, bytes: &[u8]) -> usize {
        let missing = &BOM[self.carry.len()..];
        let same = bytes.iter().zip(missing).take_while(|(byte, mark)| byte == mark).count();
        self.carry.extend_from_slice(&bytes[..same]);
        if self.carry == BOM {
            self.carry.clear();
            self.byte_offset = BOM.len() as u64;
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
        self.parse_chunk(&bytes[..end], batch);
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
            self.byte_offset += 1;
        } else {
            let mut carry = std::mem::take(&mut self.carry);
            carry.push(b'\n');
            self.parse_chunk(&carry, batch);
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
        self.line_number += 1;
        batch.lines += 1;
        if overlong.blank {
            batch.blank_lines += 1;
        } else {
            self.reject(batch, &carry, vec![self.line_too_long(overlong.bytes)]);
        }
        self.byte_offset += overlong.bytes;
    }

    /// Parses a chunk of whole lines; only a source's last line may lack its newline.
    fn parse_chunk(&mut self, chunk: &[u8], batch: &mut Batch) {
        let mut index = std::mem::take(&mut self.index);
        index.build(chunk);
        let is_utf8 = simdutf8::basic::from_utf8(chunk).is_ok();
        for line in index.lines(chunk.len()) {
            self.line_number += 1;
            batch.lines += 1;
            let has_newline = line.end < chunk.len();
            let text = without_carriage_return(&chunk[line.start..line.end], has_newline);
            if is_blank(text) {
                batch.blank_lines += 1;
            } else if let Err(violations) = self.parse_line(text, &line, is_utf8, batch) {
                let kept = if text.len() > self.options.max_line_bytes { KEPT_BYTES } else { text.len() };
                self.reject(batch, &text[..kept.min(text.len())], violations);
            }
            self.byte_offset += (line.end - line.start) as u64 + u64::from(has_newline);
        }
        self.index = index;
    }

    fn parse_line(
        &mut self,
        text: &[u8],
        line: &IndexedLine<'_>,
        chunk_is_utf8: bool,
        batch: &mut Batch,
    ) -> Result<(), Vec<Violation>> {
        if text.len() > self.options.max_line_bytes {
            return Err(vec![self.line_too_long(text.len() as u64)]);
        }
        if !chunk_is_utf8 && let Err(error) = simdutf8::compat::from_utf8(text) {
            return Err(vec![invalid_utf8(text, error.valid_up_to())]);
        }
        self.fields.clear();
        let end = line.start + text.len();
        // A line's `\r` before its newline is odd, but no part of the text.
        if line.odd.iter().all(|odd| *odd as usize >= end) {
            walk::indexed(text, line, &mut self.fields)
        } else {
            walk::scanning(text, &mut self.fields)
        }
        .map_err(|error| vec![error.into_violation(text)])?;
        self.checker.check(text, &self.fields, self.line_number, batch)
    }

    fn reject(&self, batch: &mut Batch, raw: &[u8], violations: Vec<Violation>) {
        batch.push_reject(Reject {
            source: Arc::clone(&self.source),
            line: self.line_number,
            byte_offset: self.byte_offset,
            violations,
            raw: raw.to_vec(),
        });
    }

    fn line_too_long(&self, bytes: u64) -> Violation {
        let max = self.options.max_line_bytes;
        line_violation(
            Reason::LineTooLong,
            format!(
                "expected a line of at most {max} bytes, found {bytes} bytes: split the event, or raise --max-line-bytes"
            ),
        )
    }
}

fn invalid_utf8(text: &[u8], at: usize) -> Violation {
    line_violation(
        Reason::InvalidUtf8,
        format!(
            "expected UTF-8, found the byte 0x{:02x} at column {}: write the file as UTF-8",
            text[at],
            at + 1
        ),
    )
}

fn line_violation(reason: Reason, message: String) -> Violation {
    Violation { reason, field: String::new(), message }
}

fn without_carriage_return(line: &[u8], has_newline: bool) -> &[u8] {
    match line {
        [text @ .., b'\r'] if has_newline => text,
        line => line,
    }
}

fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}
