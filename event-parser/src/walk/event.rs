//! One event: the line's object, and the payload inside it.

use super::cursor::Cursor;
use super::fields::{EVENT_TYPE, Fields, Known, Name, PROPERTIES, Slots};
use super::strings::{Content, StringEnd, StringEnds, unescape};
use super::{LineError, Slot, SlotKind, Unknown};

/// Reads a line into the fields.
pub(super) fn read<S: StringEnds>(mut cursor: Cursor<'_, S>, fields: &mut Fields) -> Result<(), LineError> {
    if cursor.peek() != Some(b'{') {
        cursor.value(0)?;
        end_of_line(&mut cursor)?;
        return Err(LineError::NotAnObject);
    }
    let Fields { envelope, payload, payload_of, arena, names } = fields;
    // Where the payload stands, should it come before the event's type.
    let mut unread_payload = None;
    members(&mut cursor, |cursor, key| {
        let Some(place) = find(&names.envelope, envelope, cursor, &key, arena) else {
            return note_unknown(cursor, &key, 1, envelope);
        };
        if place == PROPERTIES && cursor.peek() == Some(b'{') {
            let before = *cursor;
            let slot = match known_type(cursor, envelope.slots[EVENT_TYPE], arena) {
                Some(known) => read_payload(cursor, known, names.of(known), payload, payload_of, arena)?,
                None => {
                    unread_payload = Some(before);
                    cursor.value(1)?
                }
            };
            envelope.set(place, slot);
            return Ok(());
        }
        let slot = cursor.value(1)?;
        envelope.set(place, keep_unescaped(cursor, slot, arena));
        Ok(())
    })?;
    end_of_line(&mut cursor)?;
    if let Some(mut cursor) = unread_payload
        && let Some(known) = known_type(&cursor, envelope.slots[EVENT_TYPE], arena)
    {
        read_payload(&mut cursor, known, names.of(known), payload, payload_of, arena)?;
    }
    Ok(())
}

fn end_of_line<S: StringEnds>(cursor: &mut Cursor<'_, S>) -> Result<(), LineError> {
    if cursor.peek().is_some() { cursor.error("the end of the line after the object") } else { Ok(()) }
}

/// The contract's payload for the event's type, as far as it is known by now.
fn known_type<S: StringEnds>(cursor: &Cursor<'_, S>, event_type: Slot, arena: &[u8]) -> Option<Known> {
    let (start, end) = (event_type.start as usize, event_type.end as usize);
    match event_type.kind {
        SlotKind::CleanString | SlotKind::PlainString => Known::of(cursor.slice(start, end)),
        SlotKind::Unescaped => Known::of(&arena[start..end]),
        _ => None,
    }
}

/// Reads the payload's object, where the cursor stands, into its slots.
fn read_payload<S: StringEnds, const N: usize>(
    cursor: &mut Cursor<'_, S>,
    known: Known,
    names: &[Name],
    payload: &mut Slots<N>,
    payload_of: &mut Option<Known>,
    arena: &mut Vec<u8>,
) -> Result<Slot, LineError> {
    payload.clear();
    *payload_of = Some(known);
    let start = cursor.at();
    members(cursor, |cursor, key| match find(names, payload, cursor, &key, arena) {
        Some(place) => {
            let slot = cursor.value(2)?;
            payload.set(place, keep_unescaped(cursor, slot, arena));
            Ok(())
        }
        None => note_unknown(cursor, &key, 2, payload),
    })?;
    Ok(Slot { kind: SlotKind::Object, start, end: cursor.at() })
}

/// A key in the line: where its text starts, and its end.
type Key = (usize, StringEnd);

/// Steps over an object, whose bracket has been peeked, calling `member` where each value begins.
fn members<'a, S: StringEnds>(
    cursor: &mut Cursor<'a, S>,
    mut member: impl FnMut(&mut Cursor<'a, S>, Key) -> Result<(), LineError>,
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

/// The place of a key among known fields, compared after unescaping.
fn find<S: StringEnds, const N: usize>(
    names: &[Name],
    slots: &mut Slots<N>,
    cursor: &Cursor<'_, S>,
    (start, end): &Key,
    arena: &mut Vec<u8>,
) -> Option<usize> {
    let text = cursor.slice(*start, end.quote);
    if end.content != Content::Escaped {
        return slots.find(names, text);
    }
    let before = arena.len();
    unescape(text, arena);
    let place = slots.find(names, &arena[before..]);
    arena.truncate(before);
    place
}

/// Steps over the value of a key that nobody knows, and notes both.
fn note_unknown<S: StringEnds, const N: usize>(
    cursor: &mut Cursor<'_, S>,
    (start, end): &Key,
    depth: u32,
    slots: &mut Slots<N>,
) -> Result<(), LineError> {
    cursor.peek();
    let value_start = cursor.at();
    cursor.value(depth)?;
    slots
        .unknown
        .push(Unknown { key: (*start as u32 - 1, end.quote as u32 + 1), value: (value_start, cursor.at()) });
    Ok(())
}

/// Moves a string with escapes into the arena.
fn keep_unescaped<S: StringEnds>(cursor: &Cursor<'_, S>, slot: Slot, arena: &mut Vec<u8>) -> Slot {
    if slot.kind != SlotKind::Unescaped {
        return slot;
    }
    let start = arena.len() as u32;
    unescape(cursor.slice(slot.start as usize, slot.end as usize), arena);
    Slot { kind: SlotKind::Unescaped, start, end: arena.len() as u32 }
}
