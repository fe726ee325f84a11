//! Comparing the lines that wait for a shape with it.

use super::{Frame, NONE, ShapedLines, Shapes, Value, ValueKind};
use crate::arch::Simd;
use crate::index::{Index, IndexedLine};
use crate::rows::{Origin, text_end, text_odd};
use crate::walk;

/// Room for more waiting lines is given back: many shapes could each have had a chunk of very short ones.
const MOST_KEPT: usize = 1024;

/// What fitting works on. Its memory is reused from chunk to chunk.
#[derive(Debug, Default)]
pub(crate) struct Fitting {
    lines: Vec<IndexedLine>,
    misfits: Vec<IndexedLine>,
}

/// Does something with the lines of one shape.
pub(crate) trait FnShaped {
    /// Has to be `#[inline(always)]`.
    fn take(&mut self, shaped: ShapedLines<'_>);
}

impl Shapes {
    /// Compares the lines that wait with their shapes. Those that have one are handed to `then`, shape by shape; the
    /// others join the strangers.
    #[inline(always)]
    pub(crate) fn fit<S: Simd, F: FnShaped>(
        &mut self,
        simd: S,
        (bytes, index, origin): (&[u8], &Index, Origin),
        Fitting { lines, misfits }: &mut Fitting,
        strangers: &mut Vec<IndexedLine>,
        then: &mut F,
    ) {
        let mut number = 0;
        // Misfits make more shapes awaited.
        while let Some(shape) = self.awaited.get(number).copied() {
            number += 1;
            let shape = &mut self.all[shape as usize];
            lines.clear();
            for line in &shape.waiting {
                if shape.frame.fits(simd, bytes, index, line) {
                    lines.push(*line);
                } else {
                    misfits.push(*line);
                }
            }
            shape.waiting.clear();
            if shape.waiting.capacity() > MOST_KEPT {
                shape.waiting = Vec::new();
            }
            if !lines.is_empty() {
                let (frame, tokens) = (&shape.frame, index.all_tokens());
                then.take(ShapedLines { bytes, tokens, origin, frame, lines });
            }
            let next = shape.next;
            if next == NONE {
                strangers.append(misfits);
            } else {
                for line in misfits.drain(..) {
                    self.wait(next, line);
                }
            }
        }
        self.awaited.clear();
    }
}

impl Frame {
    /// Whether a line without control characters has this shape, and escapes only where nobody reads them.
    #[inline(always)]
    fn fits<S: Simd>(&self, simd: S, bytes: &[u8], index: &Index, line: &IndexedLine) -> bool {
        self.has_structure(simd, bytes, index.all_tokens(), line)
            && (index.odd(line).is_empty() || self.hides_escapes(bytes, index, line))
    }

    /// Whether a line is JSON of this structure, if its escapes are good.
    #[inline(always)]
    fn has_structure<S: Simd>(&self, simd: S, bytes: &[u8], tokens: &[u32], line: &IndexedLine) -> bool {
        let first = line.first_token();
        if line.token_count() != self.tokens || tokens[first] != line.start + self.first_token {
            return false;
        }
        let mut differing = 0;
        for literal in &self.literals {
            let at = literal.at.of(tokens, first) as usize;
            let Some(found) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else { return false };
            differing |= simd.differing(found, &literal.bytes) & literal.mask;
        }
        if differing != 0 {
            return false;
        }
        for (start, end) in &self.scalars {
            let (start, end) = (start.of(tokens, first), end.of(tokens, first));
            if walk::scalar_kind(bytes, start as usize, end as usize).is_none() {
                return false;
            }
        }
        true
    }

    /// Whether a line's escapes are good and stand in no string that is asked for.
    #[cold]
    fn hides_escapes(&self, bytes: &[u8], index: &Index, line: &IndexedLine) -> bool {
        let (end, tokens) = (text_end(bytes, line), index.all_tokens());
        let backslashes = text_odd(index, line, end);
        let (Some(first), Some(last)) = (backslashes.first(), backslashes.last()) else { return true };
        walk::are_escapes_good(&bytes[..end as usize], backslashes)
            && self.values.iter().filter(|value| value.kind == ValueKind::Text).all(|value| {
                let Value { start, end, .. } = value;
                let [start, end] = [start, end].map(|place| place.of(tokens, line.first_token()));
                // Most often they stand all in one text of the payload.
                *first >= end || *last < start || !backslashes.iter().any(|at| (start..end).contains(at))
            })
    }
}
