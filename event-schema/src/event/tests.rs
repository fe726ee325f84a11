//! Written lines, and values that constructors reject.

use serde_json::json;

use super::*;
use crate::value::{Date, Timestamp};

fn envelope() -> Envelope {
    let mut envelope = Envelope::new(
        EventId::from_u128(0x018f_2c6e_7b1a_7c3d_9e4f_0123_4567_89ab),
        "u-1".parse().unwrap(),
        "2026-03-01T09:30:00.123Z".parse().unwrap(),
    );
    envelope.platform = Some("ios".parse().unwrap());
    envelope
}

#[test]
fn a_purchase_is_written_in_the_contracts_order() {
    let purchase = Purchase::new(
        "p-1".parse().unwrap(),
        "month".parse().unwrap(),
        "9.99".parse().unwrap(),
        "USD".parse().unwrap(),
        Period::new("2026-03-01".parse().unwrap(), "2026-04-01".parse().unwrap()).unwrap(),
    );
    assert_eq!(
        Event::new(envelope(), Payload::Purchase(purchase)).to_line(),
        r#"{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"purchase","user_id":"u-1","event_time":"2026-03-01T09:30:00.123Z","platform":"ios","properties":{"purchase_id":"p-1","plan":"month","amount":"9.99","currency":"USD","period_start":"2026-03-01","period_end":"2026-04-01","is_trial":false}}"#
    );
}

#[test]
fn a_session_puts_its_id_into_the_envelope() {
    let session = Session::new("s-9".parse().unwrap(), "2026-03-01T09:00:00Z".parse().unwrap());
    let line: serde_json::Value =
        serde_json::from_str(&Event::new(envelope(), Payload::Session(session)).to_line()).unwrap();
    assert_eq!(line["session_id"], "s-9");
    assert_eq!(line["properties"], json!({ "started_at": "2026-03-01T09:00:00.000Z" }));
}

#[test]
fn constructors_reject_what_a_loader_rejects() {
    assert!(CustomType::new("purchase").is_err());
    assert!(CustomType::new("").is_err());
    assert!(CustomType::new("lesson\topened").is_err());
    assert!(Share::new(f64::NAN).is_err());
    assert!(Share::new(1.000_001).is_err());
    let day: Date = "2026-03-01".parse().unwrap();
    assert!(Period::new(day, day).is_err());
    let start: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
    let before: Timestamp = "2026-03-01T08:59:59.999Z".parse().unwrap();
    assert!(Session::new("s".parse().unwrap(), start).ended_at(before).is_err());

    let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
    let properties = |value: serde_json::Value| Properties::new(value.as_object().unwrap().clone());
    assert!(properties(nested(Properties::MAX_DEPTH)).is_ok());
    assert_eq!(
        properties(nested(Properties::MAX_DEPTH + 1)),
        Err(PropertiesError::TooDeep { found: Properties::MAX_DEPTH + 1 })
    );
    assert!(properties(json!({ "a": "x".repeat(Properties::MAX_BYTES) })).is_err());
}

#[test]
fn a_line_is_parsed_back_to_the_event_that_wrote_it() {
    let mut result = TaskResult::new("algebra-1/7".parse().unwrap(), true);
    result.score = Some(Share::new(0.1).unwrap());
    result.duration_ms = Some(u32::MAX);
    for payload in [
        Payload::TaskResult(result),
        Payload::Session(Session::new("s-9".parse().unwrap(), "2026-03-01T09:00:00Z".parse().unwrap())),
        Payload::Custom {
            event_type: CustomType::new("lesson_opened").unwrap(),
            properties: Properties::new(json!({ "lesson": 7 }).as_object().unwrap().clone()).unwrap(),
        },
    ] {
        let event = Event::new(envelope(), payload);
        assert_eq!(event.to_line().parse(), Ok(event));
    }
}

#[test]
fn parsing_names_the_first_violation() {
    let good = Event::new(
        envelope(),
        Payload::Refund(Refund {
            purchase_id: "p".parse().unwrap(),
            amount: "9.99".parse().unwrap(),
            currency: "USD".parse().unwrap(),
        }),
    )
    .to_line();
    let changed = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to).parse::<Event>().unwrap_err().to_string()
    };
    assert_eq!(
        changed(r#""user_id":"u-1""#, r#""user_id":"u","user_id":"v""#),
        "duplicate_field user_id: expected the field once, found it more than once in the same object"
    );
    assert_eq!(
        changed(r#""purchase_id":"p","#, ""),
        "missing_field properties.purchase_id: expected 1 to 256 bytes of text without control characters, found nothing"
    );
    assert_eq!(
        changed(r#""USD""#, r#""usd""#),
        "invalid_value properties.currency: expected three letters A-Z, like USD, found \"usd\""
    );
    assert!(changed(r#""9.99""#, "-1").starts_with("out_of_range properties.amount: "));
    assert!(changed(r#""ios""#, "7").starts_with("wrong_type platform: "));
    assert!(changed("}}", "}").starts_with("invalid_json: "));
    assert!("[]".parse::<Event>().unwrap_err().to_string().starts_with("not_an_object: "));
    assert_eq!(good.replace(r#""9.99""#, "9.9900").parse(), good.parse::<Event>());
}
