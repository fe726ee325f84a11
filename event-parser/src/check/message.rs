//! Messages that a producer's engineer can act on: what was expected, what stood there.

use event_schema::Reason;
use event_schema::registry::{Field, JsonType, Order, Rule};
use event_schema::value::{Date, is_control, visible};

use crate::walk::{Slot, SlotKind};

/// The most bytes of a value that a message shows.
const SHOWN_BYTES: usize = 80;

/// What is wrong with a field whose slot holds `text`.
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
                // Said already.
                JsonType::Object | JsonType::Boolean => String::new(),
                json_type => format!(" (a JSON {json_type})"),
            };
            format!("expected {expected}{json_type}, found {}", value(slot, text))
        }
        _ => format!("expected {expected}, found {}{}", value(slot, text), detail(field.rule, text)),
    }
}

/// What is wrong with an optional field that events of this type need, and that is absent, null or empty.
#[cold]
pub(super) fn of_needed_field(field: &Field, slot: Slot) -> String {
    let expected = Field { required: true, ..*field }.expected();
    format!("expected {expected}, for an event of this type needs it, found {}", nothing(slot))
}

/// What is wrong with two fields out of order; `text` is the later one's.
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

/// How a missing field is missing.
fn nothing(slot: Slot) -> &'static str {
    match slot.kind {
        SlotKind::Null => "null",
        SlotKind::Absent => "nothing",
        _ => "an empty string",
    }
}

/// The value that stood there, with its JSON type.
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

/// What cannot be seen in a text that is shown.
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

/// The start of a text on one line, characters that cannot be seen spelt out.
fn shown(text: &[u8]) -> String {
    let start = String::from_utf8_lossy(&text[..text.len().min(SHOWN_BYTES)]);
    // A character that is cut at the end shows as the replacement character: leave it out.
    let start = if text.len() > SHOWN_BYTES { start.trim_end_matches('\u{fffd}') } else { &start };
    let mut shown = visible(start);
    if text.len() > SHOWN_BYTES {
        shown.push('…');
    }
    shown
}
