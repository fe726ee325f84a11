//! One chunk of whole lines: indexed, read line by line into rows, and its rows checked type by type.
//!
//! A line is read by following the memo, or by the walk where it looks like none that was learnt. All rows of a
//! chunk with the same type of event are then checked together, in one loop a type.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

use std::sync::Arc;

use event_schema::Reason;

use crate::arch::{Backend, Simd, Task};
use crate::batch::{Batch, Reject, Violation};
use crate::check::Checker;
use crate::index::{Index, IndexedLine};
use crate::memo::Memo;
use crate::walk::{self, Known, Line, Names, Place, Row, Shelf};
use crate::{Options, split};

/// Bytes that are brought near together.
const CACHE_LINE_BYTES: usize = 64;
/// How many of them a line asks for: what an event usually takes.
const PREFETCHED: usize = 6;

/// Parses chunks. Its memory is reused from chunk to chunk.
#[derive(Debug)]
pub(crate) struct ChunkParser {
    backend: Backend,
    source: Arc<str>,
    max_line_bytes: usize,
    index: Index,
    reader: Reader,
    checker: Checker,
}

/// How far a source has been read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Progress {
    /// Lines that have ended.
    pub(crate) lines: u64,
    /// Where the next line begins.
    pub(crate) byte_offset: u64,
}

/// Reads lines into rows.
#[derive(Debug, Default)]
struct Reader {
    names: Names,
    memo: Memo,
    rows: Rows,
}

/// What was read of a chunk's lines.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// Longer than `count`: lines are read where their rows are to stand.
    rows: Vec<Row>,
    count: usize,
    /// The rows of each known type, and last those of all others.
    by_type: [Vec<u32>; Known::ALL.len() + 1],
    pub(crate) shelf: Shelf,
}

impl Rows {
    fn clear(&mut self) {
        self.count = 0;
        self.by_type.iter_mut().for_each(Vec::clear);
        self.shelf.clear();
    }

    /// Where the next row is to be read, emptied, and the shelf.
    #[inline(always)]
    fn next(&mut self, place: Place) -> (&mut Row, &mut Shelf) {
        if self.count == self.rows.len() {
            self.rows.resize(self.count * 2 + 64, Row::default());
        }
        let row = &mut self.rows[self.count];
        *row = Row { place, ..Row::default() };
        (row, &mut self.shelf)
    }

    /// Keeps the row that was read last.
    #[inline(always)]
    fn keep(&mut self) {
        let group = self.rows[self.count].known.map_or(Known::ALL.len(), |known| known as usize);
        self.by_type[group].push(self.count as u32);
        self.count += 1;
    }

    /// The rows of a type, in the order of the lines.
    pub(crate) fn of(&self, known: Option<Known>) -> impl ExactSizeIterator<Item = &Row> {
        let group = known.map_or(Known::ALL.len(), |known| known as usize);
        self.by_type[group].iter().map(|row| &self.rows[*row as usize])
    }
}

impl ChunkParser {
    pub(crate) fn new(source: Arc<str>, options: &Options) -> ChunkParser {
        ChunkParser {
            backend: options.backend,
            checker: Checker::new(&source, options.batch_date),
            source,
            max_line_bytes: options.max_line_bytes,
            index: Index::default(),
            reader: Reader::default(),
        }
    }

    /// Parses the whole lines in the first `length` of some bytes; only a source's last line may lack its
    /// newline. Bytes after them make it faster, and mean nothing.
    pub(crate) fn parse(&mut self, bytes: &[u8], length: usize, progress: &mut Progress, batch: &mut Batch) {
        self.index.build(self.backend, &bytes[..length]);
        let first_reject = batch.rejects().len();
        self.reader.rows.clear();
        self.backend.run(ReadLines {
            bytes,
            length,
            max_line_bytes: self.max_line_bytes,
            index: &self.index,
            reader: &mut self.reader,
            progress,
            rejects: Rejects { bytes, source: &self.source },
            batch,
        });
        self.backend.run(CheckRows {
            bytes,
            rows: &self.reader.rows,
            checker: &mut self.checker,
            rejects: Rejects { bytes, source: &self.source },
            batch,
        });
        batch.sort_rejects(first_reject);
    }

    /// Rejects a line that was too long to be kept whole.
    pub(crate) fn reject_overlong(&self, kept: &[u8], length: u64, progress: &Progress, batch: &mut Batch) {
        let place = Place {
            number: progress.lines,
            byte_offset: progress.byte_offset,
            start: 0,
            end: kept.len() as u32,
        };
        let rejects = Rejects { bytes: kept, source: &self.source };
        rejects.add(place, vec![line_too_long(self.max_line_bytes, length)], batch);
    }
}

/// Stage 2 of a chunk.
struct ReadLines<'a> {
    bytes: &'a [u8],
    length: usize,
    max_line_bytes: usize,
    index: &'a Index,
    reader: &'a mut Reader,
    progress: &'a mut Progress,
    rejects: Rejects<'a>,
    batch: &'a mut Batch,
}

impl Task for ReadLines<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let ReadLines { bytes, length, max_line_bytes, index, reader, progress, rejects, batch } = self;
        for line in index.lines(length) {
            progress.lines += 1;
            batch.lines += 1;
            let has_newline = line.end < length;
            let end = text_end(bytes, &line, has_newline);
            if split::is_blank(&bytes[line.start..end]) {
                batch.blank_lines += 1;
            } else {
                let place = Place {
                    number: progress.lines,
                    byte_offset: progress.byte_offset,
                    start: line.start as u32,
                    end: end as u32,
                };
                if end - line.start > max_line_bytes {
                    rejects.add_overlong(place, max_line_bytes, batch);
                } else if let Err(violation) = reader.read(simd, bytes, &line, place) {
                    rejects.add(place, vec![violation], batch);
                }
            }
            // The next chunk is indexed at one go: by then its bytes should not have to come from memory. As many
            // for every line: a loop whose end is not foreseeable costs more than it saves.
            for number in 0..PREFETCHED {
                simd.prefetch(bytes, length + line.start + number * CACHE_LINE_BYTES);
            }
            progress.byte_offset += (line.end - line.start) as u64 + u64::from(has_newline);
        }
    }
}

/// Where a line's text ends: a `\r` before its newline is no part of it.
#[inline(always)]
fn text_end(bytes: &[u8], line: &IndexedLine<'_>, has_newline: bool) -> usize {
    let has_return = has_newline && line.end > line.start && bytes[line.end - 1] == b'\r';
    line.end - usize::from(has_return)
}

impl Reader {
    /// Reads a line into a row.
    #[inline(always)]
    fn read<S: Simd>(
        &mut self,
        simd: S,
        bytes: &[u8],
        indexed: &IndexedLine<'_>,
        place: Place,
    ) -> Result<(), Violation> {
        let Reader { memo, rows, .. } = self;
        let (start, end) = (place.start as usize, place.end as usize);
        if !indexed.is_ascii {
            check_utf8(&bytes[start..end])?;
        }
        let line = Line { bytes, start, end, quotes: indexed.quotes };
        let odd = match indexed.odd {
            // The `\r` before the newline.
            [odd @ .., last] if *last as usize >= end => odd,
            odd => odd,
        };
        let has_only_escapes = odd.is_empty() || odd.iter().all(|at| bytes[*at as usize] == b'\\');
        let is_tried = has_only_escapes && memo.has_luck();
        if is_tried {
            let (row, aside) = rows.next(place);
            let followed = memo.follow(simd, line, row, aside)
                && (odd.is_empty() || walk::mark_escapes(&bytes[..end], odd, row));
            memo.note(followed);
            if followed {
                if !odd.is_empty() {
                    walk::unescape(bytes, row, aside);
                }
                rows.keep();
                return Ok(());
            }
        }
        self.walk(line, odd, has_only_escapes, is_tried, place)
    }

    /// Reads a line that looks like none that was learnt.
    #[inline(never)]
    fn walk(
        &mut self,
        line: Line<'_>,
        odd: &[u32],
        has_only_escapes: bool,
        is_learnt: bool,
        place: Place,
    ) -> Result<(), Violation> {
        let Reader { names, memo, rows } = self;
        let (row, aside) = rows.next(place);
        let read = if has_only_escapes {
            walk::jumping(line, odd, names, row, aside)
        } else {
            walk::scanning(line, names, row, aside)
        };
        read.map_err(|error| error.into_violation(line.bytes, line.start, line.end))?;
        if is_learnt {
            memo.learn(line, row, aside.unknown(row));
        }
        walk::unescape(line.bytes, row, aside);
        rows.keep();
        Ok(())
    }
}

/// Stage 3 of a chunk.
struct CheckRows<'a> {
    bytes: &'a [u8],
    rows: &'a Rows,
    checker: &'a mut Checker,
    rejects: Rejects<'a>,
    batch: &'a mut Batch,
}

impl Task for CheckRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let CheckRows { bytes, rows, checker, rejects, batch } = self;
        checker.check(simd, bytes, rows, batch, |place, violations, batch| {
            rejects.add(place, violations, batch);
        });
    }
}

/// Keeps rejected lines.
#[derive(Debug, Clone, Copy)]
struct Rejects<'a> {
    bytes: &'a [u8],
    source: &'a Arc<str>,
}

impl Rejects<'_> {
    #[cold]
    fn add(self, place: Place, violations: Vec<Violation>, batch: &mut Batch) {
        batch.push_reject(Reject {
            source: Arc::clone(self.source),
            line: place.number,
            byte_offset: place.byte_offset,
            violations,
            raw: self.bytes[place.start as usize..place.end as usize].to_vec(),
        });
    }

    #[cold]
    fn add_overlong(self, place: Place, max_line_bytes: usize, batch: &mut Batch) {
        let length = place.end - place.start;
        let violation = line_too_long(max_line_bytes, u64::from(length));
        let end = place.start + length.min(split::KEPT_BYTES as u32);
        self.add(Place { end, ..place }, vec![violation], batch);
    }
}

#[inline(always)]
fn check_utf8(text: &[u8]) -> Result<(), Violation> {
    if simdutf8::basic::from_utf8(text).is_ok() { Ok(()) } else { Err(invalid_utf8(text)) }
}

#[cold]
fn invalid_utf8(text: &[u8]) -> Violation {
    let at = simdutf8::compat::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len);
    line_violation(
        Reason::InvalidUtf8,
        format!(
            "expected UTF-8, found the byte 0x{:02x} at column {}: write the file as UTF-8",
            text[at],
            at + 1
        ),
    )
}

fn line_too_long(max: usize, bytes: u64) -> Violation {
    line_violation(
        Reason::LineTooLong,
        format!(
            "expected a line of at most {max} bytes, found {bytes} bytes: split the event, or raise --max-line-bytes"
        ),
    )
}

fn line_violation(reason: Reason, message: String) -> Violation {
    Violation { reason, field: String::new(), message }
}
