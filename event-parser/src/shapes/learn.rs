//! Learning: a line that has been walked is taken apart into literals and values, and becomes a shape.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use super::literal::{LITERAL_BYTES, Literal};
use super::{Anchor, Frame, MOST_ALIKE, MOST_SHAPES, Member, NONE, Other, Shape, Shapes, Text};
use crate::walk::{EVENT_TYPE, Line, NOWHERE, PROPERTIES, Row, Slot, SlotKind, Unknown};

/// Structures remembered that were seen once; a power of two.
const SEEN: usize = 256;
/// The most structures that something was made of, remembered as such.
const MOST_DONE: usize = 4 * MOST_SHAPES;
/// The longest line that is learnt.
const LINE_BYTES: usize = 32 << 10;
/// The longest name of a type whose lines are learnt.
const NAME_BYTES: u32 = 64;
/// While most lines fit, one of so many others is looked at.
const PATIENCE: u32 = 8;

/// Decides what is worth learning.
#[derive(Debug)]
pub(super) struct Learner {
    parts: Vec<Part>,
    /// Hashes of structures that were seen once: what does not come again is not worth a shape.
    seen: Box<[u64; SEEN]>,
    /// Hashes of structures that were made a shape of, or cannot be.
    done: HashSet<u64>,
    passed: u32,
}

impl Default for Learner {
    fn default() -> Learner {
        Learner { parts: Vec::new(), seen: Box::new([0; SEEN]), done: HashSet::new(), passed: 0 }
    }
}

/// A literal, as places in the chunk, and what stands after it.
#[derive(Debug, Clone, Copy)]
struct Part {
    start: usize,
    end: usize,
    /// The number of its first token in the line, and where that stands.
    token: u16,
    token_at: usize,
    after: After,
    slot: u8,
}

/// What stands after a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Text,
    Scalar,
    Nothing,
}

impl Shapes {
    /// Learns a line without control characters that has been walked; its row's strings are still where they stood in
    /// the line. `tokens` are the line's, with its newline.
    #[cold]
    pub(crate) fn learn(&mut self, line: Line<'_>, tokens: &[u32], row: &Row, unknown: &[Unknown]) {
        self.learner.passed += 1;
        let is_impatient = self.learner.passed.is_multiple_of(PATIENCE);
        if self.all.len() == MOST_SHAPES
            || line.end - line.start > LINE_BYTES
            || (self.luck.is_good && !is_impatient)
            || !is_plain(row)
        {
            return;
        }
        let mut parts = std::mem::take(&mut self.learner.parts);
        parts.clear();
        if take_apart(line, tokens, row, &mut parts).is_some()
            && self.learner.is_worth_it(line, &parts)
            && let Some(frame) = frame(line, tokens, row, unknown, &parts)
        {
            self.insert(line, tokens, row, frame);
        }
        self.learner.parts = parts;
    }

    /// Adds a shape, after those of lines alike, unless it is one of them.
    fn insert(&mut self, line: Line<'_>, tokens: &[u32], row: &Row, frame: Frame) {
        let name_start = row.slots[EVENT_TYPE].start;
        let Some(seat) = tokens.iter().position(|token| token + 1 == name_start) else { return };
        let number = self.all.len() as u32;
        let first = self.dealer.first_or_insert(line.bytes, tokens, seat as u16, number);
        let Some(mut other) = first else { return };
        if other != number {
            for alike in 0.. {
                let shape = &self.all[other as usize];
                if shape.frame == frame || alike == MOST_ALIKE {
                    return;
                }
                if shape.next == NONE {
                    break;
                }
                other = shape.next;
            }
            self.all[other as usize].next = number;
        }
        self.all.push(Shape { frame, next: NONE });
        self.waiting.push(Vec::new());
    }
}

impl Learner {
    /// Whether a line of that structure was seen before, but nothing made of it; from now on something was.
    fn is_worth_it(&mut self, line: Line<'_>, parts: &[Part]) -> bool {
        let mut hasher = FixedState::default().build_hasher();
        for part in parts {
            hasher.write(&line.bytes[part.start..part.end]);
            hasher.write_u8(part.slot);
            hasher.write_u8(part.after as u8);
        }
        let hash = hasher.finish();
        let seen = &mut self.seen[hash as usize % SEEN];
        if std::mem::replace(seen, hash) != hash || self.done.contains(&hash) {
            return false;
        }
        if self.done.len() == MOST_DONE {
            self.done.clear();
        }
        self.done.insert(hash)
    }

    /// What was made of structures is gone.
    pub(super) fn forget(&mut self) {
        self.done.clear();
    }
}

/// Whether every slot holds what one value of a shape can hold.
fn is_plain(row: &Row) -> bool {
    let event_type = row.slots[EVENT_TYPE];
    let is_routed = event_type.kind == SlotKind::CleanString
        && (1..=NAME_BYTES).contains(&(event_type.end - event_type.start));
    let is_one_value = |(place, slot): (usize, &Slot)| match place {
        PROPERTIES => matches!(slot.kind, SlotKind::Absent | SlotKind::Object),
        _ => !matches!(slot.kind, SlotKind::Twice | SlotKind::Object | SlotKind::Array),
    };
    is_routed && row.slots.iter().enumerate().all(is_one_value)
}

/// The parts of a line, its newline counted in; `None` for one that has no shape: with escapes in keys, or with
/// numbers, booleans or nulls that no token stands between, as in `[1,2]`.
fn take_apart(line: Line<'_>, tokens: &[u32], row: &Row, parts: &mut Vec<Part>) -> Option<()> {
    let Line { bytes, start, end, .. } = line;
    // The next token, as a number.
    let mut token = 0;
    let (mut at, mut literal) = (start, start);
    let mut end_literal = |literal: &mut usize, to: usize, after: After, value: (usize, usize)| {
        let first = tokens.partition_point(|at| (*at as usize) < *literal);
        let token_at = *tokens.get(first)? as usize;
        let slot = slot_of(row, value.0);
        parts.push(Part { start: *literal, end: to, token: first as u16, token_at, after, slot });
        *literal = value.1;
        (token_at < to).then_some(())
    };
    while at < end {
        match bytes[at] {
            b'"' => {
                let closing = *tokens.get(token + 1)? as usize;
                token += 2;
                let after = bytes[closing + 1..end].iter().find(|byte| !matches!(byte, b' ' | b'\t'));
                if after == Some(&b':') {
                    // A key, which is a part of the literal: as it stands, so it has to be without escapes.
                    if bytes[at..closing].contains(&b'\\') {
                        return None;
                    }
                } else if at + 1 != row.slots[EVENT_TYPE].start as usize {
                    end_literal(&mut literal, at + 1, After::Text, (at + 1, closing))?;
                }
                at = closing + 1;
            }
            b'{' | b'}' | b'[' | b']' | b':' | b',' | b' ' | b'\t' => at += 1,
            _ => {
                let is_scalar =
                    |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E');
                let length = bytes[at..end].iter().take_while(|byte| is_scalar(byte)).count();
                end_literal(&mut literal, at, After::Scalar, (at, at + length))?;
                at += length;
            }
        }
    }
    let newline = *tokens.last()? as usize;
    end_literal(&mut literal, newline + 1, After::Nothing, (newline + 1, newline + 1))
}

/// The slot of the value that begins at a place.
fn slot_of(row: &Row, start: usize) -> u8 {
    let holds = |slot: &Slot| slot.kind != SlotKind::Absent && slot.start as usize == start;
    let place = row.slots.iter().position(holds).filter(|place| *place != PROPERTIES);
    place.unwrap_or(NOWHERE) as u8
}

/// Puts the parts of a line together; `None` if places are too far apart.
fn frame(line: Line<'_>, tokens: &[u32], row: &Row, unknown: &[Unknown], parts: &[Part]) -> Option<Frame> {
    let (mut literals, mut scalars) = (Vec::new(), Vec::new());
    let (mut texts, mut others) = (Vec::new(), Vec::new());
    let quote = |start: u32| Some(tokens.binary_search(&(start - 1)).ok()? as u16);
    for (part, next) in parts.iter().zip(parts.iter().skip(1).map(Some).chain([None])) {
        for start in (part.start..part.end).step_by(LITERAL_BYTES) {
            let piece = &line.bytes[start..part.end.min(start + LITERAL_BYTES)];
            literals.push(Literal::new(piece, part.anchor(start)?));
        }
        let Some(next) = next else { break };
        let (start, end) = (part.anchor(part.end)?, next.anchor(next.start)?);
        let slot = part.slot;
        if part.after == After::Scalar {
            scalars.push((start, end));
            if usize::from(slot) < NOWHERE {
                others.push(Other { slot, start, end });
            }
        } else if usize::from(slot) < NOWHERE {
            texts.push(Text { slot, quote: quote(part.end as u32)? });
        }
    }
    let start_of = |at: u32| parts.iter().find(|part| part.end >= at as usize)?.anchor(at as usize);
    let end_of = |at: u32| parts.iter().rfind(|part| part.start <= at as usize)?.anchor(at as usize);
    texts.push(Text { slot: EVENT_TYPE as u8, quote: quote(row.slots[EVENT_TYPE].start)? });
    let payload = row.slots[PROPERTIES];
    if payload.kind != SlotKind::Absent {
        let (start, end) = (start_of(payload.start)?, end_of(payload.end)?);
        others.push(Other { slot: PROPERTIES as u8, start, end });
    }
    let member = |Unknown { in_payload, key, value }: &Unknown| {
        let [key, value] = [*key, *value].map(|(from, to)| Some((start_of(from)?, end_of(to)?)));
        Some(Member { in_payload: *in_payload, key: key?, value: value? })
    };
    Some(Frame {
        known: row.known,
        tokens: tokens.len(),
        first_token: tokens[0] - line.start as u32,
        unknown: unknown.iter().map(member).collect::<Option<_>>()?,
        literals,
        texts,
        others,
        scalars,
    })
}

impl Part {
    /// A place in the literal or at one of its ends, counted from its first token.
    fn anchor(&self, at: usize) -> Option<Anchor> {
        let offset = at.cast_signed() - self.token_at.cast_signed();
        Some(Anchor { token: self.token, offset: offset.try_into().ok()? })
    }
}
