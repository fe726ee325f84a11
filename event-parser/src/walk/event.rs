//! One event by the grammar, from left to right: the line's object, and the payload inside it.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

use super::cursor::Cursor;
use super::fields::{EVENT_TYPE, Known, Names, ObjectNames, PROPERTIES, Row, Shelf};
use super::strings::unescape;
use super::{LineError, Slot, SlotKind, Unknown};
use crate::span::Span;

/// Reads a line into a row whose slots are empty.
pub(super) fn read(
    mut cursor: Cursor<'_>,
    names: &Names,
    row: &mut Row,
    shelf: &mut Shelf,
) -> Result<(), LineError> {
    if cursor.peek() != Some(b'{') {
        cursor.value(0)?;
        end_of_line(&mut cursor)?;
        return Err(LineError::NotAnObject);
    }
    // Where the payload stands, should it come before the event's type.
    let mut unread_payload = None;
    members(&mut cursor, |cursor, key| {
        let Some(place) = find(&names.envelope, cursor.line(), key, shelf) else {
            return note_unknown(cursor, key, false, shelf);
        };
        if place == PROPERTIES && cursor.peek() == Some(b'{') {
            let before = *cursor;
            let slot = match known_type(cursor.line(), row.slots[EVENT_TYPE], shelf) {
                Some(known) => read_payload(cursor, known, names, row, shelf)?,
                None => {
                    unread_payload = Some(before);
                    cursor.value(1)?
                }
            };
            row.set(place, slot);
            return Ok(());
        }
        let slot = cursor.value(1)?;
        row.set(place, slot);
        Ok(())
    })?;
    end_of_line(&mut cursor)?;
    row.known = known_type(cursor.line(), row.slots[EVENT_TYPE], shelf);
    if let (Some(mut cursor), Some(known)) = (unread_payload, row.known) {
        read_payload(&mut cursor, known, names, row, shelf)?;
    }
    Ok(())
}

fn end_of_line(cursor: &mut Cursor<'_>) -> Result<(), LineError> {
    if cursor.peek().is_some() { cursor.error("the end of the line after the object") } else { Ok(()) }
}

/// The contract's payload for the event's type, as far as it is known by now.
pub(super) fn known_type(bytes: &[u8], event_type: Slot, shelf: &mut Shelf) -> Option<Known> {
    let text = &bytes[event_type.start as usize..event_type.end as usize];
    match event_type.kind {
        SlotKind::CleanString | SlotKind::PlainString => Known::of(text),
        SlotKind::Escaped => with_unescaped(text, shelf, Known::of),
        _ => None,
    }
}

/// Reads the payload's object, where the cursor stands, into its slots.
fn read_payload(
    cursor: &mut Cursor<'_>,
    known: Known,
    names: &Names,
    row: &mut Row,
    shelf: &mut Shelf,
) -> Result<Slot, LineError> {
    row.has_payload = true;
    let start = cursor.at();
    members(cursor, |cursor, key| match find(names.of(known), cursor.line(), key, shelf) {
        Some(place) => {
            let slot = cursor.value(2)?;
            row.set(Row::in_payload(place), slot);
            Ok(())
        }
        None => note_unknown(cursor, key, true, shelf),
    })?;
    Ok(Slot { kind: SlotKind::Object, start, end: cursor.at() })
}

/// Steps over an object, whose bracket has been peeked, calling `member` where each value begins.
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

/// The place of a key among known fields, compared after unescaping.
#[inline(always)]
pub(super) fn find(names: &ObjectNames, bytes: &[u8], key: Slot, shelf: &mut Shelf) -> Option<usize> {
    let text = Span::new(bytes, key.start, key.end);
    match key.kind {
        SlotKind::Escaped => with_unescaped(&text, shelf, |text| names.find(Span::from(text))),
        _ => names.find(text),
    }
}

/// Steps over the value of a key that nobody knows, and notes both.
fn note_unknown(
    cursor: &mut Cursor<'_>,
    key: Slot,
    in_payload: bool,
    shelf: &mut Shelf,
) -> Result<(), LineError> {
    let value = cursor.value(1 + u32::from(in_payload))?;
    shelf.unknown.push(Unknown { in_payload, key: key.with_quotes(), value: value.with_quotes() });
    Ok(())
}

/// What `look` finds in a string whose text has escapes.
pub(super) fn with_unescaped<T>(text: &[u8], shelf: &mut Shelf, look: impl FnOnce(&[u8]) -> T) -> T {
    let before = shelf.unescaped.len();
    unescape(text, &mut shelf.unescaped);
    let found = look(&shelf.unescaped[before..]);
    shelf.unescaped.truncate(before);
    found
}
