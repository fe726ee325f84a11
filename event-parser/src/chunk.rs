//! One chunk of whole lines: indexed, read line by line into rows, and its rows checked type by type.
//!
//! Lines are dealt to the shapes that were learnt; those that have one are read and checked shape by shape. What is
//! left, strangers, is walked; their rows are then checked type by type, and new shapes are learnt from them.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

use std::sync::Arc;

use event_schema::Reason;

use crate::arch::{Backend, Simd, Task};
use crate::batch::{Batch, Reject, Violation};
use crate::check::Checker;
use crate::index::{Index, IndexedLine};
use crate::rows::{Origin, WalkedRows, text_end, text_odd};
use crate::shapes::{Fitting, FnShaped, ShapedLines, Shapes};
use crate::walk::{self, Known, Line, Members, Names, Place, Shelf};
use crate::{Options, split};

/// Parses chunks. Its memory is reused from chunk to chunk.
#[derive(Debug)]
pub(crate) struct ChunkParser {
    backend: Backend,
    source: Arc<str>,
    max_line_bytes: usize,
    index: Index,
    shapes: Shapes,
    fitting: Fitting,
    /// Lines that have no shape that is known.
    strangers: Vec<IndexedLine>,
    names: Names,
    members: Members,
    walked: WalkedRows,
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
            fitting: Fitting::default(),
            strangers: Vec::new(),
            names: Names::default(),
            members: Members::default(),
            walked: WalkedRows::default(),
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
        self.walked.clear();
        backend.run(FitLines {
            bytes,
            index: &self.index,
            origin,
            shapes: &mut self.shapes,
            fitting: &mut self.fitting,
            strangers: &mut self.strangers,
            shelf: &self.walked.shelf,
            checker: &mut self.checker,
            rejects,
            batch,
        });
        self.shapes.note(lines, self.strangers.len() as u32);
        backend.run(WalkLines {
            bytes,
            index: &self.index,
            origin,
            strangers: &self.strangers,
            names: &self.names,
            members: &mut self.members,
            shapes: &mut self.shapes,
            walked: &mut self.walked,
            rejects,
            batch,
        });
        backend.run(CheckWalked {
            bytes,
            walked: &self.walked,
            checker: &mut self.checker,
            rejects: Rejects { bytes, source: &self.source },
            batch,
        });
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
            let text = &bytes[line.start as usize..end as usize];
            let tokens = index.tokens(&line);
            if tokens.len() <= 1 && split::is_blank(text) {
                blank_lines += 1;
                continue;
            }
            if text.len() > max_line_bytes {
                rejects.add_overlong(origin.place(&line, end), max_line_bytes, batch);
                continue;
            }
            if !line.is_ascii
                && let Err(violation) = check_utf8(text)
            {
                rejects.add(origin.place(&line, end), vec![violation], batch);
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

/// Compares lines with the shapes they were dealt to, and checks those that fit.
struct FitLines<'a> {
    bytes: &'a [u8],
    index: &'a Index,
    origin: Origin,
    shapes: &'a mut Shapes,
    fitting: &'a mut Fitting,
    strangers: &'a mut Vec<IndexedLine>,
    shelf: &'a Shelf,
    checker: &'a mut Checker,
    rejects: Rejects<'a>,
    batch: &'a mut Batch,
}

impl Task for FitLines<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let FitLines { bytes, index, origin, shapes, fitting, strangers, .. } = self;
        let FitLines { shelf, checker, rejects, batch, .. } = self;
        let mut check = CheckFitting { simd, shelf, checker, rejects, batch };
        shapes.fit(simd, (bytes, index, origin), fitting, strangers, &mut check);
    }
}

/// Checks the lines of one shape after another.
struct CheckFitting<'a, S> {
    simd: S,
    shelf: &'a Shelf,
    checker: &'a mut Checker,
    rejects: Rejects<'a>,
    batch: &'a mut Batch,
}

impl<S: Simd> FnShaped for CheckFitting<'_, S> {
    #[inline(always)]
    fn take(&mut self, shaped: ShapedLines<'_>) {
        let rejects = self.rejects;
        let reject = |place, violations, batch: &mut Batch| rejects.add(place, violations, batch);
        self.checker.check_shaped(self.simd, shaped, self.shelf, self.batch, reject);
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
    walked: &'a mut WalkedRows,
    rejects: Rejects<'a>,
    batch: &'a mut Batch,
}

impl Task for WalkLines<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, _: S) {
        for line in self.strangers {
            let place = self.origin.place(line, text_end(self.bytes, line));
            if let Err(violation) = self.walk(line, place) {
                self.rejects.add(place, vec![violation], self.batch);
            }
        }
    }
}

impl WalkLines<'_> {
    #[inline(always)]
    fn walk(&mut self, indexed: &IndexedLine, place: Place) -> Result<(), Violation> {
        let WalkLines { bytes, index, names, members, shapes, walked, .. } = self;
        let (start, end) = (place.start as usize, place.end as usize);
        let line = Line { bytes, start, end, quotes: index.quotes(indexed) };
        let odd = text_odd(index, indexed, place.end);
        let has_only_escapes = are_backslashes(bytes, odd);
        let (row, aside) = walked.next(place);
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
        walked.keep();
        Ok(())
    }
}

/// Checks the rows of strangers.
struct CheckWalked<'a> {
    bytes: &'a [u8],
    walked: &'a WalkedRows,
    checker: &'a mut Checker,
    rejects: Rejects<'a>,
    batch: &'a mut Batch,
}

impl Task for CheckWalked<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let CheckWalked { bytes, walked, checker, rejects, batch } = self;
        for known in Known::ALL.map(Some).into_iter().chain([None]) {
            let mut rows = walked.of(known);
            if !rows.is_empty() {
                let reject = |place, violations, batch: &mut Batch| rejects.add(place, violations, batch);
                checker.check(simd, (bytes, &walked.shelf), known, &mut rows, batch, reject);
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
