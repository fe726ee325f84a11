//! What is generated holds together. Its text is reviewed where it is committed, and by snapshot here.

use serde_json::{Value, json};

use super::*;

#[test]
fn the_ddl_of_raw() {
    insta::assert_snapshot!(ddl(&Databases::with_prefix("acme_").unwrap(), None).join(";\n\n"));
}

#[test]
fn the_ddl_of_raw_on_a_cluster() {
    let cluster = Cluster::new("analytics").unwrap();
    insta::assert_snapshot!(ddl(&Databases::default(), Some(&cluster)).join(";\n\n"));
    for wrong in ["", "a b", "a'b", &"x".repeat(65)] {
        assert!(Cluster::new(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn prefixes_need_no_quoting() {
    for wrong in ["a-b", "1a", "a b", "a`b", "é", &"x".repeat(65)] {
        assert!(Databases::with_prefix(wrong).is_err(), "{wrong}");
    }
    assert_eq!(Databases::default().marts(), "marts");
}

#[test]
fn the_json_schema_accepts_good_lines_and_refuses_bad_ones() {
    let schema = jsonschema::validator_for(&json_schema()).unwrap();
    let good = json!({
        "event_id": "018f2c6e-7b1a-7c3d-9e4f-0123456789ab", "event_type": "task_result", "user_id": "u",
        "event_time": "2026-03-01T09:30:00Z", "country": "", "unknown": [1],
        "properties": { "task_id": "t", "is_correct": true, "score": 0.5, "attempt": null },
    });
    assert!(
        schema.is_valid(&good),
        "{:?}",
        schema.iter_errors(&good).map(|e| e.to_string()).collect::<Vec<_>>()
    );
    let bad: [(&str, Value); 7] = [
        ("/event_id", json!("018f2c6e")),
        ("/event_time", json!("yesterday")),
        ("/user_id", json!("")),
        ("/country", json!("kz")),
        ("/properties", json!(null)),
        ("/properties/attempt", json!(0)),
        ("/properties/is_correct", json!("yes")),
    ];
    for (pointer, value) in bad {
        let mut line = good.clone();
        *line.pointer_mut(pointer).unwrap() = value;
        assert!(!schema.is_valid(&line), "{pointer}");
    }
}
