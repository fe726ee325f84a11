//! How clients spell the same event: nearly all as the typed events do, some in their own way.

use event_schema::event::{Event, Payload};
use event_schema::value::Timestamp;
use serde_json::Value;

use crate::draw::{Draw, Topic, key};
use crate::plan::Spelling;
use crate::world::COMMENTS;

/// A client's way of writing JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Style {
    /// Compact, keys in the contract's order, times in UTC.
    #[default]
    Canonical,
    /// Keys sorted, a blank after each comma and colon, everything beyond ASCII escaped, as scripting
    /// languages write by default.
    Script,
    /// Compact, keys sorted, with fields of the client library that the contract does not know.
    Sdk,
    /// The time in the device's zone, with microseconds.
    LocalTime,
    /// As [`Style::Sdk`], with the keys of every object in any order.
    Shuffled,
    /// Compact, keys sorted, with a long text in the payload of the product's own events.
    Prose,
}

impl Style {
    pub(crate) fn draw(draw: &mut Draw) -> Style {
        match draw.below(1000) {
            0..10 => Style::Script,
            10..20 => Style::Sdk,
            20..27 => Style::LocalTime,
            _ => Style::Canonical,
        }
    }

    /// The style of a visit that would have `own` in a product of mixed clients.
    pub(crate) fn of(spelling: Spelling, own: Style) -> Style {
        match spelling {
            Spelling::Mixed => own,
            Spelling::Script => Style::Script,
            Spelling::Shuffled => Style::Shuffled,
            Spelling::Prose => Style::Prose,
        }
    }
}

/// Writes an event in one of the styles; what a style leaves open comes from the fact's key.
pub(crate) fn write(out: &mut Vec<u8>, event: &Event, style: Style, fact_key: u64) {
    let mut draw = Draw::new(key(fact_key, Topic::Spelling, 0));
    match style {
        Style::Canonical => {
            serde_json::to_writer(out, event).expect("an event serialises into memory");
        }
        Style::Script => {
            let tree = tree(event);
            sorted(out, &tree, true);
        }
        Style::Sdk => {
            sorted(out, &with_sdk(event), false);
        }
        Style::Shuffled => shuffled(out, &with_sdk(event), &mut draw),
        Style::Prose => {
            let mut tree = tree(event);
            if let Payload::Custom { .. } = event.payload() {
                let comments: Vec<&str> = (0..10 + draw.below(30)).map(|_| draw.pick(&COMMENTS)).collect();
                tree["properties"]["note"] = comments.join(" ").into();
            }
            sorted(out, &tree, false);
        }
        Style::LocalTime => {
            let time = event.envelope().event_time;
            let line = event.to_line().replacen(&time.to_string(), &local_time(time), 1);
            out.extend_from_slice(line.as_bytes());
        }
    }
}

fn tree(event: &Event) -> Value {
    serde_json::to_value(event).expect("an event is a tree of JSON")
}

/// The event with what a client library adds of its own.
fn with_sdk(event: &Event) -> Value {
    let mut tree = tree(event);
    let sdk = serde_json::json!({"name": "schoolbell-js", "version": "2.4.1", "retries": 0});
    tree["sdk"] = sdk;
    tree["properties"]["sdk_trace"] = "7f3a-91".into();
    tree
}

/// The same instant three hours ahead of UTC, as some clients write it.
fn local_time(time: Timestamp) -> String {
    let ahead = Timestamp::from_millis(time.millis() + 3 * 3_600_000);
    let ahead = ahead.expect("a plan's days end long before the contract's times").to_string();
    format!("{}457+03:00", ahead.trim_end_matches('Z'))
}

/// Keys in alphabetical order at every level, whatever order the tree itself keeps.
fn sorted(out: &mut Vec<u8>, value: &Value, script: bool) {
    let (comma, colon) = if script { (", ", ": ") } else { (",", ":") };
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|member| member.0);
            out.push(b'{');
            for (n, (key, value)) in members.into_iter().enumerate() {
                if n > 0 {
                    out.extend_from_slice(comma.as_bytes());
                }
                text(out, key, script);
                out.extend_from_slice(colon.as_bytes());
                sorted(out, value, script);
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.extend_from_slice(comma.as_bytes());
                }
                sorted(out, item, script);
            }
            out.push(b']');
        }
        Value::String(string) => text(out, string, script),
        other => serde_json::to_writer(out, other).expect("a scalar serialises into memory"),
    }
}

/// Keys in any order at every level.
fn shuffled(out: &mut Vec<u8>, value: &Value, draw: &mut Draw) {
    let Value::Object(members) = value else { return sorted(out, value, false) };
    let mut left: Vec<_> = members.iter().collect();
    // The same draws give the same line, whatever order the tree itself keeps.
    left.sort_unstable_by_key(|member| member.0);
    out.push(b'{');
    while !left.is_empty() {
        let (key, value) = left.swap_remove(draw.below(left.len() as u32) as usize);
        text(out, key, false);
        out.push(b':');
        shuffled(out, value, draw);
        if !left.is_empty() {
            out.push(b',');
        }
    }
    out.push(b'}');
}

fn text(out: &mut Vec<u8>, text: &str, only_ascii: bool) {
    let quoted = serde_json::to_string(text).expect("a text serialises into memory");
    if !only_ascii || quoted.is_ascii() {
        out.extend_from_slice(quoted.as_bytes());
        return;
    }
    for char in quoted.chars() {
        if char.is_ascii() {
            out.push(char as u8);
        } else {
            for unit in char.encode_utf16(&mut [0; 2]) {
                out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
        }
    }
}
