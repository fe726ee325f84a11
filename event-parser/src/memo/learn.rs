//! Learning: a line that has been walked is taken apart into literals and values, and becomes a path.

use super::{Edge, LITERAL_BYTES, MOST_EDGES, MOST_WAYS, Mark, Memo, NONE, NOWHERE, Part, Step};
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use crate::walk::{EVENT_TYPE, Line, PROPERTIES, Row, Slot, SlotKind, Unknown};

/// Structures remembered that were seen once; a power of two.
const SEEN: usize = 256;
/// The longest line that is learnt.
const LINE_BYTES: usize = 32 << 10;
/// While most lines are followed, one of so many others is looked at.
const PATIENCE: u32 = 8;

/// Puts together what is learnt.
#[derive(Debug)]
pub(super) struct Learner {
    steps: Vec<LearntStep>,
    marks: Vec<(usize, Part)>,
    pieces: Vec<Piece>,
    /// Hashes of structures that were seen once: what does not come again is not worth an edge.
    seen: Box<[u64; SEEN]>,
    passed: u32,
}

impl Default for Learner {
    fn default() -> Learner {
        Learner {
            steps: Vec::new(),
            marks: Vec::new(),
            pieces: Vec::new(),
            seen: Box::new([0; SEEN]),
            passed: 0,
        }
    }
}

/// A literal, as a place in the line, and what stands after it.
#[derive(Debug, Clone, Copy)]
struct LearntStep {
    literal: (usize, usize),
    step: Step,
    slot: u8,
}

impl Memo {
    /// Learns a line without control characters that has been walked; its row's strings are still where they
    /// stood in the line.
    #[cold]
    pub(crate) fn learn(&mut self, line: Line<'_>, row: &Row, unknown: &[Unknown]) {
        self.learner.passed += 1;
        let is_impatient = self.learner.passed.is_multiple_of(PATIENCE);
        if self.edges.len() == MOST_EDGES
            || line.end - line.start > LINE_BYTES
            || (self.luck.is_good && !is_impatient)
        {
            return;
        }
        let mut steps = std::mem::take(&mut self.learner.steps);
        steps.clear();
        if take_apart(line, row, &mut steps) && self.learner.has_seen(line, &steps) {
            self.insert(line, row, unknown, &steps);
        }
        self.learner.steps = steps;
    }

    /// Adds the edges that are missing on the line's path: of the envelope's tree, and of the payload's.
    fn insert(&mut self, line: Line<'_>, row: &Row, unknown: &[Unknown], steps: &[LearntStep]) {
        let mut marks = std::mem::take(&mut self.learner.marks);
        let mut pieces = std::mem::take(&mut self.learner.pieces);
        marks.clear();
        marks.extend(unknown.iter().flat_map(parts));
        marks.sort_unstable_by_key(|(place, _)| *place);
        pieces.clear();
        cut(line, steps, &marks, &mut pieces);
        self.insert_pieces(Learnt { bytes: line.bytes, marks: &marks }, row, &mut pieces);
        (self.learner.marks, self.learner.pieces) = (marks, pieces);
    }

    fn insert_pieces(&mut self, learnt: Learnt<'_>, row: &Row, pieces: &mut [Piece]) {
        let place_of = |step| pieces.iter().position(|piece| piece.step == step);
        let mut envelope = pieces.len();
        if let (Some(start), Some(end)) = (place_of(Step::Payload), place_of(Step::PayloadEnd)) {
            // The envelope's pieces, then the payload's.
            pieces[start + 1..].rotate_left(end - start);
            envelope -= end - start;
            let event_type = row.slots[EVENT_TYPE];
            let event_type = &learnt.bytes[event_type.start as usize..event_type.end as usize];
            let Some(place) = self.types.find_or_insert(event_type, row.known) else { return };
            let first = self.types.at(place).first_edge;
            self.types.at(place).first_edge = self.insert_path(learnt, first, &pieces[envelope..]);
        }
        self.envelope = self.insert_path(learnt, self.envelope, &pieces[..envelope]);
    }

    /// Adds what is missing of a path to the tree that begins with an edge; answers the tree's first edge.
    fn insert_path(&mut self, learnt: Learnt<'_>, first: u32, pieces: &[Piece]) -> u32 {
        let mut number = first;
        for (place, piece) in pieces.iter().enumerate() {
            let (mut last, mut ways) = (NONE, 0);
            while number != NONE && !self.is(number, learnt, piece) {
                (last, number) = (number, self.edges[number as usize].other);
                ways += 1;
            }
            if number == NONE {
                let missing = &pieces[place..];
                if ways == MOST_WAYS || self.edges.len() + missing.len() > MOST_EDGES {
                    return first;
                }
                let added = self.edges.len() as u32;
                for piece in missing {
                    self.add(learnt, piece);
                }
                if last == NONE {
                    return added;
                }
                self.edges[last as usize].other = added;
                return first;
            }
            number += 1;
        }
        first
    }

    fn add(&mut self, learnt: Learnt<'_>, piece: &Piece) {
        let first_mark = self.marks.len() as u32;
        self.marks.extend(learnt.marks_of(piece));
        self.edges.push(Edge {
            literal: learnt.literal_of(piece),
            mask: u32::MAX >> (LITERAL_BYTES - piece.length()),
            other: NONE,
            marks: (first_mark, (piece.marks.1 - piece.marks.0) as u16),
            quotes: piece.quotes,
            length: piece.length() as u8,
            slot: piece.slot,
            step: piece.step,
        });
    }

    /// Whether an edge is that of a piece.
    fn is(&self, number: u32, learnt: Learnt<'_>, piece: &Piece) -> bool {
        let edge = &self.edges[number as usize];
        let (first, count) = edge.marks;
        edge.step == piece.step
            && edge.slot == piece.slot
            && usize::from(edge.length) == piece.length()
            && edge.literal == learnt.literal_of(piece)
            && self.marks[first as usize..][..usize::from(count)].iter().copied().eq(learnt.marks_of(piece))
    }
}

impl Learner {
    /// Whether a line of that structure was seen before; from now on it was.
    fn has_seen(&mut self, line: Line<'_>, steps: &[LearntStep]) -> bool {
        let mut hasher = FixedState::default().build_hasher();
        for LearntStep { literal: (from, to), step, slot } in steps {
            hasher.write(&line.bytes[*from..*to]);
            hasher.write_u8(*slot);
            hasher.write_u8(*step as u8);
        }
        let hash = hasher.finish();
        let seen = &mut self.seen[hash as usize % SEEN];
        std::mem::replace(seen, hash) == hash
    }
}

/// Cuts literals into pieces of what an edge holds.
fn cut(line: Line<'_>, steps: &[LearntStep], marks: &[(usize, Part)], pieces: &mut Vec<Piece>) {
    let (mut quotes, mut first_mark) = (0, 0);
    for learnt in steps {
        let (mut from, end) = learnt.literal;
        while from < end {
            let to = end.min(from + LITERAL_BYTES);
            let step = if to < end { Step::More } else { learnt.step };
            // At a literal's end a scalar may begin; anything else that is marked there is the next one's.
            let past_marks = if step == Step::Scalar { to + 1 } else { to };
            let count = marks[first_mark..].iter().take_while(|(at, _)| *at < past_marks).count();
            // The quote that ends a text is in the next literal.
            quotes += memchr::memchr_iter(b'"', &line.bytes[from..to]).count() as u16;
            let marks = (first_mark, first_mark + count);
            pieces.push(Piece { from, to, step, slot: learnt.slot, quotes, marks });
            (from, first_mark) = (to, first_mark + count);
        }
        if matches!(learnt.step, Step::Payload | Step::PayloadEnd) {
            quotes = 0;
        }
    }
}

/// What becomes an edge.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Where its literal stands in the chunk.
    from: usize,
    to: usize,
    step: Step,
    slot: u8,
    /// As in [`Edge`].
    quotes: u16,
    /// Its marks among those of the line.
    marks: (usize, usize),
}

impl Piece {
    fn length(&self) -> usize {
        self.to - self.from
    }
}

/// What pieces are of: the chunk, and the line's marks, whose places are counted from the chunk's start.
#[derive(Debug, Clone, Copy)]
struct Learnt<'a> {
    bytes: &'a [u8],
    marks: &'a [(usize, Part)],
}

impl Learnt<'_> {
    fn literal_of(&self, piece: &Piece) -> [u8; LITERAL_BYTES] {
        let mut padded = [0; LITERAL_BYTES];
        padded[..piece.length()].copy_from_slice(&self.bytes[piece.from..piece.to]);
        padded
    }

    fn marks_of(&self, piece: &Piece) -> impl Iterator<Item = Mark> {
        let marks = &self.marks[piece.marks.0..piece.marks.1];
        marks.iter().map(|(at, part)| Mark { offset: (at - piece.from) as u8, part: *part })
    }
}

fn parts(unknown: &Unknown) -> [(usize, Part); 4] {
    let Unknown { in_payload, key, value } = *unknown;
    [
        (key.0 as usize, Part::KeyStart),
        (key.1 as usize, Part::KeyEnd),
        (value.0 as usize, Part::ValueStart),
        (value.1 as usize, Part::ValueEnd { in_payload }),
    ]
}

/// The steps of a line; `false` for one that cannot be learnt.
fn take_apart(line: Line<'_>, row: &Row, steps: &mut Vec<LearntStep>) -> bool {
    let Line { bytes, start, end, mut quotes } = line;
    let event_type = row.slots[EVENT_TYPE];
    // A payload's fields are those of the type, which has to come first and to be spelt as it is compared.
    let properties = row.slots[PROPERTIES];
    let has_payload = properties.kind == SlotKind::Object;
    let is_routed = event_type.kind == SlotKind::CleanString && event_type.end < properties.start;
    // What the slot of a nested value holds is more than one step.
    let is_nested = |slot: &Slot| matches!(slot.kind, SlotKind::Twice | SlotKind::Object | SlotKind::Array);
    let has_odd_slot = row.slots.iter().enumerate().any(|(place, slot)| match place {
        PROPERTIES => !matches!(slot.kind, SlotKind::Absent | SlotKind::Object),
        _ => is_nested(slot),
    });
    if has_odd_slot || (has_payload && !is_routed) {
        return false;
    }
    let (mut at, mut literal) = (start, start);
    let mut step = |literal: &mut usize, to: usize, step: Step, value_start: usize, value_end: usize| {
        steps.push(LearntStep { literal: (*literal, to), step, slot: slot_of(row, value_start) });
        *literal = value_end;
    };
    while at < end {
        match bytes[at] {
            b'"' => {
                let [_, closing, rest @ ..] = quotes else { return false };
                quotes = rest;
                let closing = *closing as usize;
                let after = bytes[closing + 1..end].iter().find(|byte| !matches!(byte, b' ' | b'\t'));
                if after == Some(&b':') {
                    // A key, which is a part of the literal: as it stands, so it has to be without escapes.
                    if bytes[at..closing].contains(&b'\\') {
                        return false;
                    }
                } else {
                    step(&mut literal, at + 1, Step::Text, at + 1, closing);
                }
                at = closing + 1;
            }
            b'{' if has_payload && at == properties.start as usize => {
                step(&mut literal, at + 1, Step::Payload, at, at + 1);
                at += 1;
            }
            b'}' if has_payload && at + 1 == properties.end as usize => {
                step(&mut literal, at + 1, Step::PayloadEnd, at, at + 1);
                at += 1;
            }
            b'{' | b'}' | b'[' | b']' | b':' | b',' | b' ' | b'\t' => at += 1,
            _ => {
                let is_scalar =
                    |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E');
                let length = bytes[at..end].iter().take_while(|byte| is_scalar(byte)).count();
                step(&mut literal, at, Step::Scalar, at, at + length);
                at += length;
            }
        }
    }
    step(&mut literal, end, Step::End, end, end);
    true
}

/// The slot of the value that begins at a place.
fn slot_of(row: &Row, start: usize) -> u8 {
    let holds = |slot: &Slot| slot.kind != SlotKind::Absent && slot.start as usize == start;
    let place = row.slots.iter().position(holds).filter(|place| *place != PROPERTIES);
    place.map_or(NOWHERE, |place| place as u8)
}
