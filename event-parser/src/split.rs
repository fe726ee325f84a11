//! Splits bytes, which may be cut anywhere, into chunks of whole lines.
//!
//! A chunk is parsed in place, in the bytes that were pushed. Only a line that is cut by the end of a push is copied, into
//! `carry`, which never exceeds the longest line that is kept.

use crate::Options;
use crate::batch::Batch;

/// A byte-order mark.
const BOM: &[u8] = b"\xef\xbb\xbf";
/// The bytes of a chunk: it stays in the cache with its index.
const CHUNK_BYTES: usize = 128 << 10;
/// The bytes that are kept of a line that is too long.
pub const KEPT_BYTES: usize = 64 << 10;

/// What happens to the whole lines of a chunk.
pub(crate) trait ParseChunk {
    /// Parses the whole lines in the first `length` of some bytes; only a source's last line may lack its newline. Bytes
    /// after them make it faster, and are not looked at otherwise.
    fn parse(&mut self, bytes: &[u8], length: usize, progress: &mut Progress, batch: &mut Batch);

    /// Rejects a line of `length` bytes that was too long to be kept whole.
    fn reject_overlong(&mut self, kept: &[u8], length: u64, progress: &Progress, batch: &mut Batch);
}

/// How far a source has been read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Progress {
    /// Lines that have ended.
    pub(crate) lines: u64,
    /// The first byte of the next line in the source.
    pub(crate) byte_offset: u64,
}

/// Splits one source into chunks. Memory is bounded by the longest line, whatever is pushed.
#[derive(Debug)]
pub(crate) struct Splitter<C> {
    max_line_bytes: usize,
    batch_bytes: usize,
    pub(crate) chunk: C,
    /// The start of a line whose end has not come yet.
    carry: Vec<u8>,
    /// Set once the line in `carry` is longer than what is kept.
    overlong: Option<Overlong>,
    /// Whether the first bytes have been compared with a byte-order mark.
    started: bool,
    progress: Progress,
}

/// A line of which only the start is kept.
#[derive(Debug, Clone, Copy)]
struct Overlong {
    bytes: u64,
    blank: bool,
}

impl<C: ParseChunk> Splitter<C> {
    pub(crate) fn new(chunk: C, options: &Options) -> Splitter<C> {
        Splitter {
            max_line_bytes: options.max_line_bytes,
            batch_bytes: options.batch_bytes,
            chunk,
            carry: Vec::new(),
            overlong: None,
            started: false,
            progress: Progress::default(),
        }
    }

    pub(crate) fn seek(&mut self, line: u64, byte_offset: u64) {
        debug_assert!(self.carry.is_empty() && self.overlong.is_none(), "only between lines");
        self.started = true;
        self.progress.lines = line - 1;
        self.progress.byte_offset = byte_offset;
    }

    /// Parses the lines that end in some bytes; returns how many of the bytes it took.
    pub(crate) fn push(&mut self, bytes: &[u8], batch: &mut Batch) -> usize {
        let mut taken = 0;
        while taken < bytes.len() {
            if !batch.is_empty() && batch.bytes() >= self.batch_bytes {
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

    /// Ends the source: its last line may lack its newline.
    pub(crate) fn finish(&mut self, batch: &mut Batch) {
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

    /// Parses the whole lines at the start of `bytes`, or starts to carry a line that does not end here.
    fn push_lines(&mut self, bytes: &[u8], batch: &mut Batch) -> usize {
        let window = &bytes[..bytes.len().min(CHUNK_BYTES)];
        let end = match memchr::memrchr(b'\n', window) {
            Some(newline) => newline + 1,
            None => match memchr::memchr(b'\n', &bytes[window.len()..]) {
                // A line longer than a chunk, but complete: if it is kept whole, parse it in place.
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

    /// The most bytes of a line, including a `\r`, that are kept whole.
    fn kept_bytes(&self) -> usize {
        KEPT_BYTES.max(self.max_line_bytes + 1)
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

/// Whether a text has only blanks.
#[inline]
pub(crate) fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}
