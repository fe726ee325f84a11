//! Messages that a producer's engineer can act on: what was expected, and what was found.

use event_schema::Reason;
use event_schema::registry::{Field, JsonType, Order, Rule};
use event_schema::value::{Date, is_control, visible};

use crate::reader::{Slot, SlotKind};

/// The most bytes of a value that a message shows.
const SHOWN_BYTES: usize = 80;

/// The message about a field whose slot has the text `text`.
#[cold]
pub(super) fn of_field(field: &Field, slot: Slot, text: &[u8], reason: Reason, batch_date: Date) -> String {
    let expected = expected(field, batch_date);
    match reason {
        Reason::DuplicateField => {
            "expected the field once, found it more than once in the same object".to_owned()
        }
        Reason::MissingField => format!("expected {expected}, found {}", nothing(slot)),
        Reason::WrongType => {
            let json_type = match field.rule.json_type() {
                // The expectation says it already.
                JsonType::Object | JsonType::Boolean => String::new(),
                json_type => format!(" (a JSON {json_type})"),
            };
            format!("expected {expected}{json_type}, found {}", value(slot, text))
        }
        _ => format!("expected {expected}, found {}{}", value(slot, text), detail(field.rule, text)),
    }
}

/// The message about an optional field that events of this type need, and that is absent, null or empty.
#[cold]
pub(super) fn of_field_needed_by_type(field: &Field, slot: Slot) -> String {
    let expected = Field { required: true, ..*field }.expected();
    format!("expected {expected}, for an event of this type needs it, found {}", nothing(slot))
}

/// The message about two fields out of order; `text` is the later one's.
#[cold]
pub(super) fn of_order(order: Order, text: &[u8]) -> String {
    let relation = if order.may_be_equal { "not before" } else { "after" };
    format!("expected a value {relation} `properties.{}`, found {}", order.earlier, quoted(text))
}

fn expected(field: &Field, batch_date: Date) -> String {
    match (field.rule, batch_date.plus_days(2)) {
        (Rule::EventTime, Some(end)) => format!(
            "an RFC 3339 time with an offset, like 2026-03-01T09:30:00.123Z, from 2000-01-01 and before \
             {end}T00:00:00Z (the batch date {batch_date} + 2 days)"
        ),
        (Rule::Text { max }, _) if field.required => {
            format!("1 to {max} bytes of text without control characters")
        }
        (rule, _) => rule.to_string(),
    }
}

/// What was found in place of a missing field.
fn nothing(slot: Slot) -> &'static str {
    match slot.kind {
        SlotKind::Null => "null",
        SlotKind::Absent => "nothing",
        _ => "an empty string",
    }
}

/// The value that was found, with its JSON type.
fn value(slot: Slot, text: &[u8]) -> String {
    match slot.kind {
        SlotKind::Number => format!("the number {}", shown(text)),
        SlotKind::True => "true".to_owned(),
        SlotKind::False => "false".to_owned(),
        SlotKind::Object => "an object".to_owned(),
        SlotKind::Array => "an array".to_owned(),
        SlotKind::Null => "null".to_owned(),
        _ => format!("the string {}", quoted(text)),
    }
}

/// What a shown text does not show: its length, a control character.
fn detail(rule: Rule, text: &[u8]) -> String {
    let Rule::Text { max } = rule else { return String::new() };
    if text.len() > max {
        return format!(" ({} bytes)", text.len());
    }
    match text.iter().position(|byte| is_control(*byte)) {
        Some(at) => format!(" (U+{:04X} at byte {})", text[at], at + 1),
        None => String::new(),
    }
}

fn quoted(text: &[u8]) -> String {
    format!("\"{}\"", shown(text))
}

/// The start of a text on one line, with invisible characters escaped.
fn shown(text: &[u8]) -> String {
    let start = String::from_utf8_lossy(&text[..text.len().min(SHOWN_BYTES)]);
    // A character cut at the end would show as the replacement character.
    let start = if text.len() > SHOWN_BYTES { start.trim_end_matches('\u{fffd}') } else { &start };
    let mut shown = visible(start);
    if text.len() > SHOWN_BYTES {
        shown.push('…');
    }
    shown
}
