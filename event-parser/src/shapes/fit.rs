//! Comparing the lines that wait for a shape with it.

use std::mem;

use super::literal::{Difference, LITERAL_BYTES};
use super::{Frame, NONE, Shapes};
use crate::arch::{Backend, Simd, Task};
use crate::index::{Index, IndexedLine};
use crate::rows::{text_end, text_odd};
use crate::sheet::{Cell, SheetRow, Sheets};
use crate::walk::{self, Unknown};

/// Room for more waiting lines is given back: many shapes could each have had a chunk of very short ones.
const MOST_KEPT: usize = 1024;

impl Shapes {
    /// Compares the lines that wait with their shapes. Those that have one go into the sheets; the others join the
    /// strangers.
    pub(crate) fn fit(
        &mut self,
        backend: Backend,
        (bytes, index): (&[u8], &Index),
        strangers: &mut Vec<IndexedLine>,
        sheets: &mut Sheets,
        unknown: &mut Vec<Unknown>,
    ) {
        let mut misfits = mem::take(&mut self.misfits);
        let mut number = 0;
        // Misfits make more shapes awaited.
        while let Some(shape) = self.awaited.get(number).copied() {
            number += 1;
            let (shape, waiting) = (&self.all[shape as usize], &mut self.waiting[shape as usize]);
            let frame = &shape.frame;
            let sheet = sheets.of(frame.known);
            backend.run(FitShape { frame, waiting, bytes, index, sheet, unknown, misfits: &mut misfits });
            waiting.clear();
            if waiting.capacity() > MOST_KEPT {
                *waiting = Vec::new();
            }
            let next = shape.next;
            if next == NONE {
                strangers.append(&mut misfits);
            } else {
                for line in misfits.drain(..) {
                    self.wait(next, line);
                }
            }
        }
        self.awaited.clear();
        self.misfits = misfits;
    }
}

/// Puts those of the lines that wait for a shape and have it into a sheet, and the others aside.
struct FitShape<'a> {
    frame: &'a Frame,
    waiting: &'a [IndexedLine],
    bytes: &'a [u8],
    index: &'a Index,
    sheet: &'a mut Vec<SheetRow>,
    unknown: &'a mut Vec<Unknown>,
    misfits: &'a mut Vec<IndexedLine>,
}

impl Task for FitShape<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let FitShape { frame, waiting, bytes, index, sheet, unknown, misfits } = self;
        for line in waiting {
            let tokens = index.tokens(line);
            if frame.fits(bytes, index, line, tokens) {
                // In place: a row that is put together elsewhere and moved costs as much again.
                sheet.push(SheetRow::EMPTY);
                let row = sheet.last_mut().expect("one has just been pushed");
                frame.fill(tokens, row);
                (row.number, row.start, row.end) = (line.number, line.start, text_end(bytes, line));
                if !frame.unknown.is_empty() {
                    row.unknown = frame.note_unknown(tokens, unknown);
                }
            } else {
                misfits.push(*line);
            }
        }
    }
}

impl Frame {
    /// Whether a line without control characters has this shape, and escapes only where nobody reads them.
    #[inline(always)]
    fn fits(&self, bytes: &[u8], index: &Index, line: &IndexedLine, tokens: &[u32]) -> bool {
        self.has_structure(bytes, line, tokens)
            && (!line.has_odd() || self.hides_escapes(bytes, index, line, tokens))
    }

    /// Whether a line is JSON of this structure, if its escapes are good.
    #[inline(always)]
    fn has_structure(&self, bytes: &[u8], line: &IndexedLine, tokens: &[u32]) -> bool {
        if tokens.len() != self.tokens || tokens[0] != line.start + self.first_token {
            return false;
        }
        let mut difference = Difference::default();
        for literal in &self.literals {
            let at = literal.at.of(tokens) as usize;
            let Some(found) = bytes.get(at..at + LITERAL_BYTES).and_then(|found| found.first_chunk()) else {
                return false;
            };
            difference.add(found, literal);
        }
        if !difference.is_none() {
            return false;
        }
        for (start, end) in &self.scalars {
            let (start, end) = (start.of(tokens), end.of(tokens));
            if walk::scalar_kind(bytes, start as usize, end as usize).is_none() {
                return false;
            }
        }
        true
    }

    /// Writes down where a line of this shape has its values.
    #[inline(always)]
    fn fill(&self, tokens: &[u32], row: &mut SheetRow) {
        for text in &self.texts {
            row.cells[usize::from(text.slot)] = Cell::text(text.quotes(tokens));
        }
        for other in &self.others {
            let (start, end) = (other.start.of(tokens), other.end.of(tokens));
            row.cells[usize::from(other.slot)] = Cell::other(start, end);
        }
    }

    /// Puts a line's unknown members on the shelf, and answers where.
    fn note_unknown(&self, tokens: &[u32], unknown: &mut Vec<Unknown>) -> (u32, u32) {
        let first = unknown.len() as u32;
        unknown.extend(self.unknown.iter().map(|member| Unknown {
            in_payload: member.in_payload,
            key: (member.key.0.of(tokens), member.key.1.of(tokens)),
            value: (member.value.0.of(tokens), member.value.1.of(tokens)),
        }));
        (first, unknown.len() as u32)
    }

    /// Whether a line's escapes are good and stand in no string that is asked for.
    #[cold]
    fn hides_escapes(&self, bytes: &[u8], index: &Index, line: &IndexedLine, tokens: &[u32]) -> bool {
        let end = text_end(bytes, line);
        let backslashes = text_odd(index, line, end);
        let (Some(first), Some(last)) = (backslashes.first(), backslashes.last()) else { return true };
        walk::are_escapes_good(&bytes[..end as usize], backslashes)
            && self.texts.iter().all(|text| {
                let [start, end] = text.quotes(tokens);
                // Most often they stand all in one text of the payload.
                *first >= end || *last < start || !backslashes.iter().any(|at| (start..end).contains(at))
            })
    }
}
