//! Whole events: rows to the last column, and violations in their order.

use crate::reference::{Options, Reject, Row, Value, read};

fn row(line: &str) -> Row {
    let mut outcome = read(line.as_bytes(), &Options::default());
    assert_eq!(outcome.rejects, [], "{line}");
    outcome.rows.remove(0)
}

fn violations(line: &str) -> Vec<(&'static str, String)> {
    let outcome = read(line.as_bytes(), &Options::default());
    assert_eq!(outcome.rows, [], "{line}");
    let [Reject { reason, field, violations, .. }] = &outcome.rejects[..] else { panic!("one reject") };
    assert_eq!(violations[0], (*reason, field.clone()));
    violations.clone()
}

#[test]
fn every_column_of_a_purchase() {
    let row = row(
        r#"{"event_id":"0195B8E0-7D6A-4C1E-9F00-3B2A1C5D7E90","event_type":"purchase","user_id":"ü",
        "event_time":"2026-01-01 01:00:00.9999+01:00","country":"DE","properties":{"purchase_id":"p","plan":"m",
        "amount":0.5,"currency":"EUR","period_start":"1970-01-02","period_end":"2149-06-06","new":[ 1 ]},"x":1e999}"#
            .replace('\n', "")
            .as_str(),
    );
    assert_eq!((row.table, row.line), ("purchases", 1));
    assert_eq!(
        row.columns,
        [
            ("event_id", Value::text("0195b8e0-7d6a-4c1e-9f00-3b2a1c5d7e90")),
            ("event_type", Value::text("purchase")),
            ("user_id", Value::text("ü")),
            ("event_time", Value::Int(1_767_225_600_999)),
            ("session_id", Value::text("")),
            ("platform", Value::text("")),
            ("app_version", Value::text("")),
            ("country", Value::text("DE")),
            ("extra", Value::text(r#"{"x":1e999,"properties":{"new":[ 1 ]}}"#)),
            ("kind", Value::text("purchase")),
            ("purchase_id", Value::text("p")),
            ("plan", Value::text("m")),
            ("amount", Value::Int(5000)),
            ("currency", Value::text("EUR")),
            ("period_start", Value::Int(1)),
            ("period_end", Value::Int(65_535)),
            ("is_trial", Value::Bool(false)),
        ]
    );
}

#[test]
fn columns_stand_in_the_order_of_the_tables() {
    let envelope = r#""event_id":"0195b8e0-7d6a-4c1e-9f00-3b2a1c5d7e90","user_id":"u","event_time":"2026-01-01T00:00:00Z","session_id":"s""#;
    let names = |event_type: &str, properties: &str| {
        let row = row(&format!("{{{envelope},\"event_type\":\"{event_type}\",\"properties\":{properties}}}"));
        let names: Vec<_> = row.columns[9..].iter().map(|(name, _)| *name).collect();
        (row.table, names.join(" "))
    };
    assert_eq!(names("other", "{}"), ("events", "properties".into()));
    assert_eq!(
        names("refund", r#"{"purchase_id":"p","amount":1,"currency":"EUR"}"#),
        ("purchases", "kind purchase_id plan amount currency period_start period_end is_trial".into())
    );
    assert_eq!(
        names("task_result", r#"{"task_id":"t","is_correct":true}"#),
        (
            "task_results",
            "task_id course_id lesson_id is_correct score attempt duration_ms hints_used".into()
        )
    );
    assert_eq!(
        names("session", r#"{"started_at":"2026-01-01T00:00:00Z"}"#),
        ("sessions", "started_at ended_at device os referrer".into())
    );
    assert_eq!(
        names("ab_test_assignment", r#"{"experiment_id":"e","variant":"v"}"#),
        ("ab_test_assignments", "experiment_id variant".into())
    );
}

#[test]
fn violations_stand_in_the_order_of_the_contract() {
    let found = violations(
        r#"{"properties":{"is_correct":0,"score":2,"score":3},"country":"d","event_type":"task_result","event_id":""}"#,
    );
    let expected = [
        ("invalid_value", "event_id"),
        ("missing_field", "user_id"),
        ("missing_field", "event_time"),
        ("invalid_value", "country"),
        ("missing_field", "properties.task_id"),
        ("wrong_type", "properties.is_correct"),
        ("duplicate_field", "properties.score"),
    ];
    assert_eq!(found, expected.map(|(reason, field)| (reason, field.to_owned())));
}

#[test]
fn a_line_that_is_no_event_has_one_violation_without_a_field() {
    for (line, reason) in [("[1,2", "invalid_json"), ("[1,2]", "not_an_object"), ("nope", "invalid_json")] {
        assert_eq!(violations(line), [(reason, String::new())]);
    }
}
