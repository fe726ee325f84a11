//! Template match: compares the candidates of each template with it.

use std::mem;

use super::literal::{Difference, LITERAL_BYTES};
use super::{NONE, Template, Templates};
use crate::arch::{Backend, Simd, Task};
use crate::column_batch::{ColumnBatches, SpanRow, ValueSpan};
use crate::index::{Index, IndexedLine};
use crate::reader::{self, UnknownMember};
use crate::slot_rows::{special_in_text, text_end};

/// Lists of more candidates are freed: many templates could each have had a chunk of very short lines.
const MAX_KEPT_CANDIDATES: usize = 1024;

impl Templates {
    /// Compares the candidates with their templates. Lines that match go into the column batches; the others join the
    /// unmatched lines.
    pub(crate) fn match_lines(
        &mut self,
        backend: Backend,
        (bytes, index): (&[u8], &Index),
        unmatched: &mut Vec<IndexedLine>,
        column_batches: &mut ColumnBatches,
        unknown: &mut Vec<UnknownMember>,
    ) {
        let mut mismatches = mem::take(&mut self.mismatches);
        let mut number = 0;
        // Mismatches add pending templates.
        while let Some(entry) = self.pending.get(number).copied() {
            number += 1;
            let (entry, candidates) = (&self.all[entry as usize], &mut self.candidates[entry as usize]);
            let template = &entry.template;
            let rows = column_batches.of(template.kind);
            backend.run(MatchTemplate {
                template,
                candidates,
                bytes,
                index,
                rows,
                unknown,
                mismatches: &mut mismatches,
            });
            candidates.clear();
            if candidates.capacity() > MAX_KEPT_CANDIDATES {
                *candidates = Vec::new();
            }
            let next = entry.next;
            if next == NONE {
                unmatched.append(&mut mismatches);
            } else {
                for line in mismatches.drain(..) {
                    self.add_candidate(next, line);
                }
            }
        }
        self.pending.clear();
        self.mismatches = mismatches;
    }
}

/// Appends the candidates that match a template to a column batch, and the others to the mismatches.
struct MatchTemplate<'a> {
    template: &'a Template,
    candidates: &'a [IndexedLine],
    bytes: &'a [u8],
    index: &'a Index,
    rows: &'a mut Vec<SpanRow>,
    unknown: &'a mut Vec<UnknownMember>,
    mismatches: &'a mut Vec<IndexedLine>,
}

impl Task for MatchTemplate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let MatchTemplate { template, candidates, bytes, index, rows, unknown, mismatches } = self;
        for line in candidates {
            let tokens = index.tokens(line);
            if template.matches(bytes, index, line, tokens) {
                // Written in place: building a row elsewhere and moving it doubles the cost.
                rows.push(SpanRow::EMPTY);
                let row = rows.last_mut().expect("one has just been pushed");
                template.fill(tokens, row);
                (row.number, row.start, row.end) = (line.number, line.start, text_end(bytes, line));
                if !template.unknown.is_empty() {
                    row.unknown = template.note_unknown(tokens, unknown);
                }
            } else {
                mismatches.push(*line);
            }
        }
    }
}

impl Template {
    /// Whether a line without control characters matches, with escapes only in values that no slot takes.
    #[inline(always)]
    fn matches(&self, bytes: &[u8], index: &Index, line: &IndexedLine, tokens: &[u32]) -> bool {
        self.has_structure_of(bytes, line, tokens)
            && (!line.has_special() || self.has_no_escapes_in_slots(bytes, index, line, tokens))
    }

    /// Whether a line is JSON of this structure, provided that its escapes are valid.
    #[inline(always)]
    fn has_structure_of(&self, bytes: &[u8], line: &IndexedLine, tokens: &[u32]) -> bool {
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
            if reader::scalar_kind(bytes, start as usize, end as usize).is_none() {
                return false;
            }
        }
        true
    }

    /// Writes the value spans of a line that matches.
    #[inline(always)]
    fn fill(&self, tokens: &[u32], row: &mut SpanRow) {
        for string in &self.strings {
            row.values[usize::from(string.slot)] = ValueSpan::string(string.quotes(tokens));
        }
        for other in &self.others {
            let (start, end) = (other.start.of(tokens), other.end.of(tokens));
            row.values[usize::from(other.slot)] = ValueSpan::other(start, end);
        }
    }

    /// Appends a line's unknown members to those of the chunk; returns the range that they take.
    fn note_unknown(&self, tokens: &[u32], unknown: &mut Vec<UnknownMember>) -> (u32, u32) {
        let first = unknown.len() as u32;
        unknown.extend(self.unknown.iter().map(|member| UnknownMember {
            in_payload: member.in_payload,
            key: (member.key.0.of(tokens), member.key.1.of(tokens)),
            value: (member.value.0.of(tokens), member.value.1.of(tokens)),
        }));
        (first, unknown.len() as u32)
    }

    /// Whether a line's escapes are valid and none is in a string that a slot takes.
    #[cold]
    fn has_no_escapes_in_slots(
        &self,
        bytes: &[u8],
        index: &Index,
        line: &IndexedLine,
        tokens: &[u32],
    ) -> bool {
        let end = text_end(bytes, line);
        let backslashes = special_in_text(index, line, end);
        let (Some(first), Some(last)) = (backslashes.first(), backslashes.last()) else { return true };
        reader::are_escapes_valid(&bytes[..end as usize], backslashes)
            && self.strings.iter().all(|string| {
                let [start, end] = string.quotes(tokens);
                // Usually all of them are in one string of the payload.
                *first >= end || *last < start || !backslashes.iter().any(|at| (start..end).contains(at))
            })
    }
}
