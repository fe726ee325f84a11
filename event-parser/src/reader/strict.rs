//! The strict parser: one event from left to right by the grammar of RFC 8259.

#![expect(clippy::inline_always, reason = "compiled for each instruction set")]

use super::cursor::Cursor;
use super::keys::{KeyTable, KeyTables};
use super::slots::{Arena, LineSlots};
use super::strings::unescape;
use super::{LineError, Slot, SlotKind, UnknownMember};
use crate::contract::{EVENT_TYPE, PROPERTIES};
use crate::payload_kind::PayloadKind;
use crate::span::Span;

/// Reads a line into a row whose slots are empty.
pub(super) fn read(
    mut cursor: Cursor<'_>,
    keys: &KeyTables,
    row: &mut LineSlots,
    arena: &mut Arena,
) -> Result<(), LineError> {
    if cursor.peek() != Some(b'{') {
        cursor.value(0)?;
        end_of_line(&mut cursor)?;
        return Err(LineError::NotAnObject);
    }
    // The start of the payload, if it precedes the event's type.
    let mut unread_payload = None;
    members(&mut cursor, |cursor, key| {
        let Some(field) = find(&keys.envelope, cursor.line(), key, arena) else {
            return note_unknown(cursor, key, false, arena);
        };
        if field == PROPERTIES && cursor.peek() == Some(b'{') {
            let before = *cursor;
            let slot = match payload_kind(cursor.line(), row.slots[EVENT_TYPE], arena) {
                Some(kind) => read_payload(cursor, kind, keys, row, arena)?,
                None => {
                    unread_payload = Some(before);
                    cursor.value(1)?
                }
            };
            row.set(field, slot);
            return Ok(());
        }
        let slot = cursor.value(1)?;
        row.set(field, slot);
        Ok(())
    })?;
    end_of_line(&mut cursor)?;
    row.kind = payload_kind(cursor.line(), row.slots[EVENT_TYPE], arena);
    if let (Some(mut cursor), Some(kind)) = (unread_payload, row.kind) {
        read_payload(&mut cursor, kind, keys, row, arena)?;
    }
    Ok(())
}

/// Reads the object at `start` as the payload of a row whose kind is known.
pub(crate) fn read_payload_at(
    (bytes, start): (&[u8], u32),
    kind: PayloadKind,
    keys: &KeyTables,
    row: &mut LineSlots,
    arena: &mut Arena,
) -> Result<(), LineError> {
    let mut cursor = Cursor::new(bytes, start as usize);
    read_payload(&mut cursor, kind, keys, row, arena)?;
    end_of_line(&mut cursor)
}

fn end_of_line(cursor: &mut Cursor<'_>) -> Result<(), LineError> {
    if cursor.peek().is_some() { cursor.error("the end of the line after the object") } else { Ok(()) }
}

/// The contract's payload for an event's type, as far as the type has been read.
pub(super) fn payload_kind(bytes: &[u8], event_type: Slot, arena: &mut Arena) -> Option<PayloadKind> {
    let text = &bytes[event_type.start as usize..event_type.end as usize];
    match event_type.kind {
        SlotKind::CleanString | SlotKind::PlainString => PayloadKind::of(text),
        SlotKind::Escaped => with_unescaped(text, arena, PayloadKind::of),
        _ => None,
    }
}

/// Reads the payload's object, at which the cursor stands, into its slots.
fn read_payload(
    cursor: &mut Cursor<'_>,
    kind: PayloadKind,
    keys: &KeyTables,
    row: &mut LineSlots,
    arena: &mut Arena,
) -> Result<Slot, LineError> {
    row.has_payload = true;
    let start = cursor.at();
    members(cursor, |cursor, key| match find(keys.of(kind), cursor.line(), key, arena) {
        Some(field) => {
            let slot = cursor.value(2)?;
            row.set(LineSlots::in_payload(field), slot);
            Ok(())
        }
        None => note_unknown(cursor, key, true, arena),
    })?;
    Ok(Slot { kind: SlotKind::Object, start, end: cursor.at() })
}

/// Steps over an object, whose bracket has been peeked, and calls `member` at the start of each value.
fn members<'a>(
    cursor: &mut Cursor<'a>,
    mut member: impl FnMut(&mut Cursor<'a>, Slot) -> Result<(), LineError>,
) -> Result<(), LineError> {
    cursor.step();
    if cursor.peek() == Some(b'}') {
        cursor.step();
        return Ok(());
    }
    loop {
        let key = cursor.key()?;
        member(cursor, key)?;
        match cursor.peek() {
            Some(b',') => cursor.step(),
            Some(b'}') => {
                cursor.step();
                return Ok(());
            }
            _ => return cursor.error("`,` or `}`"),
        }
    }
}

/// The field that has a key, compared after unescaping.
#[inline(always)]
pub(super) fn find(keys: &KeyTable, bytes: &[u8], key: Slot, arena: &mut Arena) -> Option<usize> {
    let text = Span::new(bytes, key.start, key.end);
    match key.kind {
        SlotKind::Escaped => with_unescaped(&text, arena, |text| keys.find(Span::from(text))),
        _ => keys.find(text),
    }
}

/// Steps over the value of an unknown key, and notes both.
fn note_unknown(
    cursor: &mut Cursor<'_>,
    key: Slot,
    in_payload: bool,
    arena: &mut Arena,
) -> Result<(), LineError> {
    let value = cursor.value(1 + u32::from(in_payload))?;
    arena.unknown.push(UnknownMember { in_payload, key: key.with_quotes(), value: value.with_quotes() });
    Ok(())
}

/// The result of `look` on the unescaped form of a text with escapes.
pub(super) fn with_unescaped<T>(text: &[u8], arena: &mut Arena, look: impl FnOnce(&[u8]) -> T) -> T {
    let before = arena.unescaped.len();
    unescape(text, &mut arena.unescaped);
    let found = look(&arena.unescaped[before..]);
    arena.unescaped.truncate(before);
    found
}
