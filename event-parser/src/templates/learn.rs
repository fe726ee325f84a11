//! Learning: a line that the reader has read is split into literals and values, and becomes a template.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use super::literal::{LITERAL_BYTES, Literal};
use super::{
    Anchor, Entry, MAX_ALTERNATIVES, MAX_TEMPLATES, NONE, OtherValue, StringValue, Template, Templates,
    UnknownPosition,
};
use crate::contract::{EVENT_TYPE, IGNORED_SLOT, PROPERTIES};
use crate::reader::{Line, LineSlots, Slot, SlotKind, UnknownMember};

/// How many structures seen once are remembered; a power of two.
const SEEN: usize = 256;
/// The most structures that are remembered as done.
const MAX_DONE: usize = 4 * MAX_TEMPLATES;
/// The longest line that becomes a template.
const LINE_BYTES: usize = 32 << 10;
/// The longest event type of a template.
const NAME_BYTES: u32 = 64;
/// While the hit rate is high, one of so many unmatched lines is considered.
const SAMPLING: u32 = 8;

/// Decides which lines become templates.
#[derive(Debug)]
pub(super) struct Learner {
    parts: Vec<Part>,
    /// Hashes of structures that were seen once: a structure that does not recur needs no template.
    seen: Box<[u64; SEEN]>,
    /// Hashes of structures that have a template, or cannot have one.
    done: HashSet<u64>,
    /// Unmatched lines so far.
    unmatched: u32,
}

impl Default for Learner {
    fn default() -> Learner {
        Learner { parts: Vec::new(), seen: Box::new([0; SEEN]), done: HashSet::new(), unmatched: 0 }
    }
}

/// A literal, as positions in the chunk, and the value after it.
#[derive(Debug, Clone, Copy)]
struct Part {
    start: usize,
    end: usize,
    /// The number of its first token in the line, and that token's position.
    token: u16,
    token_at: usize,
    after: After,
    slot: u8,
}

/// The kind of value after a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    String,
    Scalar,
    Nothing,
}

impl Templates {
    /// Considers a line without control characters that has been read; its row's strings are not unescaped yet.
    /// `tokens` are those of the line, including its newline.
    #[cold]
    pub(crate) fn learn(
        &mut self,
        line: Line<'_>,
        tokens: &[u32],
        row: &LineSlots,
        unknown: &[UnknownMember],
    ) {
        self.learner.unmatched += 1;
        let is_sampled = self.learner.unmatched.is_multiple_of(SAMPLING);
        if self.all.len() == MAX_TEMPLATES
            || line.end - line.start > LINE_BYTES
            || (self.hit_rate.is_high && !is_sampled)
            || !is_plain(row)
        {
            return;
        }
        let mut parts = std::mem::take(&mut self.learner.parts);
        parts.clear();
        if split(line, tokens, row, &mut parts).is_some()
            && self.learner.is_new(line, &parts)
            && let Some(template) = template(line, tokens, row, unknown, &parts)
        {
            self.insert(line, tokens, row, template);
        }
        self.learner.parts = parts;
    }

    /// Adds a template after those of the same event type and number of tokens, unless it is one of them.
    fn insert(&mut self, line: Line<'_>, tokens: &[u32], row: &LineSlots, template: Template) {
        let name_start = row.slots[EVENT_TYPE].start;
        let Some(position) = tokens.iter().position(|token| token + 1 == name_start) else { return };
        let number = self.all.len() as u32;
        let first = self.dispatcher.first_or_insert(line.bytes, tokens, position as u16, number);
        let Some(mut other) = first else { return };
        if other != number {
            for alternative in 0.. {
                let entry = &self.all[other as usize];
                if entry.template == template || alternative == MAX_ALTERNATIVES {
                    return;
                }
                if entry.next == NONE {
                    break;
                }
                other = entry.next;
            }
            self.all[other as usize].next = number;
        }
        self.all.push(Entry { template, next: NONE });
        self.candidates.push(Vec::new());
    }
}

impl Learner {
    /// Whether a line of this structure was seen before, and the structure is not done; from now on it is.
    fn is_new(&mut self, line: Line<'_>, parts: &[Part]) -> bool {
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
        if self.done.len() == MAX_DONE {
            self.done.clear();
        }
        self.done.insert(hash)
    }

    /// Forgets which structures are done: their templates are gone.
    pub(super) fn forget(&mut self) {
        self.done.clear();
    }
}

/// Whether every slot has a value that a template can have.
fn is_plain(row: &LineSlots) -> bool {
    let event_type = row.slots[EVENT_TYPE];
    let is_routed = event_type.kind == SlotKind::CleanString
        && (1..=NAME_BYTES).contains(&(event_type.end - event_type.start));
    let is_one_value = |(slot, value): (usize, &Slot)| match slot {
        PROPERTIES => matches!(value.kind, SlotKind::Absent | SlotKind::Object),
        _ => !matches!(value.kind, SlotKind::Repeated | SlotKind::Object | SlotKind::Array),
    };
    is_routed && row.slots.iter().enumerate().all(is_one_value)
}

/// The parts of a line, including its newline. `None` for a line that cannot have a template: with escapes in keys, or
/// with numbers, booleans or nulls without a token between them, as in `[1,2]`.
fn split(line: Line<'_>, tokens: &[u32], row: &LineSlots, parts: &mut Vec<Part>) -> Option<()> {
    let Line { bytes, start, end, .. } = line;
    // The number of the next token.
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
                    // A key is part of the literal, compared byte for byte: it must have no escapes.
                    if bytes[at..closing].contains(&b'\\') {
                        return None;
                    }
                } else if at + 1 != row.slots[EVENT_TYPE].start as usize {
                    end_literal(&mut literal, at + 1, After::String, (at + 1, closing))?;
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

/// The slot of the value that begins at a position.
fn slot_of(row: &LineSlots, start: usize) -> u8 {
    let holds = |slot: &Slot| slot.kind != SlotKind::Absent && slot.start as usize == start;
    let slot = row.slots.iter().position(holds).filter(|slot| *slot != PROPERTIES);
    slot.unwrap_or(IGNORED_SLOT) as u8
}

/// The template of a line; `None` if positions are too far apart.
fn template(
    line: Line<'_>,
    tokens: &[u32],
    row: &LineSlots,
    unknown: &[UnknownMember],
    parts: &[Part],
) -> Option<Template> {
    let (mut literals, mut scalars) = (Vec::new(), Vec::new());
    let (mut strings, mut others) = (Vec::new(), Vec::new());
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
            if usize::from(slot) < IGNORED_SLOT {
                others.push(OtherValue { slot, start, end });
            }
        } else if usize::from(slot) < IGNORED_SLOT {
            strings.push(StringValue { slot, quote: quote(part.end as u32)? });
        }
    }
    let start_of = |at: u32| parts.iter().find(|part| part.end >= at as usize)?.anchor(at as usize);
    let end_of = |at: u32| parts.iter().rfind(|part| part.start <= at as usize)?.anchor(at as usize);
    strings.push(StringValue { slot: EVENT_TYPE as u8, quote: quote(row.slots[EVENT_TYPE].start)? });
    let payload = row.slots[PROPERTIES];
    if payload.kind != SlotKind::Absent {
        let (start, end) = (start_of(payload.start)?, end_of(payload.end)?);
        others.push(OtherValue { slot: PROPERTIES as u8, start, end });
    }
    let member = |UnknownMember { in_payload, key, value }: &UnknownMember| {
        let [key, value] = [*key, *value].map(|(from, to)| Some((start_of(from)?, end_of(to)?)));
        Some(UnknownPosition { in_payload: *in_payload, key: key?, value: value? })
    };
    Some(Template {
        kind: row.kind,
        tokens: tokens.len(),
        first_token: tokens[0] - line.start as u32,
        unknown: unknown.iter().map(member).collect::<Option<_>>()?,
        literals,
        strings,
        others,
        scalars,
    })
}

impl Part {
    /// A position in the literal or at one of its ends, relative to its first token.
    fn anchor(&self, at: usize) -> Option<Anchor> {
        let offset = at.cast_signed() - self.token_at.cast_signed();
        Some(Anchor { token: self.token, offset: offset.try_into().ok()? })
    }
}
