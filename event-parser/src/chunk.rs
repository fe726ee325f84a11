//! One chunk of whole lines: indexed, read, checked and appended to the batch.
//!
//! 1. [`index`](crate::index) finds quotes and newlines.
//! 2. Lines are dispatched to the [templates](crate::templates) that they may match. Those that match go into
//!    [column batches](crate::column_batch), which are checked column by column; rows that need the slow path join the slot
//!    rows.
//! 3. Unmatched lines are read by the [reader](crate::reader) into [slot rows](crate::slot_rows), and templates are learnt
//!    from them. Slot rows are checked one at a time.

#![expect(clippy::inline_always, reason = "compiled for each instruction set")]

use std::sync::Arc;

use event_schema::Reason;

use crate::Options;
use crate::arch::{Backend, Simd, Task};
use crate::batch::{Batch, Reject, Violation};
use crate::check::Checker;
use crate::column_batch::ColumnBatches;
use crate::index::{Index, IndexedLine};
use crate::reader::{self, KeyTables, Line, LineLocation, Members};
use crate::slot_rows::{ChunkOrigin, SlotRows, all_kinds, special_in_text, text_end};
use crate::split::{self, ParseChunk, Progress};
use crate::templates::Templates;

/// Parses the chunks of one source. The memory is reused from chunk to chunk.
#[derive(Debug)]
pub(crate) struct ChunkParser {
    backend: Backend,
    source: Arc<str>,
    max_line_bytes: usize,
    index: Index,
    templates: Templates,
    /// Lines that match no template.
    unmatched: Vec<IndexedLine>,
    keys: KeyTables,
    members: Members,
    /// Lines that are checked column by column.
    column_batches: ColumnBatches,
    /// Lines that are checked one at a time.
    rows: SlotRows,
    checker: Checker,
}

impl ChunkParser {
    pub(crate) fn new(source: Arc<str>, options: &Options) -> ChunkParser {
        ChunkParser {
            backend: options.backend,
            checker: Checker::new(&source, options.batch_date),
            source,
            max_line_bytes: options.max_line_bytes,
            index: Index::default(),
            templates: Templates::default(),
            unmatched: Vec::new(),
            keys: KeyTables::default(),
            members: Members::default(),
            column_batches: ColumnBatches::default(),
            rows: SlotRows::default(),
        }
    }
}

impl ParseChunk for ChunkParser {
    fn parse(&mut self, bytes: &[u8], length: usize, progress: &mut Progress, batch: &mut Batch) {
        let backend = self.backend;
        let origin = ChunkOrigin { first_line: progress.lines + 1, byte_offset: progress.byte_offset };
        let first_reject = batch.rejects().len();
        self.index.build(backend, bytes, length);
        let rejects = Rejects { bytes, source: &self.source };
        self.unmatched.clear();
        let lines = backend.run(DispatchLines {
            bytes,
            length,
            max_line_bytes: self.max_line_bytes,
            index: &self.index,
            origin,
            templates: &mut self.templates,
            unmatched: &mut self.unmatched,
            rejects,
            batch,
        });
        self.column_batches.clear();
        self.rows.clear();
        let unknown = &mut self.rows.arena.unknown;
        let chunk = (bytes, &self.index);
        self.templates.match_lines(backend, chunk, &mut self.unmatched, &mut self.column_batches, unknown);
        self.templates.count(lines, self.unmatched.len() as u32);
        backend.run(CheckColumnBatches {
            bytes,
            origin,
            column_batches: &mut self.column_batches,
            rows: &mut self.rows,
            checker: &mut self.checker,
            batch,
        });
        backend.run(ReadLines {
            bytes,
            index: &self.index,
            origin,
            unmatched: &self.unmatched,
            keys: &self.keys,
            members: &mut self.members,
            templates: &mut self.templates,
            rows: &mut self.rows,
            rejects,
            batch,
        });
        backend.run(CheckRows { bytes, rows: &self.rows, checker: &mut self.checker, rejects, batch });
        batch.sort_rejects(first_reject);
        progress.lines += u64::from(lines);
        progress.byte_offset += length as u64;
    }

    fn reject_overlong(&mut self, kept: &[u8], length: u64, progress: &Progress, batch: &mut Batch) {
        let rejects = Rejects { bytes: kept, source: &self.source };
        rejects.add_overlong(progress, self.max_line_bytes, length, batch);
    }
}

/// Dispatches a chunk's lines to the templates that they may match; others are unmatched. Returns the number of lines.
struct DispatchLines<'a> {
    bytes: &'a [u8],
    length: usize,
    max_line_bytes: usize,
    index: &'a Index,
    origin: ChunkOrigin,
    templates: &'a mut Templates,
    unmatched: &'a mut Vec<IndexedLine>,
    rejects: Rejects<'a>,
    batch: &'a mut Batch,
}

impl Task for DispatchLines<'_> {
    type Output = u32;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> u32 {
        let DispatchLines {
            bytes,
            length,
            max_line_bytes,
            index,
            origin,
            templates,
            unmatched,
            rejects,
            batch,
        } = self;
        let (mut lines, mut blank_lines) = (0, 0);
        let is_matching = templates.is_matching();
        for line in index.lines(length) {
            lines += 1;
            let end = text_end(bytes, &line);
            let text = || &bytes[line.start as usize..end as usize];
            let tokens = index.tokens(&line);
            if tokens.len() <= 1 && split::is_blank(text()) {
                blank_lines += 1;
                continue;
            }
            if (end - line.start) as usize > max_line_bytes {
                rejects.add_too_long(origin.location(line.number, line.start, end), max_line_bytes, batch);
                continue;
            }
            if !line.is_ascii
                && let Err(violation) = check_utf8(text())
            {
                rejects.add(origin.location(line.number, line.start, end), vec![violation], batch);
                continue;
            }
            let is_candidate =
                is_matching && line.has_newline && are_backslashes(bytes, special_in_text(index, &line, end));
            if !is_candidate || !templates.dispatch(bytes, tokens, line) {
                unmatched.push(line);
            }
        }
        batch.lines += u64::from(lines);
        batch.blank_lines += blank_lines;
        lines
    }
}

#[inline(always)]
fn are_backslashes(bytes: &[u8], special: &[u32]) -> bool {
    special.iter().all(|at| bytes[*at as usize] == b'\\')
}

/// Checks the lines that matched a template, by type of event.
struct CheckColumnBatches<'a> {
    bytes: &'a [u8],
    origin: ChunkOrigin,
    column_batches: &'a mut ColumnBatches,
    rows: &'a mut SlotRows,
    checker: &'a mut Checker,
    batch: &'a mut Batch,
}

impl Task for CheckColumnBatches<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let CheckColumnBatches { bytes, origin, column_batches, rows, checker, batch } = self;
        for kind in all_kinds() {
            let span_rows = column_batches.of(kind);
            if !span_rows.is_empty() {
                checker.check_column_batch(simd, (bytes, origin), kind, span_rows, rows, batch);
            }
        }
    }
}

/// Reads the unmatched lines, and learns templates from them.
struct ReadLines<'a> {
    bytes: &'a [u8],
    index: &'a Index,
    origin: ChunkOrigin,
    unmatched: &'a [IndexedLine],
    keys: &'a KeyTables,
    members: &'a mut Members,
    templates: &'a mut Templates,
    rows: &'a mut SlotRows,
    rejects: Rejects<'a>,
    batch: &'a mut Batch,
}

impl Task for ReadLines<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, _: S) {
        for line in self.unmatched {
            let location = self.origin.location(line.number, line.start, text_end(self.bytes, line));
            if let Err(violation) = self.read(line, location) {
                self.rejects.add(location, vec![violation], self.batch);
            }
        }
    }
}

impl ReadLines<'_> {
    #[inline(always)]
    fn read(&mut self, indexed: &IndexedLine, location: LineLocation) -> Result<(), Violation> {
        let ReadLines { bytes, index, keys, members, templates, rows, .. } = self;
        let (start, end) = (location.start as usize, location.end as usize);
        let line = Line { bytes, start, end, quotes: index.quotes(indexed) };
        let special = special_in_text(index, indexed, location.end);
        let has_only_escapes = are_backslashes(bytes, special);
        let (row, arena) = rows.next(location);
        if !has_only_escapes || reader::read_by_index(line, special, keys, members, row, arena).is_none() {
            reader::read_strictly(line, keys, row, arena)
                .map_err(|error| error.into_violation(bytes, start, end))?;
        }
        if has_only_escapes && indexed.has_newline && templates.is_matching() {
            templates.learn(line, index.tokens(indexed), row, arena.unknown(row));
        }
        if !special.is_empty() {
            reader::unescape(bytes, row, arena);
        }
        rows.keep();
        Ok(())
    }
}

/// Checks lines one at a time.
struct CheckRows<'a> {
    bytes: &'a [u8],
    rows: &'a SlotRows,
    checker: &'a mut Checker,
    rejects: Rejects<'a>,
    batch: &'a mut Batch,
}

impl Task for CheckRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let CheckRows { bytes, rows, checker, rejects, batch } = self;
        for kind in all_kinds() {
            if rows.of(kind).len() > 0 {
                let reject = |row: &reader::LineSlots, violations, batch: &mut Batch| {
                    rejects.add(row.location, violations, batch);
                };
                checker.check_rows(simd, bytes, kind, rows, batch, reject);
            }
        }
    }
}

/// Appends rejected lines to the batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rejects<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) source: &'a Arc<str>,
}

impl Rejects<'_> {
    #[cold]
    pub(crate) fn add(self, location: LineLocation, violations: Vec<Violation>, batch: &mut Batch) {
        batch.push_reject(Reject {
            source: Arc::clone(self.source),
            line: location.number,
            byte_offset: location.byte_offset,
            violations,
            raw: self.bytes[location.start as usize..location.end as usize].to_vec(),
        });
    }

    /// Adds a line of the chunk that is longer than allowed.
    #[cold]
    pub(crate) fn add_too_long(self, location: LineLocation, max_line_bytes: usize, batch: &mut Batch) {
        let length = location.end - location.start;
        let violation = line_too_long(max_line_bytes, u64::from(length));
        let end = location.start + length.min(split::KEPT_BYTES as u32);
        self.add(LineLocation { end, ..location }, vec![violation], batch);
    }

    /// Adds a line of `length` bytes that was too long to be kept whole; `bytes` are what was kept.
    #[cold]
    pub(crate) fn add_overlong(
        self,
        progress: &Progress,
        max_line_bytes: usize,
        length: u64,
        batch: &mut Batch,
    ) {
        let location = LineLocation {
            number: progress.lines,
            byte_offset: progress.byte_offset,
            start: 0,
            end: self.bytes.len() as u32,
        };
        self.add(location, vec![line_too_long(max_line_bytes, length)], batch);
    }
}

#[inline(always)]
pub(crate) fn check_utf8(text: &[u8]) -> Result<(), Violation> {
    if simdutf8::basic::from_utf8(text).is_ok() { Ok(()) } else { Err(invalid_utf8(text)) }
}

#[cold]
fn invalid_utf8(text: &[u8]) -> Violation {
    let at = simdutf8::compat::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len);
    Violation::of_line(
        Reason::InvalidUtf8,
        format!(
            "expected UTF-8, found the byte 0x{:02x} at column {}: write the file as UTF-8",
            text[at],
            at + 1
        ),
    )
}

fn line_too_long(max: usize, bytes: u64) -> Violation {
    Violation::of_line(
        Reason::LineTooLong,
        format!(
            "expected a line of at most {max} bytes, found {bytes} bytes: split the event, or raise --max-line-bytes"
        ),
    )
}
