//! The short cut through stage 2: lines that look like lines that have been walked before.
//!
//! Producers write keys in a fixed order with fixed blanks. Between two values of a line there is then a
//! *literal* that was there before, like `","user_id":"`. A [`Memo`] is a tree of such literals, learnt from
//! lines that the walk has read:
//!
//! ```text
//!  {"event_id":" ─text─► ","event_type":" ─text─► … ","properties":{ ─payload of that type─► … } ─► } ─end
//!                                              └─► ","country":" ─text─► …        (another order, or a key left out)
//! ```
//!
//! To follow it takes one comparison of up to 32 bytes a value, where a quote of the index says that the value
//! before ends. What a path leads through is the line it was learnt from, with its texts, numbers, booleans and
//! nulls taken out; those are read anew. So whatever follows a path to its end is JSON of that line's structure,
//! its keys are that line's, and each of its values belongs into the slot that that line's had.
//!
//! Edges that follow one another stand one after another, so that the processor need not wait for an edge to
//! learn where the next one is; where a line goes another way, the edge says where that way begins. For the same
//! reason an edge knows the number of the quote that ends its value. Each type of event has a payload tree of its
//! own, which the envelope's tree enters and leaves.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

mod learn;
mod scalar;
mod types;

#[cfg(test)]
mod tests;

use crate::arch::Simd;
use crate::walk::{self, EVENT_TYPE, Known, Line, PROPERTIES, Row, Shelf, Slot, SlotKind, Unknown};
use types::Types;

/// The longest literal of one edge; a longer one takes several edges.
const LITERAL_BYTES: usize = 32;
/// The most edges that are kept.
const MOST_EDGES: usize = 4096;
/// The most ways on from one place.
const MOST_WAYS: usize = 8;
/// No edge: none has that number.
const NONE: u32 = u32::MAX;

/// What has been learnt of a source's lines.
#[derive(Debug)]
pub(crate) struct Memo {
    edges: Vec<Edge>,
    marks: Vec<Mark>,
    types: Types,
    /// The first edge of the envelope.
    envelope: u32,
    learner: learn::Learner,
    luck: Luck,
}

/// A literal, and what stands after it. The next edge is the one after this one's value.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Edge {
    literal: [u8; LITERAL_BYTES],
    /// A bit for each byte of the literal.
    mask: u32,
    /// The edge to be tried where this one does not fit.
    other: u32,
    /// What unknown members begin and end in the literal: the first of the memo's marks, and how many.
    marks: (u32, u16),
    /// How many quotes stand before the end of the value, counted from the tree's start or the payload's end.
    quotes: u16,
    /// Bytes of the literal.
    length: u8,
    /// Where the value belongs.
    slot: u8,
    step: Step,
}

/// What stands after a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A string; the literal has its opening quote.
    Text,
    /// A number, `true`, `false` or `null`.
    Scalar,
    /// More of a long literal.
    More,
    /// The members of the payload; the literal has its opening bracket.
    Payload,
    /// What follows the payload; the literal has its closing bracket.
    PayloadEnd,
    /// Nothing: the line ends.
    End,
}

/// A place in a literal where a part of an unknown member begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    /// Counted from the literal's start.
    offset: u8,
    part: Part,
}

/// Parts of an unknown member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    KeyStart,
    KeyEnd,
    ValueStart,
    /// The member's end; whether it is one of the payload.
    ValueEnd {
        in_payload: bool,
    },
}

/// The slot of values that nobody asks for.
const NOWHERE: u8 = walk::NOWHERE as u8;

impl Default for Memo {
    fn default() -> Memo {
        Memo {
            edges: Vec::new(),
            marks: Vec::new(),
            types: Types::default(),
            envelope: NONE,
            learner: learn::Learner::default(),
            luck: Luck::default(),
        }
    }
}

impl Memo {
    /// Reads a line without control characters, whose escapes are good, if it looks like one that was learnt.
    ///
    /// Answers whether it does. The row and the shelf are then as the walk would leave them, but for strings
    /// with escapes, which are called clean; else they are of no meaning.
    #[inline(always)]
    pub(crate) fn follow<S: Simd>(&self, simd: S, line: Line<'_>, row: &mut Row, aside: &mut Shelf) -> bool {
        let Line { bytes, start, end, quotes } = line;
        let first_unknown = aside.unknown.len() as u32;
        // Places are 32 bits wide: there is nothing to overflow when a few bytes are added.
        let (mut at, mut number) = (start as u32, self.envelope as usize);
        // The quote that the edges count from.
        let mut first_quote = 0;
        let (mut payload_start, mut after_payload) = (None, 0);
        let mut unknown = Unknown::default();
        let edges = self.edges.as_slice();
        let slots = &mut row.slots;
        loop {
            let Some(edge) = edges.get(number) else { return false };
            let literal = at as usize..at as usize + LITERAL_BYTES;
            let Some(Ok(found)) = bytes.get(literal).map(TryInto::try_into) else { return false };
            if simd.differing(found, &edge.literal) & edge.mask != 0 {
                number = edge.other as usize;
                continue;
            }
            let after = at as usize + usize::from(edge.length);
            let quote = first_quote + usize::from(edge.quotes);
            // Most steps are texts.
            if edge.step == Step::Text {
                let Some(closing) = quotes.get(quote) else { return false };
                slots[usize::from(edge.slot)] =
                    Slot { kind: SlotKind::CleanString, start: after as u32, end: *closing };
                self.note_marks(edge, at, &mut unknown, aside);
                (at, number) = (*closing, number + 1);
                continue;
            }
            let mut value_end = after;
            match edge.step {
                Step::Scalar => {
                    let Some((kind, scalar_end)) = scalar::read(bytes, after, end) else {
                        number = edge.other as usize;
                        continue;
                    };
                    value_end = scalar_end;
                    slots[usize::from(edge.slot)] =
                        Slot { kind, start: after as u32, end: scalar_end as u32 };
                }
                Step::Text | Step::More => {}
                Step::Payload => {
                    let event_type = slots[EVENT_TYPE];
                    let Some(payload) = self.types.find(simd, bytes, event_type) else { return false };
                    row.known = payload.known;
                    row.has_payload = payload.known.is_some();
                    (payload_start, after_payload) = (Some(after as u32 - 1), number + 1);
                    first_quote = quote;
                    self.note_marks(edge, at, &mut unknown, aside);
                    (at, number) = (after as u32, payload.first_edge as usize);
                    continue;
                }
                Step::PayloadEnd => {
                    let Some(start) = payload_start else { return false };
                    slots[PROPERTIES] = Slot { kind: SlotKind::Object, start, end: after as u32 };
                    first_quote = quote;
                    self.note_marks(edge, at, &mut unknown, aside);
                    (at, number) = (after as u32, after_payload);
                    continue;
                }
                Step::End if after == end => {
                    if payload_start.is_none() {
                        let event_type = slots[EVENT_TYPE];
                        row.known = Known::of(&bytes[event_type.start as usize..event_type.end as usize]);
                    }
                    self.note_marks(edge, at, &mut unknown, aside);
                    row.unknown = (first_unknown, aside.unknown.len() as u32);
                    return true;
                }
                Step::End => {
                    number = edge.other as usize;
                    continue;
                }
            }
            self.note_marks(edge, at, &mut unknown, aside);
            at = value_end as u32;
            number += 1;
        }
    }

    /// Notes what begins and ends in an edge's literal, which stands at `at`.
    #[inline(always)]
    fn note_marks(&self, edge: &Edge, at: u32, unknown: &mut Unknown, aside: &mut Shelf) {
        let (first, count) = edge.marks;
        if count != 0 {
            for mark in &self.marks[first as usize..][..usize::from(count)] {
                mark.note(at, unknown, aside);
            }
        }
    }
}

/// Whether following has paid lately.
#[derive(Debug, Clone, Copy, Default)]
struct Luck {
    /// Lines of this window that were tried, and those that were followed.
    tried: u32,
    followed: u32,
    /// Lines to go that are not tried.
    rest: u32,
    /// Most lines of the last window were followed.
    is_good: bool,
}

/// Lines of a window.
const WINDOW: u32 = 1024;
/// Lines that are not tried after a window without luck: its producers write keys in no fixed order.
const REST: u32 = 16 * WINDOW;

impl Memo {
    /// Whether the next line is worth trying.
    #[inline(always)]
    pub(crate) fn has_luck(&mut self) -> bool {
        if self.luck.rest == 0 {
            return true;
        }
        self.luck.rest -= 1;
        false
    }

    /// Notes whether a line could be followed that was tried.
    #[inline(always)]
    pub(crate) fn note(&mut self, followed: bool) {
        self.luck.tried += 1;
        self.luck.followed += u32::from(followed);
        if self.luck.tried == WINDOW {
            self.end_window();
        }
    }

    #[cold]
    fn end_window(&mut self) {
        let Luck { followed, .. } = self.luck;
        self.luck = Luck { is_good: followed > WINDOW / 16 * 15, ..Luck::default() };
        if followed < WINDOW / 2 {
            self.luck.rest = REST;
            self.forget();
        } else if !self.luck.is_good && self.edges.len() == MOST_EDGES {
            // Producers have changed: what was learnt of the old ones takes the room of the new.
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.edges.clear();
        self.marks.clear();
        self.types.clear();
        self.envelope = NONE;
    }
}

impl Mark {
    fn note(self, literal_start: u32, unknown: &mut Unknown, aside: &mut Shelf) {
        let place = literal_start + u32::from(self.offset);
        match self.part {
            Part::KeyStart => unknown.key.0 = place,
            Part::KeyEnd => unknown.key.1 = place,
            Part::ValueStart => unknown.value.0 = place,
            Part::ValueEnd { in_payload } => {
                aside.unknown.push(Unknown { in_payload, value: (unknown.value.0, place), ..*unknown });
            }
        }
    }
}
