//! Lines of one shape, read all at once or row by row.

use super::{Frame, Value, ValueKind};
use crate::index::IndexedLine;
use crate::rows::{Origin, ReadRow, RowStream, text_end};
use crate::span::Span;
use crate::walk::{self, Known, Row, Slot, SlotKind, Unknown};

/// Lines that have a shape, without escapes in what is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShapedLines<'a> {
    pub(crate) bytes: &'a [u8],
    /// Those of the chunk.
    pub(super) tokens: &'a [u32],
    pub(crate) origin: Origin,
    pub(super) frame: &'a Frame,
    pub(crate) lines: &'a [IndexedLine],
}

impl<'a> ShapedLines<'a> {
    /// Others of the same shape and chunk.
    pub(crate) fn with_lines(self, lines: &'a [IndexedLine]) -> ShapedLines<'a> {
        ShapedLines { lines, ..self }
    }

    pub(crate) fn known(&self) -> Option<Known> {
        self.frame.known
    }

    /// The name of the events' type: 1 to 64 bytes.
    pub(crate) fn type_name(&self) -> &'a [u8] {
        &self.frame.event_type
    }

    /// What stands in a slot.
    pub(crate) fn value(&self, slot: usize) -> Value {
        self.frame.values[slot]
    }

    pub(crate) fn has_unknown(&self) -> bool {
        !self.frame.unknown.is_empty()
    }

    /// The bytes of a value in a line: of a string, what stands between its quotes.
    #[inline(always)]
    pub(crate) fn span(&self, value: Value, line: &IndexedLine) -> Span<'a> {
        let (start, end) = self.bounds(value, line);
        Span::new(self.bytes, start as usize, end as usize)
    }

    #[inline(always)]
    pub(crate) fn length(&self, value: Value, line: &IndexedLine) -> usize {
        let (start, end) = self.bounds(value, line);
        (end - start) as usize
    }

    #[inline(always)]
    fn bounds(&self, Value { start, end, .. }: Value, line: &IndexedLine) -> (u32, u32) {
        let first = line.first_token();
        (start.of(self.tokens, first), end.of(self.tokens, first))
    }

    /// The members that nobody knows of a line.
    pub(crate) fn find_unknown(&self, line: &IndexedLine, unknown: &mut Vec<Unknown>) {
        let of_line = |(from, to): (super::Anchor, super::Anchor)| {
            (from.of(self.tokens, line.first_token()), to.of(self.tokens, line.first_token()))
        };
        unknown.clear();
        unknown.extend(self.frame.unknown.iter().map(|member| Unknown {
            in_payload: member.in_payload,
            key: of_line(member.key),
            value: of_line(member.value),
        }));
    }
}

/// Reads lines of one shape row by row.
#[derive(Debug)]
pub(crate) struct ShapedRows<'a> {
    shaped: ShapedLines<'a>,
    lines: std::slice::Iter<'a, IndexedLine>,
    unknown: &'a mut Vec<Unknown>,
    /// What the frame does not have stays absent.
    row: Row,
}

impl<'a> ShapedRows<'a> {
    pub(crate) fn new(shaped: ShapedLines<'a>, unknown: &'a mut Vec<Unknown>) -> ShapedRows<'a> {
        let Frame { known, has_payload, .. } = *shaped.frame;
        let row = Row { known, has_payload, ..Row::default() };
        unknown.clear();
        ShapedRows { shaped, lines: shaped.lines.iter(), unknown, row }
    }

    /// Reads a line into the row.
    #[inline(always)]
    fn read(&mut self, line: &IndexedLine) {
        let ShapedRows { shaped, row, unknown, .. } = self;
        for (slot, value) in row.slots.iter_mut().zip(&shaped.frame.values) {
            let (start, end) = match value.kind {
                ValueKind::Absent => continue,
                _ => shaped.bounds(*value, line),
            };
            let kind = match value.kind {
                ValueKind::Absent => SlotKind::Absent,
                ValueKind::Text => SlotKind::CleanString,
                ValueKind::Object => SlotKind::Object,
                ValueKind::Scalar => walk::scalar_kind(shaped.bytes, start as usize, end as usize)
                    .expect("a line that has a shape has its scalars"),
            };
            *slot = Slot { kind, start, end };
        }
        row.place = shaped.origin.place(line, text_end(shaped.bytes, line));
        if shaped.has_unknown() {
            shaped.find_unknown(line, unknown);
        }
    }
}

impl RowStream for ShapedRows<'_> {
    fn type_name(&self) -> Option<&[u8]> {
        Some(self.shaped.type_name())
    }

    #[inline(always)]
    fn next(&mut self) -> Option<ReadRow<'_>> {
        let line = self.lines.next()?;
        self.read(line);
        Some(ReadRow { row: &self.row, unknown: self.unknown })
    }
}
