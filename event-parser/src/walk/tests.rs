//! The grammar against `serde_json`, and its two ways of finding strings against each other.

use proptest::prelude::*;

use super::*;
use crate::index::Index;

fn scan(line: &str) -> (Result<(), LineError>, Fields) {
    let mut fields = Fields::default();
    (scanning(line.as_bytes(), &mut fields), fields)
}

fn jump(line: &str) -> (Result<(), LineError>, Fields) {
    let mut index = Index::default();
    index.build(line.as_bytes());
    let indexed_line = index.lines(line.len()).next().expect("the line is not empty");
    let mut fields = Fields::default();
    (indexed(line.as_bytes(), &indexed_line, &mut fields), fields)
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
    let is_odd = |byte: u8| byte < 0x20 || byte == b'\\' || byte == 0x7f;
    if !line.is_empty() && !line.bytes().any(is_odd) {
        let (jumped, jumped_fields) = jump(line);
        prop_assert_eq!(verdict, jumped);
        let spans = |fields: &Fields| -> Vec<(bool, u32, u32)> {
            let slots = fields.envelope.slots.iter().chain(&fields.payload.slots);
            slots.map(|slot| (slot.kind.is_string(), slot.start, slot.end)).collect()
        };
        prop_assert_eq!(spans(&fields), spans(&jumped_fields));
    }
    Ok(())
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
    assert_eq!(jump(&nested(128)).0, Ok(()));
    assert_eq!(scan(&nested(129)).0, Err(LineError::TooDeep { at: 5 + 127 }));
    assert_eq!(scan(&"[".repeat(129)).0, Err(LineError::TooDeep { at: 128 }));
    assert_eq!(scan(&format!("{}{}", "[".repeat(128), "]".repeat(128))).0, Err(LineError::NotAnObject));
}

#[test]
fn a_payload_before_its_type_is_read_like_one_after_it() {
    let after = scan(r#"{"event_type":"session","properties":{"os":"ios","x":1}}"#).1;
    let before = scan(r#"{"properties":{"os":"ios","x":1},"event_type":"sess\u0069on"}"#).1;
    for fields in [&after, &before] {
        assert_eq!(fields.payload_of, Some(Known::Session));
        assert_eq!(fields.payload.slots[3].end - fields.payload.slots[3].start, 3);
        assert_eq!(fields.payload.unknown.len(), 1);
    }
}

#[test]
fn keys_are_compared_after_unescaping() {
    let fields = scan(r#"{"user_id":"a","user\u005fid":"b","\u0075nknown":1}"#).1;
    assert_eq!(fields.envelope.slots[2].kind, SlotKind::Twice);
    assert_eq!(fields.envelope.unknown.len(), 1);
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
