//! One chunk of whole lines: indexed, read into sheets and rows, and those checked type by type.
//!
//! Lines are dealt to the shapes that were learnt. Those that have one go into the sheets, which are checked a column
//! after another; what is unusual there joins the rows. What is left, strangers, is walked into rows, and new shapes are
//! learnt from them; rows are checked one by one.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

use std::sync::Arc;

use event_schema::Reason;

use crate::arch::{Backend, Simd, Task};
use crate::batch::{Batch, Reject, Violation};
use crate::check::Checker;
use crate::index::{Index, IndexedLine};
use crate::rows::{Origin, Rows, text_end, text_odd};
use crate::shapes::Shapes;
use crate::sheet::Sheets;
use crate::walk::{self, Known, Line, Members, Names, Place};
use crate::{Options, split};

/// Parses chunks. Its memory is reused from chunk to chunk.
#[derive(Debug)]
pub(crate) struct ChunkParser {
    backend: Backend,
    source: Arc<str>,
    max_line_bytes: usize,
    index: Index,
    shapes: Shapes,
    /// Lines that have no shape that is known.
    strangers: Vec<IndexedLine>,
    names: Names,
    members: Members,
    /// Lines that have one, but for those that are unusual.
    sheets: Sheets,
    /// Lines that are read one by one.
    rows: Rows,
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

impl ChunkParser {
    pub(crate) fn new(source: Arc<str>, options: &Options) -> ChunkParser {
        ChunkParser {
            backend: options.backend,
            checker: Checker::new(&source, options.batch_date),
            source,
            max_line_bytes: options.max_line_bytes,
            index: Index::default(),
            shapes: Shapes::default(),
            strangers: Vec::new(),
            names: Names::default(),
            members: Members::default(),
            sheets: Sheets::default(),
            rows: Rows::default(),
        }
    }

    /// Parses the whole lines in the first `length` of some bytes; only a source's last line may lack its
    /// newline. Bytes after them make it faster, and mean nothing.
    pub(crate) fn parse(&mut self, bytes: &[u8], length: usize, progress: &mut Progress, batch: &mut Batch) {
        let backend = self.backend;
        let origin = Origin { first_line: progress.lines + 1, byte_offset: progress.byte_offset };
        let first_reject = batch.rejects().len();
        self.index.build(backend, bytes, length);
        let rejects = Rejects { bytes, source: &self.source };
        self.strangers.clear();
        let lines = backend.run(DealLines {
            bytes,
            length,
            max_line_bytes: self.max_line_bytes,
            index: &self.index,
            origin,
            shapes: &mut self.shapes,
            strangers: &mut self.strangers,
            rejects,
            batch,
        });
        self.sheets.clear();
        self.rows.clear();
        let unknown = &mut self.rows.shelf.unknown;
        let chunk = (bytes, &self.index);
        self.shapes.fit(backend, chunk, &mut self.strangers, &mut self.sheets, unknown);
        self.shapes.note(lines, self.strangers.len() as u32);
        backend.run(CheckSheets {
            bytes,
            origin,
            sheets: &mut self.sheets,
            rows: &mut self.rows,
            checker: &mut self.checker,
            batch,
        });
        backend.run(WalkLines {
            bytes,
            index: &self.index,
            origin,
            strangers: &self.strangers,
            names: &self.names,
            members: &mut self.members,
            shapes: &mut self.shapes,
            rows: &mut self.rows,
            rejects,
            batch,
        });
        backend.run(CheckRows { bytes, rows: &self.rows, checker: &mut self.checker, rejects, batch });
        batch.sort_rejects(first_reject);
        progress.lines += u64::from(lines);
        progress.byte_offset += length as u64;
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

/// Deals a chunk's lines to the shapes they may have; what has none becomes a stranger. Answers how many lines it has.
struct DealLines<'a> {
    bytes: &'a [u8],
    length: usize,
    max_line_bytes: usize,
    index: &'a Index,
    origin: Origin,
    shapes: &'a mut Shapes,
    strangers: &'a mut Vec<IndexedLine>,
    rejects: Rejects<'a>,
    batch: &'a mut Batch,
}

impl Task for DealLines<'_> {
    type Output = u32;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> u32 {
        let DealLines { bytes, length, max_line_bytes, index, origin, shapes, strangers, rejects, batch } =
            self;
        let (mut lines, mut blank_lines) = (0, 0);
        let has_luck = shapes.has_luck();
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
                rejects.add_overlong(origin.place(line.number, line.start, end), max_line_bytes, batch);
                continue;
            }
            if !line.is_ascii
                && let Err(violation) = check_utf8(text())
            {
                rejects.add(origin.place(line.number, line.start, end), vec![violation], batch);
                continue;
            }
            let may_have_shape =
                has_luck && line.has_newline && are_backslashes(bytes, text_odd(index, &line, end));
            if !may_have_shape || !shapes.deal(bytes, tokens, line) {
                strangers.push(line);
            }
        }
        batch.lines += u64::from(lines);
        batch.blank_lines += blank_lines;
        lines
    }
}

#[inline(always)]
fn are_backslashes(bytes: &[u8], odd: &[u32]) -> bool {
    odd.iter().all(|at| bytes[*at as usize] == b'\\')
}

/// Checks the lines that have a shape, type by type.
struct CheckSheets<'a> {
    bytes: &'a [u8],
    origin: Origin,
    sheets: &'a mut Sheets,
    rows: &'a mut Rows,
    checker: &'a mut Checker,
    batch: &'a mut Batch,
}

impl Task for CheckSheets<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let CheckSheets { bytes, origin, sheets, rows, checker, batch } = self;
        for known in Known::all_and_none() {
            let sheet = sheets.of(known);
            if !sheet.is_empty() {
                checker.check_sheet(simd, (bytes, origin), known, sheet, rows, batch);
            }
        }
    }
}

/// Reads the lines of strangers, and learns from them.
struct WalkLines<'a> {
    bytes: &'a [u8],
    index: &'a Index,
    origin: Origin,
    strangers: &'a [IndexedLine],
    names: &'a Names,
    members: &'a mut Members,
    shapes: &'a mut Shapes,
    rows: &'a mut Rows,
    rejects: Rejects<'a>,
    batch: &'a mut Batch,
}

impl Task for WalkLines<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, _: S) {
        for line in self.strangers {
            let place = self.origin.place(line.number, line.start, text_end(self.bytes, line));
            if let Err(violation) = self.walk(line, place) {
                self.rejects.add(place, vec![violation], self.batch);
            }
        }
    }
}

impl WalkLines<'_> {
    #[inline(always)]
    fn walk(&mut self, indexed: &IndexedLine, place: Place) -> Result<(), Violation> {
        let WalkLines { bytes, index, names, members, shapes, rows, .. } = self;
        let (start, end) = (place.start as usize, place.end as usize);
        let line = Line { bytes, start, end, quotes: index.quotes(indexed) };
        let odd = text_odd(index, indexed, place.end);
        let has_only_escapes = are_backslashes(bytes, odd);
        let (row, aside) = rows.next(place);
        if !has_only_escapes || walk::leaping(line, odd, names, members, row, aside).is_none() {
            walk::scanning(line, names, row, aside)
                .map_err(|error| error.into_violation(bytes, start, end))?;
        }
        if has_only_escapes && indexed.has_newline && shapes.has_luck() {
            shapes.learn(line, index.tokens(indexed), row, aside.unknown(row));
        }
        if !odd.is_empty() {
            walk::unescape(bytes, row, aside);
        }
        rows.keep();
        Ok(())
    }
}

/// Checks lines row by row.
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
        for known in Known::all_and_none() {
            if rows.of(known).len() > 0 {
                let reject = |place, violations, batch: &mut Batch| rejects.add(place, violations, batch);
                checker.check_rows(simd, bytes, known, rows, batch, reject);
            }
        }
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
