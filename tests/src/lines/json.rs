//! JSON texts in every way of writing them.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A member of an object: key and value as they are written.
pub(super) type Member = (String, String);

/// A string's JSON text: plain, or with any of its characters escaped.
pub(super) fn string(value: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    // One way of writing for each character in turn: mostly all plain.
    let ways = prop_oneof![24 => Just(vec![0_u8]), 2 => vec(0..4_u8, 1..6), 1 => Just(vec![3])];
    (value, ways).prop_map(|(value, ways)| write_string(&value, &ways)).boxed()
}

/// Writes a string: way 1 prefers short escapes, 2 and 3 write `\u` in small and capital digits.
fn write_string(value: &str, ways: &[u8]) -> String {
    let mut text = String::from("\"");
    for (character, way) in value.chars().zip(ways.iter().cycle()) {
        let short = match character {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '/' if *way == 1 => Some("\\/"),
            '\u{8}' => Some("\\b"),
            '\u{c}' => Some("\\f"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            '\t' => Some("\\t"),
            _ => None,
        };
        match (way, short) {
            (2 | 3, _) | (_, None) if *way > 1 || character < ' ' => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ =
                        if *way == 3 { write!(text, "\\u{unit:04X}") } else { write!(text, "\\u{unit:04x}") };
                }
            }
            (_, Some(short)) => text += short,
            (_, None) => text.push(character),
        }
    }
    text + "\""
}

/// A key's JSON text.
pub(super) fn key(name: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    let ways = prop_oneof![40 => Just(vec![0_u8]), 1 => vec(0..4_u8, 1..6)];
    (name, ways).prop_map(|(name, ways)| write_string(&name, &ways)).boxed()
}

/// Text without control characters, of 1 to `max_bytes` bytes: short words mostly, any letters, the limit.
pub(super) fn good_text(max_bytes: usize) -> BoxedStrategy<String> {
    let any_letters = r"[^\x00-\x1f\x7f]{1,24}".prop_map(move |text: String| cut(&text, max_bytes));
    prop_oneof![
        20 => r"[a-zA-Z0-9_./ -]{1,12}",
        5 => any_letters,
        1 => Just("x".repeat(max_bytes)),
        1 => Just("é".repeat(max_bytes / 2)),
        1 => Just("😀".repeat(max_bytes / 4)),
    ]
    .boxed()
}

/// As many whole characters as fit.
fn cut(text: &str, max_bytes: usize) -> String {
    let mut end = text.len().min(max_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// The text of a number, of any magnitude.
pub(super) fn number() -> BoxedStrategy<String> {
    prop_oneof![
        4 => any::<i32>().prop_map(|value| value.to_string()),
        3 => "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?",
        1 => select(&["0", "-0", "-0.0", "1e999", "-1e999", "1e-999", "18446744073709551616"][..])
            .prop_map(str::to_owned),
    ]
    .boxed()
}

/// Any JSON value, of a few levels mostly; seldom as deep as the limit or with a lone surrogate.
pub(super) fn any_value() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        30 => select(&["null", "true", "false", "\"\"", "[]", "{}"][..]).prop_map(str::to_owned),
        40 => number(),
        40 => string(good_text(300)),
        10 => string(any::<String>()),
        1 => select(&["\"\\ud800\"", "\"\\ude00\"", "\"\\ud83dx\"", "\"\\ud83d\\u0041\""][..])
            .prop_map(str::to_owned),
        1 => (120..130_usize).prop_map(|depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth))),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        let members = vec((key(any_key()), inner.clone()), 0..4);
        prop_oneof![
            (vec(inner, 0..4), blanks()).prop_map(|(items, blanks)| array(&items, &blanks)),
            (members, blanks()).prop_map(|(members, blanks)| object(&members, &blanks)),
        ]
    })
    .boxed()
}

/// A key that is no field of the contract, or one of another place in it.
pub(super) fn any_key() -> BoxedStrategy<String> {
    let known_elsewhere =
        ["amount", "plan", "task_id", "session_id", "properties", "user_id", "score", "device"];
    prop_oneof![
        8 => "[a-z_]{1,8}",
        3 => any::<String>().prop_map(|key| cut(&key, 24)),
        2 => select(known_elsewhere.to_vec()).prop_map(str::to_owned),
        1 => select(&["", "a", "Event_id", "event_id ", "kind", "extra"][..]).prop_map(str::to_owned),
    ]
    .boxed()
}

/// Blanks to write between tokens, in turn. Mostly none at all.
pub(super) fn blanks() -> BoxedStrategy<Vec<String>> {
    prop_oneof![
        6 => Just(vec![String::new()]),
        1 => Just(vec![" ".to_owned()]),
        2 => vec("[ \t\r]{0,3}", 1..7),
    ]
    .boxed()
}

/// An object's text. The blanks stand in turn after and before every bracket, colon and comma.
pub(super) fn object(members: &[Member], blanks: &[String]) -> String {
    let mut gaps = blanks.iter().cycle();
    let mut gap = || gaps.next().map_or("", String::as_str);
    let mut text = format!("{{{}", gap());
    for (at, (key, value)) in members.iter().enumerate() {
        if at > 0 {
            let _ = write!(text, ",{}", gap());
        }
        let _ = write!(text, "{key}{}:{}{value}{}", gap(), gap(), gap());
    }
    text + "}"
}

fn array(items: &[String], blanks: &[String]) -> String {
    let mut gaps = blanks.iter().cycle();
    let mut gap = || gaps.next().map_or("", String::as_str);
    let items: Vec<String> = items.iter().map(|item| format!("{}{item}{}", gap(), gap())).collect();
    format!("[{}]", items.join(","))
}
