//! The index walk: reads a valid line from token to token, in two passes.
//!
//! The first pass looks at what stands between strings, and lists the members of the event and of its payload. The second
//! puts their values into the slots of their keys. So the order of the keys does not matter. Lines that are not JSON, or
//! have two payloads, are left to the strict parser ([`super::strict`]), which says what is wrong.

#![expect(clippy::inline_always, reason = "compiled for each instruction set")]

use event_schema::registry::ENVELOPE;

use super::keys::{KeyTable, KeyTables};
use super::slots::{Arena, LineSlots};
use super::strict::{find, payload_kind, with_unescaped};
use super::{Line, MAX_DEPTH, Slot, SlotKind, UnknownMember, are_escapes_valid, scalar};
use crate::contract::{EVENT_TYPE, PROPERTIES};

/// The members of a line's objects, in order. The memory is reused from line to line.
#[derive(Debug, Default)]
pub(crate) struct Members {
    envelope: Vec<Member>,
    payload: Vec<Member>,
    has_payload: bool,
}

/// A member of an object. Strings with escapes are not unescaped.
#[derive(Debug, Clone, Copy)]
struct Member {
    key: Slot,
    value: Slot,
}

/// Reads a valid line without control characters into an empty row; `backslashes` are those of the line. `None`, and
/// nothing is read, where the strict parser has to read it: [`super::read_strictly`].
#[inline(always)]
pub(crate) fn read_by_index(
    line: Line<'_>,
    backslashes: &[u32],
    keys: &KeyTables,
    members: &mut Members,
    row: &mut LineSlots,
    arena: &mut Arena,
) -> Option<()> {
    let Line { bytes, start, end, quotes } = line;
    if !backslashes.is_empty() && !are_escapes_valid(&bytes[..end], backslashes) {
        return None;
    }
    IndexWalk { bytes, at: start, quotes, backslashes }.event(end, members, arena)?;
    let first_unknown = arena.unknown.len() as u32;
    fill(bytes, &members.envelope, (&keys.envelope, 0), row, arena);
    row.kind = payload_kind(bytes, row.slots[EVENT_TYPE], arena);
    if let Some(kind) = row.kind
        && members.has_payload
    {
        row.has_payload = true;
        fill(bytes, &members.payload, (keys.of(kind), LineSlots::in_payload(0)), row, arena);
    }
    row.unknown = (first_unknown, arena.unknown.len() as u32);
    Some(())
}

/// Puts the values of an object's members into the slots of its fields, of which the first is given.
#[inline(always)]
fn fill(
    bytes: &[u8],
    members: &[Member],
    (keys, first): (&KeyTable, usize),
    row: &mut LineSlots,
    arena: &mut Arena,
) {
    for Member { key, value } in members {
        match find(keys, bytes, *key, arena) {
            Some(field) => row.set(first + field, *value),
            None => arena.unknown.push(UnknownMember {
                in_payload: first > 0,
                key: key.with_quotes(),
                value: value.with_quotes(),
            }),
        }
    }
}

/// A position in a line, and the tokens after it.
struct IndexWalk<'a> {
    /// The chunk, and the bytes after it: that the walk has not left the line is checked at its end.
    bytes: &'a [u8],
    at: usize,
    quotes: &'a [u32],
    backslashes: &'a [u32],
}

impl IndexWalk<'_> {
    /// Lists the members of the event in a line that ends at `end`.
    #[inline(always)]
    fn event(mut self, end: usize, members: &mut Members, arena: &mut Arena) -> Option<()> {
        let Members { envelope, payload, has_payload } = members;
        envelope.clear();
        payload.clear();
        *has_payload = false;
        if self.peek()? != b'{' {
            return None;
        }
        self.members(envelope, 1, |walk, key| {
            let text = &walk.bytes[key.start as usize..key.end as usize];
            let is_payload = |text: &[u8]| text == ENVELOPE[PROPERTIES].name.as_bytes();
            let is_payload = match key.kind {
                SlotKind::Escaped => with_unescaped(text, arena, is_payload),
                _ => is_payload(text),
            };
            if !is_payload {
                walk.nested(1)
            } else if std::mem::replace(has_payload, true) {
                None
            } else {
                walk.members(payload, 2, |walk, _| walk.nested(2))
            }
        })?;
        while self.at < end && self.bytes[self.at] == b' ' {
            self.at += 1;
        }
        (self.at == end).then_some(())
    }

    /// Lists the members of the object that begins here, at depth `levels`. `object` steps over a member's object.
    #[inline(always)]
    fn members(
        &mut self,
        members: &mut Vec<Member>,
        levels: u32,
        mut object: impl FnMut(&mut Self, Slot) -> Option<()>,
    ) -> Option<()> {
        self.at += 1;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            let key = self.key()?;
            let value = match self.peek()? {
                b'"' => self.string()?,
                b'{' => {
                    let start = self.at as u32;
                    object(self, key)?;
                    Slot { kind: SlotKind::Object, start, end: self.at as u32 }
                }
                b'[' => {
                    let start = self.at as u32;
                    self.nested(levels)?;
                    Slot { kind: SlotKind::Array, start, end: self.at as u32 }
                }
                _ => self.scalar()?,
            };
            members.push(Member { key, value });
            let after = self.peek()?;
            self.at += 1;
            match after {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// The byte after any blanks: in a line without control characters these are spaces.
    #[inline(always)]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at)? {
                b' ' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    /// Steps over a key and its colon.
    #[inline(always)]
    fn key(&mut self) -> Option<Slot> {
        self.peek()?;
        let key = self.string()?;
        let colon = self.peek()?;
        self.at += 1;
        (colon == b':').then_some(key)
    }

    /// Steps over a string, if one begins here.
    #[inline(always)]
    fn string(&mut self) -> Option<Slot> {
        let [open, close, rest @ ..] = self.quotes else { return None };
        if *open as usize != self.at {
            return None;
        }
        self.quotes = rest;
        self.at = *close as usize + 1;
        let kind = match self.backslashes {
            [first, ..] if first < close => self.pass_backslashes(*close),
            _ => SlotKind::CleanString,
        };
        Some(Slot { kind, start: open + 1, end: *close })
    }

    #[cold]
    fn pass_backslashes(&mut self, end: u32) -> SlotKind {
        let passed = self.backslashes.iter().take_while(|at| **at < end).count();
        self.backslashes = &self.backslashes[passed..];
        SlotKind::Escaped
    }

    /// Steps over a number, boolean or null.
    #[inline(always)]
    fn scalar(&mut self) -> Option<Slot> {
        let start = self.at;
        self.at = scalar::end(self.bytes, start)?;
        let kind = scalar::kind(self.bytes, start, self.at)?;
        Some(Slot { kind, start: start as u32, end: self.at as u32 })
    }

    /// Steps over an object or array of any structure, inside `outer` levels.
    fn nested(&mut self, outer: u32) -> Option<()> {
        // The open levels, the innermost the lowest bit: 1 is an object. MAX_DEPTH of them fit.
        let mut open_objects: u128 = 0;
        let mut depth = 0;
        loop {
            match self.peek()? {
                bracket @ (b'{' | b'[') => {
                    if outer + depth == MAX_DEPTH {
                        return None;
                    }
                    let is_object = bracket == b'{';
                    self.at += 1;
                    if self.peek()? == if is_object { b'}' } else { b']' } {
                        self.at += 1;
                    } else {
                        open_objects = open_objects << 1 | u128::from(is_object);
                        depth += 1;
                        if is_object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                b'"' => {
                    self.string()?;
                }
                _ => {
                    self.scalar()?;
                }
            }
            // A value has ended: close what ends with it, up to the next value.
            loop {
                if depth == 0 {
                    return Some(());
                }
                let is_object = open_objects & 1 == 1;
                let after = self.peek()?;
                self.at += 1;
                match after {
                    b',' => {
                        if is_object {
                            self.key()?;
                        }
                        break;
                    }
                    b'}' if is_object => {}
                    b']' if !is_object => {}
                    _ => return None,
                }
                open_objects >>= 1;
                depth -= 1;
            }
        }
    }
}
