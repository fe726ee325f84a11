//! The strict parser against `serde_json` and simd-json, and the index walk against the strict parser.

use proptest::prelude::*;

use super::*;
use crate::arch::Backend;
use crate::index::Index;
use crate::payload_kind::PayloadKind;

/// What was read of a line.
struct Fields {
    row: LineSlots,
    arena: Arena,
}

impl Fields {
    fn envelope(&self, field: usize) -> Slot {
        self.row.slots[field]
    }

    fn payload(&self, field: usize) -> Slot {
        self.row.slots[LineSlots::in_payload(field)]
    }
}

/// Reads a line in the middle of a chunk.
fn read<T>(
    line: &str,
    reader: impl FnOnce(Line<'_>, &[u32], &mut LineSlots, &mut Arena) -> T,
) -> (T, Fields) {
    let (before, after) = ("{\"before\":1}\n", "}]\"}");
    let bytes = [before, line, after].concat().into_bytes();
    let length = bytes.len() - after.len();
    let mut index = Index::default();
    index.build(Backend::default(), &bytes, length);
    let indexed = index.lines(length).nth(1).expect("the line is not empty");
    let (start, end) = (indexed.start as usize, indexed.end as usize);
    let (mut row, mut arena) = (LineSlots::default(), Arena::default());
    let line = Line { bytes: &bytes, start, end, quotes: index.quotes(&indexed) };
    let read = reader(line, index.special(&indexed), &mut row, &mut arena);
    (read, Fields { row, arena })
}

fn strict(line: &str) -> (Result<(), LineError>, Fields) {
    let (verdict, fields) = read(line, |line, _, row, arena| {
        let start = line.start;
        read_strictly(line, &KeyTables::default(), row, arena).map_err(|error| match error {
            LineError::Syntax { at, expected } => LineError::Syntax { at: at - start, expected },
            LineError::TooDeep { at } => LineError::TooDeep { at: at - start },
            LineError::NotAnObject => LineError::NotAnObject,
        })
    });
    (verdict, fields)
}

/// `None` if the strict parser has to read the line.
fn by_index(line: &str) -> Option<Fields> {
    let (read, fields) = read(line, |line, special, row, arena| {
        read_by_index(line, special, &KeyTables::default(), &mut Members::default(), row, arena)
    });
    read.map(|()| fields)
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

/// JSON of any structure, with members where an event has them.
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

/// The verdict of `serde_json`.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}

/// The verdict of simd-json.
fn is_json_for_simd_json(text: &str) -> bool {
    simd_json::to_tape(&mut text.as_bytes().to_vec()).is_ok()
}

fn readers_agree(line: &str) -> Result<(), TestCaseError> {
    let (verdict, fields) = strict(line);
    let accepted = !matches!(verdict, Err(LineError::Syntax { .. } | LineError::TooDeep { .. }));
    prop_assert_eq!(accepted, is_json(line), "serde_json: {:?}: {:?}", line, verdict);
    prop_assert_eq!(accepted, is_json_for_simd_json(line), "simd-json: {:?}: {:?}", line, verdict);
    if !line.is_empty() && !line.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        let has_two_payloads = line.matches("\"properties\"").count() > 1;
        match by_index(line) {
            Some(indexed) => {
                prop_assert_eq!(verdict, Ok(()));
                prop_assert_eq!(spans(&fields), spans(&indexed));
                prop_assert_eq!(unknown(&fields), unknown(&indexed));
                prop_assert_eq!(fields.row.kind, indexed.row.kind);
                prop_assert_eq!(fields.row.has_payload, indexed.row.has_payload);
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
fn unknown(fields: &Fields) -> Vec<UnknownMember> {
    let mut unknown = fields.arena.unknown.clone();
    unknown.sort_by_key(|member| member.in_payload);
    unknown
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn judges_json_as_other_parsers_do(line in json().prop_map(|value| value.to_string())) {
        readers_agree(&line)?;
    }

    #[test]
    fn judges_nearly_json_as_other_parsers_do(line in nearly_json()) {
        readers_agree(&line)?;
    }
}

#[test]
fn nests_128_deep_and_no_deeper() {
    let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    assert_eq!(strict(&nested(128)).0, Ok(()));
    assert!(by_index(&nested(128)).is_some());
    assert!(by_index(&nested(129)).is_none());
    assert_eq!(strict(&nested(129)).0, Err(LineError::TooDeep { at: 5 + 127 }));
    assert_eq!(strict(&"[".repeat(129)).0, Err(LineError::TooDeep { at: 128 }));
    assert_eq!(strict(&format!("{}{}", "[".repeat(128), "]".repeat(128))).0, Err(LineError::NotAnObject));
}

#[test]
fn a_payload_before_its_type_is_read_like_one_after_it() {
    let after = strict(r#"{"event_type":"session","properties":{"os":"ios","x":1}}"#).1;
    let before = strict(r#"{"properties":{"os":"ios","x":1},"event_type":"sess\u0069on"}"#).1;
    let indexed =
        by_index(r#"{"propert\u0069es":{"os":"ios","x":1},"event_type":"session"}"#).expect("a good line");
    for fields in [&after, &before, &indexed] {
        assert_eq!(fields.row.kind, Some(PayloadKind::Session));
        assert!(fields.row.has_payload);
        assert_eq!(fields.payload(3).end - fields.payload(3).start, 3);
        assert_eq!(fields.arena.unknown.len(), 1);
    }
}

#[test]
fn keys_are_compared_after_unescaping() {
    let line = r#"{"user_id":"a","user\u005fid":"b","\u0075nknown":1}"#;
    let (verdict, read) = strict(line);
    assert_eq!(verdict, Ok(()));
    for fields in [read, by_index(line).expect("a good line")] {
        assert_eq!(fields.envelope(2).kind, SlotKind::Repeated);
        assert_eq!(fields.arena.unknown.len(), 1);
    }
}

/// Bytes after a line's end are not read as a part of it.
#[test]
fn reading_stops_at_the_end_of_the_line() {
    for line in ["{\"a\":1", "{\"a\":[1,2", "{\"a\":\"b", "{\"a\":1}", "{\"a\":{\"b\":1}}  "] {
        assert_eq!(by_index(line).is_some(), strict(line).0.is_ok(), "{line}");
    }
}

#[test]
fn every_event_type_of_the_contract_is_known() {
    for entity in event_schema::registry::ENTITIES {
        for event_type in entity.event_types {
            let kind =
                PayloadKind::of(event_type.name.as_bytes()).expect("the parser knows every event type");
            assert_eq!(kind.event_type(), event_type);
        }
    }
}
