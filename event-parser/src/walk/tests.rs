//! The grammar against `serde_json`, and the short way against the grammar.

use proptest::prelude::*;

use super::*;
use crate::arch::Backend;
use crate::index::Index;

/// What was read of a line.
struct Fields {
    row: Row,
    shelf: Shelf,
}

impl Fields {
    fn envelope(&self, place: usize) -> Slot {
        self.row.slots[place]
    }

    fn payload(&self, place: usize) -> Slot {
        self.row.slots[Row::in_payload(place)]
    }
}

/// Reads a line in the midst of a chunk.
fn read<T>(line: &str, walk: impl FnOnce(Line<'_>, &[u32], &mut Row, &mut Shelf) -> T) -> (T, Fields) {
    let (before, after) = ("{\"before\":1}\n", "}]\"}");
    let bytes = [before, line, after].concat().into_bytes();
    let length = bytes.len() - after.len();
    let mut index = Index::default();
    index.build(Backend::default(), &bytes, length);
    let indexed = index.lines(length).nth(1).expect("the line is not empty");
    let (start, end) = (indexed.start as usize, indexed.end as usize);
    let (mut row, mut shelf) = (Row::default(), Shelf::default());
    let line = Line { bytes: &bytes, start, end, quotes: index.quotes(&indexed) };
    let read = walk(line, index.odd(&indexed), &mut row, &mut shelf);
    (read, Fields { row, shelf })
}

fn scan(line: &str) -> (Result<(), LineError>, Fields) {
    let (verdict, fields) = read(line, |line, _, row, shelf| {
        let start = line.start;
        scanning(line, &Names::default(), row, shelf).map_err(|error| match error {
            LineError::Syntax { at, expected } => LineError::Syntax { at: at - start, expected },
            LineError::TooDeep { at } => LineError::TooDeep { at: at - start },
            LineError::NotAnObject => LineError::NotAnObject,
        })
    });
    (verdict, fields)
}

/// `None` where the grammar has to look at the line.
fn leap(line: &str) -> Option<Fields> {
    let (leapt, fields) = read(line, |line, odd, row, shelf| {
        leaping(line, odd, &Names::default(), &mut Members::default(), row, shelf)
    });
    leapt.map(|()| fields)
}

/// Text that is often nearly JSON.
fn nearly_json() -> impl Strategy<Value = String> {
    const TOKENS: [&str; 32] = [
        "\"",
        "\"",
        "\"",
        "{",
        "{",
        "}",
        "}",
        "[",
        "]",
        ":",
        ":",
        ",",
        ",",
        "\"event_type\"",
        "\"session\"",
        "\"properties\"",
        "\"os\"",
        "\"x\"",
        "null",
        "true",
        "-0.5e-3",
        "01",
        "1.",
        "12",
        " ",
        "é",
        "{\"a\":[1,{}]}",
        "\\",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\t",
    ];
    let token = prop::sample::select(&TOKENS[..]);
    prop::collection::vec(token, 1..24).prop_map(|tokens| tokens.concat())
}

/// JSON of any shape, put where an event's members stand.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "[a-z\"\\\\é\u{0}-\u{1f}]{0,6}".prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::vec((prop_oneof![Just("properties".to_owned()), ".{0,4}"], inner), 0..5)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// `serde_json`'s verdict. `\u` escapes of lone surrogates and numbers past a float's range are ours to judge.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}

fn agrees(line: &str) -> Result<(), TestCaseError> {
    let (verdict, fields) = scan(line);
    let accepted = !matches!(verdict, Err(LineError::Syntax { .. } | LineError::TooDeep { .. }));
    prop_assert_eq!(accepted, is_json(line), "{:?}: {:?}", line, verdict);
    if !line.is_empty() && !line.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        let has_two_payloads = line.matches("\"properties\"").count() > 1;
        match leap(line) {
            Some(leapt) => {
                prop_assert_eq!(verdict, Ok(()));
                prop_assert_eq!(spans(&fields), spans(&leapt));
                prop_assert_eq!(unknown(&fields), unknown(&leapt));
                prop_assert_eq!(fields.row.known, leapt.row.known);
                prop_assert_eq!(fields.row.has_payload, leapt.row.has_payload);
            }
            None => prop_assert!(verdict.is_err() || has_two_payloads, "{:?} was not read", line),
        }
    }
    Ok(())
}

fn spans(fields: &Fields) -> Vec<(bool, bool, u32, u32)> {
    let slots = fields.row.slots.iter();
    slots.map(|slot| (slot.kind.is_string(), slot.kind == SlotKind::Escaped, slot.start, slot.end)).collect()
}

/// The envelope's members first.
fn unknown(fields: &Fields) -> Vec<Unknown> {
    let mut unknown = fields.shelf.unknown.clone();
    unknown.sort_by_key(|member| member.in_payload);
    unknown
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn judges_json_as_serde_json_does(line in json().prop_map(|value| value.to_string())) {
        agrees(&line)?;
    }

    #[test]
    fn judges_nearly_json_as_serde_json_does(line in nearly_json()) {
        agrees(&line)?;
    }
}

#[test]
fn nests_128_deep_and_no_deeper() {
    let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    assert_eq!(scan(&nested(128)).0, Ok(()));
    assert!(leap(&nested(128)).is_some());
    assert!(leap(&nested(129)).is_none());
    assert_eq!(scan(&nested(129)).0, Err(LineError::TooDeep { at: 5 + 127 }));
    assert_eq!(scan(&"[".repeat(129)).0, Err(LineError::TooDeep { at: 128 }));
    assert_eq!(scan(&format!("{}{}", "[".repeat(128), "]".repeat(128))).0, Err(LineError::NotAnObject));
}

#[test]
fn a_payload_before_its_type_is_read_like_one_after_it() {
    let after = scan(r#"{"event_type":"session","properties":{"os":"ios","x":1}}"#).1;
    let before = scan(r#"{"properties":{"os":"ios","x":1},"event_type":"sess\u0069on"}"#).1;
    let leapt =
        leap(r#"{"propert\u0069es":{"os":"ios","x":1},"event_type":"session"}"#).expect("a good line");
    for fields in [&after, &before, &leapt] {
        assert_eq!(fields.row.known, Some(Known::Session));
        assert!(fields.row.has_payload);
        assert_eq!(fields.payload(3).end - fields.payload(3).start, 3);
        assert_eq!(fields.shelf.unknown.len(), 1);
    }
}

#[test]
fn keys_are_compared_after_unescaping() {
    let line = r#"{"user_id":"a","user\u005fid":"b","\u0075nknown":1}"#;
    let (verdict, scanned) = scan(line);
    assert_eq!(verdict, Ok(()));
    for fields in [scanned, leap(line).expect("a good line")] {
        assert_eq!(fields.envelope(2).kind, SlotKind::Twice);
        assert_eq!(fields.shelf.unknown.len(), 1);
    }
}

/// Nothing after a line's end is taken for a part of it.
#[test]
fn a_line_ends_where_it_ends() {
    for line in ["{\"a\":1", "{\"a\":[1,2", "{\"a\":\"b", "{\"a\":1}", "{\"a\":{\"b\":1}}  "] {
        assert_eq!(leap(line).is_some(), scan(line).0.is_ok(), "{line}");
    }
}

#[test]
fn every_event_type_of_the_contract_is_known() {
    for entity in event_schema::registry::ENTITIES {
        for event_type in entity.event_types {
            let known = Known::of(event_type.name.as_bytes()).expect("the parser knows every event type");
            assert_eq!(known.event_type(), event_type);
        }
    }
}
